"""Listing, showing, validating and running workflows."""

from __future__ import annotations

import pytest

from unit.server.bench import HELLO, Bench, scenario

DANGLING = """
name: dangling
version: 2.5
states:
  initial: a
  a: {type: step, command: "true", on_success: nowhere}
  done: {type: terminal}
"""
JSON = {"content-type": "application/json"}


@scenario
async def test_the_list_has_every_file_sorted_and_broken_ones_with_their_error(bench: Bench) -> None:
    bench.workflow("zero", HELLO.replace("name: hello", "name: zero"))
    bench.workflow("broken", "states: [")
    bench.workflow("dangling", DANGLING)
    listed = (await bench.get("/api/workflows")).json()["body"]["workflows"]
    assert [item["name"] for item in listed] == ["broken", "dangling", "zero"]
    broken, dangling, zero = listed
    assert (broken["version"], broken["description"]) == ("", "")
    assert "(.awf/workflows/broken.yaml:" in broken["error"]
    assert (dangling["name"], dangling["version"], dangling["description"]) == ("dangling", "2.5", "")
    assert (
        "state 'a' references undefined state 'nowhere' (.awf/workflows/dangling.yaml:6:" in dangling["error"]
    )
    assert zero == {"name": "zero", "version": "1.0.0", "description": "Says hello"}


@scenario
async def test_a_workflow_is_shown_as_authored(bench: Bench) -> None:
    bench.workflow()
    body = (await bench.get("/api/workflows/hello")).json()["body"]
    assert list(body) == ["name", "version", "description", "inputs", "states"]
    assert body["states"]["initial"] == "greet"
    assert body["states"]["greet"]["command"] == "echo hello {{inputs.who}}"
    assert body["inputs"][0] == {"name": "who", "type": "string", "required": True}


@scenario
async def test_an_invalid_workflow_is_shown_and_an_unreadable_one_is_422(bench: Bench) -> None:
    bench.workflow("dangling", DANGLING)
    bench.workflow("broken", "states: [")
    shown = (await bench.get("/api/workflows/dangling")).json()["body"]
    assert (shown["description"], shown["inputs"]) == ("", [])
    problem = await bench.problem(422, "GET", "/api/workflows/broken")
    assert problem["detail"].startswith("workflow 'broken' cannot be loaded: ")
    assert problem["errors"][0]["location"].startswith(".awf/workflows/broken.yaml:")


@scenario
async def test_a_changed_file_is_seen_by_the_next_request(bench: Bench) -> None:
    bench.workflow()
    assert (await bench.get("/api/workflows/hello")).json()["body"]["version"] == "1.0.0"
    bench.workflow(text=HELLO.replace("1.0.0", "1.0.10"))
    assert (await bench.get("/api/workflows/hello")).json()["body"]["version"] == "1.0.10"
    (bench.files / "hello.yaml").unlink()
    await bench.problem(404, "GET", "/api/workflows/hello")


@scenario
async def test_validate_tells_everything_with_its_place(bench: Bench) -> None:
    bench.workflow()
    bench.workflow("dangling", DANGLING)
    valid = await bench.post("/api/workflows/hello/validate")
    assert (valid.status_code, valid.json()) == (200, {"body": {"errors": []}})
    invalid = (await bench.post("/api/workflows/dangling/validate")).json()["body"]
    assert invalid["errors"][0].startswith(
        "state 'a' references undefined state 'nowhere' (.awf/workflows/dangling.yaml:6:"
    )


@scenario
async def test_validate_follows_the_calls_as_run_does(bench: Bench) -> None:
    call = "{type: call_workflow, workflow: dangling, on_success: done}"
    bench.workflow("parent", DANGLING.replace('{type: step, command: "true", on_success: nowhere}', call))
    bench.workflow("dangling", DANGLING)
    told = (await bench.post("/api/workflows/parent/validate")).json()["body"]["errors"]
    assert told[0].startswith("state 'a': sub-workflow 'dangling' is invalid")
    assert "(.awf/workflows/parent.yaml:6:38)" in told[0]
    assert told[1].startswith(
        "state 'a' references undefined state 'nowhere' (.awf/workflows/dangling.yaml:6:"
    )
    refused = await bench.problem(422, "POST", "/api/workflows/parent/run")
    assert [f"{entry['message']} ({entry['location']})" for entry in refused["errors"]] == told
    (bench.files / "dangling.yaml").unlink()
    body = (await bench.post("/api/workflows/parent/validate")).json()["body"]
    assert body["errors"] == []
    assert body["warnings"][1].startswith(
        "state 'a': sub-workflow not found: dangling (.awf/workflows/parent"
    )


@pytest.mark.parametrize(
    ("method", "suffix"),
    [("GET", ""), ("POST", "/validate"), ("POST", "/run")],
    ids=["get", "validate", "run"],
)
@pytest.mark.parametrize("name", ["nonexistent", "..", ".hidden", "a\\b", "a\nb", "x" * 500, "nul\0"])
@scenario
async def test_names_that_are_no_workflow_are_404(bench: Bench, method: str, suffix: str, name: str) -> None:
    from urllib.parse import quote

    problem = await bench.problem(
        404, method, f"/api/workflows/{quote(name).replace('..', '%2E%2E')}{suffix}"
    )
    assert problem["title"] == "Not Found"
    assert problem["detail"] == f"workflow not found: {name}"
    assert problem["code"] == "USER.FACADE.WORKFLOW_NOT_FOUND"


