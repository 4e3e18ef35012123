"""Functions of the host: called in order, in a thread of their own, and never waited for."""

from __future__ import annotations

from threading import Event, get_ident
from threading import enumerate as threads
from typing import TYPE_CHECKING

import pytest

from journal.sync.hooks import Hook

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S = 20.0


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Check that every hook ended its thread."""
    yield
    assert "journal-hook" not in {thread.name for thread in threads()}


def test_values_are_handed_over_in_order() -> None:
    """The function gets every value, in order, in another thread."""
    told: list[int] = []
    seen = set()

    def note(value: int) -> None:
        seen.add(get_ident())
        told.append(value)

    hook = Hook(note, "test")
    for value in range(100):
        hook(value)
    hook.flush()
    hook.flush()

    assert told == list(range(100))
    assert get_ident() not in seen
    assert not hook.is_calling


def test_a_slow_one_misses_the_oldest(caplog: pytest.LogCaptureFixture) -> None:
    """Where values wait for a slow function, the oldest are dropped, and it is said how many."""
    told: list[int] = []
    began, release = Event(), Event()

    def note(value: int) -> None:
        began.set()
        assert release.wait(PATIENCE_S)
        told.append(value)

    hook = Hook(note, "test", most=3)
    hook(0)
    assert began.wait(PATIENCE_S)
    for value in range(1, 11):
        hook(value)
    release.set()
    hook.flush()

    assert told == [0, 8, 9, 10]
    assert "the test callback is slow: 7 dropped" in caplog.text


@pytest.mark.parametrize("error", [ZeroDivisionError, SystemExit])
def test_one_that_raises(caplog: pytest.LogCaptureFixture, error: type[BaseException]) -> None:
    """What the function raises is logged, and the next value is handed over."""
    told: list[int] = []

    def note(value: int) -> None:
        if not value:
            raise error
        told.append(value)

    hook = Hook(note, "test")
    hook(0)
    hook(1)
    hook.flush()

    assert told == [1]
    assert "the test callback failed at a change" in caplog.text


def test_one_that_ends_its_own_hook() -> None:
    """A function that flushes its own hook waits for nothing."""
    told = []

    def note(value: int) -> None:
        told.append((value, hook.is_calling))
        hook.flush()

    hook = Hook(note, "test")
    hook(1)
    hook.flush()
    hook(2)
    hook.flush()

    assert told == [(1, True), (2, True)]
