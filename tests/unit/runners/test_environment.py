from awf.engine.ports import StepContext
from awf.journal.events import StepStarted
from awf.runners.environment import step_environment


def fact(**env: str) -> StepStarted:
    return StepStarted(
        step=1, state="build", path="build", attempt=2, attempt_id="x.1.2", kind="step", env=env
    )


def test_a_step_knows_who_it_is() -> None:
    context = StepContext("exec-1", "release", {}, {"HOME": "/home/u"}, "/")
    env = step_environment(fact(), context)
    assert env["AWF_EXECUTION_ID"] == "exec-1"
    assert env["AWF_WORKFLOW"] == "release"
    assert env["AWF_STEP"] == "build"
    assert env["AWF_ATTEMPT_ID"] == "x.1.2"
    assert env["HOME"] == "/home/u"


def test_the_states_own_variables_win_over_inputs_but_not_over_identity() -> None:
    context = StepContext("e", "w", {"COLOR": "red"}, {}, "/")
    env = step_environment(fact(COLOR="blue", AWF_ATTEMPT_ID="forged"), context)
    assert env["COLOR"] == "blue"
    assert env["AWF_ATTEMPT_ID"] == "x.1.2"
