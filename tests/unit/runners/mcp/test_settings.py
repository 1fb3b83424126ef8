"""An operation that an agent uses is bound by the same settings as a step is."""

from __future__ import annotations

from pathlib import Path

from awf.compose import build_runners
from awf.runners.agents.runner import AgentRunner
from awf.runners.attempts import Attempts
from awf.runners.notes import Notes
from awf.settings import load_settings
from awf.testing.clock import FakeClock


def test_the_server_has_the_settings_of_the_engine(tmp_path: Path) -> None:
    arguments = {
        "http_allow_hosts": ("example.com", "10.0.0.0/8"),
        "grace": 1.5,
        "storage": tmp_path / "here",
    }
    settings = load_settings(tmp_path, {}, arguments)
    attempts = Attempts(tmp_path / "attempts", Notes(tmp_path / "engines", "one"))
    agents = build_runners(settings, FakeClock(), attempts)["agent"]
    assert isinstance(agents, AgentRunner)
    proxy = agents.proxy
    assert proxy is not None
    again = load_settings(proxy.root, {}, proxy.settings)
    assert (again.root, again.storage) == (settings.root, settings.storage)
    assert (again.http_allow_hosts, again.grace) == (("example.com", "10.0.0.0/8"), 1.5)
    assert {"http.request", "notify.send", "github.batch"} <= set(proxy.operations)
