"""Floor 7: what is done where a service would surely refuse a draft: refused, said, or nothing.

It knows nothing of how drafts are made.
"""

from __future__ import annotations

from logging import getLogger
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from journal.errors import InvalidValueError, WouldBeRefusedError
from journal.events import RecordCreated, RecordDeleted, RecordUpdated
from journal.fitting import misfits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from journal.catalogue import Catalogue, Described
    from journal.events import ChangeKind, Event
    from journal.values import Ref

Hints: TypeAlias = Literal["refuse", "warn", "off"]
"""What is done with a draft that the service would surely refuse."""
_log = getLogger("journal.hints")


def check_hints(hints: object) -> None:
    """Refuse what is no way to treat a draft that the service would refuse.

    Raises:
        InvalidValueError: it is none.
    """
    if hints not in get_args(Hints):
        words = ", ".join(get_args(Hints))
        raise InvalidValueError("hints", f"there is no {hints!r}", hint=f"use one of {words}")


class Advice:
    """What a service has said, long before, of one change of one record."""

    def __init__(self, ref: Ref, described: Described, hints: Hints) -> None:
        """Hold the changes of that record against what its type was described as."""
        self._ref = ref
        self._described = described
        self._hints = hints
        self._messages: Mapping[str, str] = {}

    def checked(self, events: Sequence[Event]) -> Sequence[Event]:
        """Return the events that a command leads to, if the service may take what they say.

        Raises:
            WouldBeRefusedError: it would surely not.
        """
        for event in events:
            if isinstance(event, RecordCreated):
                self.check("create", event.fields)
            elif isinstance(event, RecordUpdated):
                self.check("update", event.changes)
            elif isinstance(event, RecordDeleted):
                self.check("delete", {})
        return events

    def check(self, kind: ChangeKind, fields: Mapping[str, object]) -> None:
        """Refuse a change that the service would surely refuse, or remember why it would.

        Raises:
            WouldBeRefusedError: it would.
        """
        self._messages = misfits(self._described.type, kind, fields)
        if self._messages and self._hints == "refuse":
            raise WouldBeRefusedError(self._ref, self._messages, self._described.source)

    def say(self) -> None:
        """Log what the service would refuse, where nothing else is done about it."""
        if self._messages:
            source = self._described.source
            _log.warning("%s", WouldBeRefusedError(self._ref, self._messages, source).problem)


class NoAdvice(Advice):
    """Nobody has described the type, or nobody is to be asked."""

    def __init__(self) -> None:
        """Have nothing to say."""

    def checked(self, events: Sequence[Event]) -> Sequence[Event]:
        """Return the events."""
        return events

    def check(self, kind: ChangeKind, fields: Mapping[str, object]) -> None:
        """Let every change be made."""

    def say(self) -> None:
        """Say nothing."""


NO_ADVICE: Final = NoAdvice()


def advice(catalogue: Catalogue, hints: Hints, ref: Ref) -> Advice:
    """Return what is known of a record's type, if that is to be asked for.

    Args:
        catalogue: of the types that are described.
        hints: what is to be done with a draft that would be refused.
        ref: the record.

    Raises:
        LogError: the catalogue could not be read.
    """
    if hints == "off" or (described := catalogue.find(ref.type)) is None:
        return NO_ADVICE
    return Advice(ref, described, hints)
