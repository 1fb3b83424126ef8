"""Hours of mixed load, and whether anything grows that should not.

Every ten seconds: memory, file descriptors and threads of server and engine, and the disk. At the end the medians of
the quarters of the time after a warm-up are compared: what is still higher in the last than in the second by more than
the measure's allowance grows without bound.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from acceptance.server import Project, Server
from faults import workflows

INTERVAL = 10.0
"""Seconds between samples."""

WARM_UP = 0.1
"""The share of the time whose samples do not count."""

MOST_AT_ONCE = 48
"""Jobs in flight above which a tick starts none."""

MB = 1024 * 1024


@dataclass(frozen=True)
class Allowance:
    """How much more the median of the last quarter may be than that of the second."""

    share: float
    amount: float

    def exceeded(self, before: float, after: float) -> bool:
        return after > before * (1 + self.share) + self.amount


# PSS is shown and not judged: it changes when other processes of the machine map the same libraries.
ALLOWANCES = {
    "server_rss": Allowance(0.05, 6 * MB),
    "server_anon": Allowance(0.05, 6 * MB),
    "engine_rss": Allowance(0.05, 6 * MB),
    "engine_anon": Allowance(0.05, 6 * MB),
    "server_files": Allowance(0.2, 12),
    "engine_files": Allowance(0.2, 12),
    "server_threads": Allowance(0.0, 3),
    "engine_threads": Allowance(0.0, 3),
    "wal": Allowance(0.2, 16 * MB),
    "disk": Allowance(0.1, 4 * MB),
}

KEPT = 0.2
"""The share of all executions that retention keeps, so that it is at work from early on: the disk is bounded too."""

STATES: dict[str, dict[str, Any]] = {
    "short": {
        "initial": "one",
        "one": workflows.step("echo one", "two"),
        "two": workflows.step("echo two"),
        "done": {"type": "terminal"},
    },
    "loops": {
        "initial": "each",
        "each": {"type": "for_each", "items": list("abcdefgh"), "body": ["mark"], "on_complete": "again"},
        "mark": workflows.step("echo {{loop.Item}}", "each"),
        "again": {
            "type": "while",
            "while": "states.count.Output != '4'",
            "body": ["count"],
            "on_complete": "done",
        },
        "count": workflows.step("echo {{loop.Index1}}", "again"),
        "done": {"type": "terminal"},
    },
    "parallel": {
        "initial": "both",
        "both": {"type": "parallel", "parallel": ["a", "b", "c", "d"], "on_success": "done"},
        **{name: workflows.step(f"echo {name}") for name in "abcd"},
        "done": {"type": "terminal"},
    },
    "waits": {
        "initial": "flaky",
        "flaky": workflows.step(
            'f="$AWF_EXECUTION_ID.tried"; test -e "$f" && rm "$f" || { touch "$f"; exit 1; }',
            retry={"max_attempts": 2, "initial_delay": "2s", "backoff": "constant"},
        ),
        "done": {"type": "terminal"},
    },
    "failing": {
        "initial": "one",
        "one": workflows.step("echo one", "two"),
        "two": workflows.step("exit 3"),
        "done": {"type": "terminal"},
    },
    "resumed": {
        "initial": "one",
        "one": workflows.step("echo one", "two"),
        "two": workflows.step('test "$AWF_INPUT_MENDED" = yes'),
        "done": {"type": "terminal"},
    },
    "cancelled": {
        "initial": "sleep",
        "sleep": workflows.step("echo begun; exec sleep 600"),
        "done": {"type": "terminal"},
    },
    "called": {
        "initial": "call",
        "call": {
            "type": "call_workflow",
            "workflow": "child",
            "inputs": {"n": 7},
            "outputs": {"said": "said"},
            "on_success": "tell",
        },
        "tell": workflows.step("echo {{states.call.Response.said}}"),
        "done": {"type": "terminal"},
    },
    "detached": {
        "initial": "apart",
        "apart": workflows.step("echo apart; sleep 0.2; seq 1 200", detach=True),
        "done": {"type": "terminal"},
    },
    "loud": {
        "initial": "print",
        "print": workflows.step("head -c 200000 /dev/zero | tr '\\0' x; echo; seq 1 2000 >&2"),
        "done": {"type": "terminal"},
    },
}
ENDS = {"failing": "failed", "cancelled": "cancelled"}
MIX = (
    ["short"] * 5
    + ["loops"] * 2
    + ["parallel"] * 3
    + ["waits", "failing", "resumed", "cancelled", "called", "detached", "loud"]
)
READS = (
    "/api/executions?limit=100",
    "/api/executions?status=running",
    "/api/history?limit=50",
    "/api/history?status=failed&workflow=failing",
    "/api/history/stats",
    "/api/workflows",
)


class Load:
    """Executions of every kind, viewers that come, leave and come back, and readers of lists."""

    def __init__(self, server: Server, seed: int) -> None:
        self._server = server
        self._chance = Random(seed)
        self._pool = ThreadPoolExecutor(MOST_AT_ONCE)
        self._flying: set[Future[None]] = set()
        self.ended: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.skipped = 0

    def tick(self) -> None:
        """One more execution, unless too many are on their way."""
        for future in [future for future in self._flying if future.done()]:
            self._flying.remove(future)
            if error := future.exception():
                self.wrong.append(repr(error))
        if len(self._flying) >= MOST_AT_ONCE:
            self.skipped += 1
            return
        kind, leaves, read = self._chance.choice(MIX), self._chance.random() < 0.3, self._chance.choice(READS)
        self._flying.add(self._pool.submit(self._job, kind, leaves, read))

    def finish(self) -> None:
        """Until every execution has ended."""
        self._pool.shutdown()
        for future in self._flying:
            if error := future.exception():
                self.wrong.append(repr(error))

    def _job(self, kind: str, leaves: bool, read: str) -> None:
        server = self._server
        execution = server.run(kind)
        self._follow(execution, kind, leaves, cancel=kind == "cancelled")
        if kind == "resumed":
            assert server.execution(execution)["status"] == "failed"
            answer = server.post(
                f"/api/executions/{execution}/resume", {"input_overrides": {"mended": "yes"}}
            )
            assert answer.status_code == 200, answer.text
            execution = answer.json()["body"]["execution_id"]
            self._follow(execution, kind, leaves)
        status = server.execution(execution)["status"]
        assert status == ENDS.get(kind, "completed"), f"{kind} {execution} ended as {status}"
        server.body(read)
        server.body(f"/api/executions/{execution}/steps")
        self.ended[kind] += 1

    def _follow(self, execution: str, kind: str, leaves: bool, *, cancel: bool = False) -> None:
        """See every event once and in order, in one go or in two."""
        seen: list[int] = []
        for stays in (False, True) if leaves else (True,):
            last = seen[-1] if seen else None
            with self._server.stream(execution, last, "?events=all") as events:
                for event in events:
                    seen.append(event.id)
                    if cancel and event.name == "step.started":
                        self._server.cancel(execution)
                        cancel = False
                    if not stays and event.name == "step.started":
                        break
        assert seen == list(range(1, len(seen) + 1)), f"{kind} {execution}: {seen}"


def sample(project: Project, server: Server, executions: int, clock: float) -> dict[str, float]:
    """What is held now."""
    (engine,) = project.engines()
    found: dict[str, float] = {"at": round(clock, 1), "executions": executions}
    for name, pid in (("server", server.process.pid), ("engine", engine)):
        place = Path(f"/proc/{pid}")
        fields = dict(
            line.split(":", 1) for line in (place / "status").read_text().splitlines() if ":" in line
        )
        rollup = (place / "smaps_rollup").read_text().splitlines()
        ticks = (place / "stat").read_text().rpartition(")")[2].split()[11:13]
        found[f"{name}_pid"] = pid
        found[f"{name}_rss"] = int(fields["VmRSS"].split()[0]) * 1024
        for measure, start in (("pss", "Pss:"), ("anon", "Pss_Anon:")):
            found[f"{name}_{measure}"] = 1024 * next(
                int(line.split()[1]) for line in rollup if line.startswith(start)
            )
        found[f"{name}_threads"] = int(fields["Threads"])
        found[f"{name}_files"] = len(list((place / "fd").iterdir()))
        found[f"{name}_cpu"] = sum(map(int, ticks)) / 100
    sizes = {path.name: path.stat().st_size for path in project.storage.rglob("*") if path.is_file()}
    found["disk"] = sum(sizes.values())
    found["records"] = server.body("/api/history/stats")["TotalExecutions"]
    found["wal"] = sum(size for name, size in sizes.items() if name.endswith("-wal"))
    return found


def quarters(samples: list[dict[str, float]]) -> dict[str, list[float]]:
    """The medians of each measure over the four quarters after the warm-up."""
    counted = samples[round(len(samples) * WARM_UP) :]
    parts = [counted[len(counted) * n // 4 : len(counted) * (n + 1) // 4] for n in range(4)]
    return {
        name: [statistics.median(one[name] for one in part) for part in parts]
        for name in counted[0]
        if name in ALLOWANCES or name.endswith("_pss")
    }


def growing(table: dict[str, list[float]]) -> list[str]:
    """The measures that grow without bound."""
    return [name for name, allowed in ALLOWANCES.items() if allowed.exceeded(table[name][1], table[name][3])]


def soak(
    root: Path, seconds: float, rate: float, seed: int, note: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Load a server for so long, with ``rate`` executions a second. ``note`` gets the report so far, at each sample."""
    project = Project(root)
    report: dict[str, Any] = {"seconds": seconds, "rate": rate, "seed": seed, "samples": []}
    try:
        for name, states in STATES.items():
            inputs = [{"name": "mended", "default": "no"}] if name == "resumed" else []
            project.workflow(name, workflows.text(name, states, inputs=inputs))
        project.workflow("child", workflows.CHILD)
        kept = max(20, round(seconds * rate * KEPT))
        report["kept"] = kept
        server = project.serve(env={"AWF_RETENTION_RECORDS": str(kept)})
        project.engine()
        load, pause = Load(server, seed), threading.Event()
        began = time.monotonic()
        next_sample = began + INTERVAL
        for number in range(round(seconds * rate)):
            pause.wait(max(0.0, began + number / rate - time.monotonic()))
            load.tick()
            if time.monotonic() >= next_sample:
                next_sample += INTERVAL
                report["samples"].append(
                    sample(project, server, load.ended.total(), time.monotonic() - began)
                )
                note(report)
        load.finish()
        report |= {"ended": load.ended, "wrong": load.wrong[:20], "skipped": load.skipped}
        report["unfinished"] = len(
            server.body("/api/executions?status=running")["executions"]
            + server.body("/api/executions?status=pending")["executions"]
        )
        report["quarters"] = quarters(report["samples"])
        report["growing"] = growing(report["quarters"])
        report["engines"] = len({one["engine_pid"] for one in report["samples"]})
    finally:
        project.close()
    return report


