"""Floor 4: commands staged for an append: decided one after another, not yet in the log; pure.

It knows nothing of logs or clocks; ids are made by whoever it is handed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias, TypedDict

from journal.errors import InvalidNameError, InvalidValueError, VersionConflictError, shown
from journal.events import Entry, Event, NewEntry
from journal.record import Record, evolve
from journal.values import Ref

LONGEST_S: Final = 1_000_000
"""The longest time to wait, in seconds: eleven days."""

Lookup: TypeAlias = Callable[[Ref], Record]
Decision: TypeAlias = Callable[[Record, Lookup], Sequence[Event]]


class Envelope(TypedDict, total=False):
    """What may be said with every command; it stands in the envelope of its events."""

    actor: str | None
    """Who does it."""
    reason: str | None
    """Why."""
    correlation_id: str | None
    """What it belongs to, such as a request of the application."""
    causation_id: str | None
    """The event or command that led to it."""


class Facts(NamedTuple):
    """Who does something, and why: what an envelope says besides the event."""

    actor: str
    origin: str
    correlation_id: str | None = None
    causation_id: str | None = None
    reason: str | None = None
    trace: str | None = None

    def but(self, given: Envelope) -> Facts:
        """Return these facts with those in their place that are given.

        Raises:
            InvalidNameError: one is no text, empty, too long, or not printable.
            TypeError: there is no such fact.
        """
        if unknown := given.keys() - Envelope.__optional_keys__:
            message = f"got an unexpected keyword argument {min(unknown)!r}"
            raise TypeError(message)
        known = {name: value for name, value in given.items() if value is not None}
        return self._replace(**known).checked() if known else self  # type: ignore[arg-type]

    def checked(self) -> Facts:
        """Return the facts, of which each must be kept, and shown, as it is.

        Raises:
            InvalidNameError: one is no text, empty, too long, or not printable.
        """
        check_text("actor", self.actor, 255)
        check_text("origin", self.origin, 255)
        check_text("correlation id", self.correlation_id, 255)
        check_text("causation id", self.causation_id, 255)
        check_text("reason", self.reason, 4096, may_break_lines=True)
        check_text("trace", self.trace, 255)
        return self


def check_text(what: str, text: str | None, most: int, *, may_break_lines: bool = False) -> None:
    """Refuse a text that could not be kept, or shown, as it is; None is no text.

    Raises:
        InvalidNameError: it is no text, empty, longer than `most`, or not printable.
    """
    if text is None:
        return
    fits = type(text) is str and 0 < len(text) <= most
    if not fits or not (text.replace("\n", " ") if may_break_lines else text).isprintable():
        raise InvalidNameError(what, str(text), hint=f"use 1 to {most} printable characters")


def check_seconds(what: str, seconds: object) -> None:
    """Refuse what is no time to wait, or is longer than anybody waits.

    Raises:
        InvalidValueError: it is no number, or negative, or more than a million.
    """
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not (is_number and 0 <= seconds <= LONGEST_S):  # type: ignore[operator]
        problem = f"{shown(repr(seconds))} is no time to wait"
        raise InvalidValueError(what, problem, hint="give seconds, from 0 to a million")


def check_version(what: str, version: object) -> None:
    """Refuse what is no version of a stream.

    Raises:
        InvalidValueError: it is no integer, or negative.
    """
    if type(version) is not int or version < 0:
        problem = f"{shown(str(version))} is no version of a record"
        raise InvalidValueError(what, problem, hint="give the version that you read, from 0")


class Step(NamedTuple):
    """One command on its way into the log: decided as often as need be, named once."""

    ref: Ref
    decision: Decision
    event_id: str
    occurred_at: int
    facts: Facts
    expected_version: int | None = None


class Staging:
    """Steps decided one after another, each on the state that those before it leave."""

    def __init__(self, lookup: Lookup, look_again: Lookup) -> None:
        """Begin with the records as they are known.

        Args:
            lookup: returns a record as it was last seen: what is decided on an old state is
                found out by the version that the append expects.
            look_again: returns a record as it is now, for those that are only referred to.
        """
        self._lookup = lookup
        self._look_again = look_again
        self._tails: dict[Ref, list[NewEntry]] = {}
        self._records: dict[Ref, Record] = {}
        self._found: dict[Ref, Record] = {}
        self.decided = 0
        self.new: list[NewEntry] = []

    @property
    def refs(self) -> tuple[Ref, ...]:
        """The records that were looked at."""
        return tuple(self._records)

    def record(self, ref: Ref) -> Record:
        """Return the record as the steps so far leave it."""
        record = self._records.get(ref)
        if record is None:
            record = self._found[ref] = self._lookup(ref)
        for new in self._tails.pop(ref, ()):
            record = evolve(record, _provisional(new))
        self._records[ref] = record
        return record

    def stage(self, step: Step, new_id: Callable[[int], str]) -> bool:
        """Decide one more step; say whether it led to anything.

        Raises:
            VersionConflictError: the record is not at the version that the caller expects.
            RefusedError: the step was refused.
        """
        record = self.record(step.ref)
        if step.expected_version not in {None, record.version}:
            raise VersionConflictError(step.ref, step.expected_version or 0, record.version)
        events = step.decision(record, self._target)
        for version, event in enumerate(events, record.version + 1):
            is_first = version == record.version + 1
            event_id = step.event_id if is_first else new_id(step.occurred_at)
            new = NewEntry(event_id, step.ref, version, step.occurred_at, *step.facts, event)
            self.new.append(new)
            self._tails.setdefault(step.ref, []).append(new)
        self.decided += 1
        return bool(events)

    def _target(self, ref: Ref) -> Record:
        """Return a record that is referred to, as it is now and the steps so far leave it."""
        if ref not in self._records:
            self._records[ref] = self._found[ref] = self._look_again(ref)
        return self.record(ref)

    def is_current(self, kept: Mapping[Ref, Record]) -> bool:
        """Say whether the records are still those that the steps were decided on."""
        return all(
            kept.get(ref) is (found if found.version else None)
            for ref, found in self._found.items()
        )


class Batch:
    """Changes that are stored together, all or none, when the block ends."""

    def __init__(self, facts: Facts) -> None:
        """Begin without changes; every change says these facts where it says no others."""
        self.facts = facts
        self.is_open = True
        self.steps: list[Step] = []
        self.staging: Staging | None = None
        self.entries: tuple[Entry, ...] = ()
        """What was stored, once the block has ended: all that is left to be done by then."""

    def __len__(self) -> int:
        """Return the number of commands so far."""
        return len(self.steps)

    @property
    def events(self) -> int:
        """The number of events that the commands led to, so far or in the end."""
        if self.entries or self.staging is None or not self.is_open:
            return len(self.entries)
        return len(self.staging.new)


def _provisional(new: NewEntry) -> Entry:
    """Return an entry as it may come to be: staged, at no position yet."""
    return Entry(
        position=0,
        batch=0,
        event_id=new.event_id,
        stream=new.stream,
        version=new.version,
        occurred_at=new.occurred_at,
        clock_adjusted=False,
        actor=new.actor,
        origin=new.origin,
        correlation_id=new.correlation_id,
        causation_id=new.causation_id,
        reason=new.reason,
        trace=new.trace,
        event=new.event,
    )
