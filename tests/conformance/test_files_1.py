"""Sections 1.2, 1.3 and 2.1: files are found by name, parsed strictly, and never hide one another."""

from __future__ import annotations

import pytest

from awf.catalog.catalog import Catalog
from awf.errors import WorkflowNotFound
from conformance.loading import DONE, environment, found, listed, said, written

GOOD = """
    name: x
    states:
      initial: done
      done: {type: terminal}
    """


def place(files, name, environ=None):
    file = found(files, name, environ)
    return None if file is None else (file.identifier, file.source, bool(file.loaded.errors))


def test_1_2_sources_win_in_order():
    files = {
        "one/a.yaml": GOOD,
        "two/a.yaml": GOOD,
        "two/b.yaml": GOOD,
        ".awf/workflows/a.yaml": GOOD,
        ".awf/workflows/b.yaml": GOOD,
        ".awf/workflows/c.yaml": GOOD,
        "home/.config/awf/workflows/c.yaml": GOOD,
        "home/.config/awf/workflows/d.yaml": GOOD,
    }
    environ = {"AWF_WORKFLOWS_PATH": "$ROOT/one:$ROOT/two"}
    assert {name: file.source for name, file in listed(files, environ).items()} == {
        "a": "env",
        "b": "env",
        "c": "local",
        "d": "global",
    }
    assert found(files, "a", environ).file == "one/a.yaml"


def test_1_2_the_configuration_directory_can_be_named():
    files = {"cfg/workflows/x.yaml": GOOD, "xdg/awf/workflows/x.yml": GOOD}
    assert place(files, "x", {"AWF_CONFIG_HOME": "$ROOT/cfg"}) == ("x", "global", False)
    assert found(files, "x", {"XDG_CONFIG_HOME": "$ROOT/xdg"}).file == "xdg/awf/workflows/x.yml"


def test_1_2_both_extensions_and_yaml_first():
    files = {".awf/workflows/x.yml": GOOD}
    assert place(files, "x") == ("x", "local", False)
    files[".awf/workflows/x.yaml"] = GOOD
    assert found(files, "x").file.endswith("x.yaml")


def test_1_2_a_name_with_its_extension_is_the_same_workflow():
    assert place({".awf/workflows/x.yml": GOOD}, "x.yml") == ("x", "local", False)


def test_1_2_a_broken_file_hides_nothing_and_is_not_hidden():
    files = {
        ".awf/workflows/broken.yaml": "name: [",
        ".awf/workflows/good.yaml": GOOD,
        "home/.config/awf/workflows/broken.yaml": GOOD,
    }
    names = listed(files)
    assert {name: bool(file.loaded.errors) for name, file in names.items()} == {"broken": True, "good": False}
    assert place(files, "broken") == ("broken", "local", True)


def test_1_2_listing_is_not_recursive_and_takes_no_other_files():
    files = {
        ".awf/workflows/sub/inner.yaml": GOOD,
        ".awf/workflows/.hidden.yaml": GOOD,
        ".awf/workflows/notes.txt": "",
        ".awf/workflows/x.yaml": GOOD,
    }
    assert list(listed(files)) == ["x"]


@pytest.mark.parametrize(
    "name", ["", "a/b", "/x", "x/", "..", "../x", ".x", "a\\b", "a\nb", "x" * 201, "nope"]
)
def test_1_3_what_cannot_be_a_name_is_not_found(name):
    assert found({".awf/workflows/x.yaml": GOOD, "x.yaml": GOOD}, name) is None


def test_1_2_a_file_anywhere_by_its_path(tmp_path):
    root = written(tmp_path, {"elsewhere/deploy.yml": GOOD})
    catalog = Catalog(root, environment(root, None))
    file = catalog.find_path(root / "elsewhere/deploy.yml")
    assert (file.identifier, file.source, file.file) == ("deploy", "path", "elsewhere/deploy.yml")
    with pytest.raises(WorkflowNotFound):
        catalog.find_path(root / "elsewhere/nope.yml")


def test_1_2_the_file_name_is_the_identifier_and_another_name_is_a_warning():
    assert said("name: other\nstates: {initial: d, d: {type: terminal}}") == [
        "warning 1:7 name 'other' differs from the file's name; people call this workflow 'main'"
    ]


def test_2_1_duplicate_keys_are_errors_with_both_places():
    text = "name: main\nname: again\nstates:\n  initial: d\n  d: {type: terminal}\n  d: {type: terminal}\n"
    assert said(text) == [
        "error 2:1 duplicate key 'name' (first at line 1)",
        "error 6:3 duplicate key 'd' (first at line 5)",
    ]


