"""Budgets of states, workflows and the server: who is asked, what fails, what is counted; through real engines."""

from __future__ import annotations

import pytest

from awf.domain.outcomes import Price, Usage
from awf.domain.workflow import Budget
from awf.journal.events import Entry, InputRequired
from awf.server.transcript import transcript_of
from conformance.harness import Resume, refused, run

PAID = """
    name: paid
    LIMITS
    states:
      initial: one
      one: {type: agent, provider: scripted, prompt: "1", options: {script: SCRIPT}, on_success: between}
      between: {type: step, command: "echo between", on_success: two}
      two:
        type: agent
        provider: scripted
        prompt: "2"
        options: {script: SCRIPT, model: m}
        retry: {max_attempts: 3}
        on_success: done
        on_failure: sorry
      sorry: {type: step, command: "echo 'sorry {{.states.two.Status}}'", on_success: done}
      done: {type: terminal}
    """
SCRIPT = """'echo {\\"answer\\":\\"a\\",\\"input\\":70,\\"output\\":30,\\"cost\\":0.2}'"""
UNPRICED = """'echo {\\"answer\\":\\"a\\",\\"input\\":70,\\"output\\":30}'"""


def paid(limits: str, script: str = SCRIPT) -> str:
    return PAID.replace("SCRIPT", script).replace(
        "    LIMITS\n", "".join(f"    {line}\n" for line in limits.split("; "))
    )


def asked(facts: list[Entry]) -> bool:
    return any(isinstance(entry.fact, InputRequired) for entry in facts)


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (
            "max_tokens_total: 100",
            "the budget of 100 tokens of workflow 'main' is used up (100 tokens so far)",
        ),
        ("max_cost_usd: 0.15", "the budget of $0.15 of workflow 'main' is used up ($0.2 so far)"),
    ],
)
def test_before_an_agent_starts_beyond_the_limit_a_person_is_asked(limit: str, said: str) -> None:
    result = run(paid(limit), answers={"two": "continue"})
    assert result.status == "completed", result.error
    (question,) = result.of("input.required")
    assert (question.kind, question.path, question.choices) == ("budget", "two", ("continue", "stop"))
    assert question.prompt.startswith(said)
    assert result.outputs["between"] == "between\n"
    starts = [fact for fact in result.of("step.started") if fact.path == "two"]
    assert [(fact.attempt, fact.held is not None) for fact in starts] == [(1, True), (2, False)]
    assert result.types().count("execution.released") == 1
    transcript = [said for entry in result.facts for said in transcript_of(entry)]
    assert [(said.step_name, said.attempt) for said in transcript if said.type == "request"] == [
        ("one", 1),
        ("two", 2),
    ]


@pytest.mark.parametrize("limit", ["max_tokens_total: 101", "max_cost_usd: 0.21", "max_duration: 1h"])
def test_below_the_limit_nobody_is_asked(limit: str) -> None:
    assert run(paid(limit)).of("input.required") == []


def test_stopped_by_a_person_it_fails_without_a_retry_and_is_routed() -> None:
    result = run(paid("max_tokens_total: 50"), answers={"two": {"response": "stop", "comment": "too dear"}})
    assert result.outputs["sorry"] == "sorry failed\n"
    assert result.steps["two"].error == "stopped by a person, because a budget is used up: too dear"
    assert result.of("step.retrying") == []


def test_on_budget_fail_asks_nobody() -> None:
    result = run(paid("max_tokens_total: 50; on_budget: fail"))
    assert result.outputs["sorry"] == "sorry failed\n"
    assert (
        result.steps["two"].error
        == "the budget of 50 tokens of workflow 'main' is used up (100 tokens so far)"
    )
    assert result.types().count("step.retrying") == 0
    assert [fact.path for fact in result.of("step.output") if fact.path == "two"] == []


def test_the_limit_of_the_server_holds_for_every_execution() -> None:
    result = run(paid("version: 1"), budget=Budget(tokens=10, fails=True))
    assert result.steps["two"].error == (
        "the budget of 10 tokens that the server allows an execution is used up (100 tokens so far)"
    )


