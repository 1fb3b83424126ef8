"""What it costs to read a workflow file, to render a template and to evaluate a condition, in one process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import yaml

from awf.domain.expressions import parse_expression
from awf.domain.expressions import test as holds
from awf.domain.load import load_workflow
from awf.domain.problems import Position
from awf.domain.templates import parse_template, render
from bench.context import Context
from bench.figures import Figure, NotMeasured
from bench.workflows import various

LINES = 200
PLACE = Position("bench.yaml", 1, 1)
SCOPE: dict[str, Any] = {
    "inputs": {"target": "staging", "n": 7},
    "states": {"build": {"Output": "a\nb\n", "Stderr": "", "ExitCode": 0, "Status": "completed"}},
}
VALUES = "building {{.inputs.target}}: {{.states.build.Status}} with {{.states.build.ExitCode}}"
BRANCHES = (
    '{{if eq .inputs.target "staging"}}{{range $i, $c := split "a,b,c" ","}}{{$i}}={{$c}} {{end}}{{end}}'
)
CONDITION = 'states.build.ExitCode == 0 and inputs.target != "nowhere" and inputs.n < 10'
FORMAT = "building {}: {} with {}"


def measure(context: Context) -> Iterator[Figure]:
    """Every figure beside what Python's nearest equivalent costs, in turns."""
    yield _loading(context)
    state = SCOPE["states"]["build"]
    formatted = lambda: FORMAT.format(SCOPE["inputs"]["target"], state["Status"], state["ExitCode"])  # noqa: E731
    for what, source in (("a template of three values", VALUES), ("one with a branch and a loop", BRANCHES)):
        template = parse_template(source, PLACE)
        yield _evaluation(
            context, what, lambda template=template: render(template, SCOPE), formatted, "str.format"
        )
    expression = parse_expression(CONDITION, PLACE)
    code = compile('s["ExitCode"] == 0 and i["target"] != "nowhere" and i["n"] < 10', "floor", "eval")
    names = {"s": state, "i": SCOPE["inputs"]}
    yield _evaluation(
        context,
        "a condition of three comparisons",
        lambda: holds(expression, SCOPE),
        lambda: eval(code, names),
        "eval of compiled Python",
    )


def _loading(context: Context) -> Figure:
    rounds = context.many(100, 20)
    spent, floors = [], []
    text = various("flow", LINES)
    for _ in range(rounds):
        began = time.perf_counter()
        yaml.load(text, yaml.CSafeLoader)
        read = time.perf_counter()
        loaded = load_workflow(text, "flow.yaml", "flow")
        spent.append((time.perf_counter() - read) * 1000)
        floors.append((read - began) * 1000)
        if loaded.problems:
            raise NotMeasured(f"the file has problems: {loaded.problems[0]}")
    return Figure(
        what=f"parse and validate a file of {text.count(chr(10))} lines",
        value=median(spent),
        unit="ms",
        floor=median(floors),
        floor_is="PyYAML's C loader alone",
        of=f"median of {rounds}",
    )


def _evaluation(
    context: Context, what: str, evaluate: Callable[[], Any], floor: Callable[[], Any], floor_is: str
) -> Figure:
    rounds, times = context.many(20, 5), 2_000
    pairs = [(_each(evaluate, times), _each(floor, times)) for _ in range(rounds)]
    cost = median(cost for cost, _ in pairs)
    return Figure(
        what=what,
        value=cost,
        unit="µs",
        floor=median(least for _, least in pairs),
        floor_is=floor_is,
        of=f"{1e6 / cost:,.0f} a second; medians of {rounds} rounds of {times:,}",
    )


def _each(evaluate: Callable[[], Any], times: int) -> float:
    """Microseconds of one evaluation."""
    began = time.perf_counter()
    for _ in range(times):
        evaluate()
    return (time.perf_counter() - began) * 1e6 / times
