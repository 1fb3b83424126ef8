"""Stands in for OpenCode (1.18)."""

from __future__ import annotations

import fnmatch
import json
import os
import sys

from standin import Flags, Standin, usage

KNOWN = {
    "--format": "value",
    "--model": "value",
    "-m": "value",
    "-s": "value",
    "--session": "value",
    "-c": "none",
    "--continue": "none",
    "--agent": "value",
    "--variant": "value",
    "--file": "many",
    "-f": "many",
    "--auto": "none",
    "--dangerously-skip-permissions": "none",
    "--print-logs": "none",
    "--title": "value",
}


class OpenCode(Standin):
    session = ""

    def configure(self, text: str) -> None:
        """What ``OPENCODE_CONFIG_CONTENT`` says."""
        config = json.loads(text or "{}")
        self.rules = config.get("permission", {})
        for name, server in config.get("mcp", {}).items():
            if server.keys() != {"type", "command", "environment", "enabled", "timeout"}:
                usage(f"Error: Configuration is invalid: mcp.{name}", 1)
            program, *args = server["command"]
            self.servers[name] = {"command": program, "args": args, "env": server["environment"]}
        self.own_tools = self.rule("bash") == "allow"

    def rule(self, tool: str) -> str:
        """The last that matches counts."""
        found = [says for pattern, says in self.rules.items() if fnmatch.fnmatch(tool, pattern)]
        return found[-1] if found else "allow"

    def allows(self, server: str, tool: str) -> bool:
        return self.rule(f"{server}_{tool.replace('.', '_')}") == "allow"

    def part(self, kind: str, **part) -> None:
        part = {"id": "prt_1", "messageID": "msg_1", "sessionID": self.session, **part}
        self.write({"type": kind, "timestamp": 1795845961274, "sessionID": self.session, "part": part})

    def flood(self, piece: str) -> None:
        self.part("text", type="text", text=piece)

    def say(self, text: str) -> None:
        self.interrupt()
        self.part("text", type="text", text=text, time={"start": 1, "end": 2})

    def use(self, number: int, part) -> None:
        name = f"{part.server}_{part.tool.replace('.', '_')}" if part.server else "bash"
        state = {"status": "completed", "input": part.input, "output": part.output, "title": "echo hi"}
        if part.failed:
            state = {"status": "error", "input": part.input, "error": part.output}
        self.part("tool_use", type="tool", tool=name, callID=f"call_{number}", state=state)
        self.finish("tool-calls", 0, 0, 0, 0)
        self.part("step_start", type="step-start")

    def finish(self, reason: str, *counts: int) -> None:
        given, made, thought, cached = counts
        tokens = {
            "total": sum(counts),
            "input": given,
            "output": made,
            "reasoning": thought,
            "cache": {"read": cached, "write": 0},
        }
        self.part("step_finish", type="step-finish", reason=reason, tokens=tokens, cost=0.125)


def refuse(name: str):
    usage(f"opencode run [message..]\n\nrun opencode with a message\n\nUnknown argument: {name}", 1)


def main() -> None:
    if sys.argv[1:2] != ["run"]:
        usage("this stand-in has only `run`", 1)
    flags = Flags(sys.argv[2:], KNOWN, refuse)
    tool = OpenCode("opencode")
    if flags.one("--format") != "json":
        usage("this stand-in only speaks JSON", 1)
    tool.configure(os.environ.get("OPENCODE_CONFIG_CONTENT", ""))
    quoted = [f'"{word}"' if " " in word else word for word in flags.rest]
    prompt = tool.asked("\n".join([*quoted, *filter(None, [tool.stdin()])]))
    session = flags.one("-s")
    tool.record(prompt=prompt, model=flags.one("--model"), session=session)
    before = tool.turns(session) if session else []
    if before is None:
        usage("\x1b[91m\x1b[1mError: \x1b[0mSession not found", 1)
    tool.session = session or "ses_" + tool.new_session()
    tool.begin()
    if tool.scenario in {"auth", "model"}:
        said = "bad API key" if tool.scenario == "auth" else "Unknown model: fake/nope"
        error = {"name": "APIError", "data": {"message": said, "statusCode": 401, "isRetryable": False}}
        tool.write({"type": "error", "timestamp": 1, "sessionID": tool.session, "error": error})
        raise SystemExit(1)
    tool.part("step_start", type="step-start")
    for number, part in enumerate(tool.parts(prompt, before)):
        if part.tool:
            tool.use(number, part)
        else:
            tool.say(part.text)
    tool.keep(tool.session, [*before, prompt])
    tool.finish("stop", 120, 40, 5, 3)


main()
