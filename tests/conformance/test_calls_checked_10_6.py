"""Sub-workflows as ``awf validate`` sees them: what run refuses, with the places in the calling files (3.10, 10.6)."""

from __future__ import annotations

import pytest

from conformance.harness import refused, run
from conformance.loading import checked, said

LEAF = "name: NAME\nstates:\n  initial: a\n  a: {type: step, command: 'true', on_success: z}\n  z: {type: terminal}\n"


def calling(*names: str, extra: str = "") -> str:
    """A workflow that calls these, one after another: the n-th in line 3 + n, column 39."""
    lines = ["name: main", "states:", "  initial: c1"]
    lines += [
        f"  c{n}: {{type: call_workflow, workflow: {name}, on_success: {f'c{n + 1}' if n < len(names) else 'z'}}}"
        for n, name in enumerate(names, 1)
    ]
    return "\n".join([*lines, "  z: {type: terminal}", extra])


def project(**workflows: str) -> dict[str, str]:
    return {
        f".awf/workflows/{name.replace('__', '-')}.yaml": text.replace("name: main", f"name: {name}", 1)
        for name, text in workflows.items()
    }


def codes(linked) -> list[tuple[str, str, str]]:
    """Severity, place and code of every problem."""
    return [
        (problem.severity, str(problem.position).removeprefix(".awf/workflows/"), problem.code)
        for problem in linked.problems
    ]


def test_a_sub_workflow_that_is_not_there_is_a_warning_with_a_suggestion() -> None:
    files = project(deploy=LEAF.replace("NAME", "deploy"))
    assert said(calling("deplyo"), files) == [
        "warning 4:39 state 'c1': sub-workflow not found: deplyo (did you mean 'deploy'?)"
    ]
    assert codes(checked(project(main=calling("deplyo")), "main")) == [
        ("warning", "main.yaml:4:39", "WORKFLOW.VALIDATION.MISSING_WORKFLOW")
    ]


def test_it_fails_the_call_when_it_comes_to_it_and_not_before() -> None:
    never = "name: main\nstates:\n  initial: z\n  c: {type: call_workflow, workflow: no, on_success: z}\n"
    assert run(never + "  z: {type: terminal}\n").status == "completed"


def test_one_in_a_pack_that_is_not_installed_says_so() -> None:
    assert said(calling("tools/deploy")) == [
        "warning 4:39 state 'c1': sub-workflow not found: tools/deploy (no pack 'tools' is installed)"
    ]


def test_a_pack_calls_and_is_suggested_its_own() -> None:
    pack = ".awf/workflow-packs/tools/"
    files = {
        f"{pack}manifest.yaml": "name: tools\nversion: 1.0.0\nworkflows: [first, second]\n",
        f"{pack}workflows/first.yaml": calling("secnod", "second").replace("name: main", "name: first"),
        f"{pack}workflows/second.yaml": LEAF.replace("NAME", "second"),
    }
    (missing,) = checked(files, "tools/first").problems
    assert missing.message == "state 'c1': sub-workflow not found: secnod (did you mean 'second'?)"
    assert str(missing.position) == f"{pack}workflows/first.yaml:4:39"


def test_a_broken_one_is_an_error_at_the_call_with_its_own_errors() -> None:
    broken = "name: broken\nstates:\n  initial: gone\n  a: {type: step, command: x, on_success: b}\n  z: {type: terminal}\n"
    linked = checked(project(main=calling("broken"), broken=broken), "main")
    assert codes(linked) == [
        ("error", "main.yaml:4:39", "WORKFLOW.VALIDATION.INVALID_WORKFLOW"),
        ("error", "broken.yaml:3:12", "WORKFLOW.VALIDATION.MISSING_STATE"),
        ("error", "broken.yaml:4:43", "WORKFLOW.VALIDATION.MISSING_STATE"),
    ]
    assert linked.problems[0].message == "state 'c1': sub-workflow 'broken' is invalid (2 errors)"
    assert refused(calling("broken"), files={"broken": broken}) == (
        "workflow 'main' is invalid: " + "; ".join(str(problem) for problem in linked.errors)
    )


def test_a_broken_one_is_found_however_far_down() -> None:
    linked = checked(project(main=calling("mid"), mid=calling("low"), low="name: low\n"), "main")
    assert ("error", "mid.yaml:4:39", "WORKFLOW.VALIDATION.INVALID_WORKFLOW") in codes(linked)
    assert all(place.startswith(("mid", "low")) for _, place, _ in codes(linked))


@pytest.mark.parametrize("missing", ["script_file: no.sh", "use_template: no"])
def test_files_that_a_sub_workflow_needs_are_looked_for(missing: str) -> None:
    child = f"name: child\nstates:\n  initial: a\n  a: {{type: step, {missing}, on_success: z}}\n  z: {{type: terminal}}\n"
    told = [str(problem) for problem in checked(project(main=calling("child"), child=child), "main").errors]
    assert "file not found" in told[1]
    assert told[1].endswith("(.awf/workflows/child.yaml:4:" + told[1].rsplit(":", 1)[1])
    assert refused(calling("child"), files={"child": child}).endswith("; ".join(told))


def test_calls_are_followed_although_the_caller_has_errors_of_its_own() -> None:
    linked = checked(project(main=calling("main", "no").replace("on_success: z", "on_success: y")), "main")
    assert [(severity, place) for severity, place, _ in codes(linked)] == [
        ("error", "main.yaml:4:39"),
        ("warning", "main.yaml:5:39"),
        ("error", "main.yaml:5:55"),
    ]