def test_costs_come_from_the_table_where_the_provider_says_none() -> None:
    prices = {
        "m": Price(input=1000.0, output=10_000.0, cached=0.0),
        "scripted": Price(input=0.0, output=1_000_000.0, cached=0.0),
    }
    result = run(paid("version: 1", UNPRICED), prices=prices)
    costs = {path: step.usage.cost for path, step in result.steps.items() if step.usage is not None}
    assert costs == {"one": 30.0, "two": pytest.approx(0.37)}
    result = run(paid("version: 1"), prices=prices)
    assert [step.usage.cost for step in result.steps.values() if step.usage is not None] == [0.2, 0.2]
    assert (
        run(paid("max_cost_usd: 1; on_budget: fail", UNPRICED), prices=prices).steps["two"].status == "failed"
    )


LOOP = """
    name: loop
    states:
      initial: each
      each: {type: for_each, items: [1, 2, 3, 4, 5], body: [ask], LIMITS, on_success: done, on_failure: bad}
      ask: {type: agent, provider: scripted, prompt: "p", options: {script: SCRIPT}}
      done: {type: terminal}
      bad: {type: terminal, status: failure, message: "stopped"}
    """.replace("SCRIPT", SCRIPT)


def test_a_grant_is_as_much_again() -> None:
    result = run(
        LOOP.replace("LIMITS", "max_tokens_total: 150"),
        answers={f"each[{index}]/ask": "continue" for index in range(5)},
    )
    assert result.status == "completed"
    # 200 spent: asked, up to 350; 400 spent: asked, up to 550.
    assert [fact.path for fact in result.of("input.required")] == ["each[2]/ask", "each[4]/ask"]


def test_the_budget_of_a_block_fails_its_step_and_so_the_block() -> None:
    result = run(LOOP.replace("LIMITS", "max_tokens_total: 150, on_budget: fail"))
    assert (result.status, result.error) == ("failed", "stopped")
    assert (
        result.steps["each[2]/ask"].error
        == "the budget of 150 tokens of state 'each' is used up (200 tokens so far)"
    )


def test_the_budget_of_a_sub_workflow() -> None:
    result = run(
        """
        name: main
        states:
          initial: first
          first: {type: call_workflow, workflow: child, on_success: done, on_failure: bad}
          done: {type: terminal}
          bad: {type: terminal, status: failure, message: "bad"}
        """,
        files={"child": paid("max_tokens_total: 100; on_budget: fail").replace("on_failure: sorry\n", "\n")},
    )
    assert result.error == "bad"
    assert (
        result.steps["first/two"].error
        == "the budget of 100 tokens of workflow 'child' is used up (100 tokens so far)"
    )


def test_what_waits_side_by_side_for_the_same_budget_is_answered_once() -> None:
    text = """
        name: main
        max_tokens_total: 100
        states:
          initial: one
          one: {type: agent, provider: scripted, prompt: "1", options: {script: SCRIPT}, on_success: all}
          all: {type: parallel, parallel: [a, b, c], on_success: done}
          a: {type: agent, provider: scripted, prompt: "1", options: {script: SCRIPT}}
          b: {type: agent, provider: scripted, prompt: "1", options: {script: SCRIPT}}
          c: {type: step, command: "echo through"}
          done: {type: terminal}
        """.replace("SCRIPT", SCRIPT)
    result = run(text, answers={"all/b": "continue"})
    assert result.status == "completed", result.error
    assert {fact.path for fact in result.of("input.required")} == {"all/a", "all/b"}
    assert {fact.path for fact in result.of("input.received")} == {"all/a", "all/b"}
    assert result.outputs["all/c"] == "through\n"


