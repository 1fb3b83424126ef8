"""Section 11, "Agents": every provider through real engines, its tool's stand-in on the PATH, or its service on loopback."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from agents.chat_server import chat_service, completion
from agents.tools import PROGRAMS, install
from awf.journal.codec import type_of
from awf.journal.events import Entry
from awf.journal.messages import ToolResult, ToolUse
from awf.runners.agents.registry import build_providers
from conformance.harness import Result, run

TOOLS = sorted(PROGRAMS)
IN_PIECES = {"claude", "gemini", "github_copilot"}
each_tool = pytest.mark.parametrize("name", TOOLS)

ASK = """
    name: ask
    inputs: [{name: provider, default: claude}]
    states:
      initial: ask
      ask:
        type: agent
        provider: "{{.inputs.provider}}"
        prompt: PROMPT
        MORE
        on_success: THEN
        on_failure: report
      tell: {type: step, command: "printf '%s' '{{.states.ask.Output}}' | tail -c 100", on_success: done}
      report: {type: terminal, status: failure, message: routed}
      done: {type: terminal}
    """


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A home of its own, and the stand-ins before everything else on the PATH."""
    (tmp_path / "home").mkdir()
    return {"HOME": str(tmp_path / "home"), "PATH": f"{install(tmp_path / 'bin')}:{os.environ['PATH']}"}


def ask(
    name: str, environ: dict[str, str], prompt: str, more: str = "", then: str = "tell", **how: Any
) -> Result:
    text = ASK.replace("PROMPT", json.dumps(prompt)).replace("MORE", more).replace("THEN", then)
    return run(text, {"provider": name}, environ=environ, providers=build_providers(), **how)


def asked(environ: dict[str, str], name: str) -> list[dict[str, Any]]:
    """What a stand-in was asked, each time."""
    return [json.loads(line) for line in _asked(environ, name).read_text().splitlines()]


def _asked(environ: dict[str, str], name: str) -> Path:
    return Path(environ["HOME"], ".standins", name, "asked.jsonl")


def failed(result: Result) -> Any:
    return result.of("step.failed")[-1]


def said(result: Result) -> str:
    return "".join(
        fact.text for fact in result.of("step.output") if fact.path == "ask" and fact.stream == "stdout"
    )


@each_tool
def test_an_answer_with_tools_in_the_record(name: str, environ: dict[str, str]) -> None:
    result = ask(name, environ, "Look [tools]", "system_prompt: You are Zed.")
    assert result.status == "completed", result.error
    assert result.outputs["tell"].endswith("All is well.")
    assert said(result) == "I look first. All is well."
    blocks = [block for message in result.of("agent.message") for block in message.blocks]
    assert {block.id for block in blocks if isinstance(block, ToolUse)} == {
        block.id for block in blocks if isinstance(block, ToolResult)
    }
    assert any(block.failed for block in blocks if isinstance(block, ToolResult))
    usage = result.steps["ask"].usage
    assert usage is not None
    assert usage.estimated is (name == "mistral_vibe")
    [request] = asked(environ, name)
    assert "You are Zed." in (request.get("system"), request["prompt"].partition("\n\n")[0])
    assert request["cwd"] == str(result.project)


@each_tool
def test_json_is_extracted(name: str, environ: dict[str, str]) -> None:
    result = ask(name, environ, "Judge [json]", "output_format: json")
    assert result.outputs["tell"] == '{"verdict":"fine","issues":[1,2]}'


@pytest.mark.parametrize("name", ["claude", "codex"])
def test_50_megabytes(name: str, environ: dict[str, str]) -> None:
    result = ask(name, environ, "Hello [flood]", "", "done")
    assert result.status == "completed", result.error
    [done] = [fact for fact in result.of("step.completed") if fact.path == "ask"]
    assert done.stdout_bytes > 50 * 1024 * 1024
    assert len(said(result)) + len(done.output or "") < 20 * 1024 * 1024


