"""``awf mcp-serve`` as a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agents.standins.mcp import McpServer

AWF = [sys.executable, "-P", "-m", "awf", "mcp-serve", "--config"]


def configured(directory: Path, *operations: str, environ: dict[str, str] | None = None, **more: Any) -> Path:
    file = directory / "config.json"
    values = {
        "root": str(directory),
        "operations": operations,
        "execution": "e",
        "workflow": "w",
        "state": "s",
        "attempt_id": "a",
        "working_dir": str(directory),
        "environ": environ or {},
    }
    file.write_text(json.dumps(values | more))
    return file


@pytest.fixture
def server(tmp_path: Path) -> Any:
    started = []

    def start(*operations: str, **more: Any) -> McpServer:
        program, *args = [*AWF, str(configured(tmp_path, *operations, **more))]
        started.append(McpServer({"command": program, "args": args}))
        return started[-1]

    yield start
    for each in started:
        each.close()


def test_only_what_is_named_is_there_with_what_it_takes(server: Any) -> None:
    tools = server("http.request", "github.get_pr").tools
    assert list(tools) == ["http.request", "github.get_pr"]
    schema = tools["http.request"]["inputSchema"]
    assert {"url", "method"} <= set(schema["required"])
    assert schema["properties"]["method"]["enum"][0] == "GET"
    assert schema["properties"]["timeout"]["type"] == "number"
    assert schema["additionalProperties"] is False
    assert tools["http.request"]["description"]


def test_the_settings_of_the_engine_hold(server: Any) -> None:
    given = {"url": "http://127.0.0.1:9/", "method": "GET"}
    only = server("http.request", settings={"http_allow_hosts": ["example.com"]})
    said, failed = only.call("http.request", given)
    assert failed
    assert "127.0.0.1" in said
    assert "allow" in said


def test_the_environment_is_the_engines(server: Any) -> None:
    said, failed = server("notify.send", environ={"AWF_TEST_MODE": "1"}).call(
        "notify.send", {"message": "x", "backend": "desktop"}
    )
    assert (json.loads(said)["status"], failed) == ("sent", False)


def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """Also where somebody else holds its standard input open."""
    program = [*AWF, str(configured(tmp_path, "http.request"))]
    keeper, ours = os.pipe()
    script = "import subprocess, sys; print(subprocess.Popen(sys.argv[1:]).pid, flush=True); sys.stdin.read()"
    # The parent's standard input is another pipe: it ends when we say so, the server's does not.
    parent = subprocess.Popen(
        [sys.executable, "-c", script.replace("sys.argv[1:]", f"sys.argv[1:], stdin={keeper}"), *program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=(keeper,),
    )
    os.close(keeper)
    assert parent.stdin is not None
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    pidfd = os.pidfd_open(pid)
    with open(ours, "wb", buffering=0) as stdin, parent:
        stdin.write(b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
        assert b'"id":1' in parent.stdout.readline()
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        assert _ended(pidfd)


def _ended(pidfd: int) -> bool:
    import select

    try:
        return bool(select.select([pidfd], [], [], 20)[0])
    finally:
        os.close(pidfd)


def test_a_sigterm_ends_it(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*AWF, str(configured(tmp_path))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
        process.stdin.flush()
        process.stdout.readline()
        process.terminate()
        assert process.wait(20) == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot read"),
        ("{", "is not a file that an engine has written"),
        ('{"s3cret": 1}', "is not a file that an engine has written"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, text: str | None, says: str) -> None:
    file = tmp_path / "config.json"
    if text is not None:
        file.write_text(text)
    done = subprocess.run(
        [*AWF, str(file)], stdin=subprocess.PIPE, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert says in done.stderr
    assert "s3cret" not in done.stderr


def test_without_pipes_it_says_what_it_is_for(tmp_path: Path) -> None:
    done = subprocess.run(
        [*AWF, str(configured(tmp_path))],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "speaks with the tool of an agent" in done.stderr
