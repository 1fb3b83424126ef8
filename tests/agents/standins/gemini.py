"""Stands in for Google's Gemini CLI (0.61)."""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from standin import Flags, Standin, usage

KNOWN = {
    "--model": "value",
    "-m": "value",
    "--prompt": "value",
    "-p": "value",
    "--approval-mode": "value",
    "--output-format": "value",
    "--resume": "value",
    "--sandbox": "none",
    "--yolo": "none",
    "--skip-trust": "none",
    "--include-directories": "many",
    "--extensions": "many",
    "--allowed-mcp-server-names": "many",
    "--policy": "many",
    "--admin-policy": "many",
}
SERVER = {"command", "args", "env", "cwd", "timeout", "trust"}
OWN = "run_shell_command"
NOW = "2026-11-28T06:08:42.842Z"


def settings(directory: Path) -> dict[str, Any]:
    """What a file says; it may have comments, and names of variables in its texts."""
    path = directory / ".gemini" / "settings.json"
    if not path.exists():
        return {}
    text = re.sub(r"^\s*//.*$", "", path.read_text(), flags=re.MULTILINE)
    return expanded(json.loads(text))


def expanded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: expanded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [expanded(each) for each in value]
    if isinstance(value, str):
        return re.sub(r"\$(\w+|\{\w+\})", lambda found: os.environ.get(found[1].strip("{}"), ""), value)
    return value


class Gemini(Standin):
    def configure(self, flags: Flags) -> None:
        """The user's settings, and over them the project's; policies, in the order in which they count."""
        home = Path(os.environ.get("GEMINI_CLI_HOME") or os.environ["HOME"])
        self.sessions = home / ".gemini" / "tmp"
        found = [settings(home), settings(Path.cwd())]
        if "GEMINI_CLI_HOME" in os.environ:
            assert (home / ".gemini" / "settings.json").stat().st_mode & 0o777 == 0o600
            assert (home / ".gemini").stat().st_mode & 0o777 == 0o700
        sandbox = os.environ.get("GEMINI_SANDBOX") or any(
            each.get("tools", {}).get("sandbox") for each in found
        )
        if flags.has("--sandbox") or sandbox not in {False, "false"}:
            usage("FatalSandboxError: Sandbox image is missing or could not be pulled.", 44)
        allowed = flags.all("--allowed-mcp-server-names")
        allowed = allowed or [name for each in found for name in each.get("mcp", {}).get("allowed", [])]
        excluded = [name for each in found for name in each.get("mcp", {}).get("excluded", [])]
        for name, server in {**found[0].get("mcpServers", {}), **found[1].get("mcpServers", {})}.items():
            if server.keys() - SERVER or "_" in name:
                usage(f"Error in settings.json: mcpServers.{name}", 52)
            if name not in excluded and (not allowed or name in allowed):
                self.servers[name] = server
        chosen = [Path(part) for each in flags.all("--policy") for part in each.split(",")]
        users = chosen or sorted((home / ".gemini" / "policies").glob("*.toml"))
        admins = [Path(part) for each in flags.all("--admin-policy") for part in each.split(",")]
        self.rules = sorted(
            [
                (tier, rule["priority"], rule)
                for tier, files in ((4, users), (5, admins))
                for rule in rules(files)
            ],
            key=lambda found: found[:2],
            reverse=True,
        )
        self.own_tools = self.decision("", OWN) != "deny"

    def decision(self, server: str, tool: str) -> str:
        """The first rule that matches counts."""
        for _, _, rule in self.rules:
            if rule["toolName"] in {"*", tool} and rule.get("mcpName", server) == server:
                return rule["decision"]
        return "allow" if self.servers.get(server, {}).get("trust") else "ask_user"

    def has(self, server: str, tool: str) -> bool:
        return self.decision(server, tool) != "deny"

    def allows(self, server: str, tool: str) -> bool:
        return self.decision(server, tool) == "allow"

    def message(self, text: str, **fields) -> None:
        self.write({"type": "message", "timestamp": NOW, "role": "assistant", "content": text, **fields})

    def flood(self, piece: str) -> None:
        self.message(piece, delta=True)

    def say(self, text: str) -> None:
        for piece in self.pieces(text):
            self.message(piece, delta=True)
            self.interrupt()

    def use(self, number: int, part) -> None:
        name = f"mcp_{part.server}_{part.tool}" if part.server else OWN
        call = f"{name}__{number}"
        given = {"tool_name": name, "tool_id": call, "parameters": part.input}
        self.write({"type": "tool_use", "timestamp": NOW, **given})
        result = {"status": "success", "output": part.output}
        if part.failed:
            error = {"type": "TOOL", "message": part.output}
            result = {"status": "error", "output": "Error: it reported an error.", "error": error}
        self.write({"type": "tool_result", "timestamp": NOW, "tool_id": call, **result})

    def result(self, **fields) -> None:
        stats = {"total_tokens": 168, "input_tokens": 123, "output_tokens": 45, "cached": 3, "input": 120}
        self.write({"type": "result", "timestamp": NOW, "status": "success", "stats": stats, **fields})


