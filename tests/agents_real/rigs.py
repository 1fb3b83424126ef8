"""How each real tool is pointed at a model server on loopback, in an empty home and a clean environment."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents_real.model_server import Call

TOOLS = Path(os.environ.get("AGENT_TOOLS", Path(__file__).parents[2] / ".agent-tools"))
"""Where setup.sh has installed them."""


@dataclass(frozen=True)
class Rig:
    """``configure`` writes what the tool needs into its home and returns variables for it. ``shell`` is the call with which
    a model uses the tool's shell, ``operation`` that with which it uses notify.send. ``options``: every option that the
    provider has, each in some use. ``hides``: the model is not told of tools that it must not use.
    ``own`` is one of the tool's own that it has without asking; empty: the shell."""

    folder: str
    configure: Callable[[Path, str], dict[str, str]]
    shell: tuple[str, dict[str, Any]]
    options: dict[str, Any]
    operation: Call
    counts: bool = True
    model: str = ""
    hides: bool = True
    own: str = ""

    @property
    def bin(self) -> Path:
        """The directory of its program."""
        venv = TOOLS / self.folder / "bin"
        return venv if venv.is_dir() else TOOLS / self.folder / "node_modules" / ".bin"


def claude(home: Path, url: str) -> dict[str, str]:
    (home / "mcp.json").write_text('{"mcpServers": {}}')
    (home / "settings.json").write_text("{}")
    # IS_SANDBOX: as root it skips permissions only in one.
    return {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "key",
        "DISABLE_TELEMETRY": "1",
        "IS_SANDBOX": "1",
    }


def codex(home: Path, url: str) -> dict[str, str]:
    (home / ".codex").mkdir()
    (home / ".codex" / "config.toml").write_text(
        f"""
model_provider = "loopback"
[model_providers.loopback]
name = "loopback"
base_url = "{url}/v1"
wire_api = "responses"
env_key = "LOOPBACK_KEY"
"""
    )
    (home / ".codex" / "mine.config.toml").write_text("")
    return {"LOOPBACK_KEY": "key"}


def gemini(home: Path, url: str) -> dict[str, str]:
    (home / ".gemini").mkdir()
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": False},
    }
    (home / ".gemini" / "settings.json").write_text(json.dumps(settings))
    return {"GOOGLE_GEMINI_BASE_URL": url, "GEMINI_API_KEY": "key"}


def github_copilot(home: Path, url: str) -> dict[str, str]:
    (home / ".copilot" / "agents").mkdir(parents=True)
    (home / ".copilot" / "agents" / "kind.agent.md").write_text(
        "---\nname: kind\ndescription: kind\n---\nBe kind.\n"
    )
    return {
        "COPILOT_PROVIDER_BASE_URL": f"{url}/v1",
        "COPILOT_OFFLINE": "true",
        "COPILOT_AUTO_UPDATE": "false",
    }


def opencode(home: Path, url: str) -> dict[str, str]:
    (home / "notes.txt").write_text("notes")
    service = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": f"{url}/v1", "apiKey": "key"},
        "models": {"m": {"name": "m"}},
    }
    config = {"provider": {"loopback": service}, "autoupdate": False, "share": "disabled"}
    return {"OPENCODE_CONFIG_CONTENT": json.dumps(config)}


def mistral_vibe(home: Path, url: str) -> dict[str, str]:
    (home / ".vibe").mkdir(exist_ok=True)
    models = "".join(
        f'[[models]]\nname = "{name}"\nprovider = "loopback"\nalias = "{name}"\n' for name in ("m", "other")
    )
    (home / ".vibe" / "config.toml").write_text(
        f"""
active_model = "m"
enable_telemetry = false
enable_update_checks = false
enable_auto_update = false
[[providers]]
name = "loopback"
api_base = "{url}/v1"
api_key_env_var = "LOOPBACK_KEY"
backend = "generic"
api_style = "openai"
{models}
"""
    )
    return {"LOOPBACK_KEY": "key"}


COMMAND = {"command": "echo hi", "description": "say hi"}
NOTIFY = {"message": "hi", "backend": "desktop"}

RIGS = {
    "claude": Rig(
        "claude",
        claude,
        ("Bash", COMMAND),
        {
            "model": "sonnet",
            "allowed_tools": ["Read", "Bash(git log:*)"],
            "disallowed_tools": "WebFetch,WebSearch",
            "permission_mode": "acceptEdits",
            "add_dir": ["/usr"],
            "agent": "general-purpose",
            "append_system_prompt": "Be kind.",
            "effort": "low",
            "fallback_model": "haiku",
            "max_budget_usd": 5,
            "mcp_config": "{home}/mcp.json",
            "settings": "{home}/settings.json",
        },
        operation=Call("mcp__awf__notify_send", NOTIFY),
    ),
    "codex": Rig(
        "codex",
        codex,
        ("exec_command", {"cmd": "echo hi"}),
        {
            "model": "gpt-5",
            "config": ["hide_agent_reasoning=true"],
            "effort": "low",
            "sandbox": "read-only",
            "profile": "mine",
            "add_dir": ["/usr"],
        },
        model="gpt-5",
        operation=Call("notify_send", NOTIFY, namespace="mcp__awf"),
    ),
    "gemini": Rig(
        "gemini",
        gemini,
        ("run_shell_command", COMMAND),
        {
            "model": "gemini-2.5-pro",
            "approval_mode": "auto_edit",
            "sandbox": False,
            "include_directories": ["/usr/share"],
            "extensions": ["none"],
            "allowed_mcp_server_names": ["none"],
        },
        operation=Call("mcp_awf_notify.send", NOTIFY),
        model="gemini-2.5-pro",
        own="read_file",
    ),
    "github_copilot": Rig(
        "github_copilot",
        github_copilot,
        ("bash", COMMAND),
        {
            "model": "gpt-5",
            "mode": "autopilot",
            "effort": "low",
            "allow_tools": ["shell(git:*)", "write"],
            "deny_tools": ["shell(git push)"],
            "allow_all": False,
            "add_dir": ["/usr"],
            "agent": "kind",
        },
        counts=False,
        model="gpt-5",
        operation=Call("awf-notify-send", NOTIFY),
    ),
    "mistral_vibe": Rig(
        "mistral_vibe",
        mistral_vibe,
        ("bash", {"command": "echo hi"}),
        {
            "model": "other",
            "agent": "accept-edits",
            "max_turns": 5,
            "max_tokens": 100_000,
            "max_price": 2,
            "workdir": "{home}",
            "enabled_tools": ["bash"],
            "disabled_tools": ["skill"],
            "add_dir": ["/usr"],
            "trust": True,
        },
        operation=Call(
            "run_typescript",
            {
                "code": f"async function main() {{ return await tools.mcp_awf.notify_send({json.dumps(NOTIFY)}) }}"
            },
        ),
        counts=False,
        hides=False,
    ),
    "opencode": Rig(
        "opencode",
        opencode,
        ("bash", COMMAND),
        {
            "model": "loopback/m",
            "agent": "build",
            "variant": "high",
            "file": ["{home}/notes.txt"],
            "verbose": True,
        },
        model="loopback/m",
        operation=Call("awf_notify_send", NOTIFY),
    ),
}
