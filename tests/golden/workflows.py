"""What is recorded: small workflows that between them write every type of fact, and the moments at which to look.

Steps of ``HOLD`` wait to be interrupted in their first attempt only, so that a journal recorded meanwhile can go on.
"""

from __future__ import annotations

HOLD = 'case "$AWF_ATTEMPT_ID" in *.1) exec sleep 600;; esac; echo held'

CHILD = """
name: child
inputs: [{name: who, type: string, required: true}, {name: times, type: integer, default: 2}]
outputs: [{name: greeting, from: states.greet.Output}]
hooks: {workflow_start: [{log: "child of {{.inputs.who}}"}]}
states:
  initial: greet
  greet: {type: step, command: "echo hello {{inputs.who}} {{inputs.times}}", on_success: hold}
  hold: {type: step, command: '%s', on_success: done}
  done: {type: terminal}
""".replace("%s", HOLD.replace("'", "''"))

EVERYTHING = """
name: everything
inputs: [{name: names, type: string, default: "ann,bob"}, {name: fails, type: boolean, default: false}]
hooks:
  workflow_start: [{log: begins}, {command: "echo start hook"}]
  workflow_end: [{command: "echo end hook"}]
  workflow_error: [{log: "{{.error.Message}}"}]
  workflow_cancel: [{log: cancelled}]
states:
  initial: prepare
  prepare:
    type: step
    command: "echo prepared"
    hooks: {pre: [{command: "echo before"}], post: [{log: after}]}
    on_success: flaky
  flaky:
    type: step
    command: 'case "$AWF_ATTEMPT_ID" in *.1) exit 9;; esac; echo at last'
    retry: {max_attempts: 2, initial_delay: 0}
    on_success: short
  short: {type: for_each, items: [x], body: [sleeps], timeout: 1, on_success: each, on_failure: each}
  sleeps: {type: step, command: "sleep 600"}
  each: {type: for_each, items: "{{inputs.names}}", max_iterations: 5, body: [say, hold], on_success: until}
  say: {type: step, command: "echo {{loop.Item}} of {{loop.Length}}"}
  hold: {type: step, command: '%s'}
  until: {type: while, while: "loop.Index < 2", max_iterations: 5, body: [look], on_success: both}
  look: {type: step, command: "echo {{loop.Index}}"}
  both: {type: parallel, parallel: [left, right], max_concurrent: 1, on_success: call}
  left: {type: step, command: "echo left"}
  right: {type: step, command: '%s'}
  call: {type: call_workflow, workflow: child, inputs: {who: "{{states.prepare.Output}}"}, on_success: last}
  last:
    type: step
    command: '[ "{{inputs.fails}}" = false ] || { echo as asked >&2; exit 4; }; echo {{states.call.Response.greeting}}'
    on_success: done
  done: {type: terminal}
""".replace("%s", HOLD.replace("'", "''"))

ASKED = """
name: asked
states:
  initial: prepare
  prepare: {type: step, command: "echo prepared", on_success: risky}
  risky: {type: step, on_crash: ask, command: 'echo so far; %s', on_success: done}
  done: {type: terminal}
""".replace("%s", HOLD.replace("'", "''"))

APART = """
name: apart
states:
  initial: long
  long: {type: step, detach: true, command: "echo begun; sleep 0.7; echo ended", on_success: last}
  last: {type: step, command: "echo {{states.long.Output}}", on_success: done}
  done: {type: terminal}
"""

TALKED = """
name: talked
states:
  initial: talk
  talk:
    type: agent
    provider: scripted
    system_prompt: be brief
    prompt: "what is here?"
    conversation: {}
    options:
      script: |
        echo '{"say": "I look. "}'
        echo '{"use": {"id": "1", "name": "ls", "input": {"path": "."}}}'
        echo '{"result": {"id": "1", "output": "a b"}}'
        echo '{"answer": "I look. Two files.", "session": "s-1", "input": 12, "output": 5, "cost": 0.25}'
    on_success: more
  more:
    type: agent
    provider: scripted
    prompt: "which of {{states.talk.Output}}"
    conversation: {continue_from: talk}
    options: {script: 'echo "{\\"answer\\": \\"$SESSION: a and b\\"}"'}
    on_success: last
  last: {type: step, command: "echo {{states.more.Output}}", on_success: done}
  done: {type: terminal}
"""

SPENT = """
name: spent
max_tokens_total: 15
states:
  initial: first
  first: {type: agent, provider: scripted, prompt: "one", options: {script: SCRIPT}, on_success: second}
  second:
    type: agent
    provider: scripted
    prompt: "two"
    options: {script: SCRIPT}
    on_success: last
    on_failure: sorry
  last: {type: step, command: "echo '{{.states.second.Output}}'", on_success: done}
  sorry: {type: step, command: "echo sorry", on_success: done}
  done: {type: terminal}
""".replace(
    "SCRIPT",
    """'read asked; echo "{\\"answer\\": \\"said $asked\\", \\"input\\": 10, \\"output\\": 5, \\"cost\\": 0.25}"'""",
)

DISCUSSED = """
name: discussed
states:
  initial: talk
  talk:
    type: agent
    provider: scripted
    mode: conversation
    prompt: "good morning"
    options:
      script: 'read asked; echo "{\\"answer\\": \\"${SESSION:-new}: $asked\\", \\"session\\": \\"s-1\\", \\"input\\": 10}"'
    on_success: ok
  ok: {type: approval, message: "{{.states.talk.Output}}?", on_approve: last, on_reject: sorry}
  last:
    type: step
    command: "echo '{{.states.talk.Output}}, {{.states.talk.Response.turns}}, {{.states.ok.Response.comment}}'"
    on_success: done
  sorry: {type: step, command: "echo '{{.states.talk.Output}}: no'", on_success: done}
  done: {type: terminal}
"""

FILES = {
    "everything": EVERYTHING,
    "child": CHILD,
    "asked": ASKED,
    "apart": APART,
    "talked": TALKED,
    "spent": SPENT,
    "discussed": DISCUSSED,
}

MOMENTS = {
    "for-each": "each[1]/hold",
    "parallel": "both/right",
    "call": "call/hold",
}
"""A name for a journal, and the step at whose first attempt its engine dies."""
