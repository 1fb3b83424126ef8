"""``type: approval``: the answer of a person decides; through real engines."""

from __future__ import annotations

import pytest

from awf.journal.events import Entry, InputRequired
from conformance.harness import Answer, Resume, run

SHIP = """
    name: ship
    inputs: [{name: version, default: "1.2"}]
    states:
      initial: build
      build: {type: step, command: "echo built {{.inputs.version}}", on_success: ok}
      ok:
        type: approval
        message: "Ship {{.inputs.version}}? {{.states.build.Output}}"
        on_approve: tell
        on_reject: tell
        EXTRA
      tell:
        type: step
        command: >-
          echo '{{.states.ok.Status}} {{.states.ok.ExitCode}} {{.states.ok.Output}}
          {{.states.ok.Response.response}} {{.states.ok.Response.comment}} {{.states.ok.Response.by}}'
        on_success: done
      done: {type: terminal}
      late: {type: terminal, status: failure, message: "too late: {{.states.ok.Output}}"}
    """


def ship(extra: str = "") -> str:
    return SHIP.replace("        EXTRA\n", f"        {extra}\n" if extra else "")


def asked(facts: list[Entry]) -> bool:
    return any(isinstance(entry.fact, InputRequired) for entry in facts)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"response": "approve"}, "completed 0 approve approve  \n"),
        (
            {"response": "approve", "comment": "looks good", "by": "Ann"},
            "completed 0 approve approve looks good Ann\n",
        ),
        (
            {"response": "reject", "comment": "not on a Friday"},
            "failed 1 reject reject not on a Friday \n",
        ),
    ],
)
def test_the_answer_decides_and_is_a_result(answer: Answer, told: str) -> None:
    result = run(ship(), answers={"ok": answer})
    assert result.status == "completed"
    assert result.outputs["tell"] == told
    (question,) = result.of("input.required")
    assert (question.kind, question.choices, question.deadline) == ("approval", ("approve", "reject"), None)
    assert question.prompt == "Ship 1.2? built 1.2\n"
    assert result.types().count("execution.released") == 1
    started = result.facts[result.types().index("input.required") - 1].fact
    assert (started.kind, started.path) == ("approval", "ok")


def test_an_unrouted_rejection_fails_the_execution_and_says_who_and_why() -> None:
    result = run(
        ship().replace("        on_reject: tell\n", ""),
        answers={"ok": {"response": "reject", "comment": "no tests", "by": "Bo"}},
    )
    assert (result.status, result.exit_code) == ("failed", 1)
    assert result.error == "step 'ok' failed: rejected by Bo: no tests"
    assert result.outputs["ok"] == "reject"


@pytest.mark.parametrize(
    ("extra", "status", "error", "code"),
    [
        ("timeout: 40ms", "failed", "step 'ok' failed: nobody answered in time what step 'ok' asked", 124),
        ("timeout: 40ms\n        on_timeout: late", "failed", "too late: timeout", 1),
        ("timeout: 40ms\n        on_failure: late", "failed", "too late: timeout", 1),
        (
            "timeout: 40ms\n        on_timeout: {message: 'late {{.inputs.version}}', status: 7}",
            "failed",
            "late 1.2",
            7,
        ),
        ("timeout: '{{.inputs.version}}0ms'\n        on_timeout: done", "completed", "", 0),
        (
            "timeout: 40ms\n        transitions: [{when: \"states.ok.Output == 'timeout'\", goto: done}]",
            "completed",
            "",
            0,
        ),
        ("timeout: 40ms\n        continue_on_error: true", "completed", "", 0),
    ],
)
def test_no_answer_in_time(extra: str, status: str, error: str, code: int) -> None:
    result = run(ship(extra))
    assert (result.status, result.error, result.exit_code) == (status, error, code)
    (question,) = result.of("input.required")
    ended = next(entry for entry in result.facts if getattr(entry.fact, "output", "") == "timeout")
    assert ended.at >= question.deadline
    assert ended.at - question.deadline < 2_000_000


def test_what_cannot_be_asked_fails_and_is_routed() -> None:
    result = run(
        ship("on_failure: late").replace("{{.states.build.Output}}", "{{index .states.build.Output 99}}")
    )
    assert (result.status, result.error) == ("failed", "too late: ")
    assert result.steps["ok"].exit_code == 126
    result = run(ship("timeout: '{{.inputs.version}}x'\n        on_failure: late"))
    assert (result.status, result.error) == ("failed", "too late: ")
    assert "invalid duration" in (result.steps["ok"].error or "")


def test_hooks_run_before_it_asks_and_after_the_answer() -> None:
    result = run(
        ship("hooks: {pre: [{command: 'echo before'}], post: [{log: 'said {{.states.ok.Output}}'}]}"),
        answers={"ok": "approve"},
    )
    assert [fact.message for fact in result.of("hook.finished")] == ["before\n", "said approve"]
    types = result.types()
    assert types.index("hook.finished") < types.index("input.required") < types.index("input.received")


