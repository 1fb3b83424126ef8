"""A stand-in for GitHub's command-line tool, strict about its arguments: what the real one would refuse, it refuses.

It writes every call as a line of JSON to the file that ``GH_CALLS`` names, and takes what is in the repository from the
JSON file that ``GH_WORLD`` names.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import textwrap
from pathlib import Path

_FIELDS = {
    "issue": {"number", "title", "body", "state", "labels", "comments"},
    "pr": {"number", "title", "body", "state", "labels", "headRefName", "baseRefName", "mergeable", "mergedAt", "url"},
}  # fmt: skip
_VALUED = {
    ("issue", "view"): {"--json", "--repo"},
    ("pr", "view"): {"--json", "--repo"},
    ("pr", "create"): {"--title", "--body", "--body-file", "--head", "--base", "--repo"},
    ("issue", "create"): {"--title", "--body", "--body-file", "--label", "--assignee", "--repo"},
    ("issue", "edit"): {"--add-label", "--repo"},
    ("issue", "comment"): {"--body", "--body-file", "--repo"},
}
_FLAGS = {("pr", "create"): {"--draft"}}


def install(directory: Path) -> Path:
    """Put it into a directory for the PATH, as ``gh``."""
    directory.mkdir(exist_ok=True)
    program = directory / "gh"
    program.write_text(
        f"#!{sys.executable} -IS\n"
        + textwrap.dedent(f"""
        import runpy, sys
        runpy.run_path({__file__!r}, run_name="__main__")
        """)
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return directory


def _refuse(message: str) -> None:
    sys.stderr.write(message + "\n")
    sys.exit(1)


def _parsed(argv: list[str]) -> tuple[tuple[str, str], list[str], dict[str, list[str]]]:
    command = (argv[0], argv[1])
    if command not in _VALUED:
        _refuse(f'unknown command {" ".join(command)!r} for "gh"')
    places: list[str] = []
    options: dict[str, list[str]] = {}
    rest = argv[2:]
    while rest:
        word = rest.pop(0)
        if word in _VALUED[command]:
            if not rest:
                _refuse(f"flag needs an argument: {word}")
            options.setdefault(word, []).append(rest.pop(0))
        elif word in _FLAGS.get(command, ()):
            options[word] = []
        elif word.startswith("-"):
            _refuse(f"unknown flag: {word}")
        else:
            places.append(word)
    return command, places, options


def main() -> None:
    """Do as ``gh`` does."""
    command, places, options = _parsed(sys.argv[1:])
    stdin = sys.stdin.read() if options.get("--body-file") == ["-"] else None
    with open(os.environ["GH_CALLS"], "a", encoding="utf-8") as calls:
        calls.write(
            json.dumps({"argv": sys.argv[1:], "stdin": stdin, "prompt": os.environ.get("GH_PROMPT_DISABLED")})
            + "\n"
        )
    world = json.loads(Path(os.environ["GH_WORLD"]).read_text())
    if world.get("hang"):
        Path(os.environ["GH_CALLS"] + ".hangs").touch()
        import signal

        signal.pause()
    if world.get("fail"):
        _refuse(world["fail"])
    repo = (options.get("--repo") or ["me/here"])[0]
    if command[1] == "view":
        (fields,) = options["--json"]
        unknown = set(fields.split(",")) - _FIELDS[command[0]]
        if unknown:
            _refuse(f"Unknown JSON field: {min(unknown)!r}")
        found = world[command[0]].get(places[0])
        if found is None:
            _refuse(f"GraphQL: Could not resolve to an issue or pull request with the number of {places[0]}.")
        print(json.dumps({name: found[name] for name in fields.split(",")}))
    elif command == ("pr", "create"):
        if world.get("open"):
            _refuse(
                f'a pull request for branch "{options["--head"][0]}" into branch "{options["--base"][0]}" already exists:\n{world["open"]}'
            )
        print(f"https://github.com/{repo}/pull/7")
    elif command == ("issue", "create"):
        print(f"https://github.com/{repo}/issues/8")
    elif command == ("issue", "edit"):
        print(f"https://github.com/{repo}/issues/{places[0]}")
    else:
        print(f"https://github.com/{repo}/issues/{places[0]}#issuecomment-991")


if __name__ == "__main__":
    main()
