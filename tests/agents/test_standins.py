"""Every provider of a command-line tool with the stand-in of its tool: the arguments are taken, the output is understood."""

from __future__ import annotations

import json
import re

import pytest

from agents.tools import KILLED, PROGRAMS, Bench
from agents_real.rigs import RIGS
from awf.runners.agents.port import Request, TextBlock, ToolResult, ToolUse, Turn
from awf.runners.agents.registry import build_providers

PROVIDERS = build_providers()
TOOLS = sorted(PROGRAMS)
IN_PIECES = {"claude", "gemini", "github_copilot"}
"""Tools that write an answer while it is made."""
DO_NOT_COUNT = {"mistral_vibe"}
"""Tools that say nothing of tokens."""

each_tool = pytest.mark.parametrize("name", TOOLS)


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def ask(bench, name, prompt, **fields):
    return bench.ask(PROVIDERS[name], prompt, **fields)


@each_tool
def test_an_answer(bench, name):
    asked = ask(bench, name, "Say \u00e9\u00e8 'quoted' $HOME")
    assert asked.answer.text == asked.text == "You said: Say \u00e9\u00e8 'quoted' $HOME."
    assert asked.messages[-1].role == "assistant"
    assert asked.messages[-1].blocks == (TextBlock(asked.text),)


@each_tool
def test_tokens_are_counted(bench, name):
    usage = ask(bench, name, "Hello").answer.usage
    if name in DO_NOT_COUNT:
        assert usage is None
        return
    assert (usage.input, usage.cached, usage.output) == (123, 3, 45)


@each_tool
@pytest.mark.parametrize("scenario", ["partial", "crlf", "grumble", "garbage"])
def test_what_is_around_the_events_does_not_matter(bench, name, scenario):
    asked = ask(bench, name, f"Hello [{scenario}]")
    assert asked.answer.text == "You said: Hello."
    assert ("npm warn deprecated\n" in asked.text) is (scenario == "garbage")


@each_tool
def test_tools_are_in_the_record_with_what_they_answered(bench, name):
    asked = ask(bench, name, "Look [tools]")
    blocks = [block for message in asked.messages for block in message.blocks]
    uses = {block.id: block for block in blocks if isinstance(block, ToolUse)}
    results = [block for block in blocks if isinstance(block, ToolResult)]
    assert "echo hi" in str([use.input for use in uses.values()])
    assert {result.id for result in results} == set(uses)
    assert [result.failed for result in results if "hi" in str(result.output)] == [False]
    assert [result.failed for result in results if "exit status 1" in str(result.output)] == [True]
    assert asked.answer.text.endswith("All is well.")
    assert asked.text == "I look first. All is well."


@each_tool
@pytest.mark.parametrize(("scenario", "says"), [("auth", r"(?i)api key|401|auth"), ("model", r"(?i)model")])
def test_what_the_tool_says_went_wrong_is_the_error(bench, name, scenario, says):
    asked = ask(bench, name, f"Hello [{scenario}]")
    # Some only say it on their standard error, which the step's error shows too.
    said = asked.failed.message + (asked.stderr if asked.failed.message.startswith("exit status") else "")
    assert re.search(says, said)
    assert asked.failed.exit_code != 0
    assert "{" not in said


@each_tool
def test_a_crash_in_the_middle(bench, name):
    asked = ask(bench, name, "Hello [crash]")
    assert asked.failed.exit_code == KILLED
    assert asked.failed.message.startswith("exit status 137")
    assert ("You " in asked.text) is (name in IN_PIECES)


@each_tool
def test_a_panic_in_the_middle(bench, name):
    failed = ask(bench, name, "Hello [exit]").failed
    assert (failed.exit_code, failed.message) == (101, "exit status 101")


@each_tool
def test_output_that_ends_in_the_middle_is_no_answer(bench, name):
    assert ask(bench, name, "Hello [cut]").failed.message == "its output ended before the answer"


@each_tool
def test_plain_words_are_the_answer_where_there_is_no_event(bench, name):
    asked = ask(bench, name, "Hello [plain]")
    assert asked.answer.text == "Just words, \u00e9 and all."
    assert asked.text == "Just words, \u00e9 and all.\n"


@each_tool
def test_nothing_is_no_answer(bench, name):
    assert ask(bench, name, "Hello [empty]").failed.message == "it wrote no answer"


@each_tool
def test_50_megabytes(bench, name):
    asked = ask(bench, name, "Hello [flood]")
    assert len(asked.text) > 50 * 1024 * 1024
    assert 0 < len(asked.answer.text) < 20 * 1024 * 1024
    assert asked.answer.text.endswith("Hello.") or asked.answer.text == "You said: Hello."