def test_a_secret_is_not_shown_to_the_person() -> None:
    text = ship().replace("inputs: [", "inputs: [{name: api_token, default: verysecret1}, ")
    result = run(
        text.replace("Ship {{.inputs.version}}?", "Use {{.inputs.api_token}}?"), answers={"ok": "approve"}
    )
    (question,) = result.of("input.required")
    assert question.prompt.startswith("Use ***?")


def test_a_message_without_end_is_cut() -> None:
    text = ship().replace("Ship {{.inputs.version}}?", "Ship {{.inputs.version}}?" + "x" * 70_000)
    (question,) = run(text, answers={"ok": "approve"}).of("input.required")
    assert len(question.prompt) < 66_000
    assert question.prompt.endswith(" more characters)")


def test_in_a_loop_every_iteration_asks() -> None:
    result = run(
        """
        name: loop
        states:
          initial: each
          each: {type: for_each, items: [a, b, c], body: [ok, use], on_success: done}
          ok: {type: approval, message: "Use {{.loop.Item}}?", on_reject: each}
          use: {type: step, command: "echo used {{.loop.Item}}"}
          done: {type: terminal}
        """,
        answers={"each[0]/ok": "approve", "each[1]/ok": "reject", "each[2]/ok": "approve"},
    )
    assert result.status == "completed"
    assert [fact.prompt for fact in result.of("input.required")] == ["Use a?", "Use b?", "Use c?"]
    assert result.outputs["each[0]/use"] + result.outputs["each[2]/use"] == "used a\nused c\n"


def test_two_ask_side_by_side_and_in_a_sub_workflow() -> None:
    result = run(
        """
        name: main
        states:
          initial: both
          both: {type: parallel, parallel: [legal, call, work], on_success: done}
          legal: {type: approval, message: "Legal?", on_success: done}
          call: {type: call_workflow, workflow: child, on_success: done}
          work: {type: step, command: "echo worked", on_success: done}
          done: {type: terminal, message: "{{.states.both.Output}}"}
        """,
        files={
            "child": """
                name: child
                states:
                  initial: ask
                  ask: {type: approval, message: "Money?", on_approve: end, on_reject: no}
                  end: {type: terminal}
                  no: {type: terminal, status: failure, message: "no money"}
                """
        },
        answers={"both/call/ask": "approve", "both/legal": "approve"},
    )
    assert result.status == "completed"
    assert result.outputs["both/work"] == "worked\n"
    assert {fact.path for fact in result.of("input.required")} == {"both/call/ask", "both/legal"}


def test_a_rejected_branch_fails_the_block_and_takes_the_other_question_back() -> None:
    result = run(
        """
        name: main
        states:
          initial: both
          both: {type: parallel, parallel: [a, b], on_success: done, on_failure: bad}
          a: {type: approval, message: "A?"}
          b: {type: approval, message: "B?"}
          done: {type: terminal}
          bad: {type: terminal, status: failure, message: "{{.states.b.Status}}"}
        """,
        answers={"both/a": "reject"},
    )
    assert result.status == "failed"
    assert result.steps["both"].error == "branch 'a' failed: rejected"
    assert result.steps["both/b"].error == "cancelled"


def test_the_time_limit_of_a_block_ends_the_question_in_it() -> None:
    result = run(
        """
        name: main
        states:
          initial: each
          each: {type: for_each, items: [a], body: [ok], timeout: 40ms, on_success: done, on_failure: bad}
          ok: {type: approval, message: "Use {{.loop.Item}}?"}
          done: {type: terminal}
          bad: {type: terminal, status: failure, message: late}
        """
    )
    assert (result.error, result.steps["each[0]/ok"].error) == ("late", "cancelled")


def test_its_engine_is_stopped_while_it_waits() -> None:
    result = run(ship(), stop_when=asked, answers={"ok": "approve"})
    assert result.status == "completed"
    assert [fact.attempt for fact in result.of("step.started") if fact.path == "ok"] == [1]


def test_cancelled_while_it_waits_and_resumed_it_asks_again() -> None:
    result = run(ship(), cancel_when=asked)
    assert result.status == "cancelled"
    assert result.steps["ok"].error == "cancelled"
    result = run(ship(), cancel_when=asked, resumes=[Resume()], answers={"ok": ["approve"]})
    assert result.status == "completed"
    assert [fact.path for fact in result.of("step.reused")] == ["build"]


def test_a_rejected_one_can_be_resumed_and_asks_again() -> None:
    text = ship().replace("        on_reject: tell\n", "")
    result = run(text, answers={"ok": ["reject", "approve"]}, resumes=[Resume()])
    assert result.status == "completed"
    assert [fact.path for fact in result.of("step.reused")] == ["build"]
    assert result.outputs["tell"].startswith("completed 0 approve")
