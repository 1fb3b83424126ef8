"""Workflows that together use every kind of state and every feature that runs, and how their steps behave."""

from __future__ import annotations

from awf.journal.events import StepStarted
from property.generator import MAIN
from property.stage import Played
from property.world import Place

TEXTS = {
    MAIN: """
name: main
inputs:
  - {name: who, type: string, default: world}
  - {name: rounds, type: integer, default: 2}
  - {name: well, type: boolean, default: true}
hooks:
  workflow_start: [{log: "hello {{inputs.who}}"}, {command: "echo begin {{inputs.who}}"}]
  workflow_end: [{command: "echo end"}, {log: "ended in {{workflow.CurrentState}}"}]
  workflow_error: [{log: "{{error.Message}}"}, {command: "echo {{error.State}}"}]
  workflow_cancel: [{command: "echo never"}]
states:
  initial: prepare
  prepare:
    type: step
    command: "echo a,b,{{inputs.who}},left"
    hooks:
      pre: [{command: "echo before"}, {command: "echo fails"}]
      post: [{log: "{{states.prepare.Output}}"}, {command: "echo after {{states.prepare.ExitCode}}"}]
    transitions:
      - {when: "states.prepare.Output contains 'nothing'", goto: bad}
      - {when: "inputs.rounds >= 2 and states.prepare.Status == 'completed'", goto: flaky}
    on_success: bad
  flaky:
    type: step
    command: "echo flaky"
    retry: {max_attempts: 3, initial_delay: 2s, backoff: exponential}
    hooks: {pre: [{log: pre}], post: [{log: "{{states.flaky.Status}}"}]}
    on_success: tolerant
  tolerant: {type: step, command: "echo tolerant", timeout: 5s, continue_on_error: true, on_success: each}
  each:
    type: for_each
    items: "{{states.prepare.Output}}"
    max_iterations: "{{inputs.rounds}}"
    body: [first, skipped, inner, last]
    on_complete: each_fails
    hooks: {pre: [{command: "echo pre each"}], post: [{command: "echo post {{states.each.Output}}"}]}
  first:
    type: step
    command: "echo {{loop.Index}} {{loop.Item}} of {{loop.Length}}"
    transitions: [{when: "loop.Index == 1", goto: inner}]
  skipped: {type: step, command: "echo not skipped"}
  inner:
    type: while
    while: "states.count.Output != '1 b'"
    max_iterations: 3
    break_when: "states.count.Output == '0 a'"
    body: [count, deep]
  count: {type: step, command: "echo {{loop.Index}} {{loop.Parent.Item}}"}
  deep:
    type: call_workflow
    workflow: child
    inputs: {n: "{{loop.Index}}", name: "{{loop.Parent.Item}}"}
    outputs: {greeting: said}
    retry: {max_attempts: 2, initial_delay: 1s}
  last:
    type: step
    command: "echo last {{states.deep.Response.said}}"
    on_failure: first
    transitions: [{when: "states.last.ExitCode == 0 and loop.Last", goto: each}]
  each_fails: {type: for_each, items: [1, 2], body: [breaks], on_failure: leaves}
  breaks: {type: step, command: "echo breaks", hooks: {post: [{command: "echo broken"}]}}
  leaves: {type: for_each, items: [1, 2], body: [leaver], on_success: bad}
  leaver: {type: step, command: "echo leaver", on_success: leaves_again}
  leaves_again: {type: while, while: "true", max_iterations: 2, body: [quick], on_complete: all}
  quick: {type: step, command: "echo {{loop.Index1}}"}
  all:
    type: parallel
    strategy: all_succeed
    max_concurrent: 2
    parallel: [all_one, all_call, all_loop, all_three]
    on_success: any
  all_one: {type: step, command: "echo one", continue_on_error: true}
  all_call: {type: call_workflow, workflow: child, inputs: {n: 9, name: "all"}, outputs: {greeting: said, number: n}}
  all_loop: {type: for_each, items: [x, y], body: [all_step, all_inner]}
  all_step: {type: step, command: "echo {{loop.Item}}", retry: {max_attempts: 2, initial_delay: 3s}}
  all_inner: {type: parallel, parallel: [all_inner_one, all_inner_two], strategy: best_effort}
  all_inner_one: {type: step, command: "echo in {{loop.Item}}"}
  all_inner_two: {type: step, command: "echo fails"}
  all_three: {type: step, command: "echo three", hooks: {pre: [{command: "echo pre"}], post: [{command: "echo post"}]}}
  any:
    type: parallel
    strategy: any_succeed
    parallel: [any_slow, any_fails, any_soon, any_loop]
    on_success: best
  any_slow: {type: step, command: "echo slow"}
  any_fails: {type: step, command: "echo any"}
  any_soon: {type: step, command: "echo soon {{states.all_call.Response.n}}"}
  any_loop: {type: for_each, items: [1], body: [any_in_loop]}
  any_in_loop: {type: step, command: "echo slow", retry: {max_attempts: 2, initial_delay: 100s}}
  best:
    type: parallel
    strategy: best_effort
    max_concurrent: 1
    parallel: [best_one, best_two, bad]
    on_success: decided
  best_one: {type: step, command: "echo one"}
  best_two: {type: step, command: "echo two {{states.any.Output}}"}
  decided:
    type: parallel
    strategy: all_succeed
    parallel: [decided_fails, decided_slow, decided_waits]
    on_failure: limited
    on_success: bad
  decided_fails: {type: step, command: "echo fails"}
  decided_slow: {type: step, command: "echo slow"}
  decided_waits: {type: step, command: "echo fails at once", retry: {max_attempts: 2, initial_delay: 50s}}
  limited: {type: for_each, items: [1, 2], timeout: 10s, body: [limited_quick, limited_call], on_failure: short}
  limited_quick: {type: step, command: "echo quick"}
  limited_call: {type: call_workflow, workflow: slow}
  short: {type: step, command: "echo short", timeout: 2s, on_failure: gives_up}
  gives_up: {type: call_workflow, workflow: gives_up, inputs: {how: "{{inputs.who}}"}, continue_on_error: true,
    on_success: fails_early}
  fails_early: {type: call_workflow, workflow: fails_early, on_failure: refused}
  refused: {type: step, command: "echo {{states.prepare.JSON.nothing}}", on_failure: choose}
  choose:
    type: step
    command: "echo {{states.deep.Response.said}} {{states.all.Output}}"
    transitions:
      - {when: "inputs.well", goto: done}
    on_success: ends_badly
  ends_badly: {type: step, command: "echo ends", on_failure: {message: "{{inputs.who}} gave up", status: 9}}
  done: {type: terminal, message: "hello {{inputs.who}}: {{states.choose.Output}}"}
  bad: {type: terminal, status: failure, message: "ended badly"}
""",
    "child": """
name: child
inputs:
  - {name: n, type: integer}
  - {name: name, type: string, required: true}
hooks:
  workflow_start: [{command: "echo child {{inputs.name}}"}]
  workflow_end: [{command: "echo child ends"}]
  workflow_error: [{command: "echo child {{error.Message}}"}]
outputs:
  - {name: greeting, from: states.greet.Output}
  - {name: number, from: inputs.n}
states:
  initial: below
  below: {type: call_workflow, workflow: grandchild, inputs: {text: "{{inputs.name}}"}, on_success: greet}
  greet: {type: step, command: "echo {{states.below.Output}} {{inputs.n}}", on_success: done}
  done: {type: terminal}
""",
    "grandchild": """
name: grandchild
inputs: {text: {type: string}}
outputs: [{name: text, from: states.say.Output}]
states:
  initial: say
  say: {type: step, command: "echo deep {{inputs.text}}", retry: {max_attempts: 2, initial_delay: 1s}, on_success: done}
  done: {type: terminal, message: "said {{states.say.Output}}"}
""",
    "slow": """
name: slow
hooks: {workflow_error: [{command: "echo not run"}]}
states:
  initial: wait
  wait: {type: step, command: "echo slow", on_success: done}
  done: {type: terminal}
""",
    "gives_up": """
name: gives_up
inputs: {how: {type: string}}
hooks:
  workflow_error: [{command: "echo {{error.ExitCode}}"}, {log: "{{error.Message}}"}]
states:
  initial: block
  block: {type: parallel, parallel: [one, two], strategy: all_succeed, on_success: done,
    on_failure: {message: "{{inputs.how}} {{states.one.ExitCode}}", status: 6}}
  one: {type: step, command: "echo fails"}
  two: {type: step, command: "echo slow", hooks: {post: [{command: "echo never"}]}}
  done: {type: terminal}
""",
    "fails_early": """
name: fails_early
hooks: {workflow_start: [{log: x}, {command: "echo fails"}, {command: "echo never"}]}
states:
  initial: never
  never: {type: step, command: "echo never", on_success: done}
  done: {type: terminal}
""",
}

