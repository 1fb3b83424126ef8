"""Options of agents: what is wrong with them, all at once, and what they become on a command line."""

from __future__ import annotations

import pytest

from awf.runners.agents import options

KNOWN = {
    "model": options.text("--model"),
    "tools": options.words("--tools", joined=","),
    "allow": options.words("--allow="),
    "mode": options.choice("--mode=", ("plan", "act")),
    "yes": options.flag("--yes", "--really"),
    "turns": options.number("--turns", whole=True),
    "price": options.number("--price"),
    "output_format": options.ignored(("text", "json")),
}


@pytest.mark.parametrize(
    ("given", "argv"),
    [
        ({}, []),
        ({"model": "m"}, ["--model", "m"]),
        ({"model": None}, []),
        ({"model": 4}, ["--model", "4"]),
        ({"tools": "Read, Bash(git log:*,x) ,"}, ["--tools", "Read,Bash(git log:*,x)"]),
        ({"tools": ["Read", "Edit"]}, ["--tools", "Read,Edit"]),
        ({"tools": []}, []),
        ({"tools": ""}, []),
        ({"allow": ["a", "b"]}, ["--allow=a", "--allow=b"]),
        ({"allow": "-a"}, ["--allow=-a"]),
        ({"mode": "plan"}, ["--mode=plan"]),
        ({"yes": True}, ["--yes", "--really"]),
        ({"yes": "true"}, ["--yes", "--really"]),
        ({"yes": "No"}, []),
        ({"turns": "10"}, ["--turns", "10"]),
        ({"turns": 3.0}, ["--turns", "3"]),
        ({"price": "0.5"}, ["--price", "0.5"]),
        ({"output_format": "json"}, []),
        ({"outputFormat": "json", "model": None}, []),
        ({"yes": True, "model": "m"}, ["--model", "m", "--yes", "--really"]),
    ],
)
def test_arguments(given, argv):
    assert options.problems(given, KNOWN) == []
    assert options.arguments(given, KNOWN) == argv


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"model": ""}, "option model invalid: expected text, got ''"),
        ({"model": "--yes"}, "option model invalid: expected text, got '--yes'"),
        ({"model": "a\0b"}, "option model invalid: expected text, got 'a\\x00b'"),
        ({"model": True}, "option model invalid: expected text, got True"),
        ({"tools": {"a": 1}}, "option tools invalid: expected a list of texts, got {'a': 1}"),
        ({"tools": ["a", ["b"]]}, "option tools invalid: expected a list of texts, got ['a', ['b']]"),
        ({"mode": "chat"}, "option mode invalid: expected one of plan, act, got 'chat'"),
        ({"mode": ["plan"]}, "option mode invalid: expected one of plan, act, got ['plan']"),
        ({"yes": "perhaps"}, "option yes invalid: expected true or false, got 'perhaps'"),
        ({"yes": 1}, "option yes invalid: expected true or false, got 1"),
        ({"turns": 0}, "option turns invalid: expected a whole number above 0, got 0"),
        ({"turns": "2.5"}, "option turns invalid: expected a whole number above 0, got '2.5'"),
        ({"turns": 2.5}, "option turns invalid: expected a whole number above 0, got 2.5"),
        ({"price": float("nan")}, "option price invalid: expected a number above 0, got nan"),
        ({"price": float("inf")}, "option price invalid: expected a number above 0, got inf"),
        ({"output_format": "xml"}, "option output_format invalid: expected one of text, json, got 'xml'"),
        (
            {"outputformat": "m"},
            "unknown option 'outputformat' (did you mean 'output_format'?); "
            "there are allow, mode, model, output_format, price, tools, turns, yes",
        ),
    ],
)
def test_what_is_wrong(given, expected):
    assert options.problems(given, KNOWN) == [expected]


def test_a_name_in_another_spelling():
    assert options.arguments({"maxTurns": 3}, {"max_turns": options.number("--max-turns", whole=True)}) == [
        "--max-turns",
        "3",
    ]
    found = options.problems({"outputFormat": "json", "output_format": "text"}, KNOWN)
    assert found == ["option outputFormat is output_format, which is there too"]
    assert options.problems({"MODEL": "m"}, KNOWN)[0].startswith(
        "unknown option 'MODEL' (did you mean 'model'?)"
    )


def test_everything_that_is_wrong_at_once():
    found = options.problems({"zzz": 1, "mode": "chat", "model": "m", "turns": -1}, KNOWN)
    assert [problem.split(" invalid")[0].split("; ")[0] for problem in found] == [
        "unknown option 'zzz'",
        "option mode",
        "option turns",
    ]