def test_2_1_unknown_keys_are_warnings_with_a_suggestion():
    text = """\
name: main
descripton: x
colour: red
inputs: [{name: a, requird: true, validation: {patern: x}}]
states:
  initial: s
  s:
    type: step
    comand: x
    command: "true"
    on_sucess: done
    on_success: done
  done: {type: terminal, mesage: x}
"""
    assert said(text) == [
        "warning 2:1 unknown key 'descripton' (did you mean 'description'?)",
        "warning 3:1 unknown key 'colour'",
        "warning 4:20 input 'a': unknown key 'requird' (did you mean 'required'?)",
        "warning 4:48 input 'a': validation: unknown key 'patern' (did you mean 'pattern'?)",
        "warning 9:5 state 's': unknown key 'comand' (did you mean 'command'?)",
        "warning 11:5 state 's': unknown key 'on_sucess' (did you mean 'on_success'?)",
        "warning 13:26 state 'done': unknown key 'mesage' (did you mean 'message'?)",
    ]


def test_2_1_a_tab_says_so():
    (line,) = said("name: main\nstates:\n\tinitial: a\n")
    assert line.startswith("error 3:1 invalid YAML: ")
    assert line.endswith("(a tab; indent with spaces)")


def test_2_1_a_template_without_quotes_says_so():
    text = "name: main\nstates:\n  initial: a\n  a:\n    type: step\n    on_success: d\n    command: %s\n  d: {type: terminal}\n"
    found = [
        line for line in said(text % "{{inputs.x}}") if "a value that begins with '{{' needs quotes" in line
    ]
    assert len(found) == 1
    assert found[0].startswith("error 7:")
    (line,) = said(text % "{{inputs.x}} and more")
    assert line.startswith("error 7:")
    assert "a value that begins with '{{' needs quotes" in line


def test_2_1_number_keys_are_names_and_a_null_state_is_an_error():
    text = "name: main\nstates:\n  initial: 1\n  1: {type: step, command: 'true', on_success: 2}\n  2: {type: terminal}\n  3:\n"
    assert said(text) == ["error 6:3 state '3': must be a map, not nothing"]


def test_2_1_states_keep_the_order_of_the_file():
    names = ["zulu", "mike", "alpha", "bravo"]
    states = "".join(f"  {name}: {{type: step, command: 'true', on_success: done}}\n" for name in names)
    file = found(
        {".awf/workflows/main.yaml": "name: main\nstates:\n  initial: zulu\n" + states + DONE}, "main"
    )
    assert list(file.loaded.workflow.states) == [*names, "done"]


def test_2_1_aliases_and_merge_keys_work():
    text = """\
name: main
states:
  initial: a
  a: &base {type: step, command: "echo x", on_success: b}
  b: {<<: *base, on_success: done}
  done: {type: terminal}
"""
    assert said(text) == []


def test_2_1_alias_bombs_are_refused():
    text = "name: main\na: &a [x,x,x,x,x,x,x,x,x,x]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        text += f"{name}: &{name} [" + ",".join([f"*{before}"] * 10) + "]\n"
    (line,) = said(text)
    assert line.endswith("makes the document too large")


def test_2_1_size_and_nesting_are_bounded():
    assert said("#" * (1024 * 1024 + 1)) == ["error 1:1 the file is larger than 1 MiB"]
    (line,) = said("name: main\nx: " + "[" * 101 + "]" * 101)
    assert line.endswith("nested more than 100 levels deep")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "error 1:1 the file is empty"),
        ("# nothing\n", "error 1:1 the file is empty"),
        ("- a\n", "error 1:1 a workflow is a map of keys to values, this file holds a list"),
        ("name: main\n---\nname: b\n", "error 2:1 the file holds more than one YAML document"),
    ],
)
def test_2_1_what_is_no_workflow(text, message):
    assert said(text) == [message]


def test_2_2_name_states_and_initial_are_required():
    assert said("description: x\n") == [
        "error 1:1 required key 'name' is missing",
        "error 1:1 required key 'states' is missing",
    ]
    assert said("name: main\nstates:\n  a: {type: terminal}\n")[0] == (
        "error 2:1 states: required key 'initial' is missing"
    )


def test_2_2_texts_are_kept_as_written():
    text = "name: main\nversion: 1.10\nauthor: me\ndescription: d\ntags: [a, 1]\nstates: {initial: d, d: {type: terminal}}\n"
    workflow = found({".awf/workflows/main.yaml": text}, "main").loaded.workflow
    assert (workflow.version, workflow.author, workflow.description, workflow.tags) == (
        "1.10",
        "me",
        "d",
        ("a", "1"),
    )
    assert said(text) == []
