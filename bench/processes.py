"""What the kernel knows of a process: memory, processor time, children."""

from __future__ import annotations

from pathlib import Path


def children(pid: int) -> list[int]:
    """Its child processes."""
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


def command_name(pid: int) -> str:
    """What it calls itself."""
    return Path(f"/proc/{pid}/comm").read_text().strip()


def proportional_memory(pid: int) -> int:
    """Bytes it holds, shared pages divided among their users (PSS)."""
    return _field(Path(f"/proc/{pid}/smaps_rollup"), "Pss:")


def peak_memory(pid: int) -> int:
    """The most bytes it ever held (resident, shared pages included)."""
    return _field(Path(f"/proc/{pid}/status"), "VmHWM:")


def processor_time(pid: int) -> int:
    """Nanoseconds that its threads have run."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


def _field(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise LookupError(f"{path} has no {name}")
