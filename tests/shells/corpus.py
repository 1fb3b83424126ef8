"""Commands as people write them. With harmless values, each does what it does with the values pasted.

The files of the directory ``corpus`` hold the commands. A line that begins with ``%%`` starts one, and names the shells
in which it means something; all of them where it names none. ``«name»`` stands for a value.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from awf.domain.shell import shell_script
from shells.running import EVERY_SHELL, MARK, parts_of, run_shell, whole

VALUES = {
    "name": "demo",
    "n": "5",
    "zero": "0",
    "file": "notes.txt",
    "dir": "sub",
    "version": "1.2.3",
    "branch": "feature/login-42",
    "sha": "0a1b2c3",
    "title": "Fix the login page",
    "author": "Ada Example",
    "email": "ada@example.org",
    "registry": "registry.example.org:5000",
    "url": "https://example.org/a?b=c",
    "flags": "-n -e one",
    "list": "red green blue",
    "csv": "a,b,c",
    "json": '{"id": 7, "tags": ["a", "b c"]}',
    "pattern": "*.txt",
    "empty": "",
    "yes": "true",
    "word": "über",
    "path": "sub/deep.log",
    "output": "first line\nsecond line\n",
    "count": "3\n",
}

TOOLS = (
    "aws", "cargo", "claude", "curl", "docker", "docker-compose", "gh", "git", "go", "helm", "jq", "kubectl", "make", "npm",
    "openssl", "pip", "psql", "pytest", "rsync", "sqlite3", "terraform",
)  # fmt: skip
TOOL = """#!/bin/sh
printf '<%s>' "${0##*/}" "$@"
echo
case "${0##*/} $*" in jq* | *-) cat;; esac
"""
"""Stands for a tool that is not on every machine: tells its arguments, and what is piped to it."""

DRIVER = """
PATH="$PWD/bin:$PATH"
for code; do
    ( set --; eval "$code" ) 2>err
    printf '\\036%s\\036' "$?"
    sed 's/.*: //' err
    printf '\\035'
done
"""
PROCESSES = 4


class Command(NamedTuple):
    source: str
    shells: tuple[str, ...]


class Difference(NamedTuple):
    """What a command did, in a shell, with its values as data and with its values pasted."""

    shell: str
    source: str
    script: str
    data: bytes
    pasted: bytes


def corpus() -> list[Command]:
    found = [Command(source, EVERY_SHELL) for source in ("", "\n\necho «name»\n\n")]
    for file in sorted(Path(__file__).with_name("corpus").glob("*.txt")):
        for entry in file.read_text().removeprefix("%%").removesuffix("\n").split("\n%%"):
            shells, _, source = entry.partition("\n")
            found.append(Command(source, tuple(shells.split()) or EVERY_SHELL))
    return found


def pasted(source: str) -> str:
    return MARK.sub(lambda found: VALUES[found[1]], source)


def differences(shell: str, directory: Path) -> list[Difference]:
    """Run every command that means something in a shell both ways."""
    sources = [command.source for command in corpus() if shell in command.shells]
    scripts = [shell_script(parts_of(source, VALUES)) for source in sources]
    found = outcomes(shell, [whole(script, shell) for script in scripts], directory)
    expected = outcomes(shell, [pasted(source) for source in sources], directory)
    return [
        Difference(shell, source, script.script, data, text)
        for source, script, data, text in zip(sources, scripts, found, expected, strict=True)
        if data != text
    ]


def outcomes(shell: str, codes: Sequence[str], directory: Path) -> list[bytes]:
    """What each of the codes writes, its exit status and its complaints. A few of them share a process."""
    return [outcome for batch in _batches(codes) for outcome in _outcomes(shell, batch, directory)]


def _batches(codes: Sequence[str]) -> Iterator[Sequence[str]]:
    size = -(-len(codes) // PROCESSES)
    return (codes[start : start + size] for start in range(0, len(codes), size))


def _outcomes(shell: str, codes: Sequence[str], directory: Path) -> list[bytes]:
    work = directory / "work"
    _furnish(work)
    result = run_shell(shell, DRIVER, work, *codes)
    shutil.rmtree(work)
    assert result.stderr == b""
    found = result.stdout.split(b"\x1d")[:-1]
    assert len(found) == len(codes), found[-1:]
    return found


def _furnish(directory: Path) -> None:
    """The files that the commands speak of."""
    for name in ("sub", "bin"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    (directory / "notes.txt").write_text("one\ntwo\ndemo\nfour\nfive.5\nsix\n")
    (directory / "other.txt").write_text("other\n")
    (directory / "sub/deep.log").write_text("deep water\n")
    (directory / "sub/lib.sh").write_text('hello() { echo "hello $1, $2"; }\n')
    _write_tool(directory / "sub/tool.sh", '#!/bin/sh\necho "tool: $1"\n')
    for name in TOOLS:
        _write_tool(directory / "bin" / name, TOOL)


def _write_tool(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(0o700)
