from awf.engine.ports import StepContext
from awf.journal.events import StepStarted
from awf.runners.environment import LARGEST_INPUT, as_text, input_variables, step_environment


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


def test_inputs_are_exported_twice() -> None:
    variables = input_variables({"file": "a b", "n": 3, "on": True, "list": [1, "é"]}, {})
    assert variables["AWF_INPUT_FILE"] == variables["file"] == "a b"
    assert variables["AWF_INPUT_N"] == "3"
    assert variables["on"] == "true"
    assert variables["list"] == '[1,"é"]'


def test_names_that_are_taken_or_change_how_programs_load_are_not_set() -> None:
    inputs = {"PATH": "/evil", "LD_PRELOAD": "x", "IFS": "x", "PYTHONPATH": "x", "TAKEN": "new", "a-b": "1"}
    variables = input_variables(inputs, {"TAKEN": "old"})
    assert set(variables) == {
        "AWF_INPUT_PATH",
        "AWF_INPUT_LD_PRELOAD",
        "AWF_INPUT_IFS",
        "AWF_INPUT_PYTHONPATH",
        "AWF_INPUT_TAKEN",
        "AWF_INPUT_A_B",
    }


def test_large_inputs_and_nul_are_left_out() -> None:
    big = {f"x{i}": "y" * LARGEST_INPUT for i in range(9)}
    assert "AWF_INPUT_X7" in input_variables(big, {})
    assert "AWF_INPUT_X8" not in input_variables(big, {})
    assert input_variables({"x": "y" * (LARGEST_INPUT + 1), "n": "a\0b"}, {}) == {}


def test_the_states_own_variables_win_over_inputs_but_not_over_identity() -> None:
    context = StepContext("e", "w", {"COLOR": "red"}, {}, "/")
    env = step_environment(fact(COLOR="blue", AWF_ATTEMPT_ID="forged"), context)
    assert env["COLOR"] == "blue"
    assert env["AWF_ATTEMPT_ID"] == "x.1.2"


def test_text_stays_and_everything_else_is_json() -> None:
    assert as_text("007") == "007"
    assert as_text(False) == "false"
    assert as_text({"a": None}) == '{"a":null}'
