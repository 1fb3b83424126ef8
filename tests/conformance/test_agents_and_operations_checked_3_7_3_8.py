"""Sections 3.7 and 3.8: what is said about agents and operations before anything runs."""

from __future__ import annotations

import pytest

from conformance.loading import checked as checked_files
from conformance.loading import said

MAIN = """\
name: main
inputs: [{name: topic}]
states:
  initial: s
  s: {type: TYPE, on_success: d, KEYS}
  d: {type: terminal}
  other: {type: agent, provider: claude, prompt: x, conversation: {}, on_success: d}
"""
CONFIG = "state 's': agent config: "
UNREACHED = "warning 7:3 state 'other' can never be reached"


def checked(kind, keys, files=None):
    """Everything that is said about the one state, without places."""
    found = said(MAIN.replace("TYPE", kind).replace("KEYS", keys), files)
    return [line.split(" ", 2)[0] + " " + line.split(" ", 2)[2] for line in found if line != UNREACHED]


def agent(keys, files=None):
    return checked("agent", keys, files)


@pytest.mark.parametrize(
    "keys",
    [
        "provider: claude, prompt: 'about {{inputs.topic}}'",
        "provider: '{{inputs.topic}}', prompt: x",
        "provider: openai_compatible, prompt: x, options: {model: m, base_url: 'http://localhost', temperature: 0.5}",
        "provider: gemini, prompt: x, mode: single, output_format: json, timeout: 2m, retry: {max_attempts: 2}",
        "provider: codex, prompt: x, output_format: TEXT, continue_on_error: true",
        "provider: claude, prompt: x, mode: conversation, conversation: {continue_from: other}",
        "provider: claude, prompt: x, conversation: {}",
        "provider: claude, prompt: x, system_prompt: 'on {{inputs.topic}}'",
        "provider: claude, prompt: x, mcp_proxy: {enable: true}",
        "provider: claude, prompt: x, mcp_proxy: {enable: false, intercept_builtins: false}",
        "provider: claude, prompt: x, mcp_proxy: {enable: true, intercept_builtins: false, plugin_tools: [{plugin: http, expose: [request]}]}",
        "provider: claude, prompt_file: 'prompts/{{inputs.topic}}.md'",
        "provider: claude, prompt: x, on_failure: {message: 'no answer', status: 3}",
        "provider: claude, prompt: x, transitions: [{when: 'states.s.JSON.ok == true', goto: d}]",
    ],
)
def test_3_8_what_an_agent_may_say(keys):
    assert agent(keys) == []


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("prompt: x", "provider is required"),
        ("provider: '', prompt: x", "provider is required"),
        ("provider: [claude], prompt: x", "'provider' must be the name of a provider, not a list"),
        (
            "provider: custom, prompt: x",
            "provider 'custom' has been removed: use 'openai_compatible', or a step with a command",
        ),
        ("provider: claude", "prompt or prompt_file is required"),
        ("provider: claude, prompt: ''", "prompt or prompt_file is required"),
        ("provider: claude, prompt: x, prompt_file: y", "prompt and prompt_file are mutually exclusive"),
        ("provider: claude, prompt_file: nowhere.md", "prompt_file: file not found: nowhere.md"),
        ("provider: claude, prompt: x, mode: both", "mode must be 'single' or 'conversation'"),
        ("provider: claude, mode: conversation", "prompt is required in conversation mode"),
        (
            "provider: claude, mode: conversation, prompt_file: y",
            "prompt_file is not supported in conversation mode",
        ),
        (
            "provider: claude, prompt: x, output_format: xml",
            "output_format must be 'json', 'text', or empty",
        ),
        (
            "provider: claude, prompt: x, role: ../boss",
            "role path contains path-traversal pattern (..): ../boss",
        ),
        ("provider: claude, prompt: x, skills: [{}]", "skill[0]: must be a name, or a map with a path"),
        ("provider: claude, prompt: x, skills: [{pth: a}]", "skill[0]: must be a name, or a map with a path"),
        (
            "provider: claude, prompt: x, options: [a]",
            "'options' must be a map of names to values, not a list",
        ),
        (
            "provider: claude, prompt: x, mcp_proxy: yes",
            "'mcp_proxy' must be a map with enable, not a string",
        ),
        (
            "provider: claude, prompt: x, mcp_proxy: {enabel: true}",
            "mcp_proxy: unknown key 'enabel' (did you mean 'enable'?)",
        ),
        (
            "provider: claude, prompt: x, mcp_proxy: {enable: true, intercept_builtins: false}",
            "mcp_proxy: it is enabled and exposes nothing",
        ),
        (
            "provider: claude, prompt: x, mcp_proxy: {enable: true, plugin_tools: [{expose: [a]}]}",
            "mcp_proxy: plugin_tools 1: plugin is required",
        ),
        (
            "provider: claude, prompt: x, mcp_proxy: {enable: true, plugin_tools: [{plugin: http, expose: [request, request]}]}",
            "mcp_proxy: plugin_tools 1: operation 'http.request' is exposed twice",
        ),
    ],
)
def test_3_8_what_an_agent_may_not_say(keys, message):
    assert agent(keys) == [f"error {CONFIG}{message}"]


