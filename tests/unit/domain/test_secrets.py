from __future__ import annotations

import base64
import re

import pytest

from awf.domain.problems import Position
from awf.domain.secrets import is_secret, maskable, secret_inputs
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


@pytest.mark.parametrize(
    "value", ["short12", "", "       x       ", True, 1234567890, 3.14159265358, "1234567890", "-12345.678"]
)
def test_short_values_booleans_and_plain_numbers_are_never_masked(value: object) -> None:
    assert maskable([value]) == ()


def test_what_base64_makes_of_them_comes_last_for_journals_refer_to_texts_by_number() -> None:
    texts = maskable(["päss/wörd"])
    assert texts[0] == "päss/wörd"
    encoded = [text for text in texts if re.fullmatch(r"[A-Za-z0-9+/_-]{10,}=?", text)]
    assert base64.b64encode("päss/wörd".encode()).decode() in encoded
    assert texts[-len(encoded) :] == tuple(encoded)
