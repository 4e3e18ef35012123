"""Given these events, when this is done, then these events, or this error.

After the command, what is kept in memory and in tables is compared with what follows from the
log: state that was changed by anything but an event is found, whatever the events are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from journal.events import EVENT_TYPES
from journal.record import evolve, initial
from journal.sources import host_name
from journal.staging import Facts
from journal.testing.handed import check_done, check_views
from journal.values import Ref
from projections.replaying import VIEWS, divergences_in_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from journal import Journal
    from journal.events import Entry, Event
    from projections import Projection

    Step: TypeAlias = tuple[str, Event] | Callable[[Journal], object]
    Expected: TypeAlias = (
        type[Event | BaseException] | Event | tuple[str, Event | type[Event]] | BaseException
    )

__all__ = ["Given", "When", "given"]

_BY = "given"
_EVENTS: Final = tuple(EVENT_TYPES.values())
_STEP: Final = (
    'it is an event with its record, as ("Account:1", RecordCreated(fields={})), or a function of '
    "the journal"
)
_EXPECTED: Final = (
    "expect an event, as RecordCreated(fields={}), or its type, alone or with its record, as "
    '("Account:1", RecordCreated); or one error'
)


def given(
    *steps: Step, journal: Journal | None = None, views: Sequence[type[Projection]] = VIEWS
) -> Given:
    """Begin with what has happened before.

    Args:
        *steps: in order, each an event with its record, ``("Account:1", RecordCreated(...))``,
            or a function that is called with the journal.
        journal: in which it happens; one in memory otherwise.
        views: projections that are compared with a replay after the command.

    Raises:
        TypeError: a step, or a view, is none; or a step is async, or yields.
    """
    return Given(steps, journal, views)


class Given:
    """What has happened before."""

    def __init__(
        self, steps: Sequence[Step], journal: Journal | None, views: Sequence[type[Projection]]
    ) -> None:
        """Let the steps happen in a journal, or in one in memory."""
        from journal import Journal as Made  # noqa: PLC0415  only where none is given

        for number, step in enumerate(steps, 1):
            _check_step(number, step)
        check_views(views)
        self.whens: list[When] = []
        """What was done with it."""
        self.journal = Made(actor="test", origin=host_name()) if journal is None else journal
        self._views = [view(self.journal) for view in views]
        for step in steps:
            if callable(step):
                check_done("a step of given()", step(self.journal))
            else:
                ref, event = step
                self.journal.note(_ref(ref), _said(event), Facts(_BY, self.journal.origin))
        for view in self._views:
            view.catch_up()

    def when(self, command: Callable[[Journal], object]) -> When:
        """Do something with the journal; what it raises is kept for `When.then`.

        Raises:
            TypeError: the command is no function, or one that is async, or yields.
        """
        if not callable(command):
            raise TypeError(f"when() takes a function of the journal, and was handed {command!r}")
        head = self.journal.log.head()
        error: Exception | None = None
        result: object = None
        try:
            result = command(self.journal)
        except Exception as raised:  # noqa: BLE001  it is what is expected, or told
            error = raised
        check_done("the command", result)
        for view in self._views:
            view.catch_up()
        when = When(self.journal, head, result, error, [type(view) for view in self._views])
        self.whens.append(when)
        return when


class When:
    """What was done, and what came of it."""

    def __init__(
        self,
        journal: Journal,
        head: int,
        result: object,
        error: Exception | None,
        views: Sequence[type[Projection]],
    ) -> None:
        """Keep what the command returned, or raised."""
        self.journal = journal
        self.is_asked = False
        """Whether anybody has asked what came of it."""
        self._result = result
        self._error = error
        self._entries: list[Entry] = list(journal.log.scan(head))
        self._views = views

    @property
    def result(self) -> object:
        """What it returned."""
        self.is_asked = True
        return self._result

    @property
    def error(self) -> Exception | None:
        """What it raised."""
        self.is_asked = True
        return self._error

    @property
    def entries(self) -> list[Entry]:
        """What it stored."""
        self.is_asked = True
        return self._entries

    def then(self, *expected: Expected) -> When:
        """Assert what came of it: these events in this order and no others, or this error.

        Args:
            *expected: events, each itself or its type, alone or with its record; or one error,
                or its type, with which nothing is stored. Nothing for no event at all.

        Raises:
            AssertionError: something else did; or live state is not what follows from the log.
            TypeError: what is expected can never be: it is no event, or an error and more.
        """
        __tracebackhide__ = True
        self.is_asked = True
        for each in expected:
            if not (_is_error(each) or _is_event(each)):
                raise TypeError(f"{each!r} is neither an event nor an error; {_EXPECTED}")
        errors = [each for each in expected if _is_error(each)]
        if errors and len(expected) > 1:
            raise TypeError("an error comes alone: with it, nothing is stored; expect it by itself")
        if errors:
            self._check_error(errors[0])
        else:
            self._check_events(expected)
        self._check_replayed()
        return self

    def _check_error(self, expected: Any) -> None:  # noqa: ANN401  an error or its type
        __tracebackhide__ = True
        kind = expected if isinstance(expected, type) else type(expected)
        if not isinstance(self.error, kind):
            came = f"it stored {_listed(self.entries)}" if self.error is None else repr(self.error)
            message = f"expected {kind.__name__}, but {came}"
            raise AssertionError(message) from self.error  # noqa: TRY004  it is a test that fails
        if not isinstance(expected, type) and str(expected) not in str(self.error):
            raise AssertionError(f"expected {expected}, but it said: {self.error}") from self.error
        if self.entries:
            raise AssertionError(f"it was refused, and yet it stored {_listed(self.entries)}")

    def _check_events(self, expected: Sequence[Any]) -> None:
        __tracebackhide__ = True
        if self.error is not None:
            raise AssertionError(f"expected events, but it raised {self.error!r}") from self.error
        is_same = len(expected) == len(self.entries)
        if not (is_same and all(map(_fits, expected, self.entries))):
            wanted = "".join(f"\n  {each!r}" for each in expected) or " nothing"
            raise AssertionError(f"expected{wanted}\nbut it stored{_listed(self.entries)}")

    def _check_replayed(self) -> None:
        """Compare what is kept with what follows from the log."""
        __tracebackhide__ = True
        for ref in dict.fromkeys(entry.stream for entry in self.entries):
            record = initial(ref)
            for entry in self.journal.log.stream(ref):
                record = evolve(record, entry)
            if (live := self.journal.load(ref)) != record:
                raise AssertionError(f"{ref} is {live}, and its events say {record}")
        for divergence in divergences_in_tables(self.journal, self._views):
            raise AssertionError(divergence.sentence)


def _check_step(number: int, step: object) -> None:
    """Refuse what is no step.

    Raises:
        TypeError: it is none.
    """
    is_one = isinstance(step, tuple) and len(step) == len(("record", "event"))
    if is_one and isinstance(step, tuple):
        is_one = isinstance(step[0], str) and isinstance(step[1], _EVENTS)
    if not is_one and (isinstance(step, type) or not callable(step)):
        raise TypeError(f"step {number} of given() is {step!r}; {_STEP}")


def _is_event(expected: object) -> bool:
    """Say whether that is an event, or its type, alone or with its record."""
    if isinstance(expected, tuple):
        is_pair = len(expected) == len(("record", "event")) and isinstance(expected[0], str)
        return is_pair and not isinstance(expected[1], tuple) and _is_event(expected[1])
    kind = expected if isinstance(expected, type) else type(expected)
    return issubclass(kind, _EVENTS)


def _ref(text: str) -> Ref:
    return text if type(text) is Ref else Ref(text)


def _said(event: Event) -> Callable[[object], tuple[Event]]:
    return lambda _record: (event,)


def _is_error(expected: object) -> bool:
    kind = expected if isinstance(expected, type) else type(expected)
    return issubclass(kind, BaseException)


def _fits(expected: Any, entry: Entry) -> bool:  # noqa: ANN401  an event, in whichever form
    if isinstance(expected, tuple):
        return bool(expected[0] == entry.stream) and _fits(expected[1], entry)
    if isinstance(expected, type):
        return isinstance(entry.event, expected)
    return bool(expected == entry.event)


def _listed(entries: Sequence[Entry]) -> str:
    return "".join(f"\n  {(str(e.stream), e.event)!r}" for e in entries) or " nothing"