def test_3_8_everything_that_is_wrong_with_an_agent_at_once():
    found = agent("prompt: x, prompt_file: y, mode: both, output_format: xml, skills: [{}], timeout: soon")
    assert len(found) == 6, found
    assert {line.split()[0] for line in found} == {"error"}


def test_3_8_every_unknown_key_of_a_proxy_is_told():
    found = agent(
        "provider: claude, prompt: x, mcp_proxy: {enable: true, tools: [], plugin_tools: [{plugin: http, exposes: []}]}"
    )
    assert [line.removeprefix(f"error {CONFIG}mcp_proxy: ") for line in found] == [
        "unknown key 'tools'",
        "plugin_tools 1: unknown key 'exposes' (did you mean 'expose'?)",
    ]


@pytest.mark.parametrize(
    ("provider", "exposed", "message"),
    [
        (
            "claude",
            "{plugin: htp, expose: [request, get]}",
            "unknown plugin 'htp' (did you mean 'http'?)",
        ),
        (
            "claude",
            "{plugin: http, expose: [requst]}",
            "unknown operation 'http.requst' (did you mean 'http.request'?)",
        ),
    ],
)
def test_3_8_a_proxy_that_will_fail_is_a_warning(provider, exposed, message):
    found = agent(f"provider: {provider}, prompt: x, mcp_proxy: {{enable: true, plugin_tools: [{exposed}]}}")
    assert [line.partition("mcp_proxy: ")[2].removeprefix("plugin_tools 1: ") for line in found] == [message]
    assert found[0].startswith("warning ")
    assert (
        agent(f"provider: {provider}, prompt: x, mcp_proxy: {{enable: false, plugin_tools: [{exposed}]}}")
        == []
    )


def test_3_8_a_provider_that_nobody_knows_is_a_warning():
    assert agent("provider: cluade, prompt: x") == [
        f"warning {CONFIG}unknown provider 'cluade' (did you mean 'claude'?)"
    ]


@pytest.mark.parametrize(
    "keys",
    [
        "prompt: 'on {{inputs.topci}}'",
        "prompt: x, system_prompt: 'on {{inputs.topci}}'",
        "prompt: x, role: '{{inputs.topci}}'",
        "prompt: x, options: {model: '{{inputs.topci}}'}",
        "prompt_file: 'prompts/{{inputs.topci}}.md'",
    ],
)
def test_3_11_references_in_every_text_of_an_agent(keys):
    (found,) = agent(f"provider: claude, {keys}")
    assert found.startswith("error state 's': undefined input \"topci\" referenced in ")
    assert found.endswith('(did you mean "topic"?)')


def test_3_11_references_and_mistakes_in_a_prompt_file_have_their_place_there():
    path = ".awf/workflows/prompts/p.md"
    text = MAIN.replace("TYPE", "agent").replace("KEYS", "provider: claude, prompt_file: prompts/p.md")

    def wrong(prompt):
        files = {".awf/workflows/main.yaml": text, path: prompt}
        return [str(problem) for problem in checked_files(files, "main").errors]

    assert wrong("About {{inputs.topic}}.\n") == []
    (found,) = wrong("About\n  {{inputs.topci}}.\n")
    assert found.endswith(f'referenced in prompt (did you mean "topic"?) ({path}:2:5)')
    (found,) = wrong("About {{if}}")
    assert found.endswith(f"({path}:1:11)")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("skills: [style]", "skill 'style' not found"),
        ("skills: [{path: ./style}]", "skill: file not found: ./style/SKILL.md"),
        ("role: critic", "role 'critic' not found"),
    ],
)
def test_3_11_skills_and_roles_that_there_are_not(keys, message):
    assert agent(f"provider: claude, prompt: x, {keys}") == [f"error {CONFIG}{message}"]


