"""``python -m bench [ROW …] [--quick] [--json FILE]``: measure, print the table, keep the numbers.

A target that is missed says MISS; the exit status is 1 only where something could not be measured.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench.context import Context
from bench.figures import Figure
from bench.floor import build_floor
from bench.machine import headline, machine_facts
from bench.rows import ROWS
from bench.server import clean_environment
from bench.table import render

RESULTS = Path(__file__).with_name("results")


def main() -> int:
    """The exit status."""
    options = _options()
    _allow_many_files()
    with _workspace(quick=options.quick) as context:
        facts = machine_facts(context.work)
        rows, failed = _measure(context, options.rows or list(ROWS))
    facts["load_average_after"] = list(os.getloadavg())
    sys.stdout.write(f"{headline(facts)}\n\n{render(rows)}\n")
    missed = [figure.what for figures in rows.values() for figure in figures if figure.verdict == "MISS"]
    sys.stdout.write(
        f"\n{len(missed)} of the targets are missed" + "".join(f"\n  {what}" for what in missed) + "\n"
    )
    for name, why in failed.items():
        sys.stdout.write(f"could not be measured: {name}: {why}\n")
    record = {
        "machine": facts,
        "quick": options.quick,
        "figures": [figure.as_json(name) for name, figures in rows.items() for figure in figures],
        "failed": failed,
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(record, indent=2) + "\n")
    sys.stdout.write(f"written to {options.json}\n")
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    listing = "\n".join(f"  {name:10}{(row.__doc__ or name).splitlines()[0]}" for name, row in ROWS.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure the real server beside its floors.",
        epilog=f"rows:\n{listing}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help="only these (default: all)")
    parser.add_argument("--quick", action="store_true", help="fewer samples")
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        default=RESULTS / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json",
        help="where to write the numbers (default: bench/results/TIME.json)",
    )
    options = parser.parse_args()
    unknown = [name for name in options.rows if name not in ROWS]
    if unknown:
        parser.error(f"no such row: {', '.join(unknown)} (there are {', '.join(ROWS)})")
    return options


@contextmanager
def _workspace(*, quick: bool) -> Iterator[Context]:
    """A directory on the disk of the checkout, so that a durable append costs what it costs there."""
    RESULTS.mkdir(exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="work-", dir=RESULTS))
    runtime = Path(tempfile.mkdtemp(prefix="awf-bench-"))
    try:
        home = work / "home"
        home.mkdir()
        environ = clean_environment(home, runtime)
        yield Context(work=work, quick=quick, floor=build_floor(work, environ), environ=environ)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(runtime, ignore_errors=True)


def _measure(context: Context, names: Sequence[str]) -> tuple[dict[str, list[Figure]], dict[str, str]]:
    """Figures by row, and why rows could not be measured."""
    rows: dict[str, list[Figure]] = {}
    failed: dict[str, str] = {}
    for name in names:
        began = time.monotonic()
        rows[name] = []
        try:
            rows[name].extend(ROWS[name].measure(context))
        except Exception as error:
            traceback.print_exc()
            failed[name] = f"{type(error).__name__}: {error}"
        sys.stderr.write(f"{name}: {time.monotonic() - began:.1f} s\n")
    return rows, failed


def _allow_many_files() -> None:
    """A thousand viewers are a thousand open files, here and in the server."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    sys.exit(main())