@pytest.mark.parametrize(
    ("workflows", "place", "way"),
    [
        ({"main": calling("main")}, "main.yaml:4:39", "main -> main"),
        ({"main": calling("main.yaml")}, "main.yaml:4:39", "main -> main"),
        ({"main": calling("local/main")}, "main.yaml:4:39", "main -> main"),
        ({"main": calling("a"), "a": calling("main")}, "a.yaml:4:39", "main -> a -> main"),
        ({"main": calling("a"), "a": calling("b"), "b": calling("a")}, "b.yaml:4:39", "main -> a -> b -> a"),
    ],
)
def test_circles_are_found_by_identity_at_the_call_that_closes_them(
    workflows: dict[str, str], place: str, way: str
) -> None:
    linked = checked(project(**workflows), "main")
    assert codes(linked) == [("error", place, "WORKFLOW.VALIDATION.CIRCULAR_CALL")]
    assert linked.problems[0].message == f"circular workflow call detected: {way}"


def test_a_circle_is_told_once_however_it_is_reached() -> None:
    workflows = {"main": calling("a", "x"), "x": calling("a"), "a": calling("b"), "b": calling("a")}
    assert len(checked(project(**workflows), "main").errors) == 1


def test_the_same_name_in_a_pack_is_another_workflow() -> None:
    files = {
        **project(deploy=calling("tools/deploy").replace("name: main", "name: deploy")),
        ".awf/workflow-packs/tools/manifest.yaml": "name: tools\nversion: 1.0.0\nworkflows: [deploy]\n",
        ".awf/workflow-packs/tools/workflows/deploy.yaml": LEAF.replace("NAME", "deploy"),
    }
    assert checked(files, "deploy").problems == ()


def levels(depth: int) -> dict[str, str]:
    """``main`` calls ``w1``, and so on to ``w<depth>``, which calls nothing."""
    chain = {f"w{n}": calling(f"w{n + 1}") for n in range(1, depth)}
    return {"main": calling("w1"), **chain, f"w{depth}": LEAF.replace("NAME", f"w{depth}")}


def test_ten_levels_are_fine_and_the_eleventh_is_told_where_it_is_called() -> None:
    assert checked(project(**levels(10)), "main").problems == ()
    linked = checked(project(**levels(11)), "main")
    assert codes(linked) == [("error", "w10.yaml:4:39", "WORKFLOW.VALIDATION.CALL_DEPTH")]
    way = " -> ".join(["main", *(f"w{n}" for n in range(1, 12))])
    assert linked.problems[0].message == f"maximum sub-workflow nesting depth exceeded (max: 10): {way}"


def test_depth_is_counted_per_branch() -> None:
    ten = levels(10)
    short = {**ten, "main": calling("w1", "w10", "w5", *(f"w{n}" for n in range(1, 11)))}
    assert checked(project(**short), "main").problems == ()
    detour = {**ten, "main": calling("w1", "x"), "x": calling("w1")}
    assert codes(checked(project(**detour), "main")) == [
        ("error", "w9.yaml:4:39", "WORKFLOW.VALIDATION.CALL_DEPTH")
    ]


def test_many_calls_of_many_workflows_are_followed_in_bounded_time() -> None:
    everything = [f"w{n}" for n in range(1, 11)]
    workflows = {f"w{n}": calling(*everything[n:]) for n in range(1, 10)}
    workflows |= {"main": calling(*everything), "w10": LEAF.replace("NAME", "w10")}
    assert checked(project(**workflows), "main").problems == ()


def test_a_broken_one_is_told_at_every_call() -> None:
    linked = checked(project(main=calling("broken", "broken"), broken="name: broken\n"), "main")
    assert [place for _, place, code in codes(linked) if code.endswith("INVALID_WORKFLOW")] == [
        "main.yaml:4:39",
        "main.yaml:5:39",
    ]


CHILD = """\
name: child
inputs: [{name: region, required: true}, {name: size, required: true, default: 1}, {name: tag}]
outputs: [{name: digest, from: states.a.Output}]
states:
  initial: a
  a: {type: step, command: 'echo x', on_success: z}
  z: {type: terminal}
"""


def test_what_a_call_gives_and_takes_is_held_against_what_the_child_declares() -> None:
    files = {".awf/workflows/child.yaml": CHILD}
    call = calling("child").replace("workflow: child,", "workflow: child, KEYS,")
    fits = "inputs: {region: eu, tag: a}, outputs: {digest: d}"
    assert said(call.replace("KEYS", fits), files) == []
    for keys in (
        "inputs: {regoin: eu}, outputs: {digset: d}",
        "call_workflow: {inputs: {regoin: eu}}, outputs: {digset: d}",
    ):
        lines = said(call.replace("KEYS", keys), files)
        assert [line.split(" ", 2)[2] for line in lines] == [
            "state 'c1': sub-workflow 'child' requires input 'region', which is not given",
            "state 'c1': sub-workflow 'child' declares no input 'regoin' (did you mean 'region'?)",
            "state 'c1': sub-workflow 'child' has no output 'digset' (did you mean 'digest'?)",
        ]
        assert {line.split()[0] for line in lines} == {"warning"}


def test_a_child_that_declares_no_inputs_takes_any() -> None:
    call = calling("leaf").replace("workflow: leaf,", "workflow: leaf, inputs: {any: 1},")
    assert said(call, project(leaf=LEAF.replace("NAME", "leaf"))) == []
