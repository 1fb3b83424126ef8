from __future__ import annotations

from pathlib import Path

import pytest

from awf.cli.given import collect_inputs
from awf.errors import RequestInvalid


def test_pairs_win_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text('{"a": [1], "b": 2}')
    assert collect_inputs(["b = x=y ", "c="], str(tmp_path / "in.json")) == {"a": [1], "b": "x=y", "c": ""}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "is not JSON: "),
        (b"[1]", "is no JSON object"),
        (b'{"a": NaN}', "is not JSON: NaN is no JSON value"),
        (b'{"a": "\\ud800"}', "is not JSON: it holds half of a character"),
        (b'{"a": "\xff"}', "is not JSON: .*can't decode"),
        (b'{"a": ' + b"[" * 100_000, "is not JSON: it is nested more than 100 levels deep"),
    ],
)
def test_a_file_that_does_not_hold_inputs_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "in.json"
    path.write_bytes(content)
    with pytest.raises(RequestInvalid, match=f"^--inputs {path}: {message}"):
        collect_inputs([], str(path))


@pytest.mark.parametrize("pair", ["a=b\udcff", "a\udcff=b"])
def test_bytes_that_are_no_text_are_refused(pair: str) -> None:
    with pytest.raises(RequestInvalid, match=r"^--input 'a.*': is not valid UTF-8$"):
        collect_inputs([pair], None)


@pytest.mark.parametrize("pair", ["a", "=b", " =b"])
def test_a_pair_has_a_name_and_a_value(pair: str) -> None:
    with pytest.raises(RequestInvalid, match="give KEY=VALUE"):
        collect_inputs([pair], None)
