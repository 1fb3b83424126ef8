"""GitHub through ``gh``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from awf.runners.operations.github.client import Inputs, Outputs
from awf.runners.operations.port import OperationContext, OperationFailed
from awf.runners.operations.programs import CannotStart, Ended, Programs

ISSUE_FIELDS = "number,title,body,state,labels"
PR_FIELDS = "number,title,body,state,headRefName,baseRefName,mergeable,mergedAt,labels"

LONGEST_ARGUMENT = 100 * 1024
"""Bytes of a text above which it goes by standard input."""

_ENVIRONMENT = {"GH_PROMPT_DISABLED": "1", "GH_NO_UPDATE_NOTIFIER": "1", "NO_COLOR": "1"}
_ADDRESS = re.compile(r"https?://\S+/(?:pull|issues)/([0-9]+)(?:#issuecomment-([0-9]+))?")


class Gh(Struct, frozen=True):
    """See ``awf.runners.operations.github.client.Client``. ``program``: the path of ``gh``."""

    program: str
    programs: Programs
    context: OperationContext

    async def get_issue(self, inputs: Inputs) -> Outputs:
        return await self._view("issue", inputs, ISSUE_FIELDS)

    async def get_pr(self, inputs: Inputs) -> Outputs:
        return await self._view("pr", inputs, PR_FIELDS)

    async def list_comments(self, inputs: Inputs) -> Outputs:
        return await self._view("issue", inputs, "comments")

    async def create_pr(self, inputs: Inputs) -> Outputs:
        arguments = ["--title", inputs["title"], "--head", inputs["head"], "--base", inputs["base"]]
        arguments += ["--draft"] if inputs["draft"] else []
        ended = await self._run(["pr", "create", *arguments], inputs, body=inputs["body"], failing=True)
        if ended.code == 0:
            return {**_created(ended.stdout, "pr create"), "already_exists": "false"}
        if "already exists" not in ended.stderr:
            raise _failure(["pr", "create"], ended)
        if _ADDRESS.search(ended.stderr):
            return {**_created(ended.stderr, "pr create"), "already_exists": "true"}
        found = await self._json(["pr", "view", inputs["head"], "--json", "number,url"], inputs)
        return {**found, "already_exists": "true"}

    async def create_issue(self, inputs: Inputs) -> Outputs:
        arguments = ["--title", inputs["title"], *_each("--label", inputs.get("labels", ()))]
        arguments += _each("--assignee", inputs.get("assignees", ()))
        ended = await self._run(["issue", "create", *arguments], inputs, body=inputs["body"])
        return _created(ended.stdout, "issue create")

    async def add_labels(self, inputs: Inputs) -> Outputs:
        labels = inputs["labels"]
        await self._run(["issue", "edit", str(inputs["number"]), *_each("--add-label", labels)], inputs)
        return {"labels": ",".join(labels)}

    async def add_comment(self, inputs: Inputs) -> Outputs:
        ended = await self._run(["issue", "comment", str(inputs["number"])], inputs, body=inputs["body"])
        found = _ADDRESS.search(ended.stdout)
        if found is None or found.group(2) is None:
            raise OperationFailed(
                f"gh issue comment: no address of a comment in its output: {ended.stdout.strip()}"
            )
        return {"comment_id": found.group(2), "url": found.group()}

    async def _view(self, kind: str, inputs: Inputs, fields: str) -> Outputs:
        return await self._json([kind, "view", str(inputs["number"]), "--json", fields], inputs)

    async def _json(self, arguments: Sequence[str], inputs: Inputs) -> Outputs:
        ended = await self._run(arguments, inputs)
        try:
            found = json.loads(ended.stdout)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise OperationFailed(f"gh {' '.join(arguments[:2])}: its output is not JSON")
        return found

    async def _run(
        self, arguments: Sequence[str], inputs: Inputs, *, body: str | None = None, failing: bool = False
    ) -> Ended:
        """Run ``gh``. ``failing``: a failure is returned. Raises OperationFailed."""
        argv, stdin = [self.program, *arguments], None
        if body is not None and len(body.encode()) > LONGEST_ARGUMENT:
            argv, stdin = [*argv, "--body-file", "-"], body
        elif body is not None:
            argv += ["--body", body]
        if inputs.get("repo"):
            argv += ["--repo", inputs["repo"]]
        try:
            ended = await self.programs.run(argv, self.context, stdin=stdin, env=_ENVIRONMENT)
        except CannotStart as error:
            raise OperationFailed(str(error)) from error
        if ended.code != 0 and not failing:
            raise _failure(arguments, ended)
        return ended


def _each(option: str, values: Iterable[str]) -> list[str]:
    return [part for value in values for part in (option, value)]


def _created(text: str, command: str) -> Outputs:
    """What the address of an issue or pull request says. Raises OperationFailed."""
    found = _ADDRESS.search(text)
    if found is None:
        raise OperationFailed(f"gh {command}: no address in its output: {text.strip()}")
    created: dict[str, Any] = {"number": int(found.group(1)), "url": found.group()}
    return created


def _failure(arguments: Sequence[str], ended: Ended) -> OperationFailed:
    said = ended.stderr.strip() or f"exit code {ended.code}"
    return OperationFailed(f"gh {' '.join(arguments[:2])}: {said}")
