from __future__ import annotations

from pathlib import Path

import pytest

from awf.catalog.configuration import read_configuration
from awf.domain.outcomes import Price, Usage
from awf.errors import SettingsInvalid


def write(root: Path, text: str) -> Path:
    path = root / ".awf" / "config.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_inputs_and_the_sections_of_others(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "version: 1\nlog_level: info\ninputs: {region: eu, count: 3, day: 2026-01-01}\n"
        "notify: {default_backend: slack}\ntelemetry: {exporter: otlp}\nserver: {port: 1}\n",
    )
    found = read_configuration(path, tmp_path)
    assert found.inputs == {"region": "eu", "count": 3, "day": "2026-01-01"}
    assert found.others == {"notify.default_backend": "slack", "telemetry.exporter": "otlp"}
    assert found.warnings == ()


@pytest.mark.parametrize("text", ["", "# nothing\n", "inputs:\n"])
def test_a_file_that_says_nothing_means_nothing(tmp_path: Path, text: str) -> None:
    assert read_configuration(write(tmp_path, text), tmp_path).inputs == {}
    assert read_configuration(tmp_path / "absent", tmp_path).inputs == {}


def test_prices_of_models(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "prices:\n  m: {input: 1.5, output: 10, cached: 0.1}\n  n.2: {input: 2, output: 0, inptu: 1}\n",
    )
    found = read_configuration(path, tmp_path)
    assert found.prices == {
        "m": Price(input=1.5, output=10.0, cached=0.1),
        "n.2": Price(input=2.0, output=0.0, cached=2.0),
    }
    assert [str(warning) for warning in found.warnings] == [
        "prices: n.2: unknown key 'inptu' (did you mean 'input'?) (.awf/config.yaml:3:30)"
    ]
    usage = Usage(input=1_000_000, output=100_000, cached=400_000)
    assert found.prices["m"].of(usage) == pytest.approx(0.9 + 1.0 + 0.04)


def test_unknown_keys_are_warned_of(tmp_path: Path) -> None:
    path = write(tmp_path, "input: {a: 1}\nserver:\n  prot: 80\n")
    assert [str(problem) for problem in read_configuration(path, tmp_path).warnings] == [
        "unknown key 'input' (did you mean 'inputs'?) (.awf/config.yaml:1:1)",
        "server: unknown key 'prot' (did you mean 'port'?) (.awf/config.yaml:3:3)",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prices: 5", "config error: invalid: 'prices' must be a map of models to prices"),
        ("prices: {m: 5}", "config error: invalid: prices: 'm' must be a map with input and output"),
        ("prices: {m: {input: 1}}", "config error: invalid: prices: m: required key 'output' is missing"),
        (
            "prices: {m: {input: -1, output: 1}}",
            "config error: invalid: prices: m: 'input' must not be less than 0",
        ),
        (
            "prices: {m: {input: much, output: 1}}",
            "config error: invalid: prices: m: 'input' must be a number",
        ),
        ("a: [", "config error: parse: invalid YAML: "),
        ("inputs: [a]", "config error: invalid: 'inputs' must be a map of names to values, not a list"),
        ("inputs: {a: 1, a: 2}", "config error: invalid: duplicate key 'a'"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"\(\.awf/config\.yaml:1:") as refused:
        read_configuration(write(tmp_path, text), tmp_path)
    assert refused.value.message.startswith(message)