def test_each_turn_of_a_conversation_is_looked_at() -> None:
    text = """
        name: talk
        states:
          initial: ask
          ask:
            type: agent
            provider: scripted
            mode: conversation
            prompt: "Hello"
            max_tokens_total: 150
            options: {script: SCRIPT}
            on_success: done
          done: {type: terminal}
        """.replace("SCRIPT", SCRIPT)
    result = run(text, answers={"ask": ["Why?", "And?", "continue", "exit"]})
    assert result.status == "completed", result.error
    assert [fact.kind for fact in result.of("input.required")] == [
        "conversation",
        "conversation",
        "budget",
        "conversation",
    ]
    result = run(text, answers={"ask": ["Why?", "And?", "stop"]})
    assert result.error == "step 'ask' failed: stopped by a person, because a budget is used up"


TIMED = """
    name: timed
    LIMITS
    states:
      initial: slow
      slow: {type: step, command: "sleep 0.3; echo slow", on_success: ok}
      ok: {type: approval, message: "ok?", on_approve: next}
      next: {type: step, command: "echo next", on_success: done, on_failure: late}
      done: {type: terminal}
      late: {type: terminal, status: failure, message: "late"}
    """


def test_the_time_of_people_does_not_count_and_steps_of_all_kinds_are_held() -> None:
    result = run(
        TIMED.replace("LIMITS", "max_duration: 200ms"), answers={"ok": "approve", "next": "continue"}
    )
    assert result.status == "completed"
    questions = result.of("input.required")
    assert [(fact.kind, fact.path) for fact in questions] == [
        ("budget", "slow"),
        ("approval", "ok"),
        ("budget", "next"),
    ]
    assert [fact.reached is not None for fact in questions] == [True, False, False]
    assert result.outputs["slow"] == "slow\n"
    result = run(TIMED.replace("LIMITS", "max_duration: 60s"), answers={"ok": "approve"})
    assert [fact.kind for fact in result.of("input.required")] == ["approval"]


def test_with_on_budget_fail_the_time_is_a_limit_of_what_runs_too() -> None:
    text = TIMED.replace("sleep 0.3", "sleep 60").replace(
        "on_success: ok}", "on_success: ok, on_failure: late}"
    )
    result = run(text.replace("LIMITS", "max_duration: 300ms\n    on_budget: fail"))
    assert result.error == "late"
    assert (result.steps["slow"].error or "").startswith(
        "the budget of 300ms of workflow 'main' is used up ("
    )
    assert (result.steps["slow"].exit_code, result.of("step.retrying")) == (1, [])


OVERDUE = """
    name: overdue
    max_duration: 150ms
    states:
      initial: slow
      slow:
        type: step
        command: "SCRIPT"
        retry: {max_attempts: 3}
        on_success: next
        on_failure: late
      next: {type: step, command: "echo next", on_success: done}
      late: {type: step, command: "echo 'late {{states.slow.Output}}'", on_success: done}
      done: {type: terminal}
    """


def test_what_runs_when_its_time_is_over_runs_on_while_people_are_asked() -> None:
    text = OVERDUE.replace("SCRIPT", "sleep 0.4; echo slow")
    result = run(text, answers={"slow": ["continue"] * 9, "next": ["continue"] * 9})
    assert (result.status, result.outputs["slow"]) == ("completed", "slow\n")
    asked = [fact for fact in result.of("input.required") if fact.path == "slow"]
    assert asked[0].prompt.startswith("the budget of 150ms of workflow 'main' is used up (")
    assert "Meanwhile step 'slow' runs on: grant as much again (continue), or end it" in asked[0].prompt
    granted = [fact.limit for fact in result.of("input.received")]
    assert granted[0] == pytest.approx(asked[0].reached.spent + 0.15, abs=1.0)
    assert granted[0] > 0.3
    assert [fact.attempt for fact in result.of("step.started") if fact.path == "slow"] == [1]
    assert "execution.released" not in result.types()[: result.types().index("step.completed")]


def test_who_is_asked_about_what_runs_can_end_it() -> None:
    result = run(
        OVERDUE.replace("SCRIPT", "echo half; sleep 60"),
        answers={"slow": {"response": "stop", "comment": "enough"}, "late": ["continue"] * 9},
    )
    assert result.outputs["late"] == "late half\n\n"
    (failed,) = result.of("step.failed")
    assert (failed.error, failed.exit_code) == (
        "stopped by a person, because a budget is used up: enough",
        1,
    )
    assert result.of("step.retrying") == []


