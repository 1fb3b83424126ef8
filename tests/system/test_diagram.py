"""Diagrams, drawn by the real Graphviz."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

from acceptance.server import Project

SVG = "{http://www.w3.org/2000/svg}"
STATES = {
    "initial": 'a "quoted" <b> & grüße \\\\',
    'a "quoted" <b> & grüße \\\\': {
        "type": "step",
        "command": "true",
        "transitions": [{"when": 'inputs.x == "<&\\\\n>"', "goto": "each"}],
        "on_success": "each",
    },
    "each": {"type": "for_each", "items": "a,b", "body": ["inner"], "on_complete": "both"},
    "inner": {"type": "step", "command": "true"},
    "both": {
        "type": "parallel",
        "parallel": ["left", "right"],
        "on_success": "done",
        "on_failure": {"message": "no"},
    },
    "left": {"type": "step", "command": "true"},
    "right": {"type": "step", "command": "true"},
    "done": {"type": "terminal"},
}


def titles(svg: str, kind: str) -> set[str]:
    """What the drawing calls its nodes, edges or clusters."""
    drawn = ET.fromstring(svg)
    groups = [group for group in drawn.iter(f"{SVG}g") if group.get("class") == kind]
    return {title.text or "" for group in groups if (title := group.find(f"{SVG}title")) is not None}


def labels(svg: str, kind: str) -> set[str]:
    """What is written on its nodes or edges."""
    drawn = ET.fromstring(svg)
    groups = [group for group in drawn.iter(f"{SVG}g") if group.get("class") == kind]
    return {
        "".join(text.itertext()).replace("\xa0", " ") for group in groups for text in group.iter(f"{SVG}text")
    }


def test_every_state_and_way_is_in_the_drawing(project: Project, tmp_path: Path) -> None:
    project.workflow("drawn", json.dumps({"name": "drawn", "version": "1", "states": STATES}))
    done = project.awf("diagram", "drawn", "--highlight", "both", "--output", "drawn.svg")
    assert (done.returncode, done.stderr) == (0, "")
    svg = (tmp_path / "drawn.svg").read_text(encoding="utf-8")
    assert STATES.keys() - {"initial"} <= labels(svg, "node")
    assert 'when inputs.x == "<&\\\\n>"' in labels(svg, "edge")
    assert titles(svg, "cluster") == {"cluster_1", "cluster_2"}
    assert {"both->done", "both->left", "both->right", "each->inner", "each->both"} <= titles(svg, "edge")
    assert "gold" in svg


def test_the_examples_can_be_drawn(project: Project) -> None:
    project.take_examples()
    names = project.awf("list", "-q").stdout.split()
    assert names
    for name in names:
        drawn = project.awf("diagram", name, "--type", "svg")
        assert (drawn.returncode, drawn.stderr) == (0, ""), name
        assert titles(drawn.stdout, "node")
