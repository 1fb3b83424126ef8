"""What must hold of an execution, whatever died meanwhile: its effects, counted in a file, its record, its streams."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acceptance.server import Server
from acceptance.sse import Event


def effects(root: Path) -> Counter[str]:
    """How often each attempt of each step and hook has left its line."""
    path = root / "effects"
    return Counter(path.read_text().split()) if path.exists() else Counter()


@dataclass(frozen=True)
class Verdict:
    """``result`` is what the execution came to, without times, ids and attempts; ``again`` the number of attempts that
    repeated one that a death ended; ``runs`` of the attempts that left a line; ``facts`` the length of the journal."""

    result: tuple[Any, ...]
    steps: int
    again: int
    runs: int
    facts: int


def judge(server: Server, execution: str, runs: Counter[str], seen: list[Event] | None = None) -> Verdict:
    """Fails with what does not hold. ``seen``: what a viewer who stayed has seen."""
    late = server.events(execution, query="?events=all")
    assert [event.id for event in late] == list(range(1, len(late) + 1)), f"a gap or a repetition: {late}"
    if seen is not None:
        assert seen == late, f"the viewer who stayed saw something else: {seen} != {late}"
    shown = server.execution(execution)
    assert shown["status"] == late[-1].data["status"], (shown, late[-1])
    steps = server.body(f"/api/executions/{execution}/steps")["steps"]
    again = _attempts(late)
    ran = _ran(execution, runs)
    for step in steps:
        if step.get("reused"):
            continue
        mine = {
            name: count for name, count in ran.items() if name.startswith(f"{execution}.{step['number']}.")
        }
        last = f"{execution}.{step['number']}.{step['attempt']}"
        assert set(mine.values()) <= {1}, f"an attempt ran twice: {mine}"
        if step["status"] == "completed" and mine:
            assert last in mine, f"the attempt that completed left nothing: {step} {mine}"
    result = (
        shown["status"],
        shown.get("error"),
        shown.get("exit_code"),
        late[-1].data.get("message"),
        tuple(
            sorted((step["path"], step["status"], step["exit_code"], step["output"][-80:]) for step in steps)
        ),
    )
    return Verdict(result, len(steps), again, len(ran), len(late))


def _ran(execution: str, runs: Counter[str]) -> dict[str, int]:
    return {name: count for name, count in runs.items() if name.startswith(f"{execution}.")}


def _attempts(events: list[Event]) -> int:
    """How many attempts repeat one that a death ended. Fails where a step starts that has completed already, or one
    attempt starts twice."""
    again = 0
    started: dict[str, list[int]] = defaultdict(list)
    over: set[str] = set()
    for event in events:
        path = event.data.get("path") or event.data.get("step_name", "")
        if event.name == "step.started":
            assert path not in over, f"{path} started after it had completed: {events}"
            assert event.data["attempt"] == len(started[path]) + 1, f"{path}: {event} after {started[path]}"
            started[path].append(event.data["attempt"])
            again += bool(event.data.get("recovered"))
        elif event.name == "step.completed":
            assert path not in over, f"{path} completed twice: {events}"
            over.add(path)
    return again
