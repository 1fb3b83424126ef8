"""Random deaths under many executions: nothing is lost, nothing that completed runs again, nothing is stuck.

A seed decides what happens and when; the same seed gives the same schedule (what it meets depends on the machine).
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from acceptance.facts import until, wait_gone
from acceptance.ports import free_port
from acceptance.server import Project
from faults import workflows
from faults.judge import Verdict, effects, judge
from faults.surroundings import Surroundings
from faults.viewer import Viewer

BLOCKS = {"each", "again", "both", "call"}
"""The states of the workflow that have no process."""

PATIENCE = 60.0
"""Seconds after which executions that do not move are stuck."""

WEIGHTS = {
    "engine": 9,
    "server": 3,
    "both": 3,
    "step": 3,
    "stopped engine": 2,
    "stopped server": 1,
    "full disk": 1,
}
"""How often what happens, as shares."""


@dataclass
class Totals:
    """What happened. ``again``: attempts that repeated one that a death ended. ``longest``: the most seconds until a step
    ran again after something had happened."""

    deaths: Counter[str] = field(default_factory=Counter)
    executions: int = 0
    steps: int = 0
    again: int = 0
    returns: int = 0
    longest: float = 0.0

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.deaths.most_common())
        return (
            f"{self.deaths.total()} events ({kinds})\n{self.executions} executions completed, {self.steps} steps, "
            f"{self.again} attempts run again, viewers came back {self.returns} times\n"
            f"longest time to move again: {self.longest:.2f} s"
        )


class Storm:
    """A server, ``width`` executions at a time, and what happens to them."""

    def __init__(self, root: Path, seed: int, width: int = 6) -> None:
        self.totals = Totals()
        self._chance = random.Random(seed)
        self._project = Project(root, ("-m", "awf.testing.serve"))
        self._surroundings = Surroundings(root)
        self._project.workflow("sturdy", self._surroundings.placed(workflows.sturdy("sturdy")))
        self._project.workflow("child", workflows.CHILD)
        self._disk = disk(self._project.storage, root / "disk-is-full")
        self._environ = {
            **self._surroundings.environ(),
            "AWF_TESTING_FAULTS": f"full={root / 'disk-is-full'}",
            "AWF_SLOTS": str(2 * width),
            "AWF_GRACE": "1",
        }
        self._width = width
        self._wanted = 0
        self._over = threading.Event()
        self._trouble: list[BaseException] = []
        self._viewers: dict[str, Viewer] = {}
        self._server = self._project.serve("--port", free_port(), env=self._environ)

    def close(self) -> None:
        """End everything."""
        self._over.set()
        self._project.close()
        self._surroundings.close()
        self._disk.close()

    def rage(self, kills: int, executions: int) -> Totals:
        """So many events, under at least so many executions. Fails with what does not hold."""
        self._wanted = executions
        usual = self._judged(self._accepted())
        self._viewers.clear()
        self.totals = Totals()
        starter = threading.Thread(target=self._start_executions, daemon=True)
        starter.start()
        kinds = self._chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=kills)
        for kind in kinds:
            self._wait_for_progress(kind)
            self._happen(kind)
            self.totals.deaths[kind] += 1
            if self.totals.deaths.total() % 50 == 0:
                print(f"storm: {self.totals.deaths.total()} events", flush=True)
        self._wait_for_progress("the last event")
        self._over.set()
        starter.join()
        if self._trouble:
            raise self._trouble[0]
        self._judge_all(usual)
        return self.totals

    # Executions

    def _start_executions(self) -> None:
        try:
            while not (self._over.is_set() and len(self._viewers) >= self._wanted):
                if sum(viewer.is_alive() for viewer in self._viewers.values()) < self._width:
                    with suppress(httpx.TransportError):
                        self._accepted()
                else:
                    self._over.wait(0.05)
        except BaseException as error:
            self._trouble.append(error)

    def _accepted(self) -> str:
        """A new execution with somebody who watches it. Raises TransportError where the server dies over it."""
        response = self._server.post("/api/workflows/sturdy/run")
        if response.status_code == 503:
            self._over.wait(0.05)
            raise httpx.ConnectError(response.text)
        assert response.status_code == 202, response.text
        execution = response.json()["body"]["execution_id"]
        self._viewers[execution] = Viewer(self._server.url, execution, limit=10 * PATIENCE)
        return execution

    def _judge_all(self, usual: Verdict) -> None:
        for execution in self._listed():
            # A server that died while it accepted may have kept one that it could not confirm: nobody watches it yet.
            if execution not in self._viewers:
                self._viewers[execution] = Viewer(self._server.url, execution, limit=PATIENCE)
        for execution in list(self._viewers):
            found = self._judged(execution)
            assert found.result == usual.result, f"{execution}: {found.result} != {usual.result}"
        statuses = self._listed()
        assert set(statuses.values()) <= {"completed"}, statuses
        assert statuses.keys() >= self._viewers.keys()
        assert until(lambda: self._project.step_processes() == [], "no process of a step lives")

    def _listed(self) -> dict[str, str]:
        """The status of every execution that there is, by its id."""
        found: dict[str, str] = {}
        url = "/api/executions?limit=1000"
        while url:
            response = self._server.get(url)
            listed = response.json()["body"]["executions"]
            found.update((row["execution_id"], row["status"]) for row in listed)
            url = response.links.get("next", {}).get("url", "")
        return found

    def _judged(self, execution: str) -> Verdict:
        viewer = self._viewers[execution]
        until(lambda: not viewer.is_alive(), f"{execution} ends", PATIENCE)
        verdict = judge(self._server, execution, effects(self._project.root), viewer.seen())
        self.totals.executions += 1
        self.totals.steps += verdict.steps
        self.totals.again += verdict.again
        self.totals.returns += max(0, viewer.returns - 1)
        return verdict

    # Events

    def _wait_for_progress(self, after: str) -> None:
        """Until a step has run since: nothing is stuck, and no step meets every death."""
        began, before = time.monotonic(), self._size()
        until(lambda: self._trouble or self._size() > before, f"a step runs after {after}", PATIENCE)
        self.totals.longest = max(self.totals.longest, time.monotonic() - began)
        self._over.wait(self._chance.uniform(0, 0.3))

    def _size(self) -> int:
        path = self._project.root / "effects"
        return path.stat().st_size if path.exists() else 0

    def _happen(self, kind: str) -> None:
        match kind:
            case "engine":
                self._spare_the_unlucky()
                self._kill_engines()
            case "server":
                self._kill_server()
            case "both":
                self._spare_the_unlucky()
                self._kill_server(self._kill_engines)
            case "step":
                victims = self._project.step_processes()
                if victims:
                    _send(self._chance.choice(victims), signal.SIGKILL)
            case "stopped engine":
                self._stopped(self._project.engines())
            case "stopped server":
                self._stopped([self._server.process.pid])
            case _:
                with self._disk.full():
                    self._over.wait(self._chance.uniform(0.1, 0.8))

    def _spare_the_unlucky(self) -> None:
        """Until no step runs that has lost two engines already. One that three die with fails, as is promised."""

        def lucky() -> bool:
            alive = [execution for execution, viewer in list(self._viewers.items()) if viewer.is_alive()]
            steps = [step for execution in alive for step in self._server.execution(execution)["steps"]]
            return all(
                step["attempt"] < 3 or step["status"] != "running" or step["name"] in BLOCKS for step in steps
            )

        until(lucky, "the steps that two engines died with have ended", PATIENCE)

    def _kill_engines(self) -> None:
        for engine in self._project.engines():
            _send(engine, signal.SIGKILL)
            wait_gone(engine)

    def _kill_server(self, and_then: Callable[[], None] = lambda: None) -> None:
        port = self._server.port
        self._server.kill()
        and_then()
        self._server = self._project.serve("--port", port, env=self._environ)

    def _stopped(self, pids: list[int]) -> None:
        for pid in pids:
            _send(pid, signal.SIGSTOP)
        self._over.wait(self._chance.uniform(0.1, 0.8))
        for pid in pids:
            _send(pid, signal.SIGCONT)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


class _Injected:
    """A full disk for who may not mount one: the store of ``awf.testing`` fails while a file exists."""

    def __init__(self, switch: Path) -> None:
        self._switch = switch

    @contextmanager
    def full(self) -> Iterator[None]:
        self._switch.touch()
        try:
            yield
        finally:
            self._switch.unlink()

    def close(self) -> None:
        """Nothing is held."""


class _Small:
    """A file system of 256 MB on the storage directory, which can be filled to the last byte."""

    def __init__(self, storage: Path) -> None:
        self._storage = storage

    @contextmanager
    def full(self) -> Iterator[None]:
        ballast = self._storage / "ballast"
        with ballast.open("wb", buffering=0) as file:
            size = 1 << 20
            while size:
                try:
                    file.write(b"\0" * size)
                except OSError:
                    size //= 2
        try:
            yield
        finally:
            ballast.unlink()

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", self._storage], check=True)


def disk(storage: Path, switch: Path) -> _Injected | _Small:
    """A disk that can be full: a real one where we may mount it."""
    storage.mkdir(mode=0o700, parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=256m,mode=700", "tmpfs", str(storage)]
    if os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0:
        return _Small(storage)
    return _Injected(switch)


def main() -> None:
    parser = argparse.ArgumentParser(prog="storm", description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--executions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    options = parser.parse_args()
    print(f"storm: {options.kills} events, seed {options.seed} (repeat with SEED={options.seed})", flush=True)
    with tempfile.TemporaryDirectory(prefix="awf-storm-", ignore_cleanup_errors=True) as directory:
        storm = Storm(Path(directory), options.seed)
        try:
            print(storm.rage(options.kills, options.executions))
        except BaseException:
            print(f"storm: failed after {storm.totals.deaths}, seed {options.seed}", file=sys.stderr)
            raise
        finally:
            storm.close()


if __name__ == "__main__":
    main()
