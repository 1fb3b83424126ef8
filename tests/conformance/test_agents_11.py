"""Section 11, "Agents": steps performed by agents, through real engines and processes."""

from __future__ import annotations

import json
from typing import Any

from conformance.harness import Result, run

ASK = """
    name: ask
    inputs:
      - {name: script, type: string, required: true}
    states:
      initial: ask
      ask:
        type: agent
        provider: scripted
        prompt: "Hello {{.workflow.Name}}"
        options: {script: "{{.inputs.script}}"}
        MORE
        on_success: tell
        on_failure: tell
      tell: {type: step, command: "printf '%s' '{{.states.ask.Output}}'", on_success: done}
      done: {type: terminal}
    """


def ask(script: str, more: str = "", text: str = ASK, **how: Any) -> Result:
    """Run the workflow with an agent whose tool is this script."""
    return run(text.replace("MORE", more), {"script": script}, **how)


def end(result: Result, path: str = "ask") -> Any:
    """The last fact that ended an attempt of a step."""
    ends = result.of("step.completed") + result.of("step.failed")
    return next(fact for fact in reversed(ends) if fact.path == path)


def lines(*events: Any) -> str:
    """A script that prints these, each in a line."""
    return "\n".join(f"printf '%s\\n' '{json.dumps(event)}'" for event in events)


def test_the_answer_is_the_output() -> None:
    result = ask(lines({"say": "Hel"}, {"say": "lo"}, {"answer": "Hello", "input": 7, "output": 2}))
    assert result.status == "completed", result.error
    assert result.outputs["tell"] == "Hello"
    done = end(result)
    assert (done.usage.input, done.usage.output, done.usage.estimated) == (7, 2, False)
    assert done.output == ""  # it is what was streamed
    assert "".join(fact.text for fact in result.of("step.output") if fact.path == "ask") == "Hello"


def test_the_prompt_reaches_the_tool_and_nobody_counted() -> None:
    result = ask("cat")
    assert result.outputs["ask"] == "Hello main\n"
    usage = end(result).usage
    assert (usage.input, usage.output, usage.estimated) == (2, 2, True)
