from pathlib import Path
from typing import Any

import pytest

from awf.errors import SettingsInvalid
from awf.settings import Settings, load_settings


def load(root: Path, environ: dict[str, str] | None = None, config: str = "", **arguments: Any) -> Settings:
    if config:
        (root / ".awf").mkdir(exist_ok=True)
        (root / ".awf" / "config.yaml").write_text(config)
    return load_settings(root, environ or {}, arguments)


def test_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert (settings.host, settings.port, settings.durability) == ("127.0.0.1", 2511, "full")
    assert settings.storage == tmp_path / ".awf" / "storage"
    assert settings.slots >= 16
    assert settings.allow_hosts == ()


def test_file_then_environment_then_arguments(tmp_path: Path) -> None:
    config = "server: {port: 1000, host: one}\nengine: {slots: 3}\nstorage: {durability: fast}\n"
    settings = load(tmp_path, {"AWF_PORT": "2000", "AWF_HOST": "two"}, config, port=3000)
    assert (settings.port, settings.host, settings.slots, settings.durability) == (3000, "two", 3, "fast")


def test_none_and_empty_mean_unset_in_every_source(tmp_path: Path) -> None:
    settings = load(tmp_path, {"AWF_PORT": ""}, "server: {port: }\n", port=None, allow_hosts=())
    assert settings.port == 2511


def test_budgets_of_every_execution(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert (settings.max_tokens_total, settings.max_cost_usd, settings.max_duration) == (0, 0, 0)
    settings = load(tmp_path, {"AWF_MAX_TOKENS_TOTAL": "5"}, "budget: {max_cost_usd: 1.5, on_budget: fail}\n")
    assert (settings.max_tokens_total, settings.max_cost_usd, settings.on_budget) == (5, 1.5, "fail")


def test_lists_come_from_commas_and_from_yaml(tmp_path: Path) -> None:
    settings = load(
        tmp_path, {"AWF_ALLOW_HOST": "a, b"}, "server: {allow_origin: ['http://x', 'http://y']}\n"
    )
    assert settings.allow_hosts == ("a", "b")
    assert settings.allow_origins == ("http://x", "http://y")


def test_a_relative_storage_is_below_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(tmp_path, storage=Path("here")).storage == tmp_path / "here"


@pytest.mark.parametrize(
    ("environ", "config", "message"),
    [
        ({"AWF_PORT": "http"}, "", "AWF_PORT: 'http' is not a number"),
        ({"AWF_MAX_COST_USD": "-1"}, "", "AWF_MAX_COST_USD: -1.0 is not between 0 and"),
        ({}, "budget: {on_budget: maybe}", "budget.on_budget: 'maybe' is not one of ask, fail"),
        ({"AWF_PORT": "70000"}, "", "AWF_PORT: 70000 is not between 0 and 65535"),
        ({}, "server: {port: [1]}", r"config.yaml: server.port: \[1\] is not a number"),
        ({}, "engine: {slots: true}", "engine.slots: True is not a number"),
        ({}, "server: 5", "server must be a map"),
        ({}, "- a", "the top level must be a map"),
        (
            {},
            "a: [",
            "config error: parse: .*config.yaml:1:5: expected the node content, but found '<stream end>'$",
        ),
        ({}, "a:\n\tb: 1", "config.yaml:2:1: found character '\\\\t' that cannot start any token$"),
        ({}, "a: \x01", "config error: parse: .*config.yaml: unacceptable character #x0001"),
        ({}, "a: 2024-13-45", "config error: parse: .*config.yaml: month must be in 1..12$"),
        ({}, "a: " + "[" * 10_000, "config error: parse: .*config.yaml: it is nested too deeply$"),
        ({"AWF_DURABILITY": "loose"}, "", "'loose' is not one of full, fast"),
        ({"AWF_SHELL": "/nowhere/sh"}, "", "not an executable file"),
        ({"AWF_GRACE": "-1"}, "", "not between 0 and 3600 seconds"),
    ],
)
def test_what_is_wrong_is_named_with_its_source(
    tmp_path: Path, environ: dict[str, str], config: str, message: str
) -> None:
    with pytest.raises(SettingsInvalid, match=message):
        load(tmp_path, environ, config)


def test_a_config_file_elsewhere_is_found_and_an_unreadable_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("server: {port: 7}")
    assert load(tmp_path, {"AWF_CONFIG_PATH": str(tmp_path / "other.yaml")}).port == 7
    with pytest.raises(SettingsInvalid, match="cannot read"):
        load(tmp_path, {"AWF_CONFIG_PATH": str(tmp_path)})


def test_a_config_file_that_is_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="AWF_CONFIG_PATH names .*none.yaml, which does not exist"):
        load(tmp_path, {"AWF_CONFIG_PATH": str(tmp_path / "none.yaml")})


def test_a_directory_is_no_shell(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="not an executable file"):
        load(tmp_path, {"AWF_SHELL": str(tmp_path)})


@pytest.mark.parametrize("origin", ["not an origin", "localhost:3000", "http://x/page", "ftp://x", "http://"])
def test_what_is_no_origin_is_refused(tmp_path: Path, origin: str) -> None:
    with pytest.raises(
        SettingsInvalid, match="--allow-origin: .* is not an origin such as http://localhost:3000"
    ):
        load(tmp_path, allow_origins=(origin,))
