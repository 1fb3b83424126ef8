"""The real command-line tools, as they are on npm and PyPI, through real engines against a model server on loopback.

``make test-agents`` installs them and runs this; it is not part of the other tests.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents_real.model_server import Call, ModelServer, Refuse, Replies, Reply, Say
from agents_real.rigs import RIGS
from awf.journal.messages import ToolResult, ToolUse
from awf.runners.agents.registry import build_providers
from conformance.harness import Result, run

pytestmark = pytest.mark.timeout(300)
each_tool = pytest.mark.parametrize("name", sorted(RIGS))

TWO = """
    name: two
    states:
      initial: one
      one: {type: agent, provider: NAME, prompt: PROMPT, conversation: {}, FIRST on_success: NEXT}
      two:
        type: agent
        provider: NAME
        prompt: And a second thing
        system_prompt: You are Bob.
        conversation: {continue_from: one}
        SECOND on_success: done
      done: {type: terminal}
    """


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and an environment with nothing in it but that and a PATH."""
    home = tmp_path / "home"
    home.mkdir()
    node = shutil.which("node")
    path = ":".join([*([str(Path(node).parent)] if node else []), "/usr/bin", "/bin"])
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8", "TMPDIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    return home


def ask(
    name: str,
    home: Path,
    replies: list[Reply],
    *,
    prompt: str = "Say hello",
    system_prompt: str = "You are Zed.",
    options: dict[str, Any] | None = None,
    goes_on: bool = False,
) -> tuple[Result, ModelServer]:
    """Run one step of the tool, or two in one session."""
    rig = RIGS[name]
    assert rig.bin.is_dir(), f"{rig.bin} is not there: run `make test-agents`"
    options = options if options is not None else ({"model": rig.model} if rig.model else {})
    given = json.dumps(options).replace("{home}", str(home))
    text = (
        TWO.replace("NAME", name)
        .replace("PROMPT", json.dumps(prompt))
        .replace("NEXT", "two" if goes_on else "done")
    )
    text = text.replace("FIRST", f"options: {given}, system_prompt: {json.dumps(system_prompt)},")
    text = text.replace("SECOND", f"options: {given}\n       ")
    if not goes_on:
        text = text[: text.index("      two:")] + "      done: {type: terminal}\n"
    with ModelServer(replies) as server:
        environ = {**rig.configure(home, server.url), "PATH": f"{rig.bin}:{os.environ['PATH']}"}
        return run(text, environ=environ, providers=build_providers()), server


def told(server: ModelServer, request: int = -1) -> str:
    """All that the model was told with one request that had tools."""
    return json.dumps(
        [asked.body for asked in server.asked if asked.body.get("tools")][request], ensure_ascii=False
    )


@each_tool
def test_a_step_that_uses_a_tool(name: str, home: Path) -> None:
    rig = RIGS[name]
    options = {"dangerously_skip_permissions": True, **({"model": rig.model} if rig.model else {})}
    result, server = ask(name, home, [Call(*rig.shell), Say("All is done now.")], options=options)
    assert result.status == "completed", (result.error, result.outputs)
    assert result.outputs["one"] == "All is done now."
    assert "You are Zed." in told(server, 0)
    assert "Say hello" in told(server, 0)
    blocks = [block for message in result.of("agent.message") for block in message.blocks]
    [use] = [block for block in blocks if isinstance(block, ToolUse)]
    [answer] = [block for block in blocks if isinstance(block, ToolResult)]
    assert "echo hi" in str(use.input)
    assert "hi" in str(answer.output)
    assert not answer.failed
    usage = result.steps["one"].usage
    assert usage is not None
    if rig.counts:
        assert (usage.input, usage.output, usage.estimated) == (246, 90, False)


