"""Stands in for OpenAI's Codex (0.171)."""

from __future__ import annotations

import sys
import tomllib

from standin import Flags, Standin, usage

COMMON = {
    "-c": "value",
    "--config": "value",
    "--model": "value",
    "-m": "value",
    "--json": "none",
    "--skip-git-repo-check": "none",
    "--dangerously-bypass-approvals-and-sandbox": "none",
    "--ephemeral": "none",
    "--output-schema": "value",
    "-o": "value",
}
EXEC = {
    **COMMON,
    "--sandbox": "value",
    "-s": "value",
    "--profile": "value",
    "-p": "value",
    "--add-dir": "value",
    "--cd": "value",
}


SERVER = {
    "command",
    "args",
    "env",
    "required",
    "startup_timeout_sec",
    "tool_timeout_sec",
    "default_tools_approval_mode",
}


class Codex(Standin):
    number = 0

    def allows(self, server: str, tool: str) -> bool:
        return self.servers[server].get("default_tools_approval_mode") == "approve"

    def configure(self, settings: list[str]) -> None:
        """What ``-c`` says; a value that is not TOML is a text."""
        config: dict = {}
        for setting in settings:
            name, _, value = setting.partition("=")
            try:
                value = tomllib.loads(f"x = {value}")["x"]
            except tomllib.TOMLDecodeError:
                pass
            *above, last = name.split(".")
            place = config
            for key in above:
                place = place.setdefault(key, {})
            place[last] = value
        self.servers = config.get("mcp_servers", {})
        for name, server in self.servers.items():
            if server.keys() - SERVER:
                usage(f"Error loading config.toml: unknown field in mcp_servers.{name}", 1)
        self.own_tools = config.get("features", {}).get("shell_tool", True)

    def item(self, when: str, **fields) -> None:
        self.write({"type": f"item.{when}", "item": {"id": f"item_{self.number}", **fields}})

    def flood(self, piece: str) -> None:
        self.number += 1
        self.item("completed", type="agent_message", text=piece)

    def say(self, text: str) -> None:
        self.number += 1
        self.interrupt()
        self.item("completed", type="agent_message", text=text)

    def use(self, part) -> None:
        self.number += 1
        if part.server:
            state = {
                "type": "mcp_tool_call",
                "server": part.server,
                "tool": part.tool,
                "arguments": part.input,
            }
            self.item("started", **state, result=None, error=None, status="in_progress")
            result = {"content": [{"type": "text", "text": part.output}], "structured_content": None}
            status = "failed" if part.failed else "completed"
            self.item("completed", **state, result=result, error=None, status=status)
            return
        command = f"/bin/bash -lc '{part.input['command']}'"
        state = {"type": "command_execution", "command": command}
        self.item("started", **state, aggregated_output="", exit_code=None, status="in_progress")
        status = "failed" if part.failed else "completed"
        self.item(
            "completed", **state, aggregated_output=part.output, exit_code=int(part.failed), status=status
        )
        self.number += 1
        self.item(
            "completed", type="file_change", changes=[{"path": "a.py", "kind": "update"}], status="completed"
        )
        self.number += 1
        self.item("completed", type="reasoning", text="hm")


def refuse(name: str):
    usage(f"error: unexpected argument '{name}' found\n\nUsage: codex exec [OPTIONS] [PROMPT]", 2)


def main() -> None:
    tool = Codex("codex")
    if sys.argv[1:2] != ["exec"]:
        usage("error: this stand-in has only `exec`", 2)
    words, session = sys.argv[2:], ""
    flags = Flags(words[: words.index("resume")] if "resume" in words else words, EXEC, refuse)
    json_wanted, rest = flags.has("--json"), flags.rest
    if "resume" in words:
        if flags.rest:
            refuse(flags.rest[0])
        later = Flags(words[words.index("resume") + 1 :], COMMON, refuse)
        json_wanted, rest = later.has("--json"), later.rest
        session, *rest = rest
        flags.found |= later.found
    if len(rest) > 1:
        refuse(rest[1])
    if not json_wanted or not flags.has("--skip-git-repo-check"):
        usage("Not inside a trusted directory and --skip-git-repo-check was not specified.", 1)
    tool.configure(flags.all("-c") + flags.all("--config"))
    prompt = tool.asked(tool.stdin() if not rest or rest[0] == "-" else rest[0])
    tool.record(prompt=prompt, model=flags.one("--model"), session=session)
    print("WARNING: proceeding, even though we could not create PATH aliases", file=sys.stderr)
    before = tool.turns(session) if session else []
    if before is None:
        usage(
            f"Error: thread/resume: thread/resume failed: no rollout found for thread id {session} (code -32600)",
            1,
        )
    session = session or tool.new_session()
    tool.begin()
    tool.write({"type": "thread.started", "thread_id": session})
    tool.item("completed", type="error", message="Model metadata for `gpt-5` not found.")
    tool.write({"type": "turn.started"})
    if tool.scenario == "auth":
        message = "unexpected status 401 Unauthorized: bad key, url: http://127.0.0.1:1/v1/responses"
        for again in range(1, 6):
            tool.write({"type": "error", "message": f"Reconnecting... {again}/5 ({message})"})
        tool.write({"type": "error", "message": message})
        tool.write({"type": "turn.failed", "error": {"message": message}})
        raise SystemExit(1)
    if tool.scenario == "model":
        message = '{"error": {"message": "no such model", "type": "invalid_request_error", "code": null}}'
        tool.write({"type": "error", "message": message})
        tool.write({"type": "turn.failed", "error": {"message": message}})
        raise SystemExit(1)
    for part in tool.parts(prompt, before):
        tool.use(part) if part.tool else tool.say(part.text)
    turns = [*before, prompt]
    tool.keep(session, turns)
    # The real one counts the whole session.
    counts = {
        "input_tokens": 123 * len(turns),
        "cached_input_tokens": 3 * len(turns),
        "output_tokens": 45 * len(turns),
    }
    tool.write({"type": "turn.completed", "usage": {**counts, "reasoning_output_tokens": 0}})


main()
