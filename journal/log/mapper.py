"""The mapper: events to stored bytes and back, by an allow-list; pure.

A stored event type is looked up in `EVENT_TYPES` and never imported; bytes go in and out of
pydantic's own JSON. What cannot be read is an error that names the position; nothing is ever
skipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eventsourcing.persistence import Mapper, StoredEvent, Transcoder
from pydantic import ValidationError
from pydantic_core import from_json, to_json

from journal.errors import InvalidValueError, LogCorruptError, UnknownEventError
from journal.events import (
    EVENT_TYPES,
    LATEST,
    SCHEMA_VERSIONS,
    UPCASTERS,
    Entry,
    Event,
    NewEntry,
)
from journal.log.chain import Unsealed
from journal.values import Ref, restore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from eventsourcing.domain import DomainEventProtocol

    from journal.events import Upcaster


@dataclass(frozen=True)
class StoredEntry(StoredEvent):
    """A stored event with the columns of our envelope; `topic` is the event type."""

    unsealed: Unsealed
    position: int | None = None


def unsealed_of(stored: StoredEvent) -> Unsealed:
    """Return the columns of a stored event.

    One that is no entry of ours, as in the suites of the library, is known by its stream and
    version, and is of unknown time and actor.
    """
    if isinstance(stored, StoredEntry):
        return stored.unsealed
    stream = str(stored.originator_id)
    version = stored.originator_version
    state = bytes(stored.state)
    event_id = f"{stream}@{version}"
    return Unsealed(
        event_id, stream, version, stored.topic, 1, 0, "", "", None, None, None, None, state
    )


class JSONBytes(Transcoder):
    """JSON by pydantic; it marks nothing in the data, so no data can imitate a mark."""

    def encode(self, obj: Any) -> bytes:  # noqa: ANN401  the library's signature
        """Return the value as JSON."""
        return to_json(obj)

    def decode(self, data: bytes) -> Any:  # noqa: ANN401  the library's signature
        """Return the value of the JSON."""
        return from_json(data)


class EntryMapper(Mapper[str]):
    """Maps entries to stored events and back."""

    def __init__(
        self,
        event_types: Mapping[str, type[Event]] = EVENT_TYPES,
        schema_versions: Mapping[str, int] = SCHEMA_VERSIONS,
        upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS,
    ) -> None:
        """Map by these tables; tests of upcasting bring their own."""
        super().__init__(JSONBytes())
        self._upcasters = upcasters
        self._versions = dict(schema_versions)
        self._validate = {
            (name, schema_versions[name]): event_type.__pydantic_validator__.validate_json
            for name, event_type in event_types.items()
        }
        self._serialize = {
            event_type: event_type.__pydantic_serializer__.to_json
            for event_type in event_types.values()
        }

    def unsealed(self, new: NewEntry) -> Unsealed:
        """Return the columns of an entry before the append.

        Raises:
            InvalidValueError: it is of a time that no clock can show.
        """
        if new.occurred_at > LATEST:
            raise InvalidValueError(
                "occurred_at",
                f"the clock says {new.occurred_at}, which is after the year 9999",
                hint="now_us() counts microseconds, not nanoseconds",
                record=new.stream,
            )
        event = new.event
        event_type = type(event)
        name = event_type.__name__
        return Unsealed(
            new.event_id,
            str(new.stream),  # SQLite takes a plain text sooner
            new.version,
            name,
            self._versions[name],
            new.occurred_at,
            new.actor,
            new.origin,
            new.correlation_id,
            new.causation_id,
            new.reason,
            new.trace,
            self._serialize[event_type](event, exclude_defaults=True),
        )

    def event(self, event_type: str, schema_version: int, data: bytes, position: int) -> Event:
        """Return the stored event.

        Raises:
            UnknownEventError: this release does not know the type or its schema version.
            LogCorruptError: the bytes are not such an event.
        """
        validate = self._validate.get((event_type, schema_version))
        try:
            if validate is None:
                event = self._upcast(event_type, schema_version, data, position)
            else:
                event = validate(data)
            if event.references:
                restore(event.__dict__, event.references)
        except (ValueError, LookupError, TypeError) as error:
            raise LogCorruptError(
                position, f"its data is not a {event_type}: {_first_line(error)}"
            ) from error
        return event

    def _upcast(self, event_type: str, version: int, data: bytes, position: int) -> Event:
        current = self._versions.get(event_type, 0)
        if not 0 < version < current:
            raise UnknownEventError(position, event_type, version)
        fields = from_json(data)
        for old in range(version, current):
            fields = self._upcasters[event_type, old](fields)
        event: Event = self._validate[event_type, current](to_json(fields))
        return event

    def entry(self, row: tuple[Any, ...]) -> Entry:
        """Return the entry of a row, or of its columns before the hashes.

        Raises:
            UnknownEventError: this release does not know the type or its schema version.
            LogCorruptError: the bytes are not such an event.
        """
        (
            position,
            batch,
            event_id,
            stream,
            version,
            event_type,
            schema_version,
            occurred_at,
            clock_adjusted,
            actor,
            origin,
            correlation_id,
            causation_id,
            reason,
            trace,
            data,
            *_hashes,
        ) = row
        return Entry(
            position,
            batch,
            event_id,
            Ref.trusted(stream),
            version,
            occurred_at,
            bool(clock_adjusted),
            actor,
            origin,
            correlation_id,
            causation_id,
            reason,
            trace,
            self.event(event_type, schema_version, data, position),
        )

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEntry:
        """Return the stored event of a `NewEntry` (the library's way in)."""
        if not isinstance(domain_event, NewEntry):
            message = f"a {type(domain_event).__name__} is no NewEntry"
            raise TypeError(message)
        unsealed = self.unsealed(domain_event)
        return StoredEntry(
            originator_id=unsealed.stream,
            originator_version=unsealed.version,
            topic=unsealed.event_type,
            state=unsealed.data,
            unsealed=unsealed,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:  # noqa: ANN401
        """Return the `NewEntry` of a stored event (the library's way out)."""
        unsealed = unsealed_of(stored_event)
        position = stored_event.position if isinstance(stored_event, StoredEntry) else None
        event = self.event(
            unsealed.event_type, unsealed.schema_version, unsealed.data, position or 0
        )
        return NewEntry(
            unsealed.event_id,
            Ref.trusted(unsealed.stream),
            unsealed.version,
            unsealed.occurred_at,
            unsealed.actor,
            unsealed.origin,
            unsealed.correlation_id,
            unsealed.causation_id,
            unsealed.reason,
            unsealed.trace,
            event,
        )


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        details = error.errors(include_url=False, include_input=False)
        return "; ".join(f"{'.'.join(map(str, d['loc']))}: {d['msg']}" for d in details[:3])
    return str(error).partition("\n")[0]