def test_nobody_has_answered_when_what_runs_has_ended() -> None:
    result = run(OVERDUE.replace("SCRIPT", "sleep 0.3; echo slow"), answers={"next": "continue"})
    assert (result.status, result.outputs["next"]) == ("completed", "next\n")
    assert [(fact.path, fact.reached is None) for fact in result.of("input.required")] == [
        ("slow", False),
        ("next", True),
    ]
    result = run(
        OVERDUE.replace("SCRIPT", "[ -e again ] && exit; touch again; sleep 0.3; exit 3").replace(
            "max_attempts: 3", "max_attempts: 3, initial_delay: 1ms"
        ),
        answers={"slow": ["continue"] * 9, "next": ["continue"] * 9},
    )
    assert result.status == "completed", result.error


def test_a_step_that_runs_out_of_its_own_time_says_so_whatever_budgets_there_are() -> None:
    for limit in ("max_tokens_total: 9", "max_duration: 1h"):
        text = OVERDUE.replace("max_duration: 150ms", f"{limit}\n    on_budget: fail").replace(
            "SCRIPT", "sleep 60"
        )
        result = run(text.replace("retry: {max_attempts: 3}", "timeout: 100ms"))
        assert (result.steps["slow"].error, result.steps["slow"].exit_code) == (
            "timeout exceeded (100ms)",
            124,
        )


def test_an_engine_is_stopped_and_an_execution_cancelled_while_people_are_asked_about_what_runs() -> None:
    text = OVERDUE.replace("SCRIPT", "[ -e again ] && exit; touch again; sleep 60")
    result = run(text, stop_when=asked, answers={"slow": ["continue"] * 9, "next": ["continue"] * 9})
    assert result.status == "completed"
    # It runs again, and that needs an answer first.
    starts = [fact.held is not None for fact in result.of("step.started") if fact.path == "slow"]
    assert starts == [False, True, False]
    assert run(text, cancel_when=asked).status == "cancelled"


def test_one_answer_is_for_everything_that_runs_beside_it() -> None:
    text = """
        name: main
        max_duration: 150ms
        states:
          initial: all
          all: {type: parallel, parallel: [a, b], on_success: next}
          a: {type: step, command: "sleep 0.3"}
          b: {type: step, command: "sleep 60"}
          next: {type: step, command: "echo next", on_success: done}
          done: {type: terminal}
        """
    stop = {"response": "stop"}
    result = run(text, answers={"all/a": "continue", "all/b": [stop, stop]})
    first, second = result.of("input.received")[:2]
    assert (first.path, first.response, second.path, second.response, first.limit) == (
        "all/a", "continue", "all/b", "continue", second.limit,
    )  # fmt: skip


def test_a_conversation_is_kept_of_an_agent_that_has_ended_while_people_are_asked() -> None:
    text = """
        name: main
        max_duration: 100ms
        states:
          initial: one
          one:
            type: agent
            provider: scripted
            prompt: "Hello"
            conversation: {}
            options: {script: 'sleep 0.3; echo Hi'}
            on_success: two
          two:
            type: agent
            provider: scripted
            prompt: "And?"
            conversation: {continue_from: one}
            options: {script: 'printf %s "$TURNS"'}
            on_success: done
          done: {type: terminal}
        """
    result = run(text, answers={"two": ["continue"] * 9})
    assert result.outputs["two"] == '[["user", "Hello"], ["assistant", "Hi\\n"]]\n'


def test_an_engine_is_stopped_and_an_execution_cancelled_and_resumed_while_a_budget_waits() -> None:
    result = run(paid("max_tokens_total: 50"), stop_when=asked, answers={"two": "continue"})
    assert result.status == "completed"
    result = run(
        paid("max_tokens_total: 50"), cancel_when=asked, resumes=[Resume()], answers={"two": "continue"}
    )
    assert result.status == "completed"
    (question,) = result.of("input.required")
    assert "used up (100 tokens so far, with what was spent before it was resumed)" in question.prompt
    assert [fact.path for fact in result.of("step.reused")] == ["one", "between"]


