"""``mcp_proxy``: the agent's tool starts the real ``awf mcp-serve`` with what it is given, and uses what that offers."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from agents.tools import PROGRAMS, Bench
from awf.journal.messages import ToolResult, ToolUse
from awf.runners.agents.port import McpServer, Request
from awf.runners.agents.registry import build_providers
from awf.runners.agents.runner import can_have_tools
from conformance.harness import run

each_tool = pytest.mark.parametrize("name", sorted(PROGRAMS))
NOTIFY = {"message": "hi", "backend": "desktop"}
EXPOSED = "[{plugin: notify, expose: [send]}, {plugin: http, expose: [request]}]"


def ask(bench, name, tool, arguments, proxy=f"enable: true, plugin_tools: {EXPOSED}", more="", **how):
    wanted = json.dumps({"server": "awf", "tool": tool, "arguments": arguments})
    chosen = "[mcp]" if tool else "[hang]"
    text = f"""
        name: main
        states:
          initial: ask
          ask:
            type: agent
            provider: {name}
            prompt: {json.dumps(f"Do {wanted} {chosen}")}
            mcp_proxy: {{{proxy}}}
            {more}
            on_success: gone
          gone:
            type: step
            command: 'until [ -z "$(ls .awf/storage/attempts)" ]; do sleep 0.02; done'
            timeout: 20s
            on_success: done
          done: {{type: terminal}}
        """
    environ = {**bench.environ(), "AWF_TEST_MODE": "1"}
    return run(text, **{"environ": environ, "providers": build_providers(), **how})


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def test_all_of_awfs_own_providers_can():
    assert all(can_have_tools(provider) for provider in build_providers().values())


@each_tool
def test_an_agent_uses_an_operation(bench, name):
    """Performed with the engine's environment (``AWF_TEST_MODE``), which the tool has not passed on. Nothing is left."""
    result = ask(bench, name, "notify.send", NOTIFY)
    assert result.status == "completed", result.error
    said = result.outputs["ask"]
    assert said.startswith("Tools: awf/notify.send awf/http.request. It said: ")
    assert json.loads(said.partition("It said: ")[2]) == {
        "backend": "desktop",
        "status": "sent",
        "response": "",
    }
    blocks = [block for message in result.of("agent.message") for block in message.blocks]
    [use] = [block for block in blocks if isinstance(block, ToolUse)]
    [answer] = [block for block in blocks if isinstance(block, ToolResult)]
    assert "notify" in use.name
    assert use.input == NOTIFY
    assert "sent" in str(answer.output)
    assert not answer.failed


@each_tool
def test_what_is_wrong_with_a_call_is_told_to_the_agent(bench, name):
    result = ask(bench, name, "http.request", {"url": "ftp://x", "method": "BREW", "size": 1})
    assert result.status == "completed", result.error
    assert "http.request: unknown input 'size'" in result.outputs["ask"]
    assert "method" in result.outputs["ask"]
    blocks = [block for message in result.of("agent.message") for block in message.blocks]
    assert [block.failed for block in blocks if isinstance(block, ToolResult)] == [True]


@each_tool
def test_the_tools_own_stay_where_they_are_not_to_be_replaced(bench, name):
    proxy = "enable: true, intercept_builtins: false, plugin_tools: [{plugin: notify, expose: [send]}]"
    result = ask(bench, name, "notify.send", NOTIFY, proxy)
    assert result.outputs["ask"].startswith("Tools: awf/notify.send own. It said: {")


@pytest.mark.parametrize("name", ["gemini"])
def test_nothing_is_left_where_the_time_is_over(bench, name):
    """This one has the most: directories and links."""
    result = ask(bench, name, "", {}, "enable: true", "timeout: 500ms\n            on_failure: gone")
    assert result.of("step.failed")[0].error == "timeout exceeded (500ms)"
    assert result.status == "completed"
    assert not (bench.home / ".gemini" / "settings.json").exists()


