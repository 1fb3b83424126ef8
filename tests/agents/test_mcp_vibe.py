"""``mcp_proxy`` for Vibe: a server and permissions in the environment, laid over the tool's own files."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from awf.runners.agents.mistral_vibe import MistralVibe
from awf.runners.agents.port import McpServer, Request

SERVER = McpServer(
    command="/a b/python3",
    args=("-m", "awf"),
    env={"A": "1"},
    directory="/x",
    exclusive=False,
    tools=("notify.send", "http.request"),
)
OURS = {
    "name": "awf",
    "transport": "stdio",
    "command": ["/a b/python3"],
    "args": ["-m", "awf"],
    "env": {"A": "1"},
    "startup_timeout_sec": 60,
    "tool_timeout_sec": 86_400,
}
ALWAYS = {"permission": "always"}


def invocation(environ=None, server=SERVER, **options):
    request = Request(prompt="x", options=options, environ=environ or {}, mcp=server)
    assert MistralVibe().check(request) == []
    return MistralVibe().invocation(request)


def test_the_server_and_its_tools_are_added_to_what_the_environment_says():
    own = {
        "VIBE_MCP_SERVERS": '[{"name": "own"}, {"name": "awf"}]',
        "VIBE_TOOLS": '{"bash": {"permission": "never"}}',
    }
    env = invocation(own).env
    assert json.loads(env["VIBE_MCP_SERVERS"]) == [{"name": "own"}, OURS]
    assert json.loads(env["VIBE_TOOLS"]) == {
        "bash": {"permission": "never"},
        "awf_notify.send": ALWAYS,
        "awf_http.request": ALWAYS,
    }
    assert json.loads(invocation().env["VIBE_MCP_SERVERS"]) == [OURS]
    assert invocation({"VIBE_TOOLS": "  "}, model="m").env["VIBE_ACTIVE_MODEL"] == "m"


def test_where_it_is_to_have_no_other_tools():
    own = {"VIBE_MCP_SERVERS": '[{"name": "own"}]'}
    found = invocation(own, replace(SERVER, exclusive=True))
    assert json.loads(found.env["VIBE_MCP_SERVERS"]) == [OURS]
    assert found.argv[-4:] == ("--enabled-tools", "awf_*", "--disabled-tools", "re:(?!awf_).*")
    assert found.env["VIBE_ENABLE_SUBAGENTS"] == "false"
    assert "--enabled-tools" not in invocation().argv


def test_options_that_choose_tools_choose_ours_too():
    assert invocation(enabled_tools="bash,grep").argv[-6:] == (
        *("--enabled-tools", "bash"),
        *("--enabled-tools", "grep"),
        *("--enabled-tools", "awf_*"),
    )
    exclusive = Request(prompt="x", options={"enabled_tools": "bash"}, mcp=replace(SERVER, exclusive=True))
    assert MistralVibe().check(exclusive) == [
        "option enabled_tools must not be set where mcp_proxy switches the tool's own tools off "
        "(or say intercept_builtins: false)"
    ]


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({"VIBE_MCP_SERVERS": "{}"}, "VIBE_MCP_SERVERS of the environment is not a JSON list"),
        ({"VIBE_MCP_SERVERS": "[,"}, "VIBE_MCP_SERVERS of the environment is not a JSON list"),
        ({"VIBE_TOOLS": "[" * 100_000}, "VIBE_TOOLS of the environment is not a JSON object"),
    ],
)
def test_an_environment_to_which_nothing_can_be_added(environ, problem):
    request = Request(prompt="x", environ=environ, mcp=SERVER)
    assert MistralVibe().check(request) == [f"{problem}, so nothing can be added to it"]
    assert MistralVibe().check(replace(request, mcp=None)) == []
