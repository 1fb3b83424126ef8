"""GitHub through its REST API."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from awf.runners.operations.github.client import Inputs, Outputs, repository_of
from awf.runners.operations.port import OperationContext, OperationFailed
from awf.runners.operations.programs import CannotStart, Programs
from awf.runners.operations.web import Reply, Web, WebFailed

API = "https://api.github.com"
TIMEOUT = 60.0
"""Seconds for a request."""

MOST_PAGES = 100
"""Pages of a hundred comments that are read."""

_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/(?!\.{1,2}$)[\w.-]+", re.ASCII)
_MERGEABLE = {True: "MERGEABLE", False: "CONFLICTING", None: "UNKNOWN"}


class Rest(Struct, frozen=True):
    """See ``awf.runners.operations.github.client.Client``. ``GITHUB_API_URL`` names another address of the API."""

    token: str
    web: Web
    programs: Programs
    context: OperationContext

    async def get_issue(self, inputs: Inputs) -> Outputs:
        return _issue(await self._call("GET", inputs, f"issues/{inputs['number']}"))

    async def get_pr(self, inputs: Inputs) -> Outputs:
        found = await self._call("GET", inputs, f"pulls/{inputs['number']}")
        return {
            **_issue(found),
            "state": "MERGED" if found.get("merged_at") else str(found.get("state", "")).upper(),
            "headRefName": found["head"]["ref"],
            "baseRefName": found["base"]["ref"],
            "mergeable": _MERGEABLE[found.get("mergeable")],
            "mergedAt": found.get("merged_at"),
        }

    async def create_pr(self, inputs: Inputs) -> Outputs:
        asked = {name: inputs[name] for name in ("title", "head", "base", "body", "draft")}
        reply = await self._send("POST", inputs, "pulls", asked)
        exists = reply.status == 422 and "already exists" in reply.text
        if exists:
            owner = (await self._repo(inputs)).partition("/")[0]
            head = inputs["head"] if ":" in inputs["head"] else f"{owner}:{inputs['head']}"
            query = f"pulls?state=open&head={quote(head, safe='')}&base={quote(inputs['base'], safe='')}"
            open_ones = await self._call("GET", inputs, query)
            if not open_ones:
                raise OperationFailed(f"the pull request that is said to exist is not found: {head}")
            found = open_ones[0]
        else:
            found = _checked(reply, "POST", "pulls")
        return {**_created(found), "already_exists": "true" if exists else "false"}

    async def create_issue(self, inputs: Inputs) -> Outputs:
        names = ("title", "body", "labels", "assignees")
        asked = {name: inputs[name] for name in names if name in inputs}
        return _created(await self._call("POST", inputs, "issues", asked))

    async def add_labels(self, inputs: Inputs) -> Outputs:
        asked = {"labels": inputs["labels"]}
        await self._call("POST", inputs, f"issues/{inputs['number']}/labels", asked)
        return {"labels": ",".join(inputs["labels"])}

    async def list_comments(self, inputs: Inputs) -> Outputs:
        path: str | None = f"issues/{inputs['number']}/comments?per_page=100"
        comments: list[Any] = []
        for _ in range(MOST_PAGES):
            if path is None:
                break
            reply = await self._send("GET", inputs, path)
            comments += _checked(reply, "GET", path)
            following = _NEXT.search(reply.headers.get("Link", ""))
            path = following.group(1) if following else None
        return {"comments": [_comment(found) for found in comments]}

    async def add_comment(self, inputs: Inputs) -> Outputs:
        asked = {"body": inputs["body"]}
        found = await self._call("POST", inputs, f"issues/{inputs['number']}/comments", asked)
        return {"comment_id": str(found["id"]), "url": found["html_url"]}

    async def _call(self, method: str, inputs: Inputs, path: str, body: Any = None) -> Any:
        return _checked(await self._send(method, inputs, path, body), method, path)

    async def _send(self, method: str, inputs: Inputs, path: str, body: Any = None) -> Reply:
        """``path``: below the repository, or the whole address of a further page. Raises OperationFailed."""
        base = (self.context.environ.get("GITHUB_API_URL") or API).rstrip("/")
        url = path
        if not path.startswith(f"{base}/"):
            if "://" in path:
                raise OperationFailed("the API names a further page at another address")
            url = f"{base}/repos/{await self._repo(inputs)}/{path}"
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        content = b"" if body is None else json.dumps(body).encode()
        try:
            return await self.web.send(method, url, headers=headers, content=content, timeout=TIMEOUT)
        except WebFailed as error:
            raise OperationFailed(f"{method} {path}: {error}") from error

    async def _repo(self, inputs: Inputs) -> str:
        """OWNER/NAME: as given, or of the working directory. Raises OperationFailed."""
        given = inputs.get("repo") or self.context.environ.get("GH_REPO")
        if given:
            name = str(given).rstrip("/").removesuffix(".git")
            if not _REPOSITORY.fullmatch(name):  # it becomes a part of the address that the token is sent to
                raise OperationFailed(f'repo must be OWNER/NAME, not "{given}"')
            return name
        git = self.programs.find("git", self.context)
        try:
            ended = await self.programs.run([git or "git", "remote", "get-url", "origin"], self.context)
        except CannotStart as error:
            raise OperationFailed(f"no repo is given, and {error}") from error
        found = repository_of(ended.stdout) if ended.code == 0 else None
        if found is None:
            raise OperationFailed(
                f"no repo is given, and {self.context.working_dir} has no git remote 'origin' that names one"
            )
        return found


def _checked(reply: Reply, method: str, path: str) -> Any:
    """The value of a successful reply. Raises OperationFailed with what the API says."""
    try:
        value = json.loads(reply.text)
    except (ValueError, RecursionError):
        value = None
    if 200 <= reply.status < 300 and value is not None:
        return value
    said = value.get("message") if isinstance(value, Mapping) else None
    wait = reply.retry_after if reply.status in {403, 429, 503} else None
    raise OperationFailed(
        f"{method} {path.partition('?')[0]}: status {reply.status}" + (f": {said}" if said else ""),
        retry_after=wait,
    )


def _created(found: Mapping[str, Any]) -> Outputs:
    return {"number": found["number"], "url": found["html_url"]}


def _issue(found: Mapping[str, Any]) -> Outputs:
    return {
        "number": found["number"],
        "title": found["title"],
        "body": found.get("body") or "",
        "state": str(found["state"]).upper(),
        "labels": [
            {
                "id": label.get("node_id", ""),
                "name": label["name"],
                "description": label.get("description") or "",
                "color": label.get("color", ""),
            }
            for label in found.get("labels", ())
        ],
    }


def _comment(found: Mapping[str, Any]) -> Outputs:
    return {
        "id": found.get("node_id", ""),
        "author": {"login": (found.get("user") or {}).get("login", "ghost")},
        "authorAssociation": found.get("author_association", ""),
        "body": found.get("body") or "",
        "createdAt": found.get("created_at", ""),
        "url": found["html_url"],
    }
