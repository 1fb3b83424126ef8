"""What templates and expressions can see.

A scope maps namespace to content. ``inputs``: name to typed value. ``states``: state name to a mapping with the keys
of ``STATE_FIELDS`` (a state that has not run is absent). ``env``: strings. ``workflow``, ``context``, ``error``:
mappings with the PascalCase keys below. ``loop`` is present inside loops only; its ``Parent`` is a full loop mapping
or None. ``awf``: paths, and in a pack ``pack_name``. Values are what JSON has: str, int, float, bool, None, list, dict with str keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

Scope: TypeAlias = Mapping[str, Any]

NAMESPACES = ("inputs", "states", "workflow", "env", "loop", "context", "error", "awf")

STATE_FIELDS = (
    "Output",
    "Stderr",
    "ExitCode",
    "Status",
    "Response",
    "JSON",
    "TokensUsed",
    "TokensInput",
    "TokensOutput",
    "TokensEstimated",
)
WORKFLOW_FIELDS = ("ID", "Name", "CurrentState", "StartedAt", "Duration")
CONTEXT_FIELDS = ("WorkingDir", "User", "Hostname")
LOOP_FIELDS = ("Item", "Index", "Index1", "First", "Last", "Length", "Parent")
ERROR_FIELDS = ("Type", "Message", "State", "ExitCode")
AWF_FIELDS = (
    "prompts_dir",
    "scripts_dir",
    "config_dir",
    "data_dir",
    "workflows_dir",
    "plugins_dir",
    "skills_dir",
    "roles_dir",
)
