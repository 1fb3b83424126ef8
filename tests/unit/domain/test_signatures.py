from __future__ import annotations

import pytest

from awf.domain.signatures import Parameter, Signature

FETCH = Signature(
    "fetch",
    "Fetch something",
    (
        Parameter("url", required=True),
        Parameter("times", "integer", default=3),
        Parameter("verbose", "boolean"),
        Parameter("headers", "object"),
        Parameter("mode", choices=("fast", "slow")),
    ),
)


def test_values_get_their_declared_types_and_defaults() -> None:
    given = {"url": "u", "times": "10", "verbose": "yes", "headers": '{"a": 1}', "mode": "slow"}
    expected = {"url": "u", "times": 10, "verbose": True, "headers": {"a": 1}, "mode": "slow"}
    assert FETCH.bind(given) == (expected, [])
    assert FETCH.bind({"url": "u"}) == ({"url": "u", "times": 3}, [])


def test_everything_that_is_wrong_is_said_at_once() -> None:
    _, errors = FETCH.bind({"times": "many", "headers": "no", "mode": "medium", "urll": "x"})
    assert errors == [
        "url is required",
        'times: cannot convert "many" to integer',
        'headers: cannot convert "no" to object',
        "mode must be one of: fast, slow",
        "unknown input 'urll' (did you mean 'url'?)",
    ]


@pytest.mark.parametrize("value", [None, ""])
def test_what_is_empty_is_not_given(value: str | None) -> None:
    assert FETCH.bind({"url": "u", "times": value, "verbose": value})[1] == []
    assert len(FETCH.bind({"url": value})[1]) == 1