ONCE_BROKEN = """
    name: broken
    LIMITS
    states:
      initial: one
      one: {type: agent, provider: scripted, prompt: "1", options: {script: SCRIPT}, on_success: two}
      two:
        type: agent
        provider: scripted
        prompt: "2"
        LIMIT
        options: {script: '[ -e ok ] || { echo "{\\"fail\\":\\"no\\",\\"input\\":60,\\"output\\":40}"; touch ok; exit; }; echo {\\"answer\\":\\"a\\",\\"input\\":70}'}
        on_success: done
      done: {type: terminal}
    """.replace("SCRIPT", SCRIPT)


def test_what_was_spent_before_it_was_resumed_counts() -> None:
    text = ONCE_BROKEN.replace("LIMITS", "max_tokens_total: 200\n    on_budget: fail").replace("LIMIT", "")
    result = run(text, resumes=[Resume()])
    said = "the budget of 200 tokens of workflow 'main' is used up (200 tokens so far, with what was spent before it was resumed)"
    assert (result.steps["two"].error, result.usage) == (said, None)
    more = text.replace("max_tokens_total: 200", "max_tokens_total: 201")
    result = run(text, resumes=[Resume(), Resume(), Resume(latest=True, files={"main": more})])
    assert (result.status, result.usage) == ("completed", Usage(input=70)), result.error
    (started,) = result.of("execution.started")
    (before,) = (each for each in started.before if not each.path)
    assert before.usage == Usage(input=130, output=70, cost=0.2)


def test_the_budget_of_a_state_that_is_entered_again_goes_on() -> None:
    text = ONCE_BROKEN.replace("LIMITS", "").replace("LIMIT", "max_tokens_total: 100")
    result = run(text, resumes=[Resume()], answers={"two": "continue"})
    (question,) = result.of("input.required")
    assert question.prompt.startswith("the budget of 100 tokens of state 'two' is used up (100 tokens so far")
    assert result.status == "completed"
    result = run(text, resumes=[Resume("one")])
    assert (result.status, result.of("input.required")) == ("completed", [])


def test_what_people_have_granted_holds_when_it_is_resumed() -> None:
    broken = """'[ \"$(cat)\" = 4 ] && [ ! -e ok ] && touch ok && exit 1; echo {\\"answer\\":\\"a\\",\\"input\\":100}'"""
    text = LOOP.replace(SCRIPT, broken).replace('"p"', '"{{loop.Item}}"')
    result = run(
        text.replace("LIMITS", "max_tokens_total: 150"),
        answers={"each[2]/ask": "continue", "each[4]/ask": "continue"},
        resumes=[Resume()],
    )
    assert result.status == "completed", result.error
    # 300 of the 350 had been spent.
    assert [fact.path for fact in result.of("input.required")] == ["each[4]/ask"]


def test_the_time_before_it_was_resumed_counts() -> None:
    result = run(
        TIMED.replace("LIMITS", "max_duration: 200ms"),
        answers={"ok": "approve", "next": ["stop", "stop"]},
        resumes=[Resume()],
    )
    assert result.error == "late"
    (question,) = result.of("input.required")
    assert (question.kind, question.path) == ("budget", "next")


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("max_tokens_total: 0", "'max_tokens_total' must be from 1 to"),
        ("max_tokens_total: many", "'max_tokens_total' must be a whole number"),
        ("max_cost_usd: 0", "'max_cost_usd' must be more than 0"),
        ("max_duration: soon", "invalid duration: soon"),
        (
            "max_cost_usd: 1; on_budget: aks",
            "invalid on_budget 'aks': must be 'ask' or 'fail' (did you mean 'ask'?)",
        ),
    ],
)
def test_what_is_no_budget(limit: str, message: str) -> None:
    assert message in refused(paid(limit))
