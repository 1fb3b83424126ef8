"""``mode: conversation`` of agents: a person replies to every answer; through real engines and processes."""

from __future__ import annotations

import gc

import pytest

from awf.journal.events import Entry, InputRequired, StepAdopted, StepOutput
from awf.server.transcript import transcript_of
from conformance.harness import Answer, Result, Resume, run

TALK = """
    name: talk
    inputs: [{name: api_token, default: verysecret1}]
    states:
      initial: ask
      ask:
        type: agent
        provider: scripted
        mode: conversation
        prompt: "Hello"
        system_prompt: "In {{.workflow.Name}}"
        MORE
        options:
          script: |
            said=$(cat)
            case $said in
              fail) echo '{"fail": "no answer"}'; exit 0;;
              hang) echo begun; exec sleep 60;;
              once) echo begun; while [ $((n=n+1)) -lt 40 ]; do sleep 0.05; done;;
              token*) printf %s "$said" >told;;
            esac
            printf '{"answer": "%s in %s (%s)", "session": "s%s", "input": 10, "output": 5}\\n' \\
              "$(printf %s "$said" | head -c 5)" "$SYSTEM_PROMPT" "$SESSION" "$(printf %s "$said" | wc -c)"
        on_success: tell
        on_failure: sorry
      tell:
        type: step
        command: >-
          echo '{{.states.ask.Output}}|{{.states.ask.Response.turns}} {{.states.ask.Response.tokens}}
          {{.states.ask.Response.stopped_by}} {{.states.ask.TokensUsed}}'
        on_success: done
      sorry: {type: step, command: "echo 'sorry: {{.states.ask.TokensUsed}}'", on_success: done}
      done: {type: terminal}
    """


def talk(answers: list[Answer], more: str = "", text: str = TALK, **how: object) -> Result:
    return run(
        text.replace("        MORE\n", f"        {more}\n" if more else ""), answers={"ask": answers}, **how
    )  # type: ignore[arg-type]


def begun(facts: list[Entry]) -> bool:
    return any(isinstance(entry.fact, StepOutput) and "begun" in entry.fact.text for entry in facts)


def asked(times: int = 1):  # type: ignore[no-untyped-def]
    return lambda facts: sum(isinstance(entry.fact, InputRequired) for entry in facts) >= times


def test_every_turn_goes_on_with_the_session_until_the_person_ends_it() -> None:
    result = talk(["Why?", "Because", "  EXIT "])
    assert result.status == "completed", result.error
    assert result.outputs["tell"] == "Becau in In main (s4)|3 45 user_exit 45\n"
    questions = result.of("input.required")
    assert [(q.kind, q.prompt, q.choices) for q in questions] == [
        ("conversation", "Hello in In main ()", ()),
        ("conversation", "Why? in In main (s5)", ()),
        ("conversation", "Becau in In main (s4)", ()),
    ]
    attempts = [fact for fact in result.of("step.started") if fact.path == "ask"]
    assert [(fact.attempt, fact.agent.prompt) for fact in attempts] == [
        (1, "Hello"),
        (2, "Why?"),
        (3, "Because"),
    ]
    assert len({fact.attempt_id for fact in attempts}) == 3
    assert result.steps["ask"].usage is not None
    assert result.steps["ask"].usage.total == 45
    assert result.steps["ask"].note == "a conversation of 3 turns and 45 tokens, ended by a person"
    assert result.types().count("execution.released") == 3
    transcript = [said for entry in result.facts for said in transcript_of(entry)]
    assert [said.type for said in transcript] == ["request", "message", "message", "message", "result"] * 3
    assert [said.session for said in transcript if said.type == "result"] == ["s5", "s4", "s7"]


@pytest.mark.parametrize("end", ["", "exit", "Quit", " \n"])
def test_what_ends_it(end: str) -> None:
    result = talk([end])
    assert result.outputs["tell"].endswith("|1 15 user_exit 15\n")


