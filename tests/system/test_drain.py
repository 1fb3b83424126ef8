"""The longest way out: a viewer who does not leave, a step that does not end."""

from __future__ import annotations

import signal
import time

import pytest

from acceptance.facts import Gate
from acceptance.server import Project, wait_exit


@pytest.mark.timeout(180)
def test_the_server_leaves_after_30_seconds_although_a_viewer_still_watches(project: Project) -> None:
    gate = Gate(project.root / "gate")
    project.steps("gated", f"echo begun; {gate.wait}; echo one >>lines")
    server = project.serve()
    execution = server.run("gated")
    with server.stream(execution) as viewer:
        next(viewer)
        began = time.monotonic()
        server.signal(signal.SIGTERM)
        assert wait_exit(server.process, limit=60) == 0
        assert 25 < time.monotonic() - began < 45
        cut = [event.name for event in viewer]
    assert "workflow.completed" not in cut
    gate.open()
    new = project.serve()
    new.wait(execution)
    assert (project.root / "lines").read_text() == "one\n"
