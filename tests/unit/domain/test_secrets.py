from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awf.domain.problems import Position
from awf.domain.secrets import MASK, is_secret, mask, maskable, secret_inputs
from awf.domain.workflow import Input, Workflow

HERE = Position("f.yaml", 1, 1)


@pytest.mark.parametrize(
    "name",
    [
        "secret",
        "DB_PASSWORD",
        "githubToken",
        "GITHUB_TOKEN",
        "my-credential",
        "apikey",
        "APIKEY",
        "api_key",
        "apiKey",
        "APIKey",
        "OPENAI_API_KEY",
        "private.key",
        "sshPrivateKey",
        "passwd",
    ],
)
def test_names_with_a_secret_word_are_secrets(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "tokens",
        "max_tokens",
        "tokenizer",
        "key",
        "api",
        "monkey",
        "keyApi",
        "passwordless",
        "",
        "_",
        "public_key",
    ],
)
def test_words_are_matched_whole(name: str) -> None:
    assert not is_secret(name)


def test_a_declaration_decides_over_the_name() -> None:
    workflow = Workflow(
        "w",
        "w",
        "w.yaml",
        "a",
        {},
        inputs=(
            Input("token", "string", HERE, secret=False),
            Input("plain", "string", HERE, secret=True),
            Input("password", "string", HERE),
            Input("absent_secret", "string", HERE),
        ),
    )
    values = {"token": "1", "plain": "2", "password": "3", "undeclared_token": "4", "other": "5"}
    assert secret_inputs(workflow, values) == ("plain", "password", "undeclared_token")


def test_values_are_masked_wherever_they_occur() -> None:
    assert mask("a hunter2hunter2 b hunter2hunter2", ["hunter2hunter2"]) == "a *** b ***"
    assert mask("nothing here", ["hunter2hunter2"]) == "nothing here"


@pytest.mark.parametrize(
    "value", ["short12", "", "       x       ", True, 1234567890, 3.14159265358, "1234567890", "-12345.678"]
)
def test_short_values_booleans_and_plain_numbers_are_never_masked(value: object) -> None:
    assert maskable([value]) == ()


def test_values_that_overlap_leave_no_rest() -> None:
    assert mask("abcdefgh12345", ["abcdefgh1", "fgh12345"]) == MASK
    assert mask("secret-value secret-value-long", ["secret-value", "secret-value-long"]) == "*** ***"


def test_strings_inside_lists_and_maps_are_masked() -> None:
    assert (
        mask("x s3cret-one y s3cret-two", [{"a": ["s3cret-one", 5], "b": {"c": "s3cret-two"}}])
        == "x *** y ***"
    )


def test_a_value_is_masked_as_json_writes_it_and_without_the_space_around_it() -> None:
    value = 'line "one"\nline two\n'
    assert mask(json.dumps({"k": value}), [value]) == '{"k": "***\\n"}'
    assert mask('line "one"\nline two', [value]) == MASK


@given(
    st.text(alphabet="abc", max_size=60),
    st.lists(st.text(alphabet="abc", min_size=8, max_size=10), max_size=3),
)
def test_no_value_survives(text: str, values: list[str]) -> None:
    masked = mask(text, values)
    assert not any(value in masked for value in values)
