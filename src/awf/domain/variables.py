"""Inputs as environment variables of steps (workflow language, "Shell: running")."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Mapping
from typing import Any

from msgspec import Struct

LARGEST_INPUT = 64 * 1024
LARGEST_TOTAL = 512 * 1024

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_LOADING = re.compile(
    r"(PATH|IFS|ENV|BASH_ENV|BASH_FUNC_.*|SHELLOPTS|BASHOPTS|CDPATH|GLOBIGNORE|PS4|PROMPT_COMMAND|SHELL|HOME|FPATH"
    r"|LD_.*|DYLD_.*|PYTHON.*|PERL.*|RUBY.*|NODE_.*|JAVA_.*|_JAVA_OPTIONS|JDK_.*|CLASSPATH|GIT_.*|GCONV_PATH|LOCPATH"
    r"|NLSPATH|TERMINFO.*|ZDOTDIR|MALLOC_.*|GLIBC_.*|EDITOR|VISUAL|PAGER|TMPDIR|AWF_.*|__awf_.*)\Z",
    re.IGNORECASE,
)


class Exported(Struct, frozen=True):
    """``variables`` by name; ``left_out`` says for each input that is none why not."""

    variables: dict[str, str]
    left_out: tuple[str, ...]


def exported(inputs: Mapping[str, Any], taken: Container[str]) -> Exported:
    """Every input as ``AWF_INPUT_<NAME>``, and under its own name where that is not ``taken`` and cannot change how
    programs load. Inputs over 64 KiB, or beyond 512 KiB together, are left out, and those with a NUL."""
    variables: dict[str, str] = {}
    left_out: list[str] = []
    total = 0
    for name, value in inputs.items():
        text = as_text(value)
        size = len(text.encode(errors="replace"))
        reason = _refusal(text, size, total)
        if reason:
            left_out.append(f"input '{name}' {reason}: steps do not get it as an environment variable")
            continue
        total += size
        variables["AWF_INPUT_" + re.sub(r"[^A-Za-z0-9]", "_", name).upper()] = text
        if _NAME.match(name) and name not in taken and not _LOADING.match(name):
            variables[name] = text
    return Exported(variables, tuple(left_out))


def _refusal(text: str, size: int, total: int) -> str:
    if "\0" in text:
        return "holds a NUL character"
    if size > LARGEST_INPUT:
        return "is larger than 64 KiB"
    return "goes beyond 512 KiB together with the others" if total + size > LARGEST_TOTAL else ""


def as_text(value: Any) -> str:
    """An input's value as a variable holds it: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
