"""What a sighting says of a record that is known here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from journal.drafts import Draft, Hold
from journal.events import (
    DraftAcknowledged,
    Entry,
    RecordCreated,
    RecordDeleted,
    RecordObserved,
    RecordUpdated,
)
from journal.record import fold
from journal.sync.sightings import is_maybe_made, is_rebased, observed
from journal.values import Ref

if TYPE_CHECKING:
    from journal.events import Event, HoldClass
    from journal.record import Record
    from journal.values import Fields

ACME = Ref("Account:1")
SEEN = RecordObserved(
    exists=True, fields={"Name": "Acme", "Size": 1}, remote_id="a1", remote_version="v1"
)
GONE = RecordObserved(exists=False, fields={}, remote_id="a1", remote_version="v2")


def after(*events: Event) -> Record:
    """Return the record after the events, with the ids ``e1``, ``e2`` ..."""
    return fold(
        ACME,
        [
            Entry(n, n, f"e{n}", ACME, n, n, False, "ann", "van-7", None, None, None, None, event)  # noqa: FBT003
            for n, event in enumerate(events, 1)
        ],
    )


def seen(
    record: Record,
    fields: Fields | None,
    remote_id: str | None = "a1",
    version: str | None = "v1",
    *,
    is_partial: bool = False,
) -> RecordObserved | None:
    """Return what becomes known by a sighting, or None where all of it is known."""
    events = observed(record, fields, remote_id, version, is_partial=is_partial)
    if not events:
        return None
    (event,) = events
    assert isinstance(event, RecordObserved)
    return event


class TestObserved:
    """What becomes known by a sighting."""

    @pytest.mark.parametrize(
        ("remote_id", "version"), [("a1", "v1"), (None, "v1"), ("a1", None), (None, None)]
    )
    def test_what_is_known_is_no_news(self, remote_id: str | None, version: str | None) -> None:
        """Nothing is noted of a record that is as it was, whatever number JSON makes of it."""
        fields: Fields = {"Name": "Acme", "Size": 1.0, "Fax": None}

        assert seen(after(SEEN), fields, remote_id, version) is None

    @pytest.mark.parametrize(
        ("fields", "remote_id", "version"),
        [
            ({"Name": "Other", "Size": 1}, "a1", "v1"),
            ({"Name": "Acme"}, "a1", "v1"),
            ({"Name": "Acme", "Size": 1}, "a2", "v1"),
            ({"Name": "Acme", "Size": 1}, "a1", "v2"),
        ],
    )
    def test_what_is_new_is_noted(self, fields: Fields, remote_id: str, version: str) -> None:
        """Other fields, another id or another version are noted, each as it was seen."""
        event = seen(after(SEEN), fields, remote_id, version)

        assert event is not None
        assert (event.exists, event.partial) == (True, False)
        assert (event.fields, event.remote_id, event.remote_version) == (fields, remote_id, version)

    def test_a_record_that_was_never_seen(self) -> None:
        """Even a record without fields becomes known."""
        event = seen(after(), {}, None, None)

        assert event is not None
        assert (event.exists, event.fields, event.remote_version) == (True, {}, None)

    def test_a_record_that_was_made_here_and_is_not_sent(self) -> None:
        """That the remote has what is only to be sent is news, even without a field."""
        event = seen(after(RecordCreated(fields={})), {}, None, None)

        assert event is not None
        assert event.exists

    def test_a_part_that_is_known_is_no_news(self) -> None:
        """A part of the record, as it is known, says nothing; nor does it with its version."""
        assert seen(after(SEEN), {"Name": "Acme"}, is_partial=True) is None

    def test_a_part_with_the_version_that_is_known(self) -> None:
        """A part of the record at the version that is known is noted with that version."""
        event = seen(after(SEEN), {"Name": "Other"}, is_partial=True)

        assert event is not None
        assert (event.fields, event.partial, event.remote_version) == (
            {"Name": "Other"},
            True,
            "v1",
        )

    def test_a_part_at_another_version(self) -> None:
        """Where the rest may have changed, too, no version is known any more."""
        event = seen(after(SEEN), {"Name": "Other"}, version="v2", is_partial=True)

        assert event is not None
        assert (event.fields, event.partial, event.remote_version) == (
            {"Name": "Other"},
            True,
            None,
        )

    def test_a_part_that_is_all_there_is(self) -> None:
        """A part that has every field that is known has its version."""
        event = seen(after(SEEN), {"Name": "Acme", "Size": 2}, version="v2", is_partial=True)

        assert event is not None
        assert event.remote_version == "v2"

    def test_a_part_as_it_was_at_another_version(self) -> None:
        """A part that is the same at another version changes nothing of what is known."""
        assert seen(after(SEEN), {"Name": "Acme"}, version="v2", is_partial=True) is None

    def test_it_is_a_whole_record_unless_that_is_said(self) -> None:
        """What is not called a part is the record, and a field that is not in it has no value."""
        (event,) = observed(after(SEEN), {"Name": "Acme"}, "a1", "v1")

        assert isinstance(event, RecordObserved)
        assert not event.partial

    def test_it_is_gone(self) -> None:
        """That the remote has lost the record is noted once, with what it said of it."""
        event = seen(after(SEEN), None, "a1", "v2")

        assert event == GONE
        assert seen(after(SEEN, GONE), None, "a1", "v3") is None

    def test_it_is_gone_and_was_never_known(self) -> None:
        """A record that the journal has never heard of need not be gone."""
        assert seen(after(), None) is None

    def test_it_is_back(self) -> None:
        """A record that was gone and is seen as it was before is there again."""
        event = seen(after(SEEN, GONE), {"Name": "Acme", "Size": 1}, "a1", "v2")

        assert event is not None
        assert event.exists


CREATED = RecordCreated(fields={"Name": "Acme"})
RENAMED = RecordUpdated(changes={"Name": "Mine"}, base={"Name": "Acme"}, base_version="v1")
RESIZED = RecordUpdated(changes={"Size": 2}, base={"Size": 1}, base_version="v1")
AGAIN = RecordUpdated(changes={"Name": "Yours"}, base={"Name": "Mine"}, base_version="v1")
DELETED = RecordDeleted(base={"Name": "Acme", "Size": 1}, base_version="v1")


def now(**fields: object) -> RecordObserved:
    """Return that the remote has these fields now."""
    return RecordObserved(exists=True, fields=fields, remote_id="a1", remote_version="v9")


class TestRebased:
    """Whether pending changes were made on another state than the remote's."""

    @pytest.mark.parametrize(
        ("events", "is_on_another"),
        [
            ((SEEN,), False),
            ((SEEN, RENAMED), False),
            ((SEEN, RENAMED, now(Name="Theirs", Size=1)), True),
            ((SEEN, RENAMED, now(Name="Mine", Size=7)), False),
            ((SEEN, RESIZED, RENAMED, now(Name="Theirs", Size=1)), True),
            ((SEEN, RENAMED, RESIZED, AGAIN), False),
            ((SEEN, RESIZED, now(Name="Acme", Size=1.0)), False),
            ((SEEN, DELETED), False),
            ((SEEN, DELETED, now(Name="Acme", Size=7)), True),
            ((SEEN, DELETED, now(Name="Acme", Size=1, Fax="9")), False),
            ((SEEN, RENAMED, GONE), True),
            ((SEEN, RENAMED, DELETED, GONE), True),
            ((SEEN, DELETED, GONE), False),
            ((CREATED,), False),
            ((CREATED, now(Name="Acme")), False),
            ((CREATED, now(Name="Theirs")), True),
            ((RecordCreated(fields={"Name": 1}), now(Name=None)), True),
            ((RecordCreated(fields={"Name": None}), now(Size=1)), False),
        ],
    )
    def test_is_told_by_the_fields(self, events: tuple[Event, ...], is_on_another: bool) -> None:  # noqa: FBT001
        """On another state, a field of the change is neither as was seen nor as it sets it."""
        assert is_rebased(after(*events)) is is_on_another

    def test_after_our_own(self) -> None:
        """What our own earlier change has left is what the later one was made on."""
        pushed = DraftAcknowledged(draft_id="e2", remote_version="v2", evidence="answer")

        assert not is_rebased(after(SEEN, RENAMED, AGAIN, pushed))


class TestMaybeMade:
    """Whether a create may have been carried out already."""

    @pytest.mark.parametrize(
        ("kind", "pushes", "hold", "is_maybe"),
        [
            ("create", 1, None, True),
            ("create", 0, None, False),
            ("update", 1, None, False),
            ("delete", 0, None, False),
            ("create", 1, "unknown", True),
            ("create", 1, "rejected", False),
            ("update", 0, "rejected", False),
        ],
    )
    def test_is_told_by_what_became_of_it(
        self,
        kind: str,
        pushes: int,
        hold: HoldClass | None,
        is_maybe: bool,  # noqa: FBT001
    ) -> None:
        """A create that was begun, and not refused in so many words, may have been made."""
        held = None if hold is None else Hold(hold, (), None, "")
        draft = Draft("d1", 1, ACME, kind, 1, "ann", None, {}, pushes=pushes, hold=held)  # type: ignore[arg-type]

        assert is_maybe_made(draft) is is_maybe