@each_tool
def test_a_tool_that_hangs_is_ended_by_the_timeout(name: str, environ: dict[str, str]) -> None:
    result = ask(name, environ, "Hello [hang]", "timeout: 1500ms", grace=0.3)
    assert (failed(result).error, failed(result).exit_code) == ("timeout exceeded (1.5s)", 124)
    assert (result.status, result.error) == ("failed", "routed")


@each_tool
def test_a_crash_in_the_middle_of_the_stream(name: str, environ: dict[str, str]) -> None:
    result = ask(name, environ, "Hello [crash]")
    assert failed(result).exit_code == 137
    assert failed(result).error.startswith(f"{name}: exit status 137")
    assert said(result).startswith("You " if name in IN_PIECES else "")


@each_tool
def test_standard_error_is_in_the_error(name: str, environ: dict[str, str]) -> None:
    result = ask(name, environ, "Hello [exit]")
    assert failed(result).exit_code == 101
    assert "panicked at src/main.rs:1" in failed(result).error
    assert "panicked" not in said(result)


@each_tool
def test_a_tool_that_is_not_installed_says_how_to_get_it_and_is_routed(
    name: str, environ: dict[str, str]
) -> None:
    result = ask(name, {**environ, "PATH": "/usr/bin:/bin"}, "Hello")
    assert failed(result).exit_code == 127
    assert result.error == "routed"
    assert failed(result).error == (
        f"{name}: the command-line tool '{PROGRAMS[name]}' is not installed, or not in PATH; "
        f"to get it: {build_providers()[name].install}"  # type: ignore[union-attr]
    )


@each_tool
def test_a_cancel_in_the_middle(name: str, environ: dict[str, str]) -> None:
    result = ask(name, environ, "Hello [hang]", cancel_when=lambda facts: "I wait" in _text(facts), grace=0.3)
    assert result.status == "cancelled"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # our child goes on without us
@each_tool
def test_another_engine_takes_over_in_the_middle(name: str, environ: dict[str, str]) -> None:
    begun = _asked(environ, name)

    def in_the_middle(facts: list[Entry]) -> bool:
        """Before that, another engine would be right to start it again. Looked at without a pause: the tool does not take long."""
        if "step.started" not in map(type_of, _facts(facts)):
            return False
        latest = time.monotonic() + 20
        while not begun.exists() and time.monotonic() < latest:
            os.sched_yield()
        return True

    result = ask(name, environ, "Look [tools]", stop_when=in_the_middle)
    assert result.status == "completed", result.error
    assert said(result) == "I look first. All is well."
    assert len(asked(environ, name)) == 1  # it went on, and was not asked again


@each_tool
def test_everything_that_is_wrong_with_the_options_at_once(name: str, environ: dict[str, str]) -> None:
    more = "options: {dangerously_skip_permissions: maybe, nonsense: 1}"
    error = failed(ask(name, environ, "Hello", more)).error
    assert error.startswith(
        f"{name}: option dangerously_skip_permissions invalid: expected true or false, got 'maybe'\n"
    )
    assert f"\n{name}: unknown option 'nonsense'; there are " in error
    assert not Path(environ["HOME"], ".standins").exists()


@pytest.mark.parametrize(
    ("name", "model", "expected"),
    [
        ("claude", "gpt-5", "sonnet, opus, haiku, or a name that starts with claude-"),
        ("codex", "sonnet", "a name that starts with gpt-, codex-, or o and a digit"),
        ("gemini", "gpt-5", "a name that starts with gemini-"),
    ],
)
def test_models_are_checked(name: str, model: str, expected: str, environ: dict[str, str]) -> None:
    error = failed(ask(name, environ, "Hello", f"options: {{model: {model}}}")).error
    assert error == f"{name}: invalid model format: {model} (expected {expected})"


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("claude", "opus"),
        ("claude", "claude-sonnet-4-5"),
        ("codex", "o3"),
        ("codex", "gpt-5"),
        ("gemini", "gemini-2.5-pro"),
    ],
)
def test_a_model_reaches_the_tool(name: str, model: str, environ: dict[str, str]) -> None:
    assert ask(name, environ, "Hello", f"options: {{model: {model}}}").status == "completed"
    assert asked(environ, name)[0]["model"] == model


