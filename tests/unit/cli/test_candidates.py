"""What a shell that completes is offered; tests/system tries it in the shells themselves."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from unit.cli.conftest import FAILS, Call, write

INPUTS = (
    "inputs:\n"
    "  - {name: target, validation: {enum: [shop, site]}}\n"
    "  - {name: force, type: boolean}\n"
    "  - {name: free}\n"
)


def completed(call: Call, line: str) -> list[str]:
    """The candidates for the last word of a line, split as bash does it."""
    words = [part for word in line.split(" ") for part in (re.split("([=:])", word))]
    if line.endswith("="):
        words.pop()
    env = {
        "_AWF_COMPLETE": "bash_complete",
        "COMP_WORDS": "\n".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    shown = call(env=env, prog_name="awf").stdout
    return [word.partition(",")[2] for word in shown.splitlines() if word]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts(call: Call, shell: str) -> None:
    script = call("completion", shell).stdout
    assert "_AWF_COMPLETE" in script
    if shell == "bash":
        assert "nospace" in script
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    if shell == "zsh":
        assert "$funcstack[1] == _awf" in script


def test_commands_options_workflows_and_files(project: Path, call: Call) -> None:
    write(project, "fails", FAILS)
    assert completed(call, "awf sta") == ["status"]
    assert "--dry-run" in completed(call, "awf run --")
    assert completed(call, "awf run fa") == ["fails"]
    assert completed(call, "awf --server=http://127.0.0.1:1 sta") == ["status"]
    assert completed(call, "awf --server http://127.0.0.1:1 run fa") == []
    assert completed(call, "awf history -w ") == ["fails"]
    assert completed(call, "awf validate ./") == ["./"]
    assert completed(call, "awf run fails --inputs x") == ["x"]
    (project / ".awf" / "config.yaml").write_text("engine: {slots: many}\n")
    assert completed(call, "awf run fa") == []


def test_executions_and_their_steps(project: Path, call: Call, tmp_path: Path) -> None:
    write(project, "fails", FAILS, INPUTS)
    assert completed(call, "awf status ") == []
    call("run", "fails", "-i", "free=1")
    (failed,) = completed(call, "awf status ")
    assert re.fullmatch(r"[0-9a-f-]{36}", failed)
    assert completed(call, f"awf resume {failed[:5]}") == [failed]
    assert completed(call, f"awf resume {failed} --from ") == ["current", "previous", "say"]
    assert completed(call, f"awf resume {failed} -i f") == ["free="]
    assert completed(call, f"awf logs {failed} --step ") == ["say"]
    assert completed(call, "awf cancel ") == []
    assert completed(call, f"awf --storage {tmp_path / 'elsewhere'} status ") == []
    assert completed(call, f"awf respond {failed} --path ") == []


def test_states_and_inputs_of_a_workflow(project: Path, call: Call) -> None:
    write(project, "fails", FAILS, INPUTS)
    assert completed(call, "awf run fails --step ") == ["say"]
    assert completed(call, "awf run fails --interactive -b s") == ["say"]
    assert completed(call, "awf diagram fails --highlight ") == ["say"]
    assert completed(call, "awf run fails -i f") == ["force=", "free="]
    assert completed(call, "awf run fails -i target=") == ["shop", "site"]
    assert completed(call, "awf run fails -i free=x -i target=si") == ["site"]
    assert completed(call, "awf run -i free=x --input force= fa") == ["fails"]
    assert completed(call, "awf run fails -i force=t") == ["true"]
    assert completed(call, "awf run nowhere --step ") == []


def test_codes_operations_and_packs(project: Path, call: Call) -> None:
    assert completed(call, "awf error user.request.not_f") == ["user.request.not_found"]
    assert "WORKFLOW.VALIDATION.MISSING_STATE" in completed(call, "awf error WORKFLOW.")
    assert completed(call, "awf operations http.") == ["http.request"]
    packs = Path(__file__).parents[2] / "fixtures" / "packs" / "release-tools"
    call("workflow", "install", str(packs))
    assert completed(call, "awf workflow info rel") == completed(call, "awf workflow remove ")
    assert completed(call, "awf workflow info rel") == ["release-tools"]