@each_tool
@pytest.mark.parametrize("size", [65_000, 66_000, 3_000_000])
def test_long_prompts(bench, name, size):
    prompt = "\u00e9" * (size // 2)
    ask(bench, name, prompt)
    assert bench.asked(name)[0]["prompt"].strip() == prompt


@each_tool
@pytest.mark.parametrize("prompt", ["--help", "-", "- a list\n- of things", "\n\n x \n", "{{x}} \\n `ls`"])
def test_prompts_that_look_like_something_else(bench, name, prompt):
    ask(bench, name, prompt)
    assert bench.asked(name)[0]["prompt"].strip() == prompt.strip()


@each_tool
@pytest.mark.parametrize("system_prompt", ["You are Zed.", "--version", "z" * 200_000])
def test_the_system_prompt_reaches_the_agent(bench, name, system_prompt):
    ask(bench, name, "Hello", system_prompt=system_prompt)
    (asked,) = bench.asked(name)
    assert system_prompt in (asked.get("system", ""), asked["prompt"].partition("\n\n")[0])
    assert asked["prompt"].endswith("Hello")


@each_tool
def test_a_session_goes_on(bench, name):
    first = ask(bench, name, "One", system_prompt="Be brief.").answer
    second = ask(bench, name, "Two", system_prompt="Be brief.", session=first.session).answer
    assert "One" in second.text.partition("Before:")[2]
    assert "Two" in second.text
    third = ask(bench, name, "Three", system_prompt="Be long.", session=second.session).answer
    assert "Two" in third.text.partition("Before:")[2]
    for answer in (first, second, third) if name not in DO_NOT_COUNT else ():
        assert (answer.usage.input, answer.usage.cached, answer.usage.output) == (123, 3, 45)
    told = [asked.get("system") or asked["prompt"] for asked in bench.asked(name)]
    assert ["Be brief." in each for each in told] == [True, "system" in bench.asked(name)[1], False]
    assert "Be long." in told[2]


@each_tool
def test_a_session_that_is_not_there(bench, name):
    asked = ask(bench, name, "Hello", session="0cb916db-26aa-40f2-86b5-1ba81b225fd2")
    assert asked.failed.exit_code != 0
    assert PROVIDERS[name].no_session in asked.failed.message + asked.stderr


@each_tool
def test_characters_that_the_tool_cut_in_halves(bench, name):
    text = ask(bench, name, "Hello [halves]").answer.text
    assert text.encode("utf-16", "surrogatepass").decode("utf-16") == "split \U0001f600 joined"


@pytest.mark.parametrize("name", ["mistral_vibe"])
def test_versions_that_write_messages_of_the_models_protocol(bench, name):
    asked = ask(bench, name, "Look [old]")
    assert asked.answer.text == "All is well."
    assert asked.answer.usage is None
    blocks = [block for message in asked.messages for block in message.blocks]
    assert ToolUse("c1", "bash", {"command": "ls"}) in blocks
    assert ToolResult("c1", "hi\n") in blocks


@each_tool
def test_what_was_said_before_is_told_where_there_is_no_session(bench, name):
    ask(bench, name, "Three", turns=(Turn("user", "One"), Turn("assistant", "Two")))
    prompt = bench.asked(name)[0]["prompt"]
    assert prompt.index("User: One") < prompt.index("Assistant: Two") < prompt.index("Three")


@each_tool
def test_every_option(bench, name):
    """With what the real tools are tried with; nothing that a provider declares is left out there."""
    (bench.home / "notes.txt").write_text("notes")
    (bench.home / "mcp.json").write_text('{"mcpServers": {}}')
    options = json.loads(json.dumps(RIGS[name].options).replace("{home}", str(bench.home)))
    declared = set(
        re.findall(
            r"[a-z_]+",
            PROVIDERS[name].check(Request(prompt="x", options={"%": 1}))[0].partition("; there are ")[2],
        )
    )
    assert declared - set(options) <= {
        "output_format",
        "dangerously_skip_permissions",
        "allow_tool",
        "deny_tool",
        "output",
    }
    assert ask(bench, name, "Hello", options=options).answer.text == "You said: Hello."
    assert ask(bench, name, "Hello", options={"output_format": "json"}).answer.text == "You said: Hello."


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("gemini", {"approval_mode": "plan", "dangerously_skip_permissions": "yes"}),
        ("mistral_vibe", {"agent": "ask", "dangerously_skip_permissions": True}),
    ],
)
def test_options_that_exclude_each_other(name, options):
    (problem,) = PROVIDERS[name].check(Request(prompt="x", options=options))
    assert problem.endswith("and dangerously_skip_permissions exclude each other")


def test_the_default_agent_of_vibe_is_not_named(bench):
    options = {"agent": "default", "dangerously_skip_permissions": True}
    ask(bench, "mistral_vibe", "Hello", options=options)
    argv = bench.asked("mistral_vibe")[0]["argv"]
    assert argv[argv.index("--agent") + 1 :] == ["auto-approve"]
    ask(bench, "mistral_vibe", "Hello", options={"agent": "default"})
    assert "--agent" not in bench.asked("mistral_vibe")[1]["argv"]


@each_tool
def test_skipping_permissions(bench, name):
    ask(bench, name, "Hello", options={"dangerously_skip_permissions": True})
    with_it = bench.asked(name)[-1]["argv"]
    ask(bench, name, "Hello", options={"dangerously_skip_permissions": False})
    without = bench.asked(name)[-1]["argv"]
    assert len(set(with_it) - set(without)) >= 1
