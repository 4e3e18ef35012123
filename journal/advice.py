"""Floor 7: what is done where a service would surely refuse a draft: refused, said, or nothing.

- H1. Nothing is refused, or warned of, by a description in whose place there is a newer one.

It knows nothing of how drafts are made.
"""

from __future__ import annotations

from logging import getLogger
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from journal.errors import InvalidValueError, WouldBeRefusedError
from journal.events import RecordCreated, RecordDeleted, RecordUpdated
from journal.fitting import misfits

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

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

    def __init__(self, ref: Ref, described: Described, hints: Hints, catalogue: Catalogue) -> None:
        """Hold the changes of that record against what its type was described as."""
        self._ref = ref
        self._described: Described | None = described
        self._source = described.source
        self._hints = hints
        self._catalogue = catalogue
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

    def check(
        self,
        kind: ChangeKind,
        fields: Mapping[str, object],
        given: Collection[str] | None = None,
    ) -> None:
        """Refuse a change that the service would surely refuse, or remember why it would (H1).

        Args:
            kind: what is to be done with the record.
            fields: that the change sets.
            given: those of them that somebody has given a value now; all otherwise.

        Raises:
            WouldBeRefusedError: it would.
        """
        self._messages = self._misfits(kind, fields, given)
        if self._messages and not self._is_last():
            self._messages = self._misfits(kind, fields, given)
        if self._messages and self._hints == "refuse":
            raise self._error()

    def _error(self) -> WouldBeRefusedError:
        return WouldBeRefusedError(self._ref, self._messages, self._source)

    def _is_last(self) -> bool:
        """Look again what the type is described as; say whether that was known."""
        known, self._described = self._described, self._catalogue.again(self._ref.type)
        return self._described == known

    def _misfits(
        self, kind: ChangeKind, fields: Mapping[str, object], given: Collection[str] | None
    ) -> Mapping[str, str]:
        if self._described is None:  # it was forgotten meanwhile
            return {}
        found = misfits(self._described.type, kind, fields)
        return {n: text for n, text in found.items() if given is None or n in {"", *given}}

    def say(self) -> None:
        """Log what the service would refuse, where nothing else is done about it."""
        if self._messages:
            _log.warning("%s", self._error().problem)


class NoAdvice(Advice):
    """Nobody has described the type, or nobody is to be asked."""

    def __init__(self) -> None:
        """Have nothing to say."""

    def checked(self, events: Sequence[Event]) -> Sequence[Event]:
        """Return the events."""
        return events

    def check(
        self,
        kind: ChangeKind,
        fields: Mapping[str, object],
        given: Collection[str] | None = None,
    ) -> None:
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
    return Advice(ref, described, hints, catalogue)
