"""The environment of a step: the engine's own, who it is, and the inputs (workflow language, "Shell: running")."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from awf.engine.ports import StepContext
from awf.journal.events import StepStarted
from awf.runners.processes import ATTEMPT_VARIABLE

LARGEST_INPUT = 64 * 1024
LARGEST_TOTAL = 512 * 1024

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_LOADING = re.compile(
    r"(PATH|IFS|ENV|BASH_ENV|BASH_FUNC_.*|SHELLOPTS|BASHOPTS|CDPATH|GLOBIGNORE|PS4|PROMPT_COMMAND|SHELL|HOME|FPATH"
    r"|LD_.*|DYLD_.*|PYTHON.*|PERL.*|RUBY.*|NODE_.*|JAVA_.*|_JAVA_OPTIONS|JDK_.*|CLASSPATH|GIT_.*|GCONV_PATH|LOCPATH"
    r"|NLSPATH|TERMINFO.*|ZDOTDIR|MALLOC_.*|GLIBC_.*|EDITOR|VISUAL|PAGER|TMPDIR|AWF_.*|__awf_.*)\Z",
    re.IGNORECASE,
)


def step_environment(fact: StepStarted, context: StepContext) -> dict[str, str]:
    """All variables of one attempt. A variable that cannot be one (a NUL in its value) is left out."""
    env = dict(context.environ)
    env["AWF_EXECUTION_ID"] = context.execution
    env["AWF_WORKFLOW"] = context.workflow
    env["AWF_STEP"] = fact.state
    env.update(input_variables(context.inputs, context.environ))
    env.update({name: value for name, value in fact.env.items() if "\0" not in value})
    env[ATTEMPT_VARIABLE] = fact.attempt_id
    return env


def input_variables(inputs: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, str]:
    """Every input as ``AWF_INPUT_<NAME>``, and under its own name where that is free and cannot change how programs
    load. Inputs over 64 KiB, or beyond 512 KiB together, are left out."""
    variables: dict[str, str] = {}
    total = 0
    for name, value in inputs.items():
        text = as_text(value)
        size = len(text.encode(errors="replace"))
        if "\0" in text or size > LARGEST_INPUT or total + size > LARGEST_TOTAL:
            continue
        total += size
        variables["AWF_INPUT_" + re.sub(r"[^A-Za-z0-9]", "_", name).upper()] = text
        if _NAME.match(name) and name not in environ and not _LOADING.match(name):
            variables[name] = text
    return variables


def as_text(value: Any) -> str:
    """An input's value as a variable holds it: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
