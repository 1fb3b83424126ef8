"""A project directory, and the real ``awf serve`` over it as a process."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from acceptance.facts import processes, until
from acceptance.sse import Event, parse

CHECKOUT = Path(__file__).parents[2]
LISTENING = re.compile(r"awf serve: listening on (http://\S+:(\d+))")


class Project:
    """A directory with workflows. ``close`` ends every process that was started in it. ``program`` is what Python runs
    as the server."""

    def __init__(self, root: Path, program: tuple[str, ...] = ("-m", "awf", "serve")) -> None:
        self.root = root
        self.program = program
        self.storage = root / ".awf" / "storage"
        self._runtime = Path(tempfile.mkdtemp(prefix="awf-"))
        self._servers: list[Server] = []
        (root / ".awf" / "workflows").mkdir(parents=True)
        for name in ("home", "tmp"):
            (root / name).mkdir()

    def workflow(self, name: str, text: str) -> Path:
        """Write a workflow file."""
        path = self.root / ".awf" / "workflows" / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def steps(self, name: str, *commands: str) -> Path:
        """Write a workflow of steps ``s1``, ``s2`` …, each a shell command, one after the other."""
        states: dict[str, Any] = {"initial": "s1"}
        for number, command in enumerate(commands, start=1):
            target = f"s{number + 1}" if number < len(commands) else "done"
            states[f"s{number}"] = {"type": "step", "command": command, "on_success": target}
        states["done"] = {"type": "terminal"}
        return self.workflow(name, json.dumps({"name": name, "version": "1.0.0", "states": states}))

    def take_examples(self) -> None:
        """What the repository ships for a first look."""
        shutil.copytree(CHECKOUT / ".awf" / "workflows", self.root / ".awf" / "workflows", dirs_exist_ok=True)
        (self.root / "src").mkdir()
        for name in ("main.go", "src/main.go"):
            shutil.copy(CHECKOUT / name, self.root / name)

    def environ(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment of every process of the project: nothing of the caller's but where programs are."""
        programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {
            "PATH": programs,
            "HOME": str(self.root / "home"),
            "TMPDIR": str(self.root / "tmp"),
            "LANG": "C.UTF-8",
            "XDG_RUNTIME_DIR": str(self._runtime),
            "AWF_TEST_PROJECT": str(self.root),
            **(extra or {}),
        }

    def awf(
        self, *arguments: str, env: Mapping[str, str] | None = None, prefix: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of ``awf`` to its end. ``prefix`` goes before it."""
        return subprocess.run(
            [*prefix, sys.executable, "-P", "-m", "awf", *arguments],
            cwd=self.root,
            env=self.environ(env),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command of ``awf`` in a session of its own, as in a terminal of its own."""
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "awf", *arguments],
            cwd=self.root,
            env=self.environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def serve_all(self, count: int) -> list[Server]:
        """Start so many servers at the same moment."""
        started = [
            Server(self, (), self.environ(), (), len(self._servers) + number) for number in range(count)
        ]
        self._servers += started
        for server in started:
            server.wait_listening()
        return started

    def serve(
        self, *options: str, env: Mapping[str, str] | None = None, prefix: tuple[str, ...] = ()
    ) -> Server:
        """Start a server on a free port and wait until it listens. ``prefix`` goes before the command."""
        server = Server(self, options, self.environ(env), prefix, number=len(self._servers))
        self._servers.append(server)
        server.wait_listening()
        return server

    def engines(self) -> list[int]:
        """Process ids of the engines that live."""
        carriers = set(self.processes())
        found = []
        for lock in (self.storage / "engines").glob("*.lock"):
            with suppress(OSError, ValueError):
                found.append(json.loads(lock.read_text())["pid"])
        return [pid for pid in found if pid in carriers]

    def engine(self) -> int:
        """The process id of the one engine, once there is one."""
        (pid,) = until(self.engines, "an engine lives")
        return pid

    def processes(self) -> list[int]:
        """Everything that lives and was started in this project: it has our mark, or works in our directory."""
        mark = f"AWF_TEST_PROJECT={self.root}".encode()
        found = []
        for place in processes():
            with suppress(OSError):
                inside = Path(os.readlink(place / "cwd")).is_relative_to(self.root)
                if inside or mark in (place / "environ").read_bytes().split(b"\0"):
                    found.append(int(place.name))
        return found

    def step_processes(self) -> list[int]:
        """What lives of the steps: everything but servers and engines."""
        own = {server.process.pid for server in self._servers} | set(self.engines())
        return [pid for pid in self.processes() if pid not in own]

    def sleepers(self) -> list[int]:
        """Processes of the project that run ``sleep``."""
        found = []
        for pid in self.processes():
            with suppress(OSError):
                if Path(f"/proc/{pid}/comm").read_text() == "sleep\n":
                    found.append(pid)
        return found

    def close(self) -> None:
        """End everything, at once. Prints what servers and engines wrote, for the report of a failed test."""
        for server in self._servers:
            server.close()

        def none_left() -> bool:
            left = self.processes()
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not left

        until(none_left, "every process of the project has ended")
        for log in (*self.root.glob("serve-*.log"), self.storage / "engine.log"):
            if log.is_file():
                print(f"--- {log.name}\n{log.read_text(errors='replace')}")
        shutil.rmtree(self._runtime, ignore_errors=True)