@scenario
async def test_run_accepts_and_wakes_an_engine(bench: Bench) -> None:
    bench.workflow()
    response = await bench.post("/api/workflows/hello/run", json={"inputs": {"who": "you", "times": "3"}})
    assert response.status_code == 202
    body = response.json()["body"]
    assert body["status"] == "accepted"
    row = await bench.store.execution(body["execution_id"])
    assert row is not None
    assert row.inputs == {"who": "you", "times": 3}
    assert bench.asked == 1


@pytest.mark.parametrize(
    "how",
    [{}, {"json": {}}, {"content": b"", "headers": {"content-type": "text/plain"}}],
    ids=["absent", "empty object", "zero length"],
)
@scenario
async def test_a_body_may_be_absent(bench: Bench, how: dict[str, object]) -> None:
    bench.workflow(text=HELLO.replace("required: true", "default: all"))
    assert (await bench.post("/api/workflows/hello/run", **how)).status_code == 202


@scenario
async def test_every_422_of_run_says_that_it_could_not_start(bench: Bench) -> None:
    bench.workflow()
    bench.workflow("dangling", DANGLING)
    missing = await bench.problem(422, "POST", "/api/workflows/hello/run", json={"inputs": {"times": "x"}})
    assert missing["title"] == "Unprocessable Entity"
    assert missing["detail"].startswith("failed to start execution: input validation failed: ")
    assert {entry["location"] for entry in missing["errors"]} == {"inputs.who", "inputs.times"}
    invalid = await bench.problem(422, "POST", "/api/workflows/dangling/run")
    assert invalid["detail"].startswith(
        "failed to start execution: workflow 'dangling' is invalid: state 'a' references"
    )
    assert await bench.store.unfinished() == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "invalid JSON in the request body"),
        (b"nonsense", "invalid JSON in the request body"),
        (b'{"inputs": {"a": NaN}}', "invalid JSON in the request body"),
        (b'{"inputs": {"a": "\xff"}}', "invalid JSON in the request body"),
        (b'{"inputs": {"a": "\\ud800"}}', "invalid JSON in the request body"),
        (b'{"inputs": {"a": "\\udc00 tail of text"}}', "invalid JSON in the request body"),
        (b'{"inputs": {"a": ' + b"[" * 100_000, "invalid JSON in the request body"),
        (b'{"inputs": {"a": ' + b"[" * 500 + b"]" * 500 + b"}}", "nested more than 100 deep"),
        (b"[]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'"null"', "must be a JSON object"),
        (b'{"inputs": []}', "Expected `object`, got `array` (inputs)"),
        (b'{"inputs": "null"}', "Expected `object`, got `str` (inputs)"),
        (b'{"inputs": null}', "Expected `object`, got `null` (inputs)"),
        (b'{"input": {}}', "unknown field `input`"),
        (b'{"inputs": {"a": "x\\u0000y"}}', "NUL character"),
        (b'{"inputs": {"x\\u0000y": 1}}', "NUL character"),
        (b'{"inputs": {"a": [{"b": "\\u0000"}]}}', "NUL character"),
    ],
    ids=lambda value: value[:32].decode("latin-1") if isinstance(value, bytes) else "",
)
@scenario
async def test_a_body_that_cannot_be_understood_is_400(bench: Bench, content: bytes, said: str) -> None:
    bench.workflow()
    problem = await bench.problem(400, "POST", "/api/workflows/hello/run", content=content, headers=JSON)
    assert (problem["title"], problem["code"]) == ("Bad Request", "USER.REQUEST.INVALID")
    assert said in problem["detail"]
    assert bench.asked == 0


@scenario
async def test_an_escaped_backslash_before_u0000_is_no_nul(bench: Bench) -> None:
    bench.workflow()
    content = b'{"inputs": {"who": "x\\\\u0000y"}}'
    response = await bench.post("/api/workflows/hello/run", content=content, headers=JSON)
    assert response.status_code == 202


@scenario
async def test_numbers_of_any_size_are_kept_or_refused_but_never_an_internal_error(bench: Bench) -> None:
    bench.workflow()
    for number, status in (("9" * 40, 202), ("1e400", 400), ("9" * 5000, 400)):
        content = f'{{"inputs": {{"who": "x", "n": {number}}}}}'.encode()
        response = await bench.post("/api/workflows/hello/run", content=content, headers=JSON)
        assert response.status_code == status, number
        if status == 202:
            shown = await bench.get(f"/api/executions/{response.json()['body']['execution_id']}")
            assert shown.json()["body"]["inputs"]["n"] == int(number)


@pytest.mark.parametrize(
    "declared", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""]
)
@pytest.mark.parametrize("path", ["/api/workflows/hello/run", "/api/workflows/hello/validate"])
@scenario
async def test_a_body_of_another_type_is_415(bench: Bench, declared: str, path: str) -> None:
    bench.workflow()
    problem = await bench.problem(415, "POST", path, content=b"{}", headers={"content-type": declared})
    assert problem["title"] == "Unsupported Media Type"


@scenario
async def test_a_charset_does_not_matter(bench: Bench) -> None:
    bench.workflow()
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    response = await bench.post(
        "/api/workflows/hello/run", content=b'{"inputs": {"who": "x"}}', headers=headers
    )
    assert response.status_code == 202
