from __future__ import annotations

import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from awf.errors import ReplayDiverged
from awf.journal import codec
from awf.journal.events import AnyFact, ResumedFrom, ShellCommand, StateEntered, StepStarted
from awf.testing.builders import accepted, step_started

KINDS = get_args(AnyFact)

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_PLAIN = {
    Any: _JSON,
    str: st.text(),
    bool: st.booleans(),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    type(None): st.none(),
}


def _values(hint):
    """Any value of an annotated type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in {Union, types.UnionType}:
        return st.one_of(*map(_values, arguments))
    if origin is dict:
        return st.dictionaries(*map(_values, arguments), max_size=3)
    if origin is list:
        return st.lists(_values(arguments[0]), max_size=3)
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(_values(arguments[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*map(_values, arguments))
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _structs(hint)
    return _PLAIN[hint]


def _structs(kind):
    hints = get_type_hints(kind)
    return st.builds(kind, **{name: _values(hints[name]) for name in kind.__struct_fields__})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_every_fact_comes_back_as_it_was_encoded(kind, data):
    fact = data.draw(_structs(kind))
    tag, version, body = codec.encode(fact)
    assert tag == codec.type_of(fact)
    assert codec.decode(tag, version, body) == fact


RECORDED = {
    "execution.accepted": b'{"type":"execution.accepted","workflow":"w","file":"w.yaml","definition":{"workflow":"d"},'
    b'"inputs":{"a":[1,null]},"initial":"build","root":"/p","working_dir":"/p",'
    b'"resumed":{"execution":"e","from_path":"build","reused":[1,2]}}',
    "execution.started": b'{"type":"execution.started","engine":"e"}',
    "execution.recovered": b'{"type":"execution.recovered","engine":"e","orderly":true}',
    "execution.released": b'{"type":"execution.released","engine":"e"}',
    "step.reused": b'{"type":"step.reused","step":1,"state":"a","path":"a","attempt":1,"exit_code":0,"output":"o",'
    b'"stderr":"","started_at":1,"completed_at":2}',
    "block.kept": b'{"type":"block.kept","path":"a","state":"a","kind":"for_each","enter":"b","index":3,"items":["x"],'
    b'"limit":5,"timeout":1.5}',
    "state.entered": b'{"type":"state.entered","state":"a","path":"a","kind":"step","via":"initial"}',
    "step.started": b'{"type":"step.started","step":1,"state":"a","path":"a","attempt":1,"attempt_id":"i","kind":"step",'
    b'"command":{"script":"echo $X","variables":[["X","1"]]},"env":{"K":"V"},"timeout":1.5}',
    "step.adopted": b'{"type":"step.adopted","step":1,"state":"a","path":"a","attempt":1,"attempt_id":"i","engine":"e"}',
    "agent.message": b'{"type":"agent.message","step":1,"path":"a","state":"a","attempt":1,"role":"assistant",'
    b'"blocks":[{"type":"text","text":"t"},{"type":"tool_use","id":"1","name":"ls","input":{"a":[1]}},'
    b'{"type":"tool_result","id":"1","output":"o","failed":true}]}',
    "step.output": b'{"type":"step.output","step":1,"path":"a","state":"a","attempt":1,"stream":"stderr","text":"t"}',
    "step.completed": b'{"type":"step.completed","step":1,"state":"a","path":"a","attempt":1,"duration":0.5}',
    "step.failed": b'{"type":"step.failed","step":1,"state":"a","path":"a","attempt":1,"exit_code":2,"error":"no"}',
    "step.retrying": b'{"type":"step.retrying","step":1,"state":"a","path":"a","attempt":1,"exit_code":2,"error":"no",'
    b'"delay":0.5}',
    "input.required": b'{"type":"input.required","step":1,"state":"a","path":"a","attempt":1,"kind":"crash",'
    b'"prompt":"?","choices":["rerun","fail"],"deadline":5}',
    "input.received": b'{"type":"input.received","step":1,"state":"a","path":"a","response":"rerun","comment":"c"}',
    "loop.iterated": b'{"type":"loop.iterated","path":"a","index":0}',
    "block.ending": b'{"type":"block.ending","path":"a","failed":true,"error":"no","exit_code":124}',
    "hook.started": b'{"type":"hook.started","path":"a","hook":"pre","index":0,"attempt":1,"attempt_id":"i",'
    b'"command":{"script":"true"}}',
    "hook.finished": b'{"type":"hook.finished","path":"a","hook":"pre","index":0,"message":"m"}',
    "workflow.closing": b'{"type":"workflow.closing","path":"","status":"failed","state":"a","error":"no"}',
    "cancel.requested": b'{"type":"cancel.requested"}',
    "execution.completed": b'{"type":"execution.completed","state":"done"}',
    "execution.failed": b'{"type":"execution.failed","error":"no"}',
    "execution.cancelled": b'{"type":"execution.cancelled"}',
}
"""Bodies of version 1 as they lie in stores: these must be readable for ever."""


@pytest.mark.parametrize("tag", RECORDED)
def test_recorded_bodies_stay_readable(tag):
    fact = codec.decode(tag, 1, RECORDED[tag])
    assert codec.type_of(fact) == tag
    assert codec.encode(fact)[2] == RECORDED[tag]


def test_every_type_has_a_recorded_body():
    assert {kind.__struct_config__.tag for kind in KINDS} <= set(RECORDED)


def test_fields_that_are_absent_have_their_defaults():
    fact = codec.decode("step.started", 1, RECORDED["step.started"])
    assert isinstance(fact, StepStarted)
    assert fact.command == ShellCommand(script="echo $X", variables=(("X", "1"),), display="")
    assert (fact.recovered, fact.refused, fact.dir) == (False, "", "")
    assert accepted(resumed=ResumedFrom(execution="e", from_path="a")).resumed.reused == ()


def test_upcasts_lead_old_versions_to_the_present_one_in_order(monkeypatch):
    monkeypatch.setitem(codec.VERSIONS, "state.entered", 3)
    monkeypatch.setitem(
        codec.UPCASTS, ("state.entered", 1), lambda fields: {**fields, "path": fields["place"], "kind": "v2"}
    )
    monkeypatch.setitem(
        codec.UPCASTS, ("state.entered", 2), lambda fields: {**fields, "kind": fields["kind"] + " then v3"}
    )
    first = codec.decode(
        "state.entered", 1, b'{"type":"state.entered","state":"a","place":"p","via":"initial"}'
    )
    assert first == StateEntered(state="a", path="p", kind="v2 then v3", via="initial")
    second = codec.decode(
        "state.entered", 2, b'{"type":"state.entered","state":"a","path":"p","kind":"k","via":"initial"}'
    )
    assert second == StateEntered(state="a", path="p", kind="k then v3", via="initial")
    present = StateEntered(state="a", path="p", kind="k", via="initial")
    assert codec.encode(present)[:2] == ("state.entered", 3)
    assert codec.decode(*codec.encode(present)) == present


def test_an_old_body_that_does_not_fit_after_its_upcast_is_refused(monkeypatch):
    monkeypatch.setitem(codec.VERSIONS, "cancel.requested", 2)
    monkeypatch.setitem(codec.UPCASTS, ("cancel.requested", 1), lambda fields: {**fields, "type": "other"})
    with pytest.raises(ReplayDiverged, match=r"cancel\.requested.* version 1"):
        codec.decode("cancel.requested", 1, b'{"type":"cancel.requested"}')


@pytest.mark.parametrize(
    ("tag", "version", "body"),
    [
        ("step.invented", 1, b"{}"),
        ("step.started", 99, codec.encode(step_started())[2]),
        ("step.started", 1, b'{"type":"step.started","step":1}'),
        ("step.started", 1, codec.encode(step_started())[2].replace(b'"step":1', b'"step":"one"')),
        ("step.started", 1, RECORDED["step.failed"]),
        ("step.started", 1, b"\xff not json"),
        ("step.started", 1, b""),
    ],
)
def test_what_cannot_be_read_is_said_so(tag, version, body):
    with pytest.raises(ReplayDiverged, match=tag.replace(".", r"\.")):
        codec.decode(tag, version, body)