class Server:
    """One ``awf serve``. Requests go through ``get``, ``post``, ``delete``, or ``client``."""

    def __init__(
        self,
        project: Project,
        options: tuple[str, ...],
        environ: dict[str, str],
        prefix: tuple[str, ...],
        number: int,
    ) -> None:
        self.project = project
        self._log = project.root / f"serve-{number}.log"
        port = () if "--port" in options else ("--port", "0")
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, "-P", *project.program, *port, *options],
                cwd=project.root,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.url = ""
        self.client = httpx.Client()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def said(self) -> str:
        """Everything it has written so far."""
        return self._log.read_text()

    def wait_listening(self) -> None:
        """Until it says where it listens. Fails where it ends before that."""

        def listening() -> re.Match[str] | None:
            found = LISTENING.search(self.said())
            assert found or self.process.poll() is None, f"awf serve ended: {self.said()}"
            return found

        self.url, self.port = until(listening, "awf serve listens").groups()
        self.client = httpx.Client(
            base_url=self.url, timeout=60, trust_env=False, limits=httpx.Limits(max_connections=None)
        )

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server, and to nothing else."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """As ``kill -9`` does; what it started goes on."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Kill it; twice is safe."""
        self.client.close()
        if self.process.poll() is None:
            self.kill()

    # HTTP

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.client.get(path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        return self.client.post(path, **({} if body is None else {"json": body}), **more)

    def delete(self, path: str, **more: Any) -> httpx.Response:
        return self.client.delete(path, **more)

    def body(self, path: str) -> Any:
        """The ``body`` of a successful GET."""
        response = self.get(path)
        assert response.status_code == 200, response.text
        return response.json()["body"]

    def run(self, name: str, **inputs: Any) -> str:
        """Start a workflow; the id of its execution."""
        response = self.post(f"/api/workflows/{name}/run", {"inputs": inputs})
        assert response.status_code == 202, response.text
        return response.json()["body"]["execution_id"]

    def execution(self, execution: str) -> dict[str, Any]:
        """``GET /api/executions/{id}``."""
        return self.body(f"/api/executions/{execution}")

    def cancel(self, execution: str) -> None:
        """Ask for an execution to end."""
        response = self.delete(f"/api/executions/{execution}")
        assert (response.status_code, response.content) == (204, b"")

    @contextmanager
    def stream(
        self, execution: str, last_event_id: int | None = None, query: str = ""
    ) -> Iterator[Iterator[Event]]:
        """An event stream, open as long as the block runs."""
        headers = {} if last_event_id is None else {"Last-Event-ID": str(last_event_id)}
        with self.client.stream(
            "GET", f"/api/executions/{execution}/events{query}", headers=headers
        ) as response:
            assert response.status_code == 200, response.status_code
            assert response.headers["content-type"].split(";")[0] == "text/event-stream"
            yield parse(response.iter_lines())

    def events(self, execution: str, last_event_id: int | None = None, query: str = "") -> list[Event]:
        """A whole event stream, from wherever it starts to its end."""
        with self.stream(execution, last_event_id, query) as events:
            return list(events)

    def events_so_far(self, execution: str) -> list[Event]:
        """The events that an execution which still runs has had by now."""
        head = self.execution(execution)["steps"]
        ended = {step["name"] for step in head if step["status"] != "running"}
        seen: list[Event] = []
        with self.stream(execution) as events:
            for event in events:
                seen.append(event)
                ended.discard(event.step if event.name in {"step.completed", "step.failed"} else None)
                if not ended:
                    return seen
        return seen

    def wait(self, execution: str, status: str = "completed") -> dict[str, Any]:
        """Follow the stream to its end; the execution then, which must have that status."""
        events = self.events(execution)
        found = self.execution(execution)
        assert found["status"] == status, (found, events)
        return found

    def wait_event(self, execution: str, name: str, step: str | None = None, query: str = "") -> Event:
        """Follow the stream up to the first event of that name (of that step)."""
        with self.stream(execution, query=query) as events:
            seen = []
            for event in events:
                seen.append(event)
                if event.name == name and step in {None, event.step}:
                    return event
        raise AssertionError(f"the stream ended without {name} of {step}: {seen}")

    def history(self, query: str = "") -> list[dict[str, Any]]:
        """``GET /api/history``."""
        return self.body(f"/api/history{query}")["entries"]


def wait_exit(process: subprocess.Popen[Any], limit: float = 30.0) -> int:
    """The exit status of a process that is about to end."""
    return process.wait(timeout=limit)