def test_a_turn_that_fails_is_a_failure_like_any_other() -> None:
    result = talk(["fail"])
    assert (result.status, result.outputs["sorry"]) == ("completed", "sorry: 15\n")
    assert result.steps["ask"].error == "scripted: no answer"


def test_a_turn_is_tried_again_by_retry() -> None:
    result = talk(["fail", "exit"], "retry: {max_attempts: 2}")
    assert result.outputs["sorry"] == "sorry: 15\n"
    assert len(result.of("step.retrying")) == 1
    assert [fact.agent.prompt for fact in result.of("step.started") if fact.path == "ask"] == [
        "Hello",
        "fail",
        "fail",
    ]


def test_the_time_limit_is_that_of_a_turn_and_not_of_the_person() -> None:
    result = talk(["hang"], "timeout: 700ms")
    assert result.steps["ask"].error == "timeout exceeded (700ms)"
    assert result.outputs["sorry"] == "sorry: 15\n"


def test_an_answer_that_is_no_json_fails_the_turn() -> None:
    result = talk([], "output_format: json")
    assert result.outputs["sorry"].startswith("sorry")
    assert "invalid JSON" in (result.steps["ask"].error or "")


def test_an_engine_is_stopped_while_the_person_thinks() -> None:
    result = talk(["Why?", "exit"], stop_when=asked())
    assert result.outputs["tell"].startswith("Why? in In main (s5)|2 30")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # our child goes on without us
def test_an_engine_is_stopped_in_the_middle_of_a_turn() -> None:
    def adopted(facts: list[Entry]) -> bool:
        return any(isinstance(entry.fact, StepAdopted) for entry in facts)

    result = talk(["once", "exit"], stop_when=begun)
    assert result.status == "completed"
    assert result.outputs["tell"].startswith("once in In main (s5)|2 30"), result.outputs
    assert adopted(result.facts)
    gc.collect()


def test_cancelled_in_the_middle_of_a_turn_and_while_the_person_thinks() -> None:
    result = talk(["hang"], cancel_when=begun)
    assert (result.status, result.steps["ask"].error) == ("cancelled", "cancelled")
    result = talk([], cancel_when=asked())
    assert (result.status, result.steps["ask"].error) == ("cancelled", "cancelled")


def test_a_cancelled_one_goes_on_where_the_person_has_the_word() -> None:
    result = talk(["Why?", "Because", "exit"], cancel_when=asked(2), resumes=[Resume()])
    assert result.status == "completed", result.error
    # The answer to "Why?" is known: the agent is not asked for it again.
    questions = result.of("input.required")
    assert [question.prompt for question in questions] == [
        "Why? in In main (s5)",
        "Becau in In main (s4)",
    ]
    attempts = [fact for fact in result.of("step.started") if fact.path == "ask"]
    assert [(fact.attempt, fact.agent.prompt, fact.agent.session) for fact in attempts] == [
        (1, "Why?", "s4"),
        (2, "Because", "s4"),
    ]
    assert result.outputs["tell"] == "Becau in In main (s4)|3 45 user_exit 15\n"
    entries = [said for entry in result.facts for said in transcript_of(entry)]
    assert [(said.attempt, said.session) for said in entries if said.type == "request"] == [(2, "s4")]


def test_one_that_was_ended_at_once_has_the_answer_that_there_was() -> None:
    result = talk(["Why?", "exit"], cancel_when=asked(2), resumes=[Resume()])
    assert result.outputs["tell"] == "Why? in In main (s5)|2 30 user_exit 0\n"
    assert result.usage is None


def test_a_turn_that_failed_is_asked_again_with_what_was_said_before() -> None:
    once = """case $said in once) [ -e once ] || { touch once; exit 7; }; printf %s "$TURNS" >turns;; esac; case $said in"""
    text = TALK.replace("case $said in", once, 1).replace("on_failure: sorry\n", "\n")
    again = Resume()
    result = talk(["Why?", "once", "exit"], text=text, resumes=[again])
    assert result.status == "completed", result.error
    attempts = [fact for fact in result.of("step.started") if fact.path == "ask"]
    assert [(fact.attempt, fact.agent.prompt, fact.agent.session) for fact in attempts] == [(1, "once", "s4")]
    assert result.outputs["tell"].startswith("once in In main (s4)|3 ")