def table(report: dict[str, Any]) -> str:
    """The report for people."""
    lines = [f"{'median of quarter':<22}" + "".join(f"{n:>12}" for n in range(1, 5))]
    for name, values in report["quarters"].items():
        big = name.endswith(("rss", "pss", "anon")) or name in {"wal", "disk"}
        shown = [f"{value / MB:.1f} MB" if big else f"{value:.0f}" for value in values]
        lines.append(
            f"{name:<22}" + "".join(f"{one:>12}" for one in shown) + "  GROWS" * (name in report["growing"])
        )
    first, last = report["samples"][0], report["samples"][-1]
    spent = last["at"] - first["at"]
    for name in ("server", "engine"):
        share = (last[f"{name}_cpu"] - first[f"{name}_cpu"]) / max(1.0, spent)
        lines.append(f"{name} used {share:.2f} of a core")
    lines.append(f"executions: {dict(report['ended'])}, left out {report['skipped']}")
    lines.append(f"records at the end: {last['records']}, to be kept: {report['kept']}")
    lines.append(
        f"unfinished: {report['unfinished']}, engines: {report['engines']}, wrong: {report['wrong']}"
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--rate", type=float, default=8, help="executions a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, default=Path("soak.json"), help="where the samples go")
    options = parser.parse_args()

    def note(report: dict[str, Any]) -> None:
        options.json.write_text(json.dumps(report, indent=1))

    with tempfile.TemporaryDirectory(prefix="awf-soak-") as directory:
        report = soak(Path(directory), options.seconds, options.rate, options.seed, note)
    note(report)
    print(table(report))
    if report["growing"] or report["wrong"] or report["unfinished"] or report["engines"] != 1:
        sys.exit("soak: failed")


if __name__ == "__main__":
    main()