TALK = """
    name: talk
    inputs: [{name: provider, default: claude}]
    states:
      initial: one
      one: {type: agent, provider: "{{.inputs.provider}}", prompt: One, conversation: {}, on_success: two}
      two:
        type: agent
        provider: "{{.inputs.provider}}"
        prompt: Two
        system_prompt: Be brief.
        conversation: {continue_from: one}
        on_success: done
      done: {type: terminal}
    """


@each_tool
def test_a_session_goes_on_with_a_system_prompt_of_its_own(name: str, environ: dict[str, str]) -> None:
    result = run(TALK, {"provider": name}, environ=environ, providers=build_providers())
    assert result.status == "completed", result.error
    assert result.outputs["two"].strip().endswith("Before: One.")
    second = asked(environ, name)[1]
    assert "Be brief." in (second.get("system"), second["prompt"].partition("\n\n")[0])


# openai_compatible


def ask_service(answering: Any, more: str = "", **how: Any) -> tuple[Result, list[Any]]:
    with chat_service(answering) as (url, exchanges):
        environ = {"OPENAI_BASE_URL": url, "OPENAI_MODEL": "m", "OPENAI_API_KEY": "sk-of-the-environment"}
        return ask("openai_compatible", environ, "Hello", more, **how), exchanges


def test_a_service_streams() -> None:
    def answering(exchange: Any) -> None:
        exchange.start_stream()
        exchange.delta("All is ")
        exchange.delta("well.")
        exchange.end_stream()

    result, exchanges = ask_service(answering, "system_prompt: Be brief.")
    assert (result.status, said(result)) == ("completed", "All is well.")
    usage = result.steps["ask"].usage
    assert usage is not None
    assert (usage.input, usage.output, usage.cached) == (123, 45, 3)
    assert [message["role"] for message in exchanges[0].body["messages"]] == ["system", "user"]


def test_a_busy_service_is_asked_again_when_it_wants() -> None:
    times: list[int] = []

    def answering(exchange: Any) -> None:
        times.append(1)
        if len(times) == 1:
            exchange.reply(429, {}, Retry_After="1")
        else:
            exchange.reply(200, completion("Well."))

    result, _ = ask_service(answering, "retry: {max_attempts: 2, initial_delay: 1ms}")
    assert result.status == "completed", result.error
    [retrying] = result.of("step.retrying")
    assert (retrying.delay, retrying.error) == (
        1,
        "openai_compatible: rate limited (HTTP 429), retry after 1s",
    )


def test_a_service_is_not_asked_again_by_itself() -> None:
    result, exchanges = ask_service(lambda it: it.reply(500, {}))
    assert failed(result).error == "openai_compatible: server error (HTTP 500)"
    assert len(exchanges) == 1


@pytest.mark.parametrize("how", ["timeout", "cancel"])
def test_a_stream_that_never_ends(how: str) -> None:
    began = threading.Event()

    async def answering(exchange: Any) -> None:
        exchange.start_stream()
        exchange.delta("Half")
        began.set()
        await exchange.closed.wait()

    if how == "timeout":
        result, exchanges = ask_service(answering, "timeout: 800ms")
        assert failed(result).error == "timeout exceeded (800ms)"
    else:
        result, exchanges = ask_service(answering, cancel_when=lambda facts: "Half" in _text(facts))
        assert result.status == "cancelled"
    assert exchanges[0].closed.is_set()


def test_without_settings_it_says_all_that_is_missing() -> None:
    environ = {"OPENAI_BASE_URL": "", "OPENAI_MODEL": "", "OPENAI_API_KEY": ""}
    result = ask("openai_compatible", environ, "Hello")
    assert (
        failed(result).error
        == "openai_compatible: base_url is required: give it in options, or set OPENAI_BASE_URL\n"
        "openai_compatible: model is required: give it in options, or set OPENAI_MODEL"
    )


def _facts(entries: Any) -> list[Any]:
    return [entry.fact for entry in entries]


def _text(entries: Any) -> str:
    return "".join(fact.text for fact in _facts(entries) if type_of(fact) == "step.output")
