"""The example that is reviewed by any agent: with each provider, and without its tool."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.chat_server import Exchange, chat_server
from agents.tools import PROGRAMS, install
from awf.runners.agents.registry import build_providers
from conformance.harness import Result, run

EXAMPLE = (Path(__file__).parents[2] / ".awf/workflows/review-with-agent.yaml").read_text()


def review(provider: str, environ: dict[str, str]) -> Result:
    return run(
        EXAMPLE,
        {"file": "main.go", "provider": provider},
        files={"main.go": "package main\n"},
        environ=environ,
        providers=build_providers(),
    )


@pytest.fixture
def service() -> Iterator[str]:
    """The base URL of a service that answers, on a loop of its own."""
    loop, ended = asyncio.new_event_loop(), asyncio.Event()
    ready: list[str] = []
    listening = threading.Event()

    def answer(exchange: Exchange) -> None:
        exchange.start_stream()
        for piece in ("You said: ", "fine."):
            exchange.delta(piece)
        exchange.end_stream()

    async def serve() -> None:
        async with chat_server(answer) as (url, _):
            ready.append(url)
            listening.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert listening.wait(30)
    yield ready[0]
    loop.call_soon_threadsafe(ended.set)
    thread.join()
    loop.close()


@pytest.mark.parametrize("provider", sorted(PROGRAMS))
def test_every_tool_reviews(tmp_path: Path, provider: str) -> None:
    path = f"{install(tmp_path / 'bin', provider)}:{os.environ['PATH']}"
    result = review(provider, {"PATH": path, "HOME": str(tmp_path)})
    assert result.status == "completed", result.steps["review"].error
    assert result.outputs["report"].startswith(f"main.go, reviewed by {provider} (")
    assert "You said: " in result.outputs["report"]
    assert "package main" in result.outputs["report"]
    assert result.usage is not None
    assert result.of("agent.message")


def test_a_service_reviews(service: str) -> None:
    environ = {"OPENAI_BASE_URL": service, "OPENAI_MODEL": "m", "OPENAI_API_KEY": "sk-123456789"}
    result = review("openai_compatible", environ)
    assert result.status == "completed", result.steps["review"].error
    assert "You said: fine." in result.outputs["report"]


@pytest.mark.parametrize("provider", sorted(PROGRAMS))
def test_without_its_tool_it_says_how_to_get_it(tmp_path: Path, provider: str) -> None:
    shell = tmp_path / "bin"
    shell.mkdir()
    for program in ("sh", "cat"):
        (shell / program).symlink_to(str(shutil.which(program)))
    result = review(provider, {"PATH": str(shell)})
    assert (result.status, result.error) == ("failed", f"no review by {provider}: the step 'review' says why")
    step = result.steps["review"]
    assert (step.exit_code, step.attempt) == (127, 1)
    assert step.error == (
        f"{provider}: the command-line tool '{PROGRAMS[provider]}' is not installed, or not in PATH; "
        f"to get it: {build_providers()[provider].install}"
    )