def use_an_operation(
    name: str, home: Path, replies: Replies, *proxies: str, options: Mapping[str, Any] | None = None
) -> tuple[Result, ModelServer]:
    """A step for each of these ``mcp_proxy``, all in one session; the environment that makes a notification only look sent
    is the engine's, and no tool passes it on."""
    rig, last = RIGS[name], len(proxies)
    options = {**({"model": rig.model} if rig.model else {}), **(options or {})}
    states = "".join(
        f"""
          s{number}:
            type: agent
            provider: {name}
            prompt: Say hello
            options: {json.dumps(options)}
            conversation: {{{f"continue_from: s{number - 1}" if number > 1 else ""}}}
            mcp_proxy: {{enable: true, {proxy}}}
            on_success: {f"s{number + 1}" if number < last else "done"}"""
        for number, proxy in enumerate(proxies, 1)
    )
    text = f"""
        name: operations
        states:
          initial: s1{states}
          done: {{type: terminal}}
        """
    with ModelServer(replies) as server:
        environ = {**rig.configure(home, server.url), "PATH": f"{rig.bin}:{os.environ['PATH']}"}
        result = run(text, environ={**environ, "AWF_TEST_MODE": "1"}, providers=build_providers())
    return result, server


NOTIFIES = "plugin_tools: [{plugin: notify, expose: [send]}]"


@each_tool
def test_a_step_that_uses_an_operation(name: str, home: Path) -> None:
    """The tool starts ``awf mcp-serve`` and calls without asking, again where the session goes on; its own shell it does not
    have then."""
    rig, ran = RIGS[name], home / "ran"
    shell = Call(
        rig.shell[0], json.loads(json.dumps(rig.shell[1]).replace("echo hi", f"touch {ran}")), id="c0"
    )
    replies = [shell, rig.operation, Say("All is done now."), replace(rig.operation, id="c3"), Say("Again.")]
    result, server = use_an_operation(name, home, replies, NOTIFIES, NOTIFIES)
    assert result.status == "completed", result.error
    assert (result.outputs["s1"], result.outputs["s2"]) == ("All is done now.", "Again.")
    assert not ran.exists()
    blocks = [block for message in result.of("agent.message") for block in message.blocks]
    answers = [block for block in blocks if isinstance(block, ToolResult) and not block.failed]
    assert [answer for answer in answers if "sent" not in str(answer.output)] == []
    assert len(answers) == 2
    assert told(server).count("desktop") >= 4  # both calls, and their results
    tools = json.dumps([asked.body.get("tools") for asked in server.asked])
    assert not (rig.hides and rig.shell[0] in tools)
    assert "spawn_agent" not in tools


@each_tool
def test_the_tools_own_stay_where_they_are_not_to_be_replaced(name: str, home: Path) -> None:
    rig = RIGS[name]
    proxy = f"intercept_builtins: false, {NOTIFIES}"
    result, server = use_an_operation(name, home, [rig.operation, Say("All is done now.")], proxy)
    assert (result.status, result.outputs["s1"]) == ("completed", "All is done now."), result.error
    blocks = [block for message in result.of("agent.message") for block in message.blocks]
    [answer] = [block for block in blocks if isinstance(block, ToolResult)]
    assert "sent" in str(answer.output)
    assert not answer.failed
    [first, *_] = [asked.body["tools"] for asked in server.asked if asked.body.get("tools")]
    assert (rig.own or rig.shell[0]) in json.dumps(first)