@each_tool
def test_nothing_is_given_where_it_is_off(bench, name):
    ask(bench, name, "notify.send", NOTIFY, "enable: false")
    [asked] = bench.asked(name)
    assert asked["servers"] == []
    assert "awf" not in " ".join(word for word in asked["argv"] if "Do {" not in word)


def test_a_provider_that_cannot_says_so_and_is_not_asked(bench):
    """One of a plug-in, that is made for an awf without tools."""
    older = type("Older", (type(build_providers()["claude"]),), {"uses_mcp": False})()
    result = ask(bench, "claude", "notify.send", NOTIFY, providers={**build_providers(), "claude": older})
    error = result.of("step.failed")[-1].error
    assert error.startswith(
        "claude: mcp_proxy: this provider cannot be given tools by awf (these can: codex, "
    )
    assert error.endswith("[USER.MCP_PROXY.UNSUPPORTED_PROVIDER]")
    assert not (bench.home / ".standins").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"sandbox": "workspace-write"}, "option sandbox must be read-only"),
        ({"dangerously_skip_permissions": "yes"}, "option dangerously_skip_permissions must be false"),
    ],
)
def test_codex_may_change_nothing_by_itself_where_its_tools_are_replaced(options, says):
    server = McpServer(command="awf", args=(), env={}, directory="/x", exclusive=True)
    codex = build_providers()["codex"]
    [problem] = codex.check(Request(prompt="x", options=options, mcp=server))
    assert problem.startswith(says)
    beside = replace(server, exclusive=False)
    assert codex.check(Request(prompt="x", options=options, mcp=beside)) == []
    read_only = Request(prompt="x", options={"sandbox": "read-only"}, mcp=server)
    assert codex.check(read_only) == []
    assert 'sandbox_mode="read-only"' in codex.invocation(read_only).argv


def test_opencode_keeps_what_its_environment_says():
    server = McpServer(command="awf", args=(), env={}, directory="/x", exclusive=False)
    given = {"mcp": {"own": {}}, "permission": "ask", "model": "m"}
    request = Request(prompt="x", environ={"OPENCODE_CONFIG_CONTENT": json.dumps(given)}, mcp=server)
    opencode = build_providers()["opencode"]
    assert opencode.check(request) == []
    config = json.loads(opencode.invocation(request).env["OPENCODE_CONFIG_CONTENT"])
    assert (list(config["mcp"]), config["model"]) == (["own", "awf"], "m")
    assert config["permission"] == {"*": "ask", "awf_*": "allow"}
    exclusive = opencode.invocation(replace(request, mcp=replace(server, exclusive=True)))
    rules = json.loads(exclusive.env["OPENCODE_CONFIG_CONTENT"])["permission"]
    assert {name for name, says in rules.items() if says == "allow"} == {"awf_*"}
    assert rules["bash"] == rules["*"] == "deny"
    broken = replace(request, environ={"OPENCODE_CONFIG_CONTENT": "{,}"})
    assert opencode.check(broken) == [
        "OPENCODE_CONFIG_CONTENT of the environment is not a JSON object, so nothing can be added to it"
    ]
    assert opencode.check(replace(broken, mcp=None)) == []


def test_an_operation_that_is_not_there_fails_the_step(bench):
    proxy = "enable: true, plugin_tools: [{plugin: notify, expose: [sent]}]"
    result = ask(bench, "claude", "notify.sent", {}, proxy)
    assert result.of("step.failed")[-1].error == (
        "claude: mcp_proxy: operation 'notify.sent' not found (did you mean 'notify.send'?)"
    )


def test_the_failure_can_be_routed(bench):
    text = """
        name: main
        states:
          initial: ask
          ask:
            type: agent
            provider: scripted
            prompt: Hello
            mcp_proxy: {enable: true}
            on_success: done
            on_failure: other
          other: {type: step, command: "echo without", on_success: done}
          done: {type: terminal}
        """
    result = run(text, environ=bench.environ())
    assert (result.status, result.outputs["other"].strip()) == ("completed", "without")
