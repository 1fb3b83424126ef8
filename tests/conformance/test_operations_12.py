"""Operations in workflows (workflow language, "Operations")."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from conformance.harness import Result, run
from services.web import Service, service


@pytest.fixture
def web() -> Iterator[Service]:
    with service() as running:
        running.on("/echo", lambda call: call.answer(200, {"body": call.body.decode(), "n": 5_000_000}))
        yield running


def states(text: str, web: Service, **how: object) -> Result:
    text = text.replace("URL", web.url)
    return run(
        f"name: main\ninputs: [{{name: n, type: integer, default: 7}}]\nstates:\n  initial: a\n{text}", **how
    )  # type: ignore[arg-type]


def test_12_outputs_are_json_and_keep_their_types(web: Service) -> None:
    result = states(
        """
  a:
    type: operation
    operation: http.request
    operation_inputs: {url: URL/echo, method: post, body: {n: "{{inputs.n}}", t: "x{{inputs.n}}"}, timeout: "{{inputs.n}}"}
    transitions:
      - {when: "states.a.Response.status_code == 200 && states.a.Response.json.n > 4999999", goto: b}
    on_success: c
  b:
    type: step
    command: 'echo "{{states.a.Response.json.body}} {{states.a.Response.json.n}} {{states.a.Response.status_code}}"'
    on_success: c
  c: {type: terminal}
""",
        web,
    )
    assert (result.status, result.order) == ("completed", ["a", "b"])
    assert result.outputs["b"] == '{"n":7,"t":"x7"} 5000000 200\n'
    (completed, _) = result.of("step.completed")
    assert json.loads(completed.output) == completed.response
    assert completed.response["status_code"] == 200


@pytest.mark.parametrize(
    ("keys", "status", "order"),
    [
        ("on_failure: b", "completed", ["a", "b"]),
        ("continue_on_error: true", "completed", ["a"]),
        ("transitions: [{when: 'states.a.ExitCode != 0', goto: b}]", "completed", ["a", "b"]),
        ("description: nothing", "failed", ["a"]),
    ],
)
def test_12_every_failure_can_be_routed(web: Service, keys: str, status: str, order: list[str]) -> None:
    for operation, told in (
        ("operation: http.request, inputs: {url: x, method: x}", "http.request: url must start with http:// or https://\nhttp.request: method must be one of: GET, POST, PUT, DELETE, PATCH, HEAD"),
        ("operation: http.requst, inputs: {}", "operation 'http.requst' not found (did you mean 'http.request'?)"),
        ("operation: http.request, inputs: {url: 'http://127.0.0.1:1', method: GET}", "http.request: HTTP request failed: cannot connect to 127.0.0.1:1: Connection refused"),
        ("operation: http.request, inputs: {url: '{{env.NOT_THERE_AT_ALL}}', method: GET}", None),
    ):  # fmt: skip
        result = states(
            f"""
  a: {{type: operation, {operation}, {keys}, on_success: c}}
  b: {{type: step, command: "true", on_success: c}}
  c: {{type: terminal}}
""",
            web,
        )
        assert (result.status, result.order) == (status, order), result.error
        assert told is None or result.of("step.failed")[0].error == told


def test_12_in_loops_and_parallel_blocks(web: Service) -> None:
    result = states(
        """
  a: {type: for_each, items: [1, 2], body: [one], on_complete: p}
  one: {type: operation, operation: http.request, inputs: {url: URL/echo, method: PUT, body: "{{loop.Item}}"}}
  p: {type: parallel, parallel: [l, r], on_success: c}
  l: {type: operation, operation: http.request, inputs: {url: URL/echo, method: PUT, body: l}}
  r: {type: operation, operation: http.request, inputs: {url: URL/none, method: GET}}
  c: {type: terminal}
""",
        web,
    )
    assert result.status == "completed"
    assert [call.body for call in web.calls[:2]] == [b"1", b"2"]
    assert json.loads(result.outputs["p/r"])["status_code"] == 404


def test_12_retry_repeats_a_retryable_status(web: Service) -> None:
    statuses = iter([503, 429, 200])
    web.on("/", lambda call: call.answer(next(statuses)))
    result = states(
        """
  a:
    type: operation
    operation: http.request
    inputs: {url: URL/, method: GET, retryable_status_codes: [503, 429]}
    retry: {max_attempts: 5, initial_delay: 1ms}
    on_success: c
  c: {type: terminal}
""",
        web,
    )
    assert result.status == "completed"
    assert [fact.error for fact in result.of("step.retrying")] == [
        "http.request: retryable status code 503",
        "http.request: retryable status code 429",
    ]


def test_12_a_batch_fails_as_its_strategy_says(web: Service) -> None:
    environ = {"PATH": "/nowhere", "GITHUB_TOKEN": "t", "GITHUB_API_URL": web.url}
    web.answers("/repos/a/b/issues/1/comments", 201, {"id": 5, "html_url": "u"})
    for strategy, status in (
        ("best_effort", "completed"),
        ("any_succeed", "completed"),
        ("all_succeed", "failed"),
    ):
        result = states(
            f"""
  a:
    type: operation
    operation: github.batch
    inputs:
      strategy: {strategy}
      operations:
        - {{name: github.add_comment, inputs: {{repo: a/b, number: 1, body: "{{{{inputs.n}}}}"}}}}
        - {{name: github.add_comment, repo: a/b, number: 2, body: x}}
    on_success: c
  c: {{type: terminal}}
""",
            web,
            environ=environ,
        )
        assert result.status == status, result.error
