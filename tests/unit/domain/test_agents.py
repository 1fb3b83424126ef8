from __future__ import annotations

import pytest

from awf.domain.files import FileMissing
from awf.domain.instructions import skill_element
from awf.domain.load import Loaded, load_workflow
from awf.domain.templates import Template
from awf.domain.workflow import AgentState, Conversation, McpProxy

FILES = {
    "p.md": "Review {{.inputs.file}}\n",
    "{{awf.roles_dir}}/reviewer/AGENTS.md": "---\nname: x\n---\n\nYou review.\n",
    "./roles/mine/AGENTS.md": "Mine.",
    "./r.md": "\ufeff---\n---\nA file.",
    "{{awf.skills_dir}}/go/SKILL.md": "Go on.\n---\nno front matter\n",
    "./skills/x/SKILL.md": "---\ndescription: d\nname: 'the \"x\"'\n---\nDo x.\n",
    "y/SKILL.md": "---\nnot closed\n",
}


def files(path: str) -> str:
    if path not in FILES:
        raise FileMissing(path, ["reviewer", "reporter"] if path.startswith("{{") else [])
    return FILES[path]


def load(keys: str) -> Loaded:
    lines = "".join(f"    {line}\n" for line in keys.splitlines())
    return load_workflow(
        "name: w\ninputs: [{name: file}]\nstates:\n  initial: a\n  a:\n    type: agent\n    on_success: b\n"
        f"{lines}  b: {{type: terminal}}\n",
        "flows/w.yaml",
        "w",
        files,
    )


def agent(keys: str) -> AgentState:
    result = load(keys)
    assert [str(problem) for problem in result.problems] == []
    assert result.workflow is not None
    state = result.workflow.states["a"]
    assert isinstance(state, AgentState)
    return state


def source(template: Template | None) -> str | None:
    return template.source if template else None


def test_everything() -> None:
    state = agent(
        'provider: claude\nprompt: "Read {{.inputs.file}}"\nsystem_prompt: "You know {{.inputs.file}}"\n'
        "role: reviewer\nskills: [go, {path: ./skills/x}]\noutput_format: JSON\nmode: conversation\n"
        'options: {model: sonnet, max_tokens: 10, extra: {name: "{{.inputs.file}}"}}\n'
        "conversation: {}\n"
        "mcp_proxy: {enable: true, plugin_tools: [{plugin: github, expose: [get_pr, batch]}, {plugin: http, expose: [request]}]}\n"
        "timeout: 2m\nretry: {max_attempts: 2}\nhooks: {pre: [{log: x}]}"
    )
    assert (source(state.provider), source(state.prompt), state.prompt_file) == (
        "claude",
        "Read {{.inputs.file}}",
        None,
    )
    assert (source(state.system_prompt), state.role) == ("You know {{.inputs.file}}", "You review.")
    assert [(skill.name, skill.text) for skill in state.skills] == [
        ("go", "Go on.\n---\nno front matter"),
        ('the "x"', "Do x."),
    ]
    assert (state.output_format, state.mode, state.timeout) == ("json", "conversation", 120)
    assert state.options["model"] == "sonnet"
    assert isinstance(state.options["extra"]["name"], Template)
    assert state.conversation == Conversation()
    assert state.mcp_proxy == McpProxy(True, {"github": ("get_pr", "batch"), "http": ("request",)})
    assert state.retry is not None


def test_what_is_usual() -> None:
    state = agent("provider: '{{.inputs.file}}'\nprompt: x\nmcp_proxy: {enable: false}\noutput_format: ''")
    assert (state.mode, state.output_format, state.conversation, state.mcp_proxy) == (
        "single",
        "",
        None,
        None,
    )
    assert (state.system_prompt, state.role, state.skills, dict(state.options)) == (None, "", (), {})


