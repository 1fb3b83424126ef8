"""``/api/workflows/{scope}/{name}``: workflows of packs, and of one source."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from awf.catalog import Catalog
from awf.engine.service import Place, Service, Signals
from awf.server.app import create_app
from awf.server.settings import ServerSettings
from awf.stores.memory import MemoryStore
from awf.testing.clock import FakeClock

WORKFLOW = "name: {name}\ndescription: {of}\ninputs: [{{name: region}}]\nstates: {{initial: a, a: {{type: terminal}}}}\n"


class Api:
    """The API over a project in a directory."""

    def __init__(self, root: Path, inputs: Mapping[str, Any]) -> None:
        self.root = root
        self.store = MemoryStore()
        service = Service(
            store=self.store,
            catalog=Catalog(root, {"HOME": str(root / "home")}),
            clock=FakeClock(),
            signals=Signals(wake=lambda: None, mark_cancel=lambda _: False, alive=lambda _: True),
            place=Place(root=str(root), working_dir=str(root), inputs=inputs),
        )
        self._app = create_app(service, settings=ServerSettings())

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.request(method, path, **({} if body is None else {"json": body}))

        return asyncio.run(asked())

    def accepted(self, response: httpx.Response) -> Any:
        async def row() -> Any:
            return await self.store.execution(response.json()["body"]["execution_id"])

        assert response.status_code == 202, response.text
        return asyncio.run(row())


@pytest.fixture
def api(tmp_path: Path) -> Api:
    api = Api(tmp_path, {"region": "eu", "other": "x"})
    pack = ".awf/workflow-packs/tools"
    api.write(f"{pack}/manifest.yaml", "name: tools\nversion: 1.0.0\nworkflows: [build]\n")
    api.write(f"{pack}/workflows/build.yaml", WORKFLOW.format(name="build", of="pack"))
    api.write(".awf/workflows/build.yaml", WORKFLOW.format(name="build", of="local"))
    api.write("home/.config/awf/workflows/build.yaml", WORKFLOW.format(name="build", of="global"))
    return api


def test_workflows_of_packs_are_listed_by_their_names(api: Api) -> None:
    listed = api.ask("GET", "/api/workflows").json()["body"]["workflows"]
    assert [(item["name"], item["description"]) for item in listed] == [
        ("build", "local"),
        ("tools/build", "pack"),
    ]


@pytest.mark.parametrize(("scope", "of"), [("tools", "pack"), ("local", "local"), ("global", "global")])
def test_the_scope_selects_where_to_look(api: Api, scope: str, of: str) -> None:
    answer = api.ask("GET", f"/api/workflows/{scope}/build")
    assert answer.status_code == 200
    assert answer.json()["body"]["description"] == of


def test_what_a_scope_does_not_have_is_not_found(api: Api) -> None:
    for path in ("env/build", "tools/nope", "nope/build", "Tools/build", "tools/Build"):
        for method, verb in (("GET", ""), ("POST", "/validate"), ("POST", "/run")):
            answer = api.ask(method, f"/api/workflows/{path}{verb}")
            assert answer.status_code == 404, path
            assert answer.json()["code"].startswith("USER.FACADE.")
    assert api.ask("GET", "/api/workflows/nope/build").json()["code"] == "USER.FACADE.PACK_NOT_FOUND"


def test_validate_and_run_in_a_scope(api: Api) -> None:
    assert api.ask("POST", "/api/workflows/tools/build/validate").json() == {"body": {"errors": []}}
    row = api.accepted(api.ask("POST", "/api/workflows/tools/build/run"))
    assert row.workflow == "tools/build"
    assert api.accepted(api.ask("POST", "/api/workflows/global/build/run")).workflow == "global/build"
    assert api.accepted(api.ask("POST", "/api/workflows/local/build/run", {})).workflow == "build"


def test_run_and_validate_are_reserved_second_segments(api: Api) -> None:
    api.write(".awf/workflow-packs/tools/workflows/run.yaml", WORKFLOW.format(name="run", of="pack"))
    assert api.accepted(api.ask("POST", "/api/workflows/build/run")).workflow == "build"
    assert api.ask("POST", "/api/workflows/build/validate").status_code == 200
    for reserved in ("run", "validate"):
        answer = api.ask("GET", f"/api/workflows/tools/{reserved}")
        assert answer.status_code == 405
        assert "POST" in answer.headers["allow"]


def test_the_projects_inputs_stand_in_for_what_a_run_does_not_give(api: Api) -> None:
    given = api.accepted(api.ask("POST", "/api/workflows/build/run", {"inputs": {"region": "us"}}))
    assert given.inputs == {"region": "us", "other": "x"}
    assert api.accepted(api.ask("POST", "/api/workflows/build/run")).inputs == {"region": "eu", "other": "x"}


def test_the_description_has_the_routes(api: Api) -> None:
    paths = api.ask("GET", "/openapi.json").json()["paths"]
    assert set(paths["/api/workflows/{source}/{name}/run"]["post"]["responses"]) >= {"202", "404", "422"}
    assert "requestBody" in paths["/api/workflows/{source}/{name}/run"]["post"]
    assert "get" in paths["/api/workflows/{source}/{name}"]
    assert "post" in paths["/api/workflows/{source}/{name}/validate"]
