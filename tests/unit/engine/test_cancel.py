"""Telling a step that is being run to end."""

from awf.engine.cancel import Cancel


def test_it_calls_back_once_and_wakes_who_waits() -> None:
    cancel, called = Cancel(), []
    cancel.then(lambda: called.append("a"))
    cancel.then(lambda: called.append("b"))
    assert not called
    cancel.set()
    cancel.set()
    assert called == ["a", "b"]
    assert cancel.is_set()


def test_who_comes_late_is_called_at_once() -> None:
    cancel, called = Cancel(), []
    cancel.set()
    cancel.then(lambda: called.append("late"))
    assert called == ["late"]


def test_what_is_forgotten_is_not_called() -> None:
    cancel, other, called = Cancel(), Cancel(), []
    callback = lambda: called.append("a")
    cancel.then(callback)
    cancel.then(other.set)
    cancel.forget(callback)
    cancel.forget(callback)
    cancel.forget(other.set)
    cancel.set()
    assert called == []
    assert not other.is_set()
