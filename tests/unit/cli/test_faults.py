"""How commands end that cannot do what they were asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from awf.cli import project as cli_project
from awf.cli.main import main
from unit.cli.conftest import ECHO, write


def ended(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as exit_:
        main(list(arguments))
    assert isinstance(exit_.value.code, int)
    out, err = capsys.readouterr()
    assert out == ""
    return exit_.value.code, err


def test_a_paragraph_says_what_and_what_to_try(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = ended(capsys, "run", "nope")
    assert status == 1
    assert said.startswith("awf: workflow not found: nope; try `awf list`")


def test_the_same_as_an_object(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = ended(capsys, "run", "nope", "-f", "json")
    found = json.loads(said)["error"]
    assert (status, found["exit_status"]) == (1, 1)
    assert found["code"] == "USER.FACADE.WORKFLOW_NOT_FOUND"
    assert found["message"] == "workflow not found: nope"


@pytest.mark.parametrize(
    "arguments",
    [("list", "--nope"), ("nope",), ("status", "--limit", "x"), ("cancel",), ("-f", "xml", "list")],
)
def test_a_command_line_that_cannot_be_understood(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    status, said = ended(capsys, *arguments)
    assert status == 1
    assert said.startswith("awf: ")
    assert "--help`" in said
    assert ".;" not in said
    if "xml" not in arguments:
        status, said = ended(capsys, *arguments, "-f", "json")
        assert json.loads(said)["error"]["code"] == "USER.REQUEST.INVALID"


def test_a_bug_shows_a_reference_that_the_log_has_too(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(cli_project, "settings_of", broken)
    status, said = ended(capsys, "list", "-f", "json")
    found = json.loads(said)["error"]
    assert (status, found["code"]) == (4, "SYSTEM.INTERNAL.UNMAPPED")
    assert "secret detail" not in said
    assert "Traceback" not in said
    log = Path(found["log"])
    assert log == project / "home" / ".local" / "state" / "awf" / "cli.log"
    assert f"reference {found['reference']}, awf list" in log.read_text()
    assert "ZeroDivisionError: secret detail" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


def test_a_bug_without_a_place_for_its_log(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli_project, "settings_of", broken)
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    status, said = ended(capsys, "list")
    assert status == 4
    assert "cannot be written" in said


def test_ctrl_c_is_no_fault(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli_project, "settings_of", interrupted)
    assert ended(capsys, "list") == (130, "\nawf: interrupted\n")


BROKEN = "name: broken\nstates:\n  initial: a\n  a: {type: step, command: 'x {{inputs.nmae}}', on_success: nowhere}\n"


@pytest.mark.parametrize(
    ("arguments", "status", "texts"),
    [
        (("run", "brokn"), 1, ("workflow not found: brokn (did you mean 'broken'?)", "awf list")),
        (
            ("run", "broken"),
            2,
            (".awf/workflows/broken.yaml:4:", "undefined state 'nowhere'", "awf validate"),
        ),
        (("run", "./missing.yaml"), 1, ("workflow not found: ./missing.yaml",)),
        (("run", "broken", "-i", "x"), 1, ("--input x: give KEY=VALUE", "`awf run --help`")),
        (("run", "broken", "-i"), 1, ("'-i' requires an argument", "`awf run --help`")),
        (("stauts",), 1, ("No such command 'stauts'", "id you mean 'status'", "`awf --help`")),
        (("run", "whole", "--step", "sya"), 1, ("step not found: sya (did you mean 'say'?)", "one of say")),
        (("run", "whole", "--step", "done"), 1, ("cannot execute terminal step: done", "one of say")),
        (("run", "whole", "-s", "say", "-m", "states.x.output=1"), 1, ("no other step 'x'", "one of say")),
        (("diagram", "whole", "--highlight", "x"), 1, ("no step 'x'", "one of say, done")),
        (("operations", "http.requst"), 1, ("did you mean 'http.request'?", "`awf operations`")),
        (("run", "broken", "-i", "x=@prompts/no"), 1, ("prompt not found: no (searched in",)),
        (
            ("run", "broken", "--inputs", "nothing.json"),
            1,
            ("--inputs nothing.json: No such file", "a JSON object"),
        ),
        (("diagram", "broken"), 2, (".awf/workflows/broken.yaml:4:",)),
        (("status", "nobody"), 1, ("execution not found: nobody", "awf status")),
        (("logs", "nobody"), 1, ("execution not found: nobody",)),
        (("events", "nobody", "-f"), 1, ("execution not found: nobody",)),
        (("resume", "nobody"), 1, ("cannot be resumed: nobody", "awf resume --list")),
        (("respond", "nobody", "yes"), 1, ("execution not found: nobody",)),
        (("cancel", "nobody"), 1, ("execution not found: nobody",)),
        (("validate", "nobody"), 1, ("workflow not found: nobody",)),
        (("validate", "nil", "no"), 1, ("workflow not found: nil; workflow not found: no",)),
        (("workflow", "install", "nowhere"), 1, ("no such pack: nowhere; give a directory",)),
        (("workflow", "remove", "nothing"), 1, ("no pack 'nothing' is installed", "awf workflow list")),
        (("workflow", "info", "nothing"), 1, ("no pack 'nothing' is installed",)),
        (("error", "NOTHING"), 1, ("no error has the code NOTHING", "`awf error`")),
        (("db", "check"), 1, ("there is no journal.db",)),
        (("db", "backup", "x"), 1, ("there is no journal.db",)),
        (("list", "--storage"), 1, ("--storage",)),
        (("history", "--since", "soon"), 1, ("--since: 'soon' is not a time",)),
        (("run", "broken", "--storage", "/dev/null/x"), 4, ("/dev/null/x", "--storage")),
    ],
)
def test_every_mistake_is_one_clear_paragraph(
    project: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    status: int,
    texts: tuple[str, ...],
) -> None:
    (project / ".awf" / "workflows" / "broken.yaml").write_text(BROKEN)
    write(project, "whole", ECHO)
    found, said = ended(capsys, *arguments)
    assert found == status, said
    assert said.startswith("awf: ")
    assert "Traceback" not in said
    assert "reference" not in said.replace("references", "")
    for text in texts:
        assert text in said
    assert "try " in said or "--storage" in said
    found, said = ended(capsys, "--format", "json", *arguments)
    told = json.loads(said)["error"]
    assert (found, told["exit_status"]) == (status, status)
    assert texts[0] in told["message"] or any(texts[0] in each["location"] for each in told["errors"])


def test_workflows_beside_a_name_that_is_wrong_are_validated(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project, "whole", ECHO)
    (project / ".awf" / "workflows" / "broken.yaml").write_text(BROKEN)
    with pytest.raises(SystemExit) as end:
        main(["validate", "nil", "whole", "broken"])
    assert end.value.code == 1
    told = capsys.readouterr()
    assert "whole: valid\n" in told.out
    assert "broken: " in told.err
    assert "awf: workflow not found: nil" in told.err


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ("engine: [", "config error: parse: "),
        ("engine: {slots: many}\n", "engine.slots: 'many' is not a number"),
        ("storage: {path: 7}\n", "storage.path"),
        ("- x\n", "must be a map"),
    ],
)
def test_a_configuration_that_is_wrong_says_where(
    project: Path, capsys: pytest.CaptureFixture[str], config: str, text: str
) -> None:
    (project / ".awf" / "config.yaml").write_text(config)
    status, said = ended(capsys, "list")
    assert status == 1
    assert "config.yaml" in said
    assert text in said


def test_a_storage_that_cannot_be_used_says_so(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "file").write_text("")
    (project / ".awf" / "workflows" / "hello.yaml").write_text(
        "name: hello\nstates: {initial: a, a: {type: terminal}}\n"
    )
    status, said = ended(capsys, "run", "hello", "--storage", "file")
    assert status == 4
    assert "file" in said
    assert "remove it or choose another directory with --storage" in said
    for command in ("status", "history"):
        assert ended(capsys, command, "--storage", "file") == (status, said)


@pytest.mark.parametrize("arguments", [("status", "\udcff"), ("run", "x", "-i", "a=\udcff")])
def test_an_argument_that_is_no_text_is_told(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    # Somebody has run something here.
    write(project, "whole", ECHO)
    with pytest.raises(SystemExit):
        main(["run", "whole", "-q"])
    capsys.readouterr()
    status, said = ended(capsys, *arguments)
    assert status == 1, said
    assert "\udcff" not in said


def test_verbose_tells_the_code(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, said = ended(capsys, "status", "nobody", "-v")
    assert "[USER.FACADE.EXECUTION_NOT_FOUND]" in said