ASKING = {
    MAIN: """
name: main
states:
  initial: first
  first: {type: approval, message: "Begin?", hooks: {pre: [{command: "echo pre"}]}, on_approve: all, on_reject: bad}
  all: {type: parallel, parallel: [late, each, slow], strategy: best_effort, on_success: limited}
  late: {type: approval, message: "Nobody answers", timeout: 20s, hooks: {post: [{command: "echo late"}]}}
  each: {type: for_each, items: [1, 2], body: [in_each, work]}
  in_each: {type: approval, message: "{{loop.Item}}?"}
  work: {type: step, command: "echo {{states.in_each.Response.by}}"}
  slow: {type: step, command: "echo asked"}
  limited: {type: call_workflow, workflow: child, timeout: 30s, on_failure: timed}
  timed: {type: for_each, items: [1, 2, 3, 4, 5], body: [tick], max_duration: 2s, on_success: done}
  tick: {type: step, command: "echo tick"}
  done: {type: terminal, message: "{{states.late.Output}} {{states.limited.ExitCode}}"}
  bad: {type: terminal, status: failure}
""",
    "child": """
name: child
states:
  initial: never
  never: {type: approval, message: "Nobody answers", timeout: 1h, on_approve: done}
  done: {type: terminal}
""",
}

DELEGATING = {
    MAIN: """
name: main
states:
  initial: ask
  ask: {type: agent, provider: service, prompt: "what is it?", conversation: {}, on_success: each}
  each: {type: for_each, items: [1, 2], body: [fetch, more], on_complete: both}
  fetch: {type: operation, operation: http.request, inputs: {method: GET, url: "http://x/{{loop.Item}}"}}
  more:
    type: agent
    provider: service
    prompt: "and {{states.fetch.Response.url}}?"
    conversation: {continue_from: ask}
    retry: {max_attempts: 2, initial_delay: 1s}
    hooks: {post: [{command: "echo {{states.more.ExitCode}}"}]}
  both: {type: parallel, parallel: [left, right], strategy: all_succeed, on_success: done}
  left: {type: agent, provider: service, prompt: "left"}
  right: {type: operation, operation: http.request, inputs: {method: POST, url: "http://y"}, timeout: 9s}
  done: {type: terminal, message: "{{states.more.Output}}"}
""",
}

FAILING = {"breaks": 3, "tolerant": 4, "any_fails": 5, "all_one": 2, "ends_badly": 1}
SLOW = 1_000.0


def play(fact: StepStarted, place: Place) -> Played:
    """How its steps behave: what says so fails, what says so is slow, everything takes some time."""
    _, visits, tries = place
    text = fact.command.script if fact.command is not None else ""
    flaky = {"flaky": 2, "say": 1, "all_step": 1, "more": 1}
    if fact.state in flaky:
        failing = tries < flaky[fact.state] and not (fact.state == "say" and visits > 1)
    elif fact.state == "greet":
        failing = fact.path == "each[1]/inner[0]/deep/greet" and visits == 1
    elif fact.state == "last":
        failing = fact.path == "each[0]/last" and visits == 1
    else:
        failing = fact.state in FAILING or text.startswith("echo fails")
    slow = fact.state == "short" or text.startswith("echo slow")
    seconds = SLOW if slow else 0.0 if text == "echo fails at once" else 1.0 + (fact.state == "any_soon")
    return Played(seconds, FAILING.get(fact.state, 1) if failing else 0)
