"""``mcp_proxy`` for Gemini CLI: a home of links, in which the settings are a copy with one more server."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from agents.tools import Bench
from awf.runners.agents.gemini import Gemini
from awf.runners.agents.port import McpServer, Request
from conformance.harness import run

SERVER = McpServer(
    command="/usr/bin/python3", args=("-m", "awf"), env={"A": "1"}, directory="/x", exclusive=False
)


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home" / ".gemini").mkdir(parents=True)
    (tmp_path / "work" / ".gemini").mkdir(parents=True)
    return tmp_path / "home"


def asked(home, **more):
    given = {
        "prompt": "x",
        "environ": {"HOME": str(home)},
        "working_dir": str(home.parent / "work"),
        "mcp": SERVER,
    }
    return Request(**{**given, **more})


def settings(where, text):
    (where / ".gemini" / "settings.json").write_text(text)


def written(request):
    """The settings that the tool gets."""
    invocation = Gemini().invocation(request)
    assert invocation.env["GEMINI_CLI_HOME"] == "/x/gemini"
    return json.loads(invocation.files["gemini/.gemini/settings.json"])


def test_what_the_user_has_set_stays_and_the_server_is_added(home):
    settings(
        home,
        """\ufeff// mine
        {"ui": {"theme": "a // b /* c */ \\" d"}, /* servers
        */ "mcpServers": {"own": {"command": "$OWN"}, "awf": {"command": "false"}},
        "mcp": {"allowed": ["own"], "excluded": ["awf", "old"], "serverCommand": "x"}}""",
    )
    before = (home / ".gemini" / "settings.json").read_bytes()
    found = written(asked(home))
    assert found["ui"] == {"theme": 'a // b /* c */ " d'}
    assert found["mcpServers"]["own"] == {"command": "$OWN"}
    assert found["mcpServers"]["awf"] == {
        "command": "/usr/bin/python3",
        "args": ["-m", "awf"],
        "env": {"A": "1"},
        "trust": True,
        "timeout": 86_400_000,
    }
    assert found["mcp"] == {"allowed": ["own", "awf"], "excluded": ["old"], "serverCommand": "x"}
    assert (home / ".gemini" / "settings.json").read_bytes() == before


@pytest.mark.parametrize("text", [None, "{}", '{"mcpServers": null, "mcp": {"allowed": []}}'])
def test_settings_that_say_nothing_of_servers(home, text):
    if text is not None:
        settings(home, text)
    found = written(asked(home))
    assert list(found["mcpServers"]) == ["awf"]
    assert found.get("mcp") in (None, {"allowed": []})


def test_everything_else_of_the_home_is_linked(home):
    for name in ("oauth_creds.json", "GEMINI.md", "projects.json"):
        (home / ".gemini" / name).write_text(name)
    (home / ".gemini" / "extensions").mkdir()
    (home / ".gemini" / "broken").symlink_to("/nowhere")
    (home / ".env").write_text("A=1")
    settings(home, "{}")
    links = Gemini().invocation(asked(home)).links
    assert links == {
        f"gemini/{name}": str(home / name)
        for name in (
            ".env",
            ".gemini/GEMINI.md",
            ".gemini/extensions",
            ".gemini/oauth_creds.json",
            ".gemini/projects.json",
            ".gemini/tmp",  # the sessions' place is made, as the tool itself would
        )
    }
    assert (home / ".gemini" / "tmp").stat().st_mode & 0o777 == 0o700


def test_a_home_that_is_chosen_already_is_the_one_that_is_linked(home):
    elsewhere = home.parent / "elsewhere"
    (elsewhere / ".gemini").mkdir(parents=True)
    (elsewhere / ".gemini" / "GEMINI.md").write_text("x")
    settings(elsewhere, '{"a": 1}')
    request = asked(home, environ={"HOME": str(home), "GEMINI_CLI_HOME": str(elsewhere)})
    assert written(request)["a"] == 1
    assert Gemini().invocation(request).links["gemini/.gemini/GEMINI.md"] == str(
        elsewhere / ".gemini" / "GEMINI.md"
    )


def test_without_tools_the_home_is_the_users(home):
    invocation = Gemini().invocation(asked(home, mcp=None))
    assert (invocation.files, invocation.links) == ({}, {})
    assert "GEMINI_CLI_HOME" not in invocation.env
    assert not (home / ".gemini" / "tmp").exists()


def test_options_that_choose_servers_choose_ours_too(home):
    request = asked(home, options={"allowedMcpServerNames": "own"})
    assert "--allowed-mcp-server-names=awf" in Gemini().invocation(request).argv
    assert "--allowed-mcp-server-names=awf" not in Gemini().invocation(asked(home)).argv


WHERE = "where mcp_proxy switches the tool's own tools off (or say intercept_builtins: false)"
NO_SANDBOX = (
    "its sandbox must be off with mcp_proxy: in it there is nothing that the server could be started from"
)


@pytest.mark.parametrize(
    ("more", "home_says", "project_says", "problems"),
    [
        (
            {},
            '{"a": [}',
            "{}",
            ["its settings cannot be added to: HOME/.gemini/settings.json cannot be read: "],
        ),
        (
            {},
            "[]",
            "{}",
            ["its settings cannot be added to: HOME/.gemini/settings.json is not a JSON object"],
        ),
        ({}, "{}", "{", ["its settings cannot be added to: WORK/.gemini/settings.json cannot be read: "]),
        (
            {},
            "{}",
            '{"mcpServers": {"awf": {}}}',
            ["WORK/.gemini/settings.json has an MCP server 'awf' of its own"],
        ),
        ({}, '{"mcpServers": {"awf": {}}}', "{}", []),
        ({"options": {"sandbox": "yes"}}, "{}", "{}", [NO_SANDBOX]),
        ({"environ": {"GEMINI_SANDBOX": "docker"}}, "{}", "{}", [NO_SANDBOX]),
        ({}, '{"tools": {"sandbox": true}}', "{}", [NO_SANDBOX]),
        ({}, "{}", '{"tools": {"sandbox": "podman"}}', [NO_SANDBOX]),
        ({"environ": {"GEMINI_SANDBOX": "false"}}, '{"tools": {"sandbox": true}}', "{}", []),
        (
            {"mcp": replace(SERVER, exclusive=True), "options": {"allowed_mcp_server_names": ["own"]}},
            "{}",
            "{}",
            [f"option allowed_mcp_server_names must not be set {WHERE}"],
        ),
        (
            {"mcp": replace(SERVER, directory="/a,b", command="/c$d")},
            "{}",
            "{}",
            [
                "the tool takes '$' and ',' in a path for something else, and mcp_proxy needs /c$d",
                "the tool takes '$' and ',' in a path for something else, and mcp_proxy needs /a,b",
            ],
        ),
        (
            {"options": {"sandbx": True}, "mcp": replace(SERVER, directory="/a,b")},
            "{",
            "{}",
            ["unknown option"],
        ),
    ],
)
def test_what_would_keep_the_server_from_the_agent(home, more, home_says, project_says, problems):
    settings(home, home_says)
    settings(home.parent / "work", project_says)
    environ = {"HOME": str(home), **more.get("environ", {})}
    found = Gemini().check(asked(home, **{**more, "environ": environ}))
    found = [each.replace(str(home), "HOME").replace(str(home.parent / "work"), "WORK") for each in found]
    assert len(found) == len(problems), found
    assert all(said.startswith(expected) for said, expected in zip(found, problems, strict=True)), found


def test_a_project_that_is_the_home_is_read_once(home):
    settings(home, '{"mcpServers": {"awf": {}}}')
    assert Gemini().check(asked(home, working_dir=str(home))) == []


def test_a_session_goes_on_in_the_users_home_and_nothing_else_is_left_in_it(tmp_path):
    """The stand-in keeps sessions in its home, as the real one does."""
    bench = Bench(tmp_path)
    (bench.home / ".gemini").mkdir()
    settings(bench.home, '{"mcpServers": {}}')
    text = """
        name: main
        states:
          initial: one
          one: {type: agent, provider: gemini, prompt: First, conversation: {}, mcp_proxy: {enable: true}, on_success: two}
          two:
            type: agent
            provider: gemini
            prompt: Second
            conversation: {continue_from: one}
            mcp_proxy: {enable: true}
            on_success: done
          done: {type: terminal}
        """
    result = run(text, environ=bench.environ(), providers={"gemini": Gemini()})
    assert result.outputs["two"] == "You said: Second. Before: First."
    left = [Path(place, name) for place, _, names in os.walk(bench.home / ".gemini") for name in names]
    assert [path.name for path in left if path.parent.name != "tmp"] == ["settings.json"]
    assert (bench.home / ".gemini" / "settings.json").read_text() == '{"mcpServers": {}}'
    argv = " ".join(bench.asked("gemini")[0]["argv"])
    assert "--policy=" in argv
    assert "--allowed-mcp-server-names=awf" in argv
