"""Section 11, "Agents": steps performed by agents, through real engines and processes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from awf.domain.outcomes import Usage
from awf.journal.events import BlockEnding, Entry, StepAdopted, StepOutput
from awf.runners.agents.port import Answer, Message, ProviderFailed, Request, Spent, Text, TextBlock, Turn
from awf.testing.agents import ScriptedService, ScriptedTool
from conformance.harness import Result, Resume, refused, run

ASK = """
    name: ask
    inputs:
      - {name: script, type: string}
    states:
      initial: ask
      ask:
        type: agent
        provider: scripted
        prompt: "Hello {{.workflow.Name}}"
        options: {script: "{{.inputs.script}}"}
        MORE
        on_success: tell
        on_failure: tell
      tell: {type: step, command: "printf '%s' '{{.states.ask.Output}}'", on_success: done}
      done: {type: terminal}
    """


def ask(script: str, more: str = "", text: str = ASK, **how: Any) -> Result:
    """Run the workflow with an agent whose tool is this script."""
    return run(text.replace("MORE", more), {"script": script}, **how)


def end(result: Result, path: str = "ask") -> Any:
    """The last fact that ended an attempt of a step."""
    ends = result.of("step.completed") + result.of("step.failed")
    return next(fact for fact in reversed(ends) if fact.path == path)


def lines(*events: Any) -> str:
    """A script that prints these, each in a line."""
    return "\n".join(f"printf '%s\\n' '{json.dumps(event)}'" for event in events)


def test_the_answer_is_the_output() -> None:
    result = ask(lines({"say": "Hel"}, {"say": "lo"}, {"answer": "Hello", "input": 7, "output": 2}))
    assert result.status == "completed", result.error
    assert result.outputs["tell"] == "Hello"
    done = end(result)
    assert (done.usage.input, done.usage.output, done.usage.estimated) == (7, 2, False)
    assert done.output == ""  # it is what was streamed
    assert "".join(fact.text for fact in result.of("step.output") if fact.path == "ask") == "Hello"


def test_the_prompt_reaches_the_tool_and_nobody_counted() -> None:
    result = ask("cat")
    assert result.outputs["ask"] == "Hello main\n"
    usage = end(result).usage
    assert (usage.input, usage.output, usage.estimated) == (2, 2, True)


# What the agent is told


def test_role_skills_and_system_prompt_reach_it() -> None:
    files = {
        ".awf/roles/reviewer/AGENTS.md": "---\nname: r\n---\nYou review.\n",
        ".agents/skills/go/SKILL.md": "Go on.",
        ".awf/workflows/own/SKILL.md": "---\nname: mine\n---\nMy own.",
    }
    more = """role: reviewer
        skills: [go, {path: own}]
        system_prompt: "In {{.workflow.Name}}."
        options: {script: "printf '[%s]' \\"$SYSTEM_PROMPT\\"; cat"}
    """
    text = ASK.replace('options: {script: "{{.inputs.script}}"}', "")
    result = ask("", more, text, files=files)
    assert result.outputs["ask"] == (
        "[You review.\n\nIn main.]"
        '<skill_content name="go">\nGo on.\n</skill_content>\n\n'
        '<skill_content name="mine">\nMy own.\n</skill_content>\n\n'
        "Hello main\n"
    )


def test_what_it_is_told_is_pinned_when_the_execution_starts() -> None:
    text = """
        name: pinned
        states:
          initial: change
          change:
            type: step
            command: "echo new > .awf/roles/r/AGENTS.md; echo new > .awf/workflows/p.md"
            on_success: ask
          ask:
            type: agent
            provider: scripted
            prompt_file: p.md
            role: r
            options: {script: 'echo "$SYSTEM_PROMPT"; cat'}
            on_success: done
          done: {type: terminal}
        """
    files = {".awf/roles/r/AGENTS.md": "old role", ".awf/workflows/p.md": "old {{.workflow.Name}}"}
    assert run(text, files=files).outputs["ask"] == "old role\nold main\n"


LATE = """
    name: late
    inputs: [{name: which, default: a}]
    states:
      initial: ask
      ask:
        type: agent
        provider: scripted
        prompt_file: "{{awf.prompts_dir}}/{{.inputs.which}}.md"
        role: "{{.inputs.which}}"
        options: {script: 'echo "$SYSTEM_PROMPT"; cat'}
        retry: {max_attempts: 2}
        on_success: done
        on_failure: tell
      tell: {type: terminal, status: failure, message: "{{.states.ask.Status}}"}
      done: {type: terminal}
    """


def test_files_whose_names_are_known_late() -> None:
    files = {".awf/roles/a/AGENTS.md": "Role a.", ".awf/prompts/a.md": "Prompt {{.inputs.which}}."}
    assert run(LATE, files=files).outputs["ask"] == "Role a.\nPrompt a.\n"


def test_a_role_of_a_pack_whose_name_is_known_late() -> None:
    pack = ".awf/workflow-packs/tools"
    files = {
        f"{pack}/manifest.yaml": "name: tools\nversion: 1.0.0\nworkflows: [late]\n",
        f"{pack}/workflows/late.yaml": LATE,
        f"{pack}/prompts/a.md": "Prompt.",
        f"{pack}/roles/a/AGENTS.md": "Role of the pack.",
        ".awf/roles/a/AGENTS.md": "Role of the project.",
    }
    text = """
        name: main
        states:
          initial: call
          call: {type: call_workflow, workflow: tools/late, on_success: done}
          done: {type: terminal}
        """
    assert run(text, files=files).outputs["call/ask"] == "Role of the pack.\nPrompt.\n"


@pytest.mark.parametrize(
    ("files", "error"),
    [
        (
            {".awf/prompts/a.md": "P", ".agents/roles/ab/AGENTS.md": "R"},
            "role 'a' not found (did you mean 'ab'?) (.awf/workflows/main.yaml:",
        ),
        (
            {".awf/prompts/a.md": "P", ".awf/roles/writer/AGENTS.md": "R"},
            "role 'a' not found (there are writer) (.awf/workflows/main.yaml:",
        ),
        ({".awf/roles/a/AGENTS.md": "R"}, "prompt_file: file not found: "),
        ({".awf/prompts/a.md": "P"}, "role 'a' not found (.awf/workflows/main.yaml:"),
        ({".awf/prompts/a.md": "{{.inputs.x}", ".awf/roles/a/AGENTS.md": "R"}, "prompt_file: "),
        (
            {".awf/prompts/a.md": "x" * 1048577, ".awf/roles/a/AGENTS.md": "R"},
            "prompt_file: the file is larger",
        ),
        ({".awf/prompts/a.md": " ", ".awf/roles/a/AGENTS.md": "R"}, "prompt cannot be empty"),
    ],
)
def test_what_is_wrong_with_them_is_a_failure_of_the_step(files: dict[str, str], error: str) -> None:
    result = run(LATE, files=files)
    assert (result.status, result.error) == ("failed", "failed")
    assert end(result).error.startswith(error)


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ("role: reviwer", "role 'reviwer' not found (did you mean 'reviewer'?)"),
        ("skills: [{path: ./x}]", "skill: file not found: ./x/SKILL.md"),
        ("skills: [nothing]", "skill 'nothing' not found"),
    ],
)
def test_a_role_or_skill_that_is_not_there_is_refused(more: str, error: str) -> None:
    message = refused(
        ASK.replace("MORE", more), {"script": "x"}, files={".awf/roles/reviewer/AGENTS.md": "R"}
    )
    assert error in message


def test_environment_and_directory() -> None:
    more = 'env: {WHO: "{{.workflow.Name}}"}\n        dir: sub'
    result = ask('echo "$WHO $AWF_STEP $(basename $PWD)"', more, files={"sub/x.txt": ""})
    assert result.outputs["ask"] == "main ask sub\n"


# Results


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ('{"a": [1, "é"]}', {"a": [1, "é"]}),
        ('  ```json\n{"a": 1}\n```  ', {"a": 1}),
        ("```\n[1, 2]\n```", [1, 2]),
        ('Here:\n```JSON\nnot json\n```\n and\n```json\n{"b": 2}\n```\nso.', {"b": 2}),
        ("12345678901234567890123", 12345678901234567890123),
    ],
)
def test_json_is_found_and_checked(answer: str, value: Any) -> None:
    result = ask(lines({"answer": answer}), "output_format: json")
    assert end(result).json == value
    assert json.loads(result.outputs["tell"]) == value
    assert result.outputs["ask"] == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize("answer", ["no", "", "```json\nno\n```", "[" * 200 + "]" * 200, "NaN", '"\\ud800"'])
def test_what_is_no_json_is_a_failure_with_a_way_on(answer: str) -> None:
    script = lines({"answer": answer, "input": 3, "output": 4, "session": "s1"})
    result = ask(script, "output_format: json\n        conversation: {}")
    assert result.status == "completed"
    failed = end(result)
    assert failed.error.startswith("output format processing: invalid JSON: ")
    assert failed.error.endswith(f"(content: {answer[:200]})")
    assert (failed.usage, failed.session) == (Usage(input=3, output=4), "s1")
    assert result.outputs["tell"] == answer


def test_an_answer_that_is_an_object_is_the_response() -> None:
    text = ASK.replace("{{.states.ask.Output}}", "{{.states.ask.Response.a}}")
    assert ask(lines({"answer": '{"a": "b"}'}), text=text).outputs["tell"] == "b"


def test_tokens_are_values_in_templates_and_expressions() -> None:
    text = """
        name: tokens
        states:
          initial: all
          all: {type: parallel, parallel: [a, each], on_success: tell}
          a: {type: agent, provider: scripted, prompt: p, options: {script: SCRIPT}, on_success: done}
          each: {type: for_each, items: [1, 2], body: [b], on_success: done}
          b: {type: agent, provider: scripted, prompt: p, options: {script: SCRIPT}}
          tell:
            type: step
            command: "echo {{.states.a.TokensUsed}} {{.states.b.TokensInput}} {{.states.each.TokensUsed}} {{.states.all.TokensUsed}}"
            transitions: [{when: "states.a.TokensOutput == 2 and not states.a.TokensEstimated", goto: done}]
          done: {type: terminal}
        """.replace("SCRIPT", json.dumps(lines({"answer": "x", "input": 10, "output": 2, "cost": 0.25})))
    result = run(text)
    assert result.status == "completed", result.error
    assert result.outputs["tell"] == "12 10 24 36\n"
    assert result.steps["all/each[1]/b"].usage == Usage(input=10, output=2, cost=0.25)
    assert result.usage == Usage(input=30, output=6, cost=0.75)


def test_the_exchange_is_in_the_journal() -> None:
    use = {"use": {"id": "1", "name": "ls", "input": {"path": "."}}}
    big = {"result": {"id": "1", "output": "x" * 20000, "failed": True}}
    result = ask(lines({"say": "I "}, use, big, {"say": "see"}, {"answer": "I see"}))
    messages = result.of("agent.message")
    assert [message.role for message in messages] == ["assistant", "tool", "assistant"]
    assert messages[0].blocks[0].input == {"path": "."}
    cut = messages[1].blocks[0]
    assert cut.failed
    assert cut.output.startswith("x" * 16384 + "\n[... 3616 bytes left out ...]")
    assert messages[2].blocks == (TextBlock("I see"),)


# Failures


def test_a_tool_that_is_not_installed() -> None:
    result = ask("true", providers={"scripted": ScriptedTool(program="no-such-tool")})
    failed = end(result)
    assert failed.exit_code == 127
    assert failed.error == (
        "scripted: the command-line tool 'no-such-tool' is not installed, or not in PATH; "
        "to get it: apt install the-shell"
    )
    assert result.status == "completed"


@pytest.mark.parametrize(
    ("text", "program", "code"),
    [
        (ASK, "no-such-tool", 127),
        (ASK.replace("provider: scripted", "provider: nobody"), "sh", 127),
        (ASK.replace('{script: "{{.inputs.script}}"}', "{model: wrong}"), "sh", 126),
        (ASK.replace("{{.workflow.Name}}", "{{readFile `gone`}}"), "sh", 126),
        (ASK.replace("MORE", "mcp_proxy: {enable: true}\n        MORE"), "sh", 126),
    ],
)
def test_what_no_retry_can_mend_is_routed_at_once(text: str, program: str, code: int) -> None:
    providers = {"scripted": ScriptedTool(program=program)}
    result = ask("true", "retry: {max_attempts: 3, initial_delay: 1h}", text=text, providers=providers)
    assert (result.status, end(result).exit_code) == ("completed", code)
    assert result.of("step.retrying") == []


@pytest.mark.parametrize(("permanent", "attempts"), [(True, 1), (False, 2)])
def test_a_provider_says_whether_asking_again_is_of_use(permanent: bool, attempts: int) -> None:
    async def reply(request: Request, say: Callable[[Any], None]) -> Answer:
        raise ProviderFailed("no", permanent=permanent)

    text = ASK.replace("scripted", "service")
    retry = "retry: {max_attempts: 2, initial_delay: 1ms}"
    assert end(ask("", retry, text=text, providers={"service": ScriptedService(reply)})).attempt == attempts


def test_a_provider_that_is_not_there() -> None:
    result = ask("true", text=ASK.replace("provider: scripted", "provider: '{{.inputs.script}}'"))
    assert end(result).error == "provider 'true' not found (there are scripted)"


def test_everything_wrong_with_a_request_at_once() -> None:
    text = ASK.replace('{script: "{{.inputs.script}}"}', "{model: wrong}")
    assert end(ask("", text=text)).error == (
        "scripted: option 'script' is required\nscripted: invalid model format: wrong"
    )


def test_standard_error_is_apart_and_in_the_error() -> None:
    result = ask("echo out; echo why >&2; exit 3")
    failed = end(result)
    assert (failed.exit_code, failed.error) == (3, "scripted: exit status 3\nwhy")
    written = {fact.stream: fact.text for fact in result.of("step.output") if fact.path == "ask"}
    assert written == {"stdout": "out\n", "stderr": "why\n"}


def test_a_fault_in_a_provider_is_a_failure_and_ends_the_tool() -> None:
    result = ask(lines({"break": "x"}) + "; sleep 600")
    assert "internal error of provider 'scripted': ZeroDivisionError('x')" in end(result).error


def test_what_a_tool_has_counted_before_its_timeout_is_spent() -> None:
    result = ask(lines({"input": 7, "output": 3}) + "; sleep 60", "timeout: 1s", grace=0.3)
    failed = end(result)
    assert failed.error == "timeout exceeded (1s)"
    assert failed.usage == Usage(input=7, output=3)


def test_what_a_tool_has_counted_before_it_is_cancelled_is_spent() -> None:
    script = lines({"input": 7, "output": 3}, {"say": "half"}) + "; sleep 60"
    result = ask(script, cancel_when=lambda facts: any(isinstance(each.fact, StepOutput) for each in facts))
    assert (result.status, end(result).error) == ("cancelled", "cancelled")
    assert end(result).usage == result.usage == result.steps["ask"].usage == Usage(input=7, output=3)


def test_what_a_service_has_told_before_its_engine_stops_is_spent() -> None:
    asked = []

    async def reply(request: Request, say: Callable[[Any], None]) -> Answer:
        asked.append(request)
        say(Spent(Usage(input=7, output=-3)))
        say(Text("half"))
        if len(asked) == 1:
            await asyncio.Event().wait()
        if len(asked) == 2:
            raise ProviderFailed("broken")
        return Answer(text="whole", usage=Usage(input=1, output=1))

    text = ASK.replace("scripted", "service")
    result = ask(
        "",
        "retry: {max_attempts: 2, initial_delay: 1ms}",
        text=text,
        providers={"service": ScriptedService(reply)},
        stop_when=lambda facts: any(isinstance(each.fact, StepOutput) for each in facts),
    )
    (released,) = result.of("execution.released")
    assert [(each.path, each.usage) for each in released.spent] == [("ask", Usage(input=7))]
    assert result.usage == result.steps["ask"].usage == Usage(input=15, output=1)


def test_what_was_being_ended_when_its_engine_stopped_is_paid_for_once() -> None:
    text = """
        name: two
        inputs: [{name: script, type: string}]
        states:
          initial: all
          all: {type: parallel, parallel: [ask, broken], strategy: all_succeed, on_success: done, on_failure: done}
          ask: {type: agent, provider: scripted, prompt: go, options: {script: "{{.inputs.script}}"}, on_success: done}
          broken: {type: step, command: "until [ -e went ]; do sleep 0.01; done; exit 1", on_success: done}
          done: {type: terminal}
        """
    script = "trap '' TERM\n" + lines({"input": 7, "output": 3}, {"say": "half"}) + "\ntouch went; sleep 60"
    result = ask(
        script,
        text=text,
        grace=0.5,
        stop_when=lambda facts: any(isinstance(each.fact, BlockEnding) for each in facts),
    )
    assert result.of("execution.released")
    assert result.usage == Usage(input=7, output=3)


def test_a_timeout_ends_the_tool() -> None:
    result = ask("echo one; sleep 60", "timeout: 300ms", grace=0.3)
    failed = end(result)
    assert (failed.error, failed.exit_code) == ("timeout exceeded (300ms)", 124)
    assert result.outputs["ask"] == "one\n"


def test_a_retry_waits_as_long_as_the_service_wants() -> None:
    script = "[ -e went ] && exec cat; touch went; " + lines({"fail": "busy", "retry_after": 0.4, "input": 5})
    result = ask(script, "retry: {max_attempts: 2, initial_delay: 1ms}")
    [retrying] = result.of("step.retrying")
    assert (retrying.delay, retrying.error, retrying.usage) == (0.4, "scripted: busy", Usage(input=5))
    assert result.steps["ask"].usage == Usage(input=7, output=2, estimated=True)


# Services


def test_a_service_is_asked_by_the_engine() -> None:
    async def reply(request: Request, say: Callable[[Any], None]) -> Answer:
        say(Text("An"))
        say(Text("swer"))
        say(Message("assistant", (TextBlock("Answer"),)))
        return Answer(text="Answer", usage=Usage(input=1, output=1))

    service = ScriptedService(reply)
    result = ask("", text=ASK.replace("scripted", "service"), providers={"service": service})
    assert result.outputs["tell"] == "Answer"
    assert (service.asked[0].prompt, result.of("step.started")[0].detach) == ("Hello main", False)


def test_a_service_that_fails_or_hangs_is_a_failure() -> None:
    async def fail(request: Request, say: Callable[[Any], None]) -> Answer:
        say(Text("half"))
        raise ProviderFailed("rate limited (HTTP 429)", retry_after=1e9)

    async def hang(request: Request, say: Callable[[Any], None]) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    text = ASK.replace("scripted", "service")
    failed = end(ask("", text=text, providers={"service": ScriptedService(fail)}))
    assert failed.error == "service: rate limited (HTTP 429)"
    hung = end(ask("", "timeout: 50ms", text=text, providers={"service": ScriptedService(hang)}))
    assert (hung.error, hung.exit_code) == ("timeout exceeded (50ms)", 124)


# Conversations


TALK = """
    name: talk
    states:
      initial: one
      one:
        type: agent
        provider: scripted
        prompt: first
        conversation: {}
        options: {script: 'echo "{\\"answer\\": \\"A1\\", \\"session\\": \\"s1\\"}"'}
        on_success: two
      two:
        type: agent
        provider: SECOND
        prompt: second
        conversation: {continue_from: one}
        options: {script: 'printf "%s %s" "$SESSION" "$TURNS"'}
        on_success: three
        on_failure: bad
      three:
        type: agent
        provider: service
        prompt: third
        conversation: {continue_from: two}
        on_success: done
      bad: {type: terminal, status: failure, message: "{{.states.two.Status}}"}
      done: {type: terminal}
    """


def echo() -> ScriptedService:
    async def reply(request: Request, say: Callable[[Any], None]) -> Answer:
        return Answer(text="fine")

    return ScriptedService(reply)


def test_a_session_goes_on_and_turns_are_known() -> None:
    service = echo()
    result = run(TALK.replace("SECOND", "scripted"), providers={"service": service})
    assert result.status == "completed", result.error
    assert result.outputs["two"] == 's1 [["user", "first"], ["assistant", "A1"]]\n'
    assert [started.agent.session for started in result.of("step.started")] == ["", "s1", ""]
    assert list(service.asked[0].turns) == [
        Turn("user", "first"),
        Turn("assistant", "A1"),
        Turn("user", "second"),
        Turn("assistant", result.outputs["two"]),
    ]


def test_another_providers_session_is_not_used() -> None:
    result = run(
        TALK.replace("SECOND", "other"), providers={"service": echo(), "other": ScriptedTool("other")}
    )
    assert result.outputs["two"].startswith(" [[")


@pytest.mark.parametrize(
    ("conversation", "target", "error"),
    [
        ("", "one", 'continue_from: step "one" has no conversation state'),
        ("conversation: {}", "three", 'continue_from: step "three" not found in execution context'),
    ],
)
def test_what_cannot_be_continued(conversation: str, target: str, error: str) -> None:
    text = TALK.replace("SECOND", "scripted").replace("conversation: {}", conversation)
    text = text.replace("{continue_from: one}", f"{{continue_from: {target}}}")
    result = run(text, providers={"service": echo()})
    assert (result.status, end(result, "two").error) == ("failed", error)


def test_a_resumed_execution_still_knows_the_conversation() -> None:
    service = echo()
    text = (
        TALK.replace("SECOND", "scripted")
        .replace("on_success: three", "on_success: gate")
        .replace(
            "      three:", "      gate: {type: step, command: test -e gate, on_success: three}\n      three:"
        )
    )
    result = run(
        text,
        providers={"service": service},
        resumes=[Resume(files={"gate/x.txt": ""})],
    )
    assert result.status == "completed", result.error
    assert [turn.text for turn in service.asked[0].turns][:3] == ["first", "A1", "second"]
    assert result.steps["two"].reused


# Crashes, and ends from outside


def told(text: str, path: str = "ask") -> Callable[[list[Entry]], bool]:
    """The step has written this."""

    def found(facts: list[Entry]) -> bool:
        return any(
            isinstance(entry.fact, StepOutput) and entry.fact.path == path and text in entry.fact.text
            for entry in facts
        )

    return found


HALF = (
    lines({"say": "half "}, {"use": {"id": "1", "name": "ls"}})
    + "\nwhile ! [ -e GO ]; do sleep 0.02; done\n"
    + lines(
        {"result": {"id": "1", "output": "x"}}, {"say": "whole"}, {"answer": "half whole", "session": "s"}
    )
)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # our child goes on without us
def test_an_agent_outlives_its_engine_and_is_taken_over(tmp_path: Path) -> None:
    def let_go_on(facts: list[Entry]) -> bool:
        if any(isinstance(entry.fact, StepAdopted) for entry in facts):
            (tmp_path / "go").touch()
        return False

    script = HALF.replace("GO", str(tmp_path / "go"))
    result = ask(script, "on_crash: fail", stop_when=told("half"), cancel_when=let_go_on)
    assert result.status == "completed", result.error
    assert result.types().count("step.adopted") == 1
    assert result.outputs["ask"] == "half whole"
    assert [message.role for message in result.of("agent.message")] == ["assistant", "tool", "assistant"]
    assert (result.steps["ask"].attempt, end(result).session) == (1, "s")


def test_a_service_is_asked_again_or_what_on_crash_says() -> None:
    async def reply(request: Request, say: Callable[[Any], None]) -> Answer:
        if len(service.asked) == 1:
            say(Text("half"))
            await asyncio.Event().wait()
        return Answer(text="whole")

    service = ScriptedService(reply)
    text = ASK.replace("scripted", "service")
    result = ask("", text=text, providers={"service": service}, stop_when=told("half"))
    assert (result.outputs["tell"], result.steps["ask"].attempt) == ("whole", 2)


def test_a_cancel_ends_the_tool() -> None:
    result = ask(
        "trap 'echo bye; exit 0' TERM; echo half; while :; do sleep 0.05; done", cancel_when=told("half")
    )
    assert result.status == "cancelled"
    assert result.outputs["ask"] == "half\nbye\n"


def test_a_cancel_ends_the_asking_of_a_service() -> None:
    ended: list[bool] = []

    async def reply(request: Request, say: Callable[[Any], None]) -> Answer:
        say(Text("half"))
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)
        raise AssertionError

    text = ASK.replace("scripted", "service")
    providers = {"service": ScriptedService(reply)}
    result = ask("", text=text, providers=providers, cancel_when=told("half"))
    assert (result.status, ended) == ("cancelled", [True])


def test_fifty_megabytes_are_bounded_and_kept_once() -> None:
    text = ASK.replace("{{.states.ask.Output}}", "")
    result = ask("head -c 50000000 /dev/zero | tr '\\0' x | fold -w 999; echo; echo end", text=text)
    done = end(result)
    assert (done.stdout_bytes, done.output) == (50_050_055, "")
    half = 5 * 1024 * 1024
    assert sum(len(fact.text) for fact in result.of("step.output") if fact.path == "ask") == half
    assert len(done.stdout_tail) == half
    assert result.outputs["ask"].endswith("x\nend\n")
    assert f"[... {50_050_055 - 2 * half} bytes left out ...]" in result.outputs["ask"]
    assert sum(len(block.text) for fact in result.of("agent.message") for block in fact.blocks) < 300_000