def test_a_prompt_file_is_read_and_one_of_a_templated_path_is_not() -> None:
    state = agent("provider: codex\nprompt_file: p.md")
    assert (source(state.prompt), state.prompt_file) == ("Review {{.inputs.file}}\n", None)
    assert str(state.prompt.references[0].position if state.prompt else "") == "flows/p.md:1:10"
    state = agent("provider: codex\nprompt_file: '{{.inputs.file}}.md'")
    assert (state.prompt, source(state.prompt_file)) == (None, "{{.inputs.file}}.md")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("prompt: x", "provider is required (flows/w.yaml:5:3)"),
        ("prompt: x\nprovider: ' '", "provider is required (flows/w.yaml:9:15)"),
        (
            "prompt: x\nprovider: [c]",
            "'provider' must be the name of a provider, not a list (flows/w.yaml:9:15)",
        ),
        (
            "prompt: x\nprovider: custom",
            "provider 'custom' has been removed: use 'openai_compatible', or a step with a command (flows/w.yaml:9:15)",
        ),
        ("provider: claude", "prompt or prompt_file is required (flows/w.yaml:5:3)"),
        ("provider: claude\nprompt: ''", "prompt or prompt_file is required (flows/w.yaml:5:3)"),
        (
            "provider: claude\nprompt: x\nprompt_file: p.md",
            "prompt and prompt_file are mutually exclusive (flows/w.yaml:10:5)",
        ),
        ("provider: claude\nprompt_file: no.md", "prompt_file: file not found: no.md (flows/w.yaml:9:18)"),
        (
            "provider: claude\nprompt: x\nmode: talk",
            "mode must be 'single' or 'conversation' (flows/w.yaml:10:11)",
        ),
        (
            "provider: claude\nmode: conversation",
            "prompt is required in conversation mode (flows/w.yaml:5:3)",
        ),
        (
            "provider: claude\nmode: conversation\nprompt: x\nprompt_file: p.md",
            "prompt_file is not supported in conversation mode (flows/w.yaml:11:5)",
        ),
        (
            "provider: claude\nprompt: x\noutput_format: xml",
            "output_format must be 'json', 'text', or empty (flows/w.yaml:10:20)",
        ),
        (
            "provider: claude\nprompt: x\nrole: ../../etc",
            "role path contains path-traversal pattern (..): ../../etc (flows/w.yaml:10:11)",
        ),
        (
            "provider: claude\nprompt: x\nrole: reviwer",
            "role 'reviwer' not found (did you mean 'reviewer'?) (flows/w.yaml:10:11)",
        ),
        (
            "provider: claude\nprompt: x\nrole: ./none",
            "role: file not found: ./none/AGENTS.md (flows/w.yaml:10:11)",
        ),
        (
            "provider: claude\nprompt: x\nskills: [go, zzz]",
            "skill 'zzz' not found (there are reporter, reviewer) (flows/w.yaml:10:18)",
        ),
        (
            "provider: claude\nprompt: x\nskills: [{path: none.md}]",
            "skill: file not found: none.md (flows/w.yaml:10:21)",
        ),
        (
            "provider: claude\nprompt: x\nskills: go",
            "'skills' must be a list of names, or of maps with a path, not a string (flows/w.yaml:10:13)",
        ),
        (
            "provider: claude\nprompt: x\nskills: [go, '']",
            "skill[1]: must be a name, or a map with a path (flows/w.yaml:10:18)",
        ),
        (
            "provider: claude\nprompt: x\nskills: [{}]",
            "skill[0]: must be a name, or a map with a path (flows/w.yaml:10:14)",
        ),
        (
            "provider: claude\nprompt: x\nskills: [{file: x}]",
            "skill[0]: must be a name, or a map with a path (flows/w.yaml:10:14)",
        ),
        (
            "provider: claude\nprompt: x\nskills: [{path: [x]}]",
            "skill[0]: must be a name, or a map with a path (flows/w.yaml:10:21)",
        ),
        (
            "provider: claude\nprompt: x\noptions: [x]",
            "'options' must be a map of names to values, not a list (flows/w.yaml:10:14)",
        ),
        (
            "provider: claude\nprompt: x\nconversation: yes",
            "'conversation' must be a map, not a string (flows/w.yaml:10:19)",
        ),
        (
            "provider: claude\nprompt: x\nmcp_proxy: on",
            "'mcp_proxy' must be a map with enable, not a string (flows/w.yaml:10:16)",
        ),
    ],
)
def test_what_an_agent_cannot_have(keys: str, message: str) -> None:
    assert [str(problem) for problem in load(keys).errors] == [f"state 'a': agent config: {message}"]