def rules(files: list[Path]) -> list[dict[str, Any]]:
    found = [rule for file in files for rule in tomllib.loads(file.read_text())["rule"]]
    for rule in found:
        unknown = rule.keys() - {"toolName", "mcpName", "decision", "priority"}
        if (
            unknown
            or rule["decision"] not in {"allow", "deny", "ask_user"}
            or not 0 <= rule["priority"] <= 999
        ):
            usage("Policy file error: Schema validation failed", 52)
    return found


def refuse(name: str):
    usage(f"Unknown argument: {name.lstrip('-')}\nUsage: gemini [options] [command]", 1)


def main() -> None:
    flags = Flags(sys.argv[1:], KNOWN, refuse)
    tool = Gemini("gemini")
    if flags.rest:
        refuse(flags.rest[0])
    if flags.one("--approval-mode", "default") not in {"default", "auto_edit", "yolo", "plan"}:
        usage("Invalid values:\n  Argument: approval-mode", 1)
    if flags.one("--output-format") != "stream-json":
        usage("Invalid values:\n  Argument: output-format", 1)
    if os.environ.get("GEMINI_CLI_TRUST_WORKSPACE") != "true" and not flags.has("--skip-trust"):
        usage("Gemini CLI is not running in a trusted directory.", 55)
    tool.configure(flags)
    # What is piped in stands before the prompt of the argument.
    prompt = tool.asked("\n\n".join(part for part in (tool.stdin(), flags.one("-p")) if part))
    session = flags.one("--resume")
    tool.record(prompt=prompt, model=flags.one("--model"), session=session)
    before = tool.turns(session) if session else []
    if before is None:
        usage("Error resuming session: No previous sessions found for this project.", 42)
    session = session or tool.new_session()
    print("Ripgrep is not available. Falling back to GrepTool.", file=sys.stderr)
    if tool.scenario == "auth":
        usage("Invalid auth method selected: set GEMINI_API_KEY.", 41)
    tool.begin()
    tool.write({"type": "init", "timestamp": NOW, "session_id": session, "model": "gemini-2.5-pro"})
    tool.write({"type": "message", "timestamp": NOW, "role": "user", "content": prompt})
    if tool.scenario == "model":
        inner = '{"error":{"code":400,"message":"no such model","status":"INVALID_ARGUMENT"}}'
        tool.write({"type": "error", "timestamp": NOW, "severity": "warning", "message": "Loop detected"})
        tool.result(status="error", error={"type": "unknown", "message": f"[API Error: {inner}]"})
        raise SystemExit(144)
    for number, part in enumerate(tool.parts(prompt, before)):
        if part.tool:
            tool.use(number, part)
        else:
            tool.say(part.text)
    tool.keep(session, [*before, prompt])
    tool.result()


main()