@each_tool
def test_a_server_that_starts_slowly_is_waited_for(
    name: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = home / "python"
    slow.write_text(f'#!/bin/sh\nsleep 8\nexec {sys.executable} "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(slow))
    result, _ = use_an_operation(name, home, [RIGS[name].operation, Say("All is done now.")], NOTIFIES)
    assert result.status == "completed", result.error
    blocks = [block for message in result.of("agent.message") for block in message.blocks]
    [answer] = [block for block in blocks if isinstance(block, ToolResult)]
    assert "sent" in str(answer.output)
    assert not answer.failed


def test_an_agent_of_vibe_cannot_choose_its_own_tools_then(home: Path) -> None:
    """Its choice of what is enabled outranks the arguments; what is disabled stays so."""
    ran = home / "ran"
    (home / ".vibe" / "agents").mkdir(parents=True)
    (home / ".vibe" / "agents" / "mine.toml").write_text(
        'enabled_tools = ["bash", "awf_*"]\ndisabled_tools = []\n'
    )
    replies = [
        Call("bash", {"command": f"touch {ran}"}, id="c0"),
        RIGS["mistral_vibe"].operation,
        Say("Done."),
    ]
    result, _ = use_an_operation("mistral_vibe", home, replies, NOTIFIES, options={"agent": "mine"})
    assert result.outputs["s1"] == "Done.", result.error
    assert not ran.exists()
    blocks = [block for message in result.of("agent.message") for block in message.blocks]
    assert [block.failed for block in blocks if isinstance(block, ToolResult)] == [True, False]


def test_a_subagent_of_codex_has_the_operations_too(home: Path) -> None:
    """What it calls is performed; the tool says nothing of it but that there was a subagent, and does not count its tokens."""
    heard: list[str] = []

    def reply(body: Any) -> Reply:
        said = json.dumps(body["input"])
        outputs = [item["output"] for item in body["input"] if item["type"] == "function_call_output"]
        if "The task of the subagent" in said and "spawn_agent" not in said:
            heard.extend(map(str, outputs))
            return Say("It has told them.") if outputs else RIGS["codex"].operation
        if not outputs:
            return Call("spawn_agent", {"message": "The task of the subagent"}, namespace="multi_agent_v1")
        if len(outputs) == 1:
            waits = {"targets": [json.loads(outputs[0])["agent_id"]], "timeout_ms": 60_000}
            return Call("wait_agent", waits, id="c2", namespace="multi_agent_v1")
        return Say(outputs[1])

    result, _ = use_an_operation("codex", home, reply, f"intercept_builtins: false, {NOTIFIES}")
    assert "It has told them." in result.outputs["s1"], result.error
    assert '"sent"' in heard[0]
    blocks = [block for message in result.of("agent.message") for block in message.blocks]
    assert [use.name for use in blocks if isinstance(use, ToolUse)] == ["spawn_agent", "wait"]
    usage = result.steps["s1"].usage
    assert usage is not None
    assert usage.input == 3 * 123


@each_tool
def test_an_agent_can_have_no_tools_at_all(name: str, home: Path) -> None:
    rig, ran = RIGS[name], home / "ran"
    shell = Call(rig.shell[0], json.loads(json.dumps(rig.shell[1]).replace("echo hi", f"touch {ran}")))
    result, _ = use_an_operation(name, home, [shell, Say("All is done now.")], "")
    assert result.status == "completed", result.error
    assert not ran.exists()


@each_tool
def test_text_comes_in_pieces_where_the_tool_has_them(name: str, home: Path) -> None:
    result, _ = ask(name, home, [Say("one two three four")])
    pieces = [fact.text for fact in result.of("step.output") if fact.stream == "stdout"]
    assert "".join(pieces) == "one two three four"


@each_tool
def test_every_option_is_accepted(name: str, home: Path) -> None:
    result, server = ask(name, home, [Say("fine")], options=RIGS[name].options)
    assert result.status == "completed", result.error
    assert result.outputs["one"].strip() == "fine"
    assert "Say hello" in told(server)


@each_tool
def test_a_session_goes_on(name: str, home: Path) -> None:
    result, server = ask(name, home, [Say("First answer."), Say("Second answer.")], goes_on=True)
    assert result.status == "completed", result.error
    assert result.outputs["two"].strip() == "Second answer."
    assert all(
        part in told(server) for part in ("Say hello", "First answer.", "And a second thing", "You are Bob.")
    )
    if RIGS[name].counts:
        usage = result.steps["two"].usage
        assert usage is not None
        assert (usage.input, usage.output) == (123, 45)


@each_tool
@pytest.mark.parametrize("prompt", ["--help", 'say "hi" to $HOME\n\u00e9', "long " * 20_000 + "end"])
def test_prompts_reach_the_model_as_they_are(name: str, home: Path, prompt: str) -> None:
    result, server = ask(name, home, [Say("fine")], prompt=prompt, system_prompt="")
    assert result.status == "completed", result.error
    assert json.dumps(prompt, ensure_ascii=False)[1:-1].strip() in told(server)


@each_tool
def test_what_the_service_refuses_is_the_error(name: str, home: Path) -> None:
    result, _ = ask(name, home, [Refuse(400, "this model is on holiday")])
    assert result.status == "failed"
    assert "this model is on holiday" in result.of("step.failed")[-1].error