@pytest.mark.parametrize(
    ("proxy", "code", "message"),
    [
        ("{enable: true, intercept: no}", "UNKNOWN_KEY", "unknown key 'intercept' (flows/w.yaml:10:31)"),
        (
            "{enable: true, enabel: no}",
            "UNKNOWN_KEY",
            "unknown key 'enabel' (did you mean 'enable'?) (flows/w.yaml:10:31)",
        ),
        (
            "{enable: true, intercept_builtins: false}",
            "EMPTY_PROXY",
            "it is enabled and exposes nothing (flows/w.yaml:10:16)",
        ),
        (
            "{enable: true, intercept_builtins: false, plugin_tools: [{plugin: x, expose: []}]}",
            "EMPTY_PROXY",
            "it is enabled and exposes nothing (flows/w.yaml:10:16)",
        ),
        (
            "{enable: true, plugin_tools: [{plugin: x, expose: [a]}, {plugin: x, expose: [b, a]}]}",
            "NAME_COLLISION",
            "plugin_tools 2: operation 'x.a' is exposed twice (flows/w.yaml:10:96)",
        ),
        (
            "{enable: true, plugin_tools: [{plugin: x, expsoe: [a]}]}",
            "UNKNOWN_KEY",
            "plugin_tools 1: unknown key 'expsoe' (did you mean 'expose'?) (flows/w.yaml:10:58)",
        ),
        (
            "{enable: true, plugin_tools: [{expose: [a]}]}",
            None,
            "plugin_tools 1: plugin is required (flows/w.yaml:10:46)",
        ),
        (
            "{plugin_tools: [x]}",
            None,
            "plugin_tools 1 must be a map with plugin and expose, not a string (flows/w.yaml:10:32)",
        ),
        (
            "{plugin_tools: [{plugin: x, expose: a}]}",
            None,
            "plugin_tools 1: 'expose' must be a list of operations, not a string (flows/w.yaml:10:52)",
        ),
    ],
)
def test_what_a_proxy_cannot_be(proxy: str, code: str | None, message: str) -> None:
    (error,) = load(f"provider: claude\nprompt: x\nmcp_proxy: {proxy}").errors
    assert str(error) == f"state 'a': agent config: mcp_proxy: {message}"
    assert error.code.startswith(f"USER.MCP_PROXY.{code}" if code else "WORKFLOW.PARSE.")


def test_every_unknown_key_of_a_proxy_is_told() -> None:
    assert len(load("provider: claude\nprompt: x\nmcp_proxy: {enable: true, a: 1, b: 2}").errors) == 2


def test_a_conversation_goes_on_from_a_state_that_exists() -> None:
    state = agent("provider: claude\nprompt: x\nconversation: {continue_from: a}")
    assert state.conversation == Conversation("a")
    result = load("provider: claude\nprompt: x\nconversation: {continue_from: ghost, max_turns: 3}")
    assert [str(problem) for problem in result.problems] == [
        "state 'a' references undefined state 'ghost' (flows/w.yaml:10:35)",
        "state 'a': agent config: conversation: unknown key 'max_turns' (flows/w.yaml:10:42)",
    ]


def test_providers_that_are_not_known_are_warned_of() -> None:
    assert [str(problem) for problem in load("provider: cluade\nprompt: x").problems] == [
        "state 'a': agent config: unknown provider 'cluade' (did you mean 'claude'?) (flows/w.yaml:8:15)"
    ]


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("prompt: '{{.inputs.x}}'", "prompt"),
        ("prompt: y\nsystem_prompt: '{{.inputs.x}}'", "system_prompt"),
        ("prompt: y\nrole: '{{.inputs.x}}'", "role"),
        ("prompt: y\noptions: {model: '{{.inputs.x}}'}", "options.model"),
        ("prompt_file: 'a{{.inputs.x}}'", "prompt_file"),
    ],
)
def test_every_template_is_looked_at(key: str, field: str) -> None:
    assert [problem.message for problem in load(f"provider: claude\n{key}").errors] == [
        f"state 'a': undefined input \"x\" referenced in {field}"
    ]


def test_roles_and_skills_by_path() -> None:
    assert agent("provider: claude\nprompt: x\nrole: ./roles/mine").role == "Mine."
    assert agent("provider: claude\nprompt: x\nrole: ' '").role == ""
    assert agent("provider: claude\nprompt: x\nrole: ./r.md").role == "A file."
    late = agent("provider: claude\nprompt: x\nrole: '{{.inputs.file}}'").role
    assert isinstance(late, Template)
    first, second = agent(
        "provider: claude\nprompt: x\nskills: [{path: y}, {path: ./skills/x/SKILL.md}]"
    ).skills
    assert (first.name, first.text) == ("y", "---\nnot closed")
    assert skill_element(second) == "<skill_content name='the \"x\"'>\nDo x.\n</skill_content>"