def test_a_session_that_is_gone_is_begun_anew_with_what_was_said_before() -> None:
    gone = """case $SESSION in s*) [ -e gone ] || { touch gone; echo '{"fail": "no such session"}'; exit; };; esac
              printf %s "$TURNS" >turns
              case $said in"""
    text = TALK.replace("case $said in", gone, 1).replace("echo '{{.states.ask.Output}}", "cat turns; echo '")
    result = talk(["Why?", "exit"], text=text)
    assert result.status == "completed", result.error
    attempts = [fact for fact in result.of("step.started") if fact.path == "ask"]
    assert [(fact.attempt, fact.agent.prompt, fact.agent.session) for fact in attempts] == [
        (1, "Hello", ""),
        (2, "Why?", "s5"),
        (3, "Why?", ""),
    ]
    (retrying,) = result.of("step.retrying")
    assert (retrying.no_session, retrying.error) == (True, "scripted: no such session")
    (warning,) = attempts[-1].warnings
    assert warning == "the agent's session is gone: it has another one, and is told what was said before"
    told = '[["user", "Hello"], ["assistant", "Hello in In main ()"]]'
    assert result.outputs["tell"].startswith(told)


def test_it_goes_on_through_one_resumption_after_the_other() -> None:
    result = talk(
        ["Why?", "Because", "exit"],
        cancel_when=asked(2),
        cancel_again_when=asked(1),
        resumes=[Resume(), Resume()],
    )
    assert result.status == "completed", result.error
    assert [question.prompt for question in result.of("input.required")] == [
        "Why? in In main (s5)",
        "Becau in In main (s4)",
    ]


@pytest.mark.parametrize("how", [Resume("ask"), Resume(overrides={"topic": "Bye"})])
def test_it_begins_again_where_somebody_wants_so(how: Resume) -> None:
    text = TALK.replace("inputs: [", "inputs: [{name: topic, default: Hello}, ").replace(
        'prompt: "Hello"', 'prompt: "{{.inputs.topic}}"'
    )
    result = talk(["Why?", "exit"], text=text, cancel_when=asked(2), resumes=[how])
    (started,) = [fact for fact in result.of("step.started") if fact.path == "ask"]
    other = ("the conversation begins again: its provider or its prompt is not what it was",)
    assert started.agent.session == ""
    assert started.warnings == (other if how.overrides else ())
    assert started.agent.prompt == how.overrides.get("topic", "Hello")
    assert result.outputs["tell"].endswith("|1 15 user_exit 15\n")


def test_a_secret_that_a_person_types_reaches_the_agent_and_nothing_else() -> None:
    text = TALK.replace("echo '{{.states.ask.Output}}", "cat told; echo '{{.states.ask.Output}}")
    result = talk(["token verysecret1", "exit"], text=text)
    assert result.status == "completed"
    assert "verysecret1" not in "".join(str(entry.fact) for entry in result.facts)
    assert result.outputs["tell"].startswith("token ***token")
    (said,) = [fact.response for fact in result.of("input.received") if "token" in fact.response]
    assert said == "token ***"


def test_another_agent_continues_the_conversation() -> None:
    text = (
        TALK.replace(
            "      tell:\n",
            """
      more:
        type: agent
        provider: scripted
        prompt: "Sum up"
        conversation: {continue_from: ask}
        options: {script: 'printf "%s %s" "$SESSION" "$TURNS"'}
        on_success: done
      tell:
""".lstrip("\n"),
        )
        .replace("on_success: tell", "on_success: more")
        .replace("on_failure: sorry", "on_failure: more")
    )
    for end in ("exit", "fail"):
        result = talk(["Why?", end], text=text)
        assert result.status == "completed", result.error
        session, turns = result.outputs["more"].split(" ", 1)
        assert session == "s4"
        assert '["user", "Why?"], ["assistant", "Why? in In main (s5)"]]' in turns
        assert turns.count('"user"') == 2
