"""``github.*``, through a strict stand-in for ``gh`` and through the REST API of a server on loopback."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from acceptance.facts import processes, until
from awf.domain.outcomes import Cancelled, Failed, Outcome, Succeeded
from awf.engine.ports import StepContext
from awf.journal.events import OperationCall
from awf.runners.operations.github.client import repository_of
from awf.runners.operations.github.operations import github_operations
from awf.runners.operations.programs import Programs
from awf.runners.operations.runner import OperationRunner
from awf.runners.operations.web import Web
from awf.testing.builders import step_started
from awf.testing.clock import FakeClock
from services.gh import install
from services.web import Call, service

ISSUE = {"number": 5, "title": "Tïtle", "body": "b", "state": "OPEN", "labels": [{"name": "bug"}]}
PR = {**ISSUE, "headRefName": "topic", "baseRefName": "main", "mergeable": "MERGEABLE", "mergedAt": None}
COMMENTS = [{"author": {"login": "me"}, "body": "hi", "url": "u"}]


class World:
    """An environment in which operations run."""

    def __init__(self, directory: Path, **environ: str) -> None:
        self.directory = directory
        self.environ = environ

    def run(
        self, name: str, inputs: Mapping[str, Any], cancel_when: Callable[[], Any] | None = None
    ) -> Outcome:
        async def inside() -> Outcome:
            operations = {each.signature.name: each for each in github_operations(Web(), Programs(0.2))}
            call = OperationCall(name=f"github.{name}", inputs=dict(inputs))
            context = StepContext("one", "line", {}, self.environ, str(self.directory))
            started, cancel = step_started(kind="operation", operation=call), asyncio.Event()
            runner = OperationRunner(operations, FakeClock())
            working = asyncio.create_task(runner.run(started, context, lambda *_: None, cancel))
            if cancel_when is not None:
                await asyncio.to_thread(cancel_when)
                cancel.set()
            return await working

        return asyncio.run(inside())

    def outputs(self, name: str, **inputs: Any) -> Any:
        outcome = self.run(name, inputs)
        assert isinstance(outcome, Succeeded), outcome
        assert outcome.product is not None
        return outcome.product.response

    def error(self, name: str, **inputs: Any) -> str:
        outcome = self.run(name, inputs)
        assert isinstance(outcome, Failed), outcome
        return outcome.error


class Gh(World):
    """With the stand-in on the PATH."""

    def __init__(self, directory: Path) -> None:
        (directory / "world.json").write_text("{}")
        super().__init__(
            directory,
            PATH=f"{install(directory / 'bin')}:{os.environ['PATH']}",
            GH_CALLS=str(directory / "calls"),
            GH_WORLD=str(directory / "world.json"),
        )

    def has(self, **world: Any) -> None:
        (self.directory / "world.json").write_text(json.dumps(world))

    @property
    def calls(self) -> list[Any]:
        lines = (self.directory / "calls").read_text().splitlines()
        return [json.loads(line) for line in lines]

    @property
    def argv(self) -> list[str]:
        argv: list[str] = self.calls[-1]["argv"]
        return argv


@pytest.fixture
def gh(tmp_path: Path) -> Gh:
    return Gh(tmp_path)


def test_reading_through_gh(gh: Gh) -> None:
    gh.has(issue={"5": {**ISSUE, "comments": COMMENTS}}, pr={"5": PR})
    assert gh.outputs("get_issue", number="5") == ISSUE
    assert gh.argv == ["issue", "view", "5", "--json", "number,title,body,state,labels"]
    assert gh.calls[-1]["prompt"] == "1"
    assert gh.outputs("get_pr", number=5, repo="a/b") == PR
    assert gh.argv[-2:] == ["--repo", "a/b"]
    assert gh.outputs("list_comments", number=5) == {"comments": COMMENTS}


def test_writing_through_gh(gh: Gh) -> None:
    made = gh.outputs("create_pr", title="-t", head="topic", base="main", draft="yes", repo="a/b")
    assert made == {"number": 7, "url": "https://github.com/a/b/pull/7", "already_exists": "false"}
    assert gh.argv == ["pr", "create", "--title", "-t", "--head", "topic", "--base", "main", "--draft", "--body", "", "--repo", "a/b"]  # fmt: skip
    made = gh.outputs("create_issue", title="t", body="é\n", labels="bug, good first issue", assignees=["me"])
    assert made == {"number": 8, "url": "https://github.com/me/here/issues/8"}
    assert gh.argv == ["issue", "create", "--title", "t", "--label", "bug", "--label", "good first issue", "--assignee", "me", "--body", "é\n"]  # fmt: skip
    assert gh.outputs("add_labels", number=5, labels=["a", "b"]) == {"labels": "a,b"}
    assert gh.argv == ["issue", "edit", "5", "--add-label", "a", "--add-label", "b"]
    made = gh.outputs("add_comment", number=5, body="hi")
    assert made == {"comment_id": "991", "url": "https://github.com/me/here/issues/5#issuecomment-991"}


def test_a_long_text_goes_by_standard_input(gh: Gh) -> None:
    text = "ü" * 200_000
    gh.outputs("add_comment", number=5, body=text)
    assert gh.argv[-2:] == ["--body-file", "-"]
    assert gh.calls[-1]["stdin"] == text


def test_a_pull_request_that_is_open_already(gh: Gh) -> None:
    inputs = {"title": "t", "head": "topic", "base": "main"}
    gh.has(open="https://github.com/a/b/pull/3")
    assert gh.outputs("create_pr", **inputs) == {
        "number": 3, "url": "https://github.com/a/b/pull/3", "already_exists": "true",
    }  # fmt: skip
    gh.has(open="(no address)", pr={"topic": {"number": 4, "url": "u"}})
    assert gh.outputs("create_pr", **inputs) == {"number": 4, "url": "u", "already_exists": "true"}


def test_what_gh_says_is_the_error(gh: Gh) -> None:
    gh.has(fail="HTTP 401: Bad credentials")
    assert gh.error("get_issue", number=1) == "github.get_issue: gh issue view: HTTP 401: Bad credentials"
    assert gh.error("create_pr", title="t", head="h", base="b") == (
        "github.create_pr: gh pr create: HTTP 401: Bad credentials"
    )


@pytest.mark.parametrize(
    ("name", "inputs", "told"),
    [
        ("get_issue", {}, ["number is required"]),
        ("create_pr", {}, ["title is required", "head is required", "base is required"]),
        ("add_labels", {"number": 1, "labels": []}, ["labels is required"]),
        ("add_labels", {"number": 1, "labels": " , "}, ["labels is required"]),
        ("add_comment", {"number": "x", "body": ""}, ['number: cannot convert "x" to integer', "body is required"]),
        ("get_pr", {"number": 0, "repo": "x"}, ["number must be at least 1, not 0", 'repo must be OWNER/NAME, not "x"']),
        ("get_pr", {"number": 1, "nmuber": 1}, ["unknown input 'nmuber' (did you mean 'number'?)"]),
    ],
)  # fmt: skip
def test_what_is_missing_is_told_at_once(gh: Gh, name: str, inputs: dict[str, Any], told: list[str]) -> None:
    assert gh.error(name, **inputs) == "\n".join(f"github.{name}: {line}" for line in told)


def test_a_cancel_ends_gh(gh: Gh) -> None:
    gh.has(hang=True)
    hangs = gh.directory / "calls.hangs"

    assert gh.run("get_issue", {"number": 1}, lambda: until(hangs.exists, "gh hangs")) == Cancelled()
    program = str(gh.directory / "bin" / "gh").encode()
    assert not [place for place in processes() if program in (place / "cmdline").read_bytes()]


def test_neither_gh_nor_a_token(tmp_path: Path) -> None:
    told = World(tmp_path, PATH=str(tmp_path)).error("get_issue", number=1)
    assert told.startswith("github.get_issue: the tool 'gh' is not in PATH and GITHUB_TOKEN is not set; ")


# The REST API

LABEL = {"node_id": "L1", "name": "bug", "description": None, "color": "red"}
LABEL_AS_GH = {"id": "L1", "name": "bug", "description": "", "color": "red"}
REST_ISSUE = {
    "number": 5,
    "title": "Tïtle",
    "body": None,
    "state": "open",
    "labels": [LABEL],
    "html_url": "u",
}


def rest(directory: Path, url: str) -> World:
    """Without ``gh``; with a stand-in of git, and a remote."""
    git = directory / "bin" / "git"
    git.parent.mkdir()
    git.write_text(
        '#!/bin/sh\n[ "$*" = "remote get-url origin" ] && read -r remote < remote && echo "$remote"\n'
    )
    git.chmod(0o755)
    (directory / "remote").write_text("git@github.com:me/here.git\n")
    return World(directory, PATH=str(directory / "bin"), GITHUB_TOKEN="t0ken", GITHUB_API_URL=f"{url}/api/")


def test_reading_through_the_api(tmp_path: Path) -> None:
    with service() as server:
        world = rest(tmp_path, server.url)
        server.answers("/api/repos/me/here/issues/5", 200, REST_ISSUE)
        pull = {**REST_ISSUE, "state": "closed", "merged_at": "2026-01-01T00:00:00Z", "mergeable": None}
        server.answers(
            "/api/repos/a/b/pulls/5", 200, {**pull, "head": {"ref": "topic"}, "base": {"ref": "main"}}
        )
        issue = {"number": 5, "title": "Tïtle", "body": "", "state": "OPEN", "labels": [LABEL_AS_GH]}
        assert world.outputs("get_issue", number=5) == issue
        assert server.calls[0].headers["Authorization"] == "Bearer t0ken"
        assert world.outputs("get_pr", number=5, repo="a/b") == {
            **issue, "state": "MERGED", "headRefName": "topic", "baseRefName": "main", "mergeable": "UNKNOWN",
            "mergedAt": "2026-01-01T00:00:00Z",
        }  # fmt: skip


@pytest.mark.parametrize("repo", ["a/b?x=", "a/../user", "a/b/c", "a/..", "../a", "https://github.com/a/b"])
def test_a_repository_leads_nowhere_else_in_the_api(tmp_path: Path, repo: str) -> None:
    with service() as server:
        error = rest(tmp_path, server.url).error("add_comment", number=5, body="hi", repo=repo)
        assert error == f'github.add_comment: repo must be OWNER/NAME, not "{repo}"'
        assert server.calls == []


def test_comments_of_several_pages(tmp_path: Path) -> None:
    with service() as server:
        world = rest(tmp_path, server.url)
        comment = {"user": {"login": "me"}, "body": "hi", "html_url": "u", "created_at": "t"}

        def page(call: Call) -> None:
            more = f'<{server.url}/api/repos/me/here/issues/5/comments?per_page=100&page=2>; rel="next"'
            second = "page=2" in call.path
            call.answer(
                200, [{**comment, "user": None}] if second else [comment], {} if second else {"Link": more}
            )

        server.on("/api/repos/me/here/issues/5/comments", page)
        found = world.outputs("list_comments", number=5)["comments"]
        assert [each["author"]["login"] for each in found] == ["me", "ghost"]
        server.answers(
            "/api/repos/me/here/issues/5/comments", 200, [], {"Link": '<http://evil/>; rel="next"'}
        )
        assert "at another address" in world.error("list_comments", number=5)


def test_writing_through_the_api(tmp_path: Path) -> None:
    with service() as server:
        world = rest(tmp_path, server.url)
        base = "/api/repos/me/here"
        server.answers(f"{base}/issues", 201, {"number": 8, "html_url": "i"})
        server.answers(f"{base}/issues/5/labels", 200, [LABEL])
        server.answers(f"{base}/issues/5/comments", 201, {"id": 991, "html_url": "c"})
        server.answers(f"{base}/pulls", 201, {"number": 7, "html_url": "p"})
        made = world.outputs("create_issue", title="t", labels=["bug"])
        assert (made, server.calls[-1].json) == (
            {"number": 8, "url": "i"},
            {"title": "t", "body": "", "labels": ["bug"]},
        )
        assert world.outputs("add_labels", number=5, labels="a,b") == {"labels": "a,b"}
        assert server.calls[-1].json == {"labels": ["a", "b"]}
        assert world.outputs("add_comment", number=5, body="é") == {"comment_id": "991", "url": "c"}
        made = world.outputs("create_pr", title="t", head="h", base="main", body="b")
        assert made == {"number": 7, "url": "p", "already_exists": "false"}
        assert server.calls[-1].json == {
            "title": "t",
            "head": "h",
            "base": "main",
            "body": "b",
            "draft": False,
        }


def test_a_pull_request_that_the_api_knows(tmp_path: Path) -> None:
    with service() as server:
        world = rest(tmp_path, server.url)

        def pulls(call: Call) -> None:
            if call.method == "POST":
                call.answer(
                    422,
                    {
                        "message": "Validation Failed",
                        "errors": [{"message": "A pull request already exists for me:h."}],
                    },
                )
            else:
                assert call.path.endswith("?state=open&head=me%3Ah&base=main")
                call.answer(200, [{"number": 3, "html_url": "p3"}])

        server.on("/api/repos/me/here/pulls", pulls)
        made = world.outputs("create_pr", title="t", head="h", base="main")
        assert made == {"number": 3, "url": "p3", "already_exists": "true"}


def test_what_the_api_refuses(tmp_path: Path) -> None:
    with service() as server:
        world = rest(tmp_path, server.url)
        path = "/api/repos/me/here/issues/5"
        server.answers(path, 404, {"message": "Not Found"})
        assert world.error("get_issue", number=5) == "github.get_issue: GET issues/5: status 404: Not Found"
        server.answers(path, 429, "slow down", {"Retry-After": "9"})
        outcome = world.run("get_issue", {"number": 5})
        assert isinstance(outcome, Failed)
        assert (outcome.error, outcome.retry_after) == ("github.get_issue: GET issues/5: status 429", 9)
        server.answers(path, 200, {"strange": True})
        assert "GitHub's answer is not what it should be" in world.error("get_issue", number=5)
        server.answers(path, 200, "<html>")
        assert world.error("get_issue", number=5) == "github.get_issue: GET issues/5: status 200"
        world.environ.pop("GITHUB_API_URL")
        (tmp_path / "remote").unlink()
        assert "has no git remote 'origin'" in world.error("get_issue", number=5)


@pytest.mark.parametrize(
    ("remote", "repository"),
    [
        ("git@github.com:me/here.git\n", "me/here"),
        ("https://github.com/me/here", "me/here"),
        ("https://user:pass@ghe.example:8443/me/he.re.git/", "me/he.re"),
        ("ssh://git@github.com/me/here.git", "me/here"),
        ("here", None),
        ("", None),
    ],
)
def test_the_repository_of_a_remote(remote: str, repository: str | None) -> None:
    assert repository_of(remote) == repository


# Batches

ITEMS = [
    {"name": "github.get_issue", "inputs": {"number": "5"}},
    {"name": "get_issue", "number": 6},
    {"operation": "add_labels", "number": 5, "labels": ["a"]},
]


def test_a_batch_of_both_forms(gh: Gh) -> None:
    gh.has(issue={"5": ISSUE})
    found = gh.outputs("batch", operations=ITEMS, concurrency="2")
    assert (found["total"], found["succeeded"], found["failed"]) == (3, 2, 1)
    assert [(each["name"], each["success"]) for each in found["results"]] == [
        ("github.get_issue", True), ("github.get_issue", False), ("github.add_labels", True),
    ]  # fmt: skip
    assert found["results"][0]["outputs"] == ISSUE
    assert found["results"][1]["error"].startswith(
        "github.get_issue: gh issue view: GraphQL: Could not resolve"
    )


def test_when_a_batch_succeeds(gh: Gh) -> None:
    gh.has(issue={"5": ISSUE})
    outcome = gh.run("batch", {"operations": ITEMS, "strategy": "all_succeed"})
    assert isinstance(outcome, Failed)
    assert outcome.error.startswith(
        "github.batch: 1 of 3 operations failed (all_succeed): github.get_issue: gh issue"
    )
    assert outcome.product is not None
    assert outcome.product.response["failed"] == 1
    assert gh.outputs("batch", operations=ITEMS, strategy="any_succeed")["failed"] == 1
    assert "1 of 1" in gh.error("batch", operations=ITEMS[1:2], strategy="any_succeed")


def test_a_batch_is_checked_before_anything_is_done(gh: Gh) -> None:
    told = gh.error(
        "batch",
        operations=[
            {"name": "get_issue"},
            {"name": "get_isue", "number": 1},
            "x",
            {"name": "batch", "operations": []},
        ],
    )
    assert told == (
        "github.batch: operations[0]: number is required; "
        "operations[1]: 'get_isue' is no operation of a batch (did you mean 'get_issue'?); "
        "operations[2]: must be a map with the name of an operation; "
        "operations[3]: 'batch' is no operation of a batch"
    )
    assert not (gh.directory / "calls").exists()
    assert gh.error("batch", operations=[], concurrency=0) == (
        "github.batch: operations is required\ngithub.batch: concurrency must be at least 1, not 0"
    )
