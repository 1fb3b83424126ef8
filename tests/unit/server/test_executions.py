"""Listing, showing, cancelling and resuming executions, and their steps."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from awf.errors import StoreUnavailable
from awf.journal.events import (
    ExecutionAccepted,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionReleased,
    ExecutionStarted,
    StateEntered,
    StepReused,
)
from awf.journal.store import Acceptance
from awf.stores.memory import MemoryStore
from awf.testing.builders import input_required, step_completed, step_failed, step_output, step_started
from unit.server.bench import Bench, scenario

UNKNOWN = str(uuid.UUID(int=7))
ENTERED = StateEntered(state="greet", path="greet", kind="step", via="initial")
GREET = {"state": "greet", "path": "greet"}


@scenario
async def test_an_accepted_execution_is_pending_in_its_initial_state(bench: Bench) -> None:
    execution = await bench.run(times="2")
    body = (await bench.get(f"/api/executions/{execution}")).json()["body"]
    assert body == {
        "execution_id": execution,
        "workflow_name": "hello",
        "status": "pending",
        "current_step": "greet",
        "started_at": "2023-11-14T22:13:20Z",
        "updated_at": "2023-11-14T22:13:20Z",
        "inputs": {"who": "you", "times": 2},
        "steps": [],
    }


@scenario
async def test_a_failed_execution_shows_its_end_and_its_steps(bench: Bench) -> None:
    execution = await bench.run()
    bench.clock.advance(0.5)
    await bench.append(execution, ExecutionStarted(engine="e"), ENTERED, step_started(**GREET))
    await bench.append(execution, step_output(1, "so far\n", **GREET))
    shown = (await bench.get(f"/api/executions/{execution}")).json()["body"]
    assert (shown["status"], shown["steps"][0]["status"]) == ("running", "running")
    assert shown["steps"][0]["output"] == "so far\n"
    bench.clock.advance(1.25)
    await bench.append(
        execution,
        step_failed(exit_code=3, error="exit status 3", stdout_bytes=7, **GREET),
        ExecutionFailed(error="greet failed", state="greet", exit_code=1),
    )
    body = (await bench.get(f"/api/executions/{execution}")).json()["body"]
    assert body["status"] == "failed"
    assert (body["error"], body["exit_code"]) == ("greet failed", 1)
    assert body["running_since"] == "2023-11-14T22:13:20.500000Z"
    assert body["completed_at"] == "2023-11-14T22:13:21.750000Z"
    assert body["steps"] == [
        {
            "number": 1,
            "name": "greet",
            "path": "greet",
            "status": "failed",
            "attempt": 1,
            "started_at": "2023-11-14T22:13:20.500000Z",
            "completed_at": "2023-11-14T22:13:21.750000Z",
            "duration_ms": 1250,
            "exit_code": 3,
            "error": "exit status 3",
            "output": "so far\n",
        }
    ]


@scenario
async def test_an_execution_whose_owner_is_dead_is_pending(bench: Bench) -> None:
    execution = await bench.run()
    await bench.append(execution, ExecutionStarted(engine="e"))
    place = f"/api/executions/{execution}"
    assert (await bench.get(place)).json()["body"]["status"] == "running"
    bench.dead.add("engine")
    assert (await bench.get(place)).json()["body"]["status"] == "pending"


@scenario
async def test_a_released_execution_is_pending(bench: Bench) -> None:
    execution = await bench.run()
    await bench.append(execution, ExecutionStarted(engine="e"), ExecutionReleased(engine="e"))
    listed = (await bench.get("/api/executions?status=pending")).json()["body"]["executions"]
    assert [item["execution_id"] for item in listed] == [execution]


@scenario
async def test_the_list_is_newest_first_filtered_and_paged(bench: Bench) -> None:
    ids = [await bench.run("hello" if n % 2 else "other") for n in range(7)]
    everything = (await bench.get("/api/executions")).json()["body"]["executions"]
    assert [item["execution_id"] for item in everything] == ids[::-1]
    assert "inputs" not in everything[0]
    assert "steps" not in everything[0]
    path, seen, pages = "/api/executions?workflow=other&limit=2", [], 0
    while path:
        response = await bench.get(path)
        seen += [item["execution_id"] for item in response.json()["body"]["executions"]]
        found = re.fullmatch(r'<(/api/executions\?.*)>; rel="next"', response.headers.get("link", ""))
        path = found[1] if found else ""
        assert not path or "workflow=other" in path
        pages += 1
    assert seen == [execution for execution in ids[::-1] if ids.index(execution) % 2 == 0]
    assert pages == 2


@pytest.mark.parametrize("limit", ["1000", "1001", "9" * 30, "007"])
@scenario
async def test_limits_are_clamped(bench: Bench, limit: str) -> None:
    await bench.run()
    assert len((await bench.get(f"/api/executions?limit={limit}")).json()["body"]["executions"]) == 1


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=-1", "limit=many", "limit=1.5", "limit=", "limit=%D9%A3",
        "status=success", "status=unknown", "status=null", "status=",
        "cursor=x", "cursor=-1", "cursor=", "cursor=" + "9" * 30,
    ],
)  # fmt: skip
@scenario
async def test_bad_query_parameters_are_400_and_named(bench: Bench, query: str) -> None:
    problem = await bench.problem(400, "GET", f"/api/executions?{query}")
    name = query.partition("=")[0]
    assert problem["errors"][0]["location"] == f"query.{name}"
    assert problem["detail"].startswith(f"invalid query parameter: {name} must ")


@pytest.mark.parametrize("suffix", ["", "/events", "/steps", "/steps/1/output"])
@pytest.mark.parametrize("execution", [UNKNOWN, "no-id", "a%00b", "x" * 300, "%C3%A9"])
@scenario
async def test_unknown_executions_are_404(bench: Bench, execution: str, suffix: str) -> None:
    from urllib.parse import unquote

    problem = await bench.problem(404, "GET", f"/api/executions/{execution}{suffix}")
    assert problem["detail"] == f"execution not found: {unquote(execution)}"
    assert problem["code"] == "USER.FACADE.EXECUTION_NOT_FOUND"


@scenario
async def test_cancel_leaves_one_intent_and_is_204_for_any_id(bench: Bench) -> None:
    execution = await bench.run()
    for place in (execution, execution, UNKNOWN, "no-id", "a%00b", "x" * 300):
        response = await bench.ask("DELETE", f"/api/executions/{place}")
        assert (response.status_code, response.content) == (204, b"")
    assert [intent.execution for intent in await bench.store.intents()] == [execution]


@scenario
async def test_resume_answers_with_a_new_id(bench: Bench) -> None:
    execution = await bench.run()
    await bench.append(execution, ExecutionStarted(engine="e"), ENTERED, step_started(**GREET))
    await bench.append(execution, step_failed(**GREET), ExecutionFailed(error="no", state="greet"))
    body = {"input_overrides": {"who": "me"}, "from_step": "greet"}
    response = await bench.post(f"/api/executions/{execution}/resume", json=body)
    assert response.status_code == 200
    new = response.json()["body"]
    assert new["status"] == "accepted"
    shown = (await bench.get(f"/api/executions/{new['execution_id']}")).json()["body"]
    assert (shown["resumed_from"], shown["inputs"]["who"]) == (execution, "me")
    assert (await bench.post(f"/api/executions/{execution}/resume")).status_code == 200


@scenario
async def test_latest_resumes_the_file_as_it_is_now(bench: Bench) -> None:
    execution = await bench.run()
    await bench.append(execution, ExecutionFailed(error="no", state="greet"))
    (bench.files / "hello.yaml").unlink()
    place = f"/api/executions/{execution}/resume"
    assert (await bench.post(place, json={"definition": "pinned"})).status_code == 200
    problem = await bench.problem(404, "POST", place, json={"definition": "latest"})
    assert problem["detail"] == "workflow not found: hello"


@scenario
async def test_what_cannot_be_resumed_is_404_with_the_text_of_the_page(bench: Bench) -> None:
    running = await bench.run()
    done = await bench.run()
    await bench.append(done, ExecutionCompleted(state="done"))
    for execution in (running, done, UNKNOWN, "no-id"):
        problem = await bench.problem(404, "POST", f"/api/executions/{execution}/resume")
        assert problem["detail"] == f"execution not found or cannot be resumed: {execution}"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"from_step": "nowhere"}, 422, "'nowhere' is not a step of workflow 'hello'"),
        ({"from_step": ""}, 422, "is not a step"),
        ({"input_overrides": {"times": "x"}}, 422, "inputs.times"),
        ({"input_overrides": []}, 400, "(input_overrides)"),
        ({"from_step": 1}, 400, "(from_step)"),
        ({"from_step": None}, 400, "(from_step)"),
        ({"definition": "newest"}, 400, "(definition)"),
        ({"inputs": {}}, 400, "unknown field `inputs`"),
    ],
)
@scenario
async def test_a_resume_that_does_not_fit_says_why(bench: Bench, body: Any, status: int, said: str) -> None:
    execution = await bench.run()
    await bench.append(execution, ExecutionFailed(error="no", state="greet"))
    problem = await bench.problem(status, "POST", f"/api/executions/{execution}/resume", json=body)
    assert said in problem["detail"]


@scenario
async def test_the_latest_hundred_steps_are_shown_and_all_are_listed_in_pages(bench: Bench) -> None:
    execution = await bench.run()
    for number in range(1, 251):
        await bench.append(execution, step_started(number, state=f"s{number}", path=f"s{number}"), wake=False)
    shown = (await bench.get(f"/api/executions/{execution}")).json()["body"]["steps"]
    assert [step["number"] for step in shown] == list(range(151, 251))
    path, seen = f"/api/executions/{execution}/steps", []
    while path:
        response = await bench.get(path)
        seen.append([step["number"] for step in response.json()["body"]["steps"]])
        path = response.headers["link"].partition(">")[0][1:] if "link" in response.headers else ""
    assert [len(page) for page in seen] == [100, 100, 50]
    assert [number for page in seen for number in page] == list(range(1, 251))


@scenario
async def test_outputs_are_cut_in_lists_and_whole_by_themselves(bench: Bench) -> None:
    execution = await bench.run()
    await bench.append(execution, step_started(**GREET))
    for letter in "abcdefg":
        await bench.append(execution, step_output(1, letter * 16000, **GREET), wake=False)
    await bench.append(
        execution,
        step_output(1, "oops", stream="stderr", **GREET),
        step_completed(stdout_bytes=112_000, stderr_bytes=4, **GREET),
    )
    (step,) = (await bench.get(f"/api/executions/{execution}")).json()["body"]["steps"]
    assert len(step["output"]) == 64 * 1024
    assert step["output"].endswith("g" * 16000)
    assert step["output_truncated"] is True
    place = f"/api/executions/{execution}/steps/1/output"
    whole = (await bench.get(place)).json()["body"]
    assert (whole["number"], whole["stream"], whole["omitted_bytes"]) == (1, "stdout", 0)
    assert whole["output"] == "".join(letter * 16000 for letter in "abcdefg")
    assert (await bench.get(f"{place}?stream=stderr")).json()["body"]["output"] == "oops"
    await bench.problem(400, "GET", f"{place}?stream=stdin")


@pytest.mark.parametrize("number", ["0", "2", "-1", str(2**31), "9" * 30])
@scenario
async def test_unknown_steps_are_404(bench: Bench, number: str) -> None:
    execution = await bench.run()
    await bench.append(execution, step_started(**GREET))
    problem = await bench.problem(404, "GET", f"/api/executions/{execution}/steps/{number}/output")
    assert problem["detail"] == f"step not found: {number} of execution {execution}"


@scenario
async def test_a_step_shows_its_warnings_and_its_note(bench: Bench) -> None:
    execution = await bench.run(extra="not declared")
    shown = (await bench.get(f"/api/executions/{execution}")).json()["body"]
    (warning,) = shown["warnings"]
    assert "extra" in warning
    await bench.append(
        execution,
        ExecutionStarted(engine="e"),
        ENTERED,
        step_started(warnings=("plain characters",), **GREET),
        step_completed(note="reached its limit of 2 iterations", **GREET),
    )
    for path in ("", "/steps"):
        (step,) = (await bench.get(f"/api/executions/{execution}{path}")).json()["body"]["steps"]
        assert (step["warnings"], step["note"]) == (["plain characters"], "reached its limit of 2 iterations")
    (listed,) = (await bench.get("/api/executions")).json()["body"]["executions"]
    assert "warnings" not in listed


@scenario
async def test_reused_steps_say_so(bench: Bench) -> None:
    execution = await bench.run()
    reused = StepReused(
        step=1,
        attempt=2,
        exit_code=0,
        output="kept\n",
        stderr="",
        started_at=1,
        completed_at=3_000_001,
        **GREET,
    )
    await bench.append(execution, reused)
    (step,) = (await bench.get(f"/api/executions/{execution}/steps")).json()["body"]["steps"]
    assert (step["reused"], step["output"], step["attempt"], step["duration_ms"]) == (True, "kept\n", 2, 3000)


@scenario
async def test_secrets_stay_masked(bench: Bench) -> None:
    fact = ExecutionAccepted(
        workflow="w", file="w.yaml", definition={}, inputs={"token": "***"}, secrets=("token",), initial="a",
        root="/", working_dir="/",
    )  # fmt: skip
    await bench.store.accept(Acceptance(id=UNKNOWN, fact=fact, now=1, secrets={"token": "open sesame"}))
    response = await bench.get(f"/api/executions/{UNKNOWN}")
    assert response.json()["body"]["inputs"] == {"token": "***"}
    assert "open sesame" not in response.text


class FullDisk(MemoryStore):
    async def accept(self, acceptance: Acceptance) -> None:
        raise StoreUnavailable("nothing can be written to /store: no space left on device")


@scenario
async def test_a_full_disk_is_503_with_retry_after(bench: Bench) -> None:
    full = Bench(bench.root / "full", FullDisk())
    full.workflow()
    response = await full.post("/api/workflows/hello/run", json={"inputs": {"who": "you"}})
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert response.json()["code"] == "SYSTEM.STORE.UNAVAILABLE"
    assert response.json()["detail"] == "nothing can be written to /store: no space left on device"


async def waiting(bench: Bench, *paths: str) -> str:
    """An execution in which steps at these paths wait for a person."""
    execution = await bench.run()
    facts = [ExecutionStarted(engine="e")]
    asked = [
        input_required(number, state=path.split("/")[-1], path=path) for number, path in enumerate(paths, 1)
    ]
    await bench.append(execution, *facts, *asked, ExecutionReleased(engine="e", parked=True))
    return execution


@scenario
async def test_what_waits_is_running_and_says_what_for(bench: Bench) -> None:
    execution = await waiting(bench, "greet")
    body = (await bench.get(f"/api/executions/{execution}")).json()["body"]
    assert (body["status"], body["waiting_for"]) == ("running", "person")
    assert body["waiting"] == [
        {
            "step": 1,
            "name": "greet",
            "path": "greet",
            "kind": "crash",
            "prompt": "what now?",
            "choices": ["rerun", "skip", "fail"],
            "since": "2023-11-14T22:13:20Z",
        }
    ]
    (listed,) = (await bench.get("/api/executions?status=running")).json()["body"]["executions"]
    assert listed["waiting"] == body["waiting"]


@scenario
async def test_an_answer_is_an_intent_and_wakes_the_engine(bench: Bench) -> None:
    execution = await waiting(bench, "greet")
    response = await bench.post(
        f"/api/executions/{execution}/respond", json={"response": "skip", "comment": "done", "by": "Ann"}
    )
    assert (response.status_code, response.content, bench.asked) == (204, b"", 2)
    (intent,) = await bench.store.intents()
    assert intent.data == {"question": 3, "response": "skip", "comment": "done", "by": "Ann"}
    problem = await bench.problem(
        409, "POST", f"/api/executions/{execution}/respond", json={"response": "rerun"}
    )
    assert (problem["code"], problem["title"]) == ("USER.FACADE.NOT_WAITING", "Conflict")
    assert problem["detail"].endswith("it has been answered, or has ended")


@scenario
async def test_where_several_wait_an_answer_says_for_which(bench: Bench) -> None:
    execution = await waiting(bench, "all/a", "all/b")
    url = f"/api/executions/{execution}/respond"
    problem = await bench.problem(422, "POST", url, json={"response": "skip"})
    assert problem["detail"] == "path: several steps of this execution wait, say which: all/a, all/b"
    problem = await bench.problem(409, "POST", url, json={"response": "skip", "path": "all/c"})
    assert problem["detail"].endswith("; what waits: all/a, all/b")
    assert (await bench.post(url, json={"response": "skip", "path": "all/b"})).status_code == 204
    (intent,) = await bench.store.intents()
    assert intent.data["question"] == 4


@scenario
async def test_answers_that_cannot_be_given(bench: Bench) -> None:
    execution = await waiting(bench, "greet")
    url = f"/api/executions/{execution}/respond"
    problem = await bench.problem(422, "POST", url, json={"response": "skipp"})
    assert problem["detail"] == "response: must be one of rerun, skip, fail (did you mean 'skip'?)"
    for body in ({}, {"response": None}, {"response": "skip", "answer": "x"}):
        await bench.problem(400, "POST", url, json=body)
    for unknown in (UNKNOWN, "nonsense"):
        await bench.problem(404, "POST", f"/api/executions/{unknown}/respond", json={"response": "skip"})
    other = await bench.run()
    await bench.problem(409, "POST", f"/api/executions/{other}/respond", json={"response": "skip"})
    assert await bench.store.intents() == []
