from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from awf.domain.outcomes import Usage
from awf.journal.events import (
    AttemptSpent,
    CancelRequested,
    Entry,
    ExecutionRecovered,
    ExecutionReleased,
    ExecutionStarted,
    StateEntered,
)
from awf.journal.projection import accepted_row, project
from awf.testing.builders import (
    EPOCH,
    FINALS,
    accepted,
    entries,
    input_received,
    input_required,
    step_completed,
    step_failed,
    step_output,
    step_started,
)

FIRST = Entry(1, EPOCH, accepted())

_STEPS = st.integers(1, 4)
_USAGES = st.none() | st.builds(Usage, input=st.integers(0, 9), output=st.integers(0, 9))
_FACTS = st.one_of(
    st.just(ExecutionStarted(engine="e")),
    st.just(ExecutionRecovered(engine="f")),
    st.just(ExecutionReleased(engine="e")),
    st.just(CancelRequested()),
    st.sampled_from(["a", "b"]).map(
        lambda path: StateEntered(state=path, path=path, kind="step", via="initial")
    ),
    st.builds(step_started, _STEPS, attempt=st.integers(1, 3)),
    st.builds(step_output, _STEPS, st.text(max_size=3)),
    st.builds(step_completed, _STEPS, usage=_USAGES),
    st.builds(step_failed, _STEPS, exit_code=st.integers(1, 255), usage=_USAGES),
    st.builds(input_required, _STEPS, path=st.sampled_from(["build", "test"])),
    st.builds(input_received, path=st.sampled_from(["build", "test"])),
    st.builds(
        ExecutionReleased, engine=st.just("e"), parked=st.booleans(), wake_at=st.none() | st.just(EPOCH)
    ),
    st.builds(
        ExecutionRecovered,
        engine=st.just("f"),
        spent=st.tuples(st.builds(AttemptSpent, step=_STEPS, path=st.just("a"), usage=_USAGES.filter(bool))),
    ),
)


def _folded(parts):
    """The rows after appends of these parts, as a store makes them."""
    row, steps = accepted_row("one", 7, FIRST), {}
    for part in parts:
        steps.update(
            project(
                row, part, lambda number: msgspec.structs.replace(steps[number]) if number in steps else None
            )
        )
    return row, steps


@given(facts=st.lists(_FACTS, max_size=20), final=st.sampled_from([None, *FINALS.values()]), data=st.data())
def test_rows_do_not_depend_on_how_the_journal_was_cut_into_appends(facts, final, data):
    journal = entries(1, *facts, *([final] if final else []))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(journal)), max_size=5)))
    parts = [journal[start:end] for start, end in zip([0, *cuts], [*cuts, len(journal)], strict=True)]
    assert _folded(parts) == _folded([journal])


@given(facts=st.lists(_FACTS, max_size=20))
def test_the_row_knows_how_far_the_journal_is(facts):
    journal = entries(1, *facts, at=EPOCH + 5)
    row, steps = _folded([journal])
    assert (row.last_seq, row.started_at) == (len(journal) + 1, EPOCH)
    assert row.updated_at == (journal[-1].at if journal else EPOCH)
    assert set(steps) == {fact.step for fact in facts if type(fact) is type(step_started())}


def test_a_recovered_execution_runs_since_its_first_start():
    row, _ = _folded([entries(1, ExecutionStarted(engine="e"), ExecutionReleased(engine="e"), at=EPOCH + 1)])
    assert (row.status, row.running_since) == ("pending", EPOCH + 1)
    project(row, entries(3, ExecutionRecovered(engine="f"), at=EPOCH + 9), lambda _: None)
    assert (row.status, row.running_since) == ("running", EPOCH + 1)


def test_each_end_has_its_status_and_its_exit_code():
    ends = {}
    for status, fact in FINALS.items():
        row, _ = _folded([entries(1, ExecutionStarted(engine="e"), fact, at=EPOCH)])
        assert (row.status, row.owner, row.completed_at) == (status, None, EPOCH + 1)
        ends[status] = (row.error, row.exit_code)
    assert ends == {"completed": (None, 0), "failed": ("it broke", 1), "cancelled": ("cancelled", None)}


def test_the_end_of_a_step_nobody_started_changes_no_step():
    _, steps = _folded([entries(1, step_completed(3))])
    assert steps == {}


def test_what_waits_for_a_person_is_in_the_row_until_it_is_answered_or_ends():
    row, _ = _folded([entries(1, input_required(1), input_required(2, path="all/test", state="test"))])
    assert row.waiting_for == "person"
    assert [(each.question, each.path, each.choices) for each in row.waiting] == [
        (2, "build", ("rerun", "skip", "fail")),
        (3, "all/test", ("rerun", "skip", "fail")),
    ]
    project(row, entries(3, input_received()), lambda _: None)
    assert [each.path for each in row.waiting] == ["all/test"]
    project(row, entries(4, step_failed(2, path="all/test", state="test")), lambda _: None)
    assert (row.waiting, row.waiting_for) == ((), None)


def test_a_parked_execution_is_running_without_an_owner():
    row, _ = _folded(
        [entries(1, ExecutionStarted(engine="e"), ExecutionReleased(engine="e", parked=True, wake_at=7))]
    )
    assert (row.status, row.owner, row.parked, row.wake_at) == ("running", None, True, 7)


def test_nothing_waits_after_the_end():
    for fact in FINALS.values():
        row, _ = _folded([entries(1, input_required(), fact)])
        assert (row.waiting, row.waiting_for) == ((), None)
