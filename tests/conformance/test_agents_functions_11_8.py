"""Section 11.8, "MCP proxy", of ``openai_compatible``: operations as functions of Chat Completions, through real engines, real
operations and a service on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from agents.chat_server import USAGE, Exchange, chat_service, spoken, wanting
from awf.domain.outcomes import Price, Usage
from awf.journal.codec import type_of
from awf.journal.messages import TextBlock, ToolResult, ToolUse
from awf.runners.agents.port import Answer, BudgetUsedUp, Request
from awf.runners.agents.registry import build_providers
from awf.testing.agents import ScriptedService
from conformance.harness import Result, Resume, run

NOTIFY = ("call_1", "notify_send", '{"message": "hi", "backend": "desktop"}')
SENT = '{"backend":"desktop","status":"sent","response":""}'
OFFER = "[{plugin: notify, expose: [send]}, {plugin: http, expose: [request]}]"

ASK = """
    name: main
    inputs: [{name: api_token, default: none-given}]
    LIMITS
    states:
      initial: ask
      ask:
        type: agent
        provider: openai_compatible
        prompt: "Do it {{inputs.api_token}}"
        system_prompt: Be brief.
        mcp_proxy: {enable: true, plugin_tools: OFFER}
        options: {stream: STREAM}
        MORE
        on_success: THEN
        on_failure: other
      other: {type: step, command: "echo routed", on_success: done}
      done: {type: terminal}
    """

Answering = Callable[[Exchange], Any]


def ask(
    answering: Answering,
    more: str = "",
    *,
    stream: bool = True,
    offer: str = OFFER,
    limits: str = "",
    then: str = "done",
    **how: Any,
) -> tuple[Result, list[Exchange]]:
    text = ASK.replace("OFFER", offer).replace("STREAM", str(stream).lower()).replace("MORE", more)
    text = text.replace("LIMITS", limits).replace("THEN", then)
    with chat_service(answering) as (url, exchanges):
        environ = {"OPENAI_BASE_URL": url, "OPENAI_MODEL": "m", "OPENAI_API_KEY": "k", "AWF_TEST_MODE": "1"}
        return run(text, environ=environ, providers=build_providers(), **how), exchanges


def rounds(*answers: Any) -> Answering:
    """Answer the requests one after the other: with a text, a text and calls, or as a function does."""
    left = list(answers)

    def answering(exchange: Exchange) -> Any:
        answer = left.pop(0)
        if callable(answer):
            return answer(exchange)
        text, *calls = [answer] if isinstance(answer, str) else answer
        return spoken(exchange, text, *calls)

    return answering


def blocks(result: Result, kind: type) -> list[Any]:
    found = [block for message in result.of("agent.message") for block in message.blocks]
    return [block for block in found if isinstance(block, kind)]


def error(result: Result) -> str:
    return str(result.of("step.failed")[-1].error)


def times(usage: dict[str, Any], count: int) -> Usage:
    return Usage(
        input=usage["prompt_tokens"] * count,
        output=usage["completion_tokens"] * count,
        cached=usage["prompt_tokens_details"]["cached_tokens"] * count,
    )


each_way = pytest.mark.parametrize("stream", [True, False])


@each_way
def test_an_operation_is_called_and_its_result_told(stream: bool) -> None:
    result, exchanges = ask(rounds(("I tell them.", NOTIFY), "All told."), stream=stream)
    assert result.status == "completed", result.error
    first, second = (exchange.body for exchange in exchanges)
    assert first["tools"] == second["tools"]
    functions = [tool["function"] for tool in first["tools"] if tool["type"] == "function"]
    assert [function["name"] for function in functions] == ["notify_send", "http_request"]
    assert functions[1]["description"]
    assert functions[1]["parameters"]["properties"]["method"]["enum"][0] == "GET"
    assert set(functions[1]["parameters"]["required"]) == {"url", "method"}
    assert [message["role"] for message in first["messages"]] == ["system", "user"]
    assert second["messages"][2:] == [
        {
            "role": "assistant",
            "content": "I tell them.",
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "notify_send", "arguments": NOTIFY[2]},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": SENT},
    ]
    assert "".join(fact.text for fact in result.of("step.output")) == "I tell them.\nAll told."
    assert result.outputs["ask"] == "All told."
    assert [(message.role, message.blocks) for message in result.of("agent.message")] == [
        (
            "assistant",
            (TextBlock("I tell them."), ToolUse("call_1", "notify.send", json.loads(NOTIFY[2]))),
        ),
        ("tool", (ToolResult("call_1", SENT),)),
        ("assistant", (TextBlock("All told."),)),
    ]
    assert result.steps["ask"].usage == result.usage == times(USAGE, 2)


def a_request(id: str, url: str, name: str) -> tuple[str, str, str]:
    given = {"url": f"{url}/{name}", "method": "POST", "body": json.dumps(name)}
    return id, "http_request", json.dumps(given)


@each_way
def test_calls_of_one_answer_run_at_the_same_time(stream: bool) -> None:
    """Each is answered only when the other one has come."""
    both: list[asyncio.Event] = []

    async def answering(exchange: Exchange) -> None:
        if exchange.head.startswith("POST /v1/chat/completions"):
            if len(exchange.body["messages"]) > 2:
                return spoken(exchange, "Both.")
            url = f"http://{exchange.header('Host')}"
            return spoken(exchange, "", a_request("a", url, "one"), a_request("b", url, "two"))
        both.append(asyncio.Event())
        both[-1].set() if len(both) == 2 else await both[0].wait()
        both[0].set()
        return exchange.reply(200, exchange.body)

    result, exchanges = ask(answering, stream=stream)
    assert result.status == "completed", result.error
    assistant, *told = exchanges[-1].body["messages"][2:]
    assert assistant["content"] is None
    assert [message["tool_call_id"] for message in told] == ["a", "b"]
    assert [json.loads(message["content"])["body"] for message in told] == ['"one"', '"two"']
    assert {block.id for block in blocks(result, ToolResult)} == {"a", "b"}


@each_way
def test_what_is_wrong_with_a_call_is_told_to_the_model(stream: bool) -> None:
    wrong = [
        ("1", "notify_send", '{"message": "hi'),
        ("2", "notify_send", '["hi"]'),
        ("3", "sh; rm -rf /", "{}"),
        ("4", "notify_send", ""),
        ("5", "http_request", '{"url": "ftp://x", "method": "BREW", "size": 1}'),
        ("6", "http_request", '{"url": "http://127.0.0.1:1/", "method": "GET"}'),
        ("", "notify_send", NOTIFY[2]),
    ]
    result, exchanges = ask(rounds(("", *wrong), "I see."), stream=stream)
    assert result.status == "completed", result.error
    assistant, *told = exchanges[1].body["messages"][2:]
    sent = [call["function"] for call in assistant["tool_calls"]]
    assert [function["name"] for function in sent][1:3] == ["notify_send", "sh__rm_-rf__"]
    assert [function["arguments"] for function in sent][:4] == ["{}", "{}", "{}", "{}"]
    assert [call["id"] for call in assistant["tool_calls"]] == ["1", "2", "3", "4", "5", "6", "call_7"]
    said = [message["content"] for message in told]
    assert said[0].startswith("Error: notify.send: the arguments are not JSON: ")
    assert said[0].endswith('they were: {"message": "hi')
    assert said[1].startswith("Error: notify.send: the arguments must be a JSON object")
    assert said[2] == "Error: there is no tool 'sh; rm -rf /'; there are notify_send, http_request"
    assert said[3].startswith("Error: notify.send: ")
    assert "http.request: unknown input 'size'" in said[4]
    assert said[5].startswith("Error: http.request: HTTP request failed: ")
    assert said[6] == SENT
    failed = {block.id: block.failed for block in blocks(result, ToolResult)}
    assert failed == {id: id != "call_7" for id in ("1", "2", "3", "4", "5", "6", "call_7")}
    assert [use.name for use in blocks(result, ToolUse)][2] == "sh; rm -rf /"


def test_a_huge_result_is_cut_for_the_model_and_in_the_record() -> None:
    def answering(exchange: Exchange) -> None:
        if not exchange.head.startswith("POST /v1/chat/completions"):
            exchange.reply(200, b"x" * 2_000_000)
        elif len(exchange.body["messages"]) > 2:
            spoken(exchange, "Much.")
        else:
            spoken(exchange, "", a_request("a", f"http://{exchange.header('Host')}", "all"))

    result, exchanges = ask(answering)
    assert result.status == "completed", result.error
    content = exchanges[-1].body["messages"][-1]["content"]
    assert 120_000 < len(content) < 140_000
    assert "bytes" in content[60_000:70_000].replace("x", "")
    assert content.endswith("}")
    assert len(blocks(result, ToolResult)[0].output) < 17_000


def test_a_model_that_never_answers_is_stopped_and_the_failure_routed() -> None:
    result, exchanges = ask(lambda exchange: spoken(exchange, "", NOTIFY))
    assert len(exchanges) == 25
    assert error(result) == (
        "openai_compatible: mcp_proxy: no answer after 25 rounds of tool calls "
        "[USER.MCP_PROXY.INFINITE_LOOP_GUARD]"
    )
    assert result.outputs["other"] == "routed\n"
    assert result.usage == times(USAGE, 25)
    assert len(blocks(result, ToolResult)) == 24


def test_a_service_that_fails_later_is_asked_again_and_nothing_is_called_twice() -> None:
    def busy(exchange: Exchange) -> None:
        exchange.reply(429, {}, Retry_After="0")

    def broken(exchange: Exchange) -> None:
        exchange.reply(503, {"error": {"message": "overloaded"}}, Retry_After="0")

    answers = rounds(("", NOTIFY), busy, broken, ("", ("call_2", *NOTIFY[1:])), busy, "Done.")
    result, exchanges = ask(answers)
    assert (result.status, result.outputs["ask"]) == ("completed", "Done.")
    assert [use.id for use in blocks(result, ToolUse)] == ["call_1", "call_2"]
    assert exchanges[1].body == exchanges[2].body == exchanges[3].body
    notes = [message.blocks[0].text for message in result.of("agent.message") if message.role == "system"]
    assert notes == [
        "rate limited (HTTP 429), retry after 0s; it is asked again in 0s",
        "server error (HTTP 503): overloaded; it is asked again in 0s",
        "rate limited (HTTP 429), retry after 0s; it is asked again in 0s",
    ]
    assert result.usage == times(USAGE, 3)


def test_a_service_that_fails_for_good_fails_the_step_with_what_it_cost() -> None:
    def gone(exchange: Exchange) -> None:
        exchange.reply(500, {}, Retry_After="0")

    result, exchanges = ask(rounds(("", NOTIFY), *[gone] * 6))
    assert (error(result), len(exchanges)) == ("openai_compatible: server error (HTTP 500)", 7)
    assert (result.usage, result.outputs["other"]) == (times(USAGE, 1), "routed\n")
    refused, exchanges = ask(rounds(("", NOTIFY), lambda exchange: exchange.reply(400, {})))
    assert (error(refused), len(exchanges)) == ("openai_compatible: bad request (HTTP 400)", 2)


def test_before_anything_is_called_the_retry_of_the_step_counts() -> None:
    result, exchanges = ask(lambda exchange: exchange.reply(500, {}, Retry_After="0"))
    assert (error(result), len(exchanges)) == ("openai_compatible: server error (HTTP 500)", 1)


@pytest.mark.parametrize("how", ["timeout", "cancel"])
def test_it_can_be_ended_in_the_middle_of_a_call(how: str) -> None:
    """Of two calls one never ends; the other one ends when that has begun."""
    called: list[Exchange] = []
    begun: list[asyncio.Event] = []

    async def answering(exchange: Exchange) -> None:
        if exchange.head.startswith("POST /v1/chat/completions"):
            begun.append(asyncio.Event())
            url = f"http://{exchange.header('Host')}"
            spoken(exchange, "I call.", a_request("a", url, "short"), a_request("b", url, "endless"))
        elif "/short" in exchange.head:
            await begun[0].wait()
            exchange.reply(200, "")
        else:
            called.append(exchange)
            begun[0].set()
            await exchange.closed.wait()

    if how == "timeout":
        result, _ = ask(answering, "timeout: 1s")
        assert (error(result), result.outputs["other"]) == ("timeout exceeded (1s)", "routed\n")
    else:
        result, _ = ask(answering, cancel_when=lambda facts: getattr(facts[-1].fact, "role", "") == "tool")
        assert result.status == "cancelled"
    assert called[0].closed.is_set()
    assert result.usage == times(USAGE, 1)
    assert [use.id for use in blocks(result, ToolUse)] == ["a", "b"]
    assert [each.id for each in blocks(result, ToolResult)] == ["a"]


@pytest.mark.parametrize("how", ["timeout", "cancel"])
def test_it_can_be_ended_between_the_rounds(how: str) -> None:
    answers = rounds(("", NOTIFY), lambda exchange: exchange.reply(429, {}, Retry_After="600"))
    if how == "timeout":
        result, _ = ask(answers, "timeout: 1s")
        assert error(result) == "timeout exceeded (1s)"
    else:
        waits = "it is asked again in 10m0s"
        result, _ = ask(answers, cancel_when=lambda facts: waits in str(facts[-1].fact))
        assert result.status == "cancelled"
    assert len(blocks(result, ToolResult)) == 1
    assert result.usage == times(USAGE, 1)


def test_secret_values_reach_the_operation_and_no_record() -> None:
    secret, bodies = "s3cret-of-mine", []

    def answering(exchange: Exchange) -> None:
        if not exchange.head.startswith("POST /v1/chat/completions"):
            bodies.append(exchange.body)
            exchange.reply(200, {"you said": secret})
        elif len(exchange.body["messages"]) > 2:
            spoken(exchange, f"It is {secret}.")
        else:
            call = a_request(secret, f"http://{exchange.header('Host')}", secret)
            spoken(exchange, f"I use {secret}", call, ("x", secret, f"{{{secret}"))

    result, exchanges = ask(answering, inputs={"api_token": secret})
    assert result.status == "completed", result.error
    assert bodies == [secret]
    assert secret in exchanges[-1].body["messages"][-2]["content"]
    assert secret not in str(result.facts)
    assert "***" in str(blocks(result, ToolUse)[0].input)


@pytest.mark.parametrize("offer", ["[]", "[{plugin: notify, expose: []}]"])
def test_where_nothing_is_exposed_no_tools_are_offered(offer: str) -> None:
    result, (exchange,) = ask(rounds(("Done.", NOTIFY)), offer=offer)
    assert (result.status, result.outputs["ask"]) == ("completed", "Done.")
    assert "tools" not in exchange.body


def test_where_nobody_counts_all_rounds_are_estimated() -> None:
    def uncounted(*calls: tuple[str, str, str]) -> Answering:
        def answering(exchange: Exchange) -> None:
            exchange.start_stream()
            exchange.delta("Yes")
            if calls:
                exchange.calls(*calls)
            exchange.end_stream(usage=False)

        return answering

    result, _ = ask(rounds(uncounted(NOTIFY), uncounted()))
    assert result.usage is not None
    assert result.usage.estimated
    assert result.usage.input > 60
    assert result.usage.output > 10


def test_an_engine_that_stops_in_the_middle_leaves_what_has_answered() -> None:
    """Of two calls one has answered when the engine stops: the next attempt is told so, and nothing of the other one."""

    async def answering(exchange: Exchange) -> None:
        if not exchange.head.startswith("POST /v1/chat/completions"):
            await exchange.closed.wait()
        elif len(exchange.body["messages"]) == 2:
            url = f"http://{exchange.header('Host')}"
            spoken(exchange, "I call.", NOTIFY, a_request("b", url, "endless"))
        else:
            spoken(exchange, "Done.")

    result, exchanges = ask(
        answering, stop_when=lambda facts: getattr(facts[-1].fact, "role", "") == "tool", grace=0.3
    )
    assert (result.status, result.steps["ask"].attempt) == ("completed", 2)
    assistant, told = exchanges[-1].body["messages"][2:]
    assert [call["id"] for call in assistant["tool_calls"]] == [told["tool_call_id"]] == ["call_1"]
    assert told["content"] == SENT
    assert result.usage == times(USAGE, 2)


def test_a_retry_of_the_step_does_not_call_again() -> None:
    more = "output_format: json\n        retry: {max_attempts: 2, initial_delay: 1ms}"
    result, exchanges = ask(rounds(("", NOTIFY), "No JSON.", "{}"), more)
    assert (result.status, result.outputs["ask"]) == ("completed", "{}")
    assert exchanges[1].body == exchanges[2].body
    assert len(blocks(result, ToolUse)) == 1


def test_a_later_attempt_tells_a_service_again_what_it_said_of_its_calls_besides() -> None:
    signed = {"google": {"thought_signature": "c2lnbmVk"}}

    def first(exchange: Exchange) -> None:
        answer = wanting("", NOTIFY)
        answer["choices"][0]["message"]["tool_calls"][0]["extra_content"] = signed
        exchange.reply(200, answer)

    more = "output_format: json\n        retry: {max_attempts: 2, initial_delay: 1ms}"
    result, exchanges = ask(rounds(first, "No JSON.", "{}"), more, stream=False)
    assert result.status == "completed"
    assert exchanges[1].body == exchanges[2].body
    assert exchanges[2].body["messages"][2]["tool_calls"][0]["extra_content"] == signed


SPENT = "max_tokens_total: 250"
TWICE = (("", NOTIFY), ("", ("again", *NOTIFY[1:])))
"""Two rounds, of 168 tokens each."""


def test_a_budget_holds_between_the_rounds_and_the_agent_goes_on_from_there() -> None:
    """A person is asked, also while engines come and go; nothing that was called is called again."""
    more = f"{SPENT}\n        conversation: {{}}\n        retry: {{max_attempts: 1}}"
    result, exchanges = ask(
        rounds(*TWICE, "Done."),
        more,
        answers={"ask": "continue"},
        stop_when=lambda facts: type_of(facts[-1].fact) == "input.required",
    )
    assert (result.status, result.outputs["ask"]) == ("completed", "Done.")
    (question,) = result.of("input.required")
    assert question.prompt.startswith(
        "the budget of 250 tokens of state 'ask' is used up (336 tokens so far)"
    )
    (retrying,) = result.of("step.retrying")
    assert retrying.error == "openai_compatible: a budget is used up between two rounds of tool calls"
    starts = [(fact.attempt, fact.held is not None) for fact in result.of("step.started")]
    assert starts == [(1, False), (2, True), (3, False)]
    assert [use.id for use in blocks(result, ToolUse)] == ["call_1", "again"]
    told = exchanges[-1].body["messages"]
    assert [message["role"] for message in told[2:]] == ["assistant", "tool", "assistant", "tool"]
    assert told[:4] == exchanges[1].body["messages"]
    assert result.usage == times(USAGE, 3)


def test_after_another_failure_it_goes_on_from_where_the_budget_held_it() -> None:
    def busy(exchange: Exchange) -> None:
        exchange.reply(429, {}, Retry_After="0")

    more = f"{SPENT}\n        output_format: json\n        retry: {{max_attempts: 2, initial_delay: 1ms}}"
    result, exchanges = ask(rounds(*TWICE, busy, "No JSON.", "[]"), more, answers={"ask": "continue"})
    assert (result.status, result.outputs["ask"]) == ("completed", "[]")
    assert [exchange.body for exchange in exchanges[2:4]] == [exchanges[4].body] * 2
    assert len(exchanges[4].body["messages"]) == 6
    assert result.of("agent.message")[-1].blocks == (TextBlock("[]"),)


@pytest.mark.parametrize("how", ["fail", "stop"])
def test_a_budget_between_the_rounds_can_fail_the_step(how: str) -> None:
    fails = f"{SPENT}\n        on_budget: fail" if how == "fail" else SPENT
    result, exchanges = ask(rounds(*TWICE), fails, answers={"ask": "stop"})
    assert (result.status, result.outputs["other"]) == ("completed", "routed\n")
    assert "used up" in error(result)
    assert (len(exchanges), result.usage) == (2, times(USAGE, 2))


def test_costs_between_the_rounds_come_from_the_table() -> None:
    prices = {"openai_compatible": Price(input=1000.0, output=1000.0, cached=1000.0)}
    limits = "max_cost_usd: 0.3\n    on_budget: fail"
    result, exchanges = ask(rounds(*TWICE), limits=limits, prices=prices)
    assert (len(exchanges), "the budget of $0.3 of workflow 'main' is used up" in error(result)) == (2, True)


def test_the_last_round_is_not_held() -> None:
    result, _ = ask(rounds(("", NOTIFY), "Done."), SPENT)
    assert (result.status, result.of("step.retrying")) == ("completed", [])


TALK = """
    name: main
    states:
      initial: one
      one:
        type: agent
        provider: openai_compatible
        prompt: One
        conversation: {}
        mcp_proxy: {enable: true, plugin_tools: [{plugin: notify, expose: [send]}]}
        on_success: between
      between: {type: step, command: "exit 1", on_success: two}
      two:
        type: agent
        provider: openai_compatible
        prompt: Two
        conversation: {continue_from: one}
        on_success: done
      done: {type: terminal}
    """


def test_a_conversation_goes_on_with_what_was_called_in_it() -> None:
    """Also in an execution that resumes the one in which it was."""
    answers = rounds(("First.", NOTIFY, ("call_2", "gone", "{'")), "It is sent.", "Fine.")
    with chat_service(answers) as (url, exchanges):
        environ = {"OPENAI_BASE_URL": url, "OPENAI_MODEL": "m", "AWF_TEST_MODE": "1"}
        resumed = Resume(files={"main": TALK.replace("exit 1", "exit 0")}, latest=True)
        result = run(TALK, environ=environ, providers=build_providers(), resumes=[resumed])
    assert result.status == "completed", result.error
    assert len(exchanges) == 3
    one, first, sent, gone, answer, two = exchanges[2].body["messages"]
    assert [one["content"], answer["content"], two["content"]] == ["One", "It is sent.", "Two"]
    assert [first, sent, gone] == exchanges[1].body["messages"][1:]
    assert "tools" not in exchanges[2].body


def test_a_person_talks_with_an_agent_that_calls_operations() -> None:
    answers = rounds(("", NOTIFY), "Sent.", "Twice?", ("", ("again", *NOTIFY[1:])), "Sent again.")
    more = "mode: conversation"
    result, exchanges = ask(answers, more, answers={"ask": ["Do it twice", "Yes", ""]})
    assert result.status == "completed", result.error
    assert result.outputs["ask"] == "Sent again."
    roles = [message["role"] for message in exchanges[-1].body["messages"]]
    assert roles == [
        "system", "user", "assistant", "tool", "assistant", "user", "assistant", "user", "assistant", "tool",
    ]  # fmt: skip
    assert result.usage == times(USAGE, 5)


PLUGGED = """
    name: main
    states:
      initial: ask
      ask:
        type: agent
        provider: plugged
        prompt: Do it
        mcp_proxy: {enable: true, plugin_tools: [{plugin: notify, expose: [send]}]}
        on_success: done
      done: {type: terminal}
    """


def plugged(reply: Any, *, able: bool = True) -> Result:
    """Ask the provider of a plug-in."""
    service = ScriptedService(reply)
    service.uses_tools = able  # type: ignore[attr-defined]
    return run(PLUGGED, environ={"AWF_TEST_MODE": "1"}, providers={"plugged": service})


def test_the_provider_of_a_plug_in_gets_the_tools_where_it_says_that_it_uses_them() -> None:
    async def reply(request: Request, say: Any) -> Answer:
        assert request.tools is not None
        (tool,) = request.tools.listed()
        result = await request.tools.call(tool["name"], json.loads(NOTIFY[2]))
        return Answer(text=result["content"][0]["text"])

    assert plugged(reply).outputs["ask"] == SENT
    assert "[USER.MCP_PROXY.UNSUPPORTED_PROVIDER]" in error(plugged(reply, able=False))


def test_a_provider_that_stops_because_of_a_budget_that_there_is_not_has_failed() -> None:
    async def reply(request: Request, say: Any) -> Answer:
        assert request.afford(Usage(input=10**9))
        raise BudgetUsedUp("too dear", usage=Usage(input=10))

    result = plugged(reply)
    assert (result.status, error(result)) == ("failed", "plugged: too dear")