def test_3_11_skills_and_roles_that_there_are():
    files = {
        ".awf/skills/style/SKILL.md": "Be short.\n",
        ".awf/workflows/tone/SKILL.md": "Be kind.\n",
        ".agents/roles/critic/AGENTS.md": "You are a critic.\n",
    }
    assert agent("provider: claude, prompt: x, skills: [style, {path: ./tone}], role: critic", files) == []


def test_3_8_continue_from_names_a_state():
    (found,) = agent("provider: claude, prompt: x, conversation: {continue_from: othre}")
    assert found == "error state 's' references undefined state 'othre' (did you mean 'other'?)"
    (found,) = agent("provider: claude, prompt: x, conversation: {continue_form: other}")
    assert found.startswith("warning ")
    assert "unknown key 'continue_form' (did you mean 'continue_from'?)" in found


def test_3_8_continue_from_names_an_agent_that_keeps_its_conversation():
    (found,) = agent("provider: claude, prompt: x, conversation: {continue_from: d}")
    assert found == "error state 's': continue_from: state 'd' is no agent, so it has no conversation"
    forgetful = MAIN.replace("conversation: {}", "mode: single")
    keys = "provider: claude, prompt: x, conversation: {continue_from: other}"
    found = said(forgetful.replace("TYPE", "agent").replace("KEYS", keys))
    place = f"warning 5:{3 + len('s: {type: agent, on_success: d, ') + keys.index('other')} "
    assert found == [
        f"{place}state 's': continue_from: state 'other' keeps no conversation; give it 'conversation: {{}}'",
        UNREACHED,
    ]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("on_failure: {status: 3}", "on_failure: required key 'message' is missing"),
        ("on_failure: {message: ''}", "on_failure: 'message' must not be empty"),
        (
            "on_failure: [a]",
            "'on_failure' must be the name of a state, or a map of message and status, not a list",
        ),
        ("on_failure: {message: x, status: 300}", "on_failure: 'status' must be from 0 to 255, not 300"),
    ],
)
@pytest.mark.parametrize("kind", ["agent", "operation", "step"])
def test_3_8_inline_failures(kind, keys, message):
    own = {
        "agent": "provider: claude, prompt: x",
        "operation": "operation: notify.send, inputs: {message: x}",
        "step": "command: 'true'",
    }[kind]
    assert checked(kind, f"{own}, {keys}") == [f"error state 's': {message}"]


@pytest.mark.parametrize(
    "key", ["model: x", "max_tokens: 5", "when: x", "next: d", "loop: x", "branches: [d]"]
)
def test_3_1_keys_that_there_are_not(key):
    (found,) = agent(f"provider: claude, prompt: x, {key}")
    assert found.startswith(f"warning state 's': unknown key '{key.partition(':')[0]}'")


@pytest.mark.parametrize("key", ["inputs", "operation_inputs"])
def test_3_7_inputs_of_an_operation_under_both_keys(key):
    assert (
        checked(
            "operation",
            f"operation: http.request, {key}: {{url: 'http://x/{{{{inputs.topic}}}}', method: GET}}",
        )
        == []
    )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("description: x", "operation is required for operation-type steps"),
        ("operation: ''", "operation is required for operation-type steps"),
        ("operation: [a]", "'operation' must be the name of an operation, not a list"),
        ("operation: notify.send, inputs: [a]", "'inputs' must be a map of names to values, not a list"),
    ],
)
def test_3_7_what_an_operation_may_not_say(keys, message):
    errors = [line for line in checked("operation", keys) if line.startswith("error")]
    assert errors == [f"error state 's': {message}"]


def test_3_7_an_operation_that_nobody_knows_is_a_warning():
    assert checked("operation", "operation: http.reqest") == [
        "warning state 's': unknown operation 'http.reqest' (did you mean 'http.request'?)"
    ]


def test_3_7_inputs_under_both_keys_at_once_are_warned_of():
    assert checked(
        "operation", "operation: notify.send, inputs: {message: x}, operation_inputs: {message: y}"
    ) == ["warning state 's': key 'operation_inputs' has no effect beside 'inputs'"]


def test_3_11_references_in_the_inputs_of_an_operation_however_deep():
    keys = (
        "operation: http.request, inputs: {url: 'http://x', method: GET, headers: {X: ['{{inputs.topci}}']}}"
    )
    (found,) = checked("operation", keys)
    assert found == (
        'error state \'s\': undefined input "topci" referenced in inputs.headers.X (did you mean "topic"?)'
    )
