"""Stands in for Google's Gemini CLI (0.61)."""

from __future__ import annotations

import os
import sys

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
}
NOW = "2026-11-28T06:08:42.842Z"


class Gemini(Standin):
    def message(self, text: str, **fields) -> None:
        self.write({"type": "message", "timestamp": NOW, "role": "assistant", "content": text, **fields})

    def flood(self, piece: str) -> None:
        self.message(piece, delta=True)

    def say(self, text: str) -> None:
        for piece in self.pieces(text):
            self.message(piece, delta=True)
            self.interrupt()

    def use(self, number: int, part) -> None:
        call = f"run_shell_command__{number}"
        given = {"tool_name": "run_shell_command", "tool_id": call, "parameters": part.input}
        self.write({"type": "tool_use", "timestamp": NOW, **given})
        result = {"status": "success", "output": part.output}
        if part.failed:
            result = {"status": "error", "error": {"type": "TOOL", "message": part.output}}
        self.write({"type": "tool_result", "timestamp": NOW, "tool_id": call, **result})

    def result(self, **fields) -> None:
        stats = {"total_tokens": 168, "input_tokens": 123, "output_tokens": 45, "cached": 3, "input": 120}
        self.write({"type": "result", "timestamp": NOW, "status": "success", "stats": stats, **fields})


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
