from awf.domain.variables import LARGEST_INPUT, as_text, exported


def test_inputs_are_exported_twice() -> None:
    variables = exported({"file": "a b", "n": 3, "on": True, "list": [1, "é"]}, {}).variables
    assert variables["AWF_INPUT_FILE"] == variables["file"] == "a b"
    assert variables["AWF_INPUT_N"] == "3"
    assert variables["on"] == "true"
    assert variables["list"] == '[1,"é"]'


def test_names_that_are_taken_or_change_how_programs_load_are_not_set() -> None:
    inputs = {"PATH": "/evil", "LD_PRELOAD": "x", "IFS": "x", "PYTHONPATH": "x", "TAKEN": "new", "a-b": "1"}
    variables = exported(inputs, {"TAKEN": "old"}).variables
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
    assert "AWF_INPUT_X7" in exported(big, {}).variables
    assert "AWF_INPUT_X8" not in exported(big, {}).variables
    assert exported({"x": "y" * (LARGEST_INPUT + 1), "n": "a\0b"}, {}).variables == {}


def test_text_stays_and_everything_else_is_json() -> None:
    assert as_text("007") == "007"
    assert as_text(False) == "false"
    assert as_text({"a": None}) == '{"a":null}'
