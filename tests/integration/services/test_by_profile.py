"""Real services, by a profile file only: what they have at the end, and how they came to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from journal.events import DraftAcknowledged, DraftHeld
from tests.integration.services.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELDS: Final[dict[str, Any]] = {"title": "a", "n": 1, "body": "text"}
SERVICES: Final = {
    "kinto": ("kinto_service", "kinto.toml", "Note", None),
    "datasette, our ids": ("datasette_service", "datasette.toml", "Note", "notes"),
    "datasette, its ids": ("datasette_service", "datasette-tasks.toml", "Task", "tasks"),
    "scim": ("scim_service", "scim.toml", "User", None),
    "like couchdb": ("couch_service", "couchdb.toml", "Note", None),
    "post only": ("rpc_service", "rpc.toml", "Note", None),
}


@pytest.fixture(params=list(SERVICES.values()), ids=list(SERVICES))
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A desk in front of each service."""
    service, profile, record_type, table = request.param
    desk = Desk(request.getfixturevalue(service), profile, record_type, table)
    yield desk
    desk.close()


def held(desk: Desk) -> DraftHeld:
    """Return the last outcome, which is a hold."""
    event = desk.last
    assert isinstance(event, DraftHeld)
    return event


def acknowledged(desk: Desk) -> DraftAcknowledged:
    """Return the last outcome, which is an acknowledgement."""
    event = desk.last
    assert isinstance(event, DraftAcknowledged)
    return event


class TestOurOwn:
    """What nobody disturbs."""

    def test_a_life(self, desk: Desk) -> None:
        """A record is created, changed, a field of it unset, and deleted: each once, in order."""
        note = desk.create(FIELDS)
        desk.journal.update(note, {"n": 2})
        desk.push()
        assert desk.record == {**FIELDS, "n": 2}
        desk.journal.update(note, {"body": None, "title": "b"})
        desk.push()
        assert desk.record == {"title": "b", "n": 2}

        desk.journal.delete(note)
        report = desk.push()

        assert (report.acknowledged, report.pending) == (1, 0)
        assert desk.record is None
        assert desk.history == ["create", "update", "update", "delete"]

    def test_what_is_shown_is_what_was_written(self, desk: Desk) -> None:
        """What the service keeps itself, and how it writes values, is not taken for a change."""
        note = desk.create(FIELDS)
        desk.push()
        desk.journal.update(note, {"n": 3})
        desk.push()

        assert desk.journal.load(note).fields == {**FIELDS, "n": 3}
        assert acknowledged(desk).fields is None
        assert acknowledged(desk).evidence == "answer"


class TestOthers:
    """What somebody else does behind the journal's back."""

    def test_edit_then_update(self, desk: Desk) -> None:
        """An update of a field that somebody else has changed is a conflict; theirs stays."""
        note = desk.create(FIELDS)
        desk.push()
        desk.foreign_edit(desk.key, {"n": 9})
        desk.journal.update(note, {"n": 2})

        desk.push()

        assert held(desk).classification == "conflict"
        assert desk.record == {**FIELDS, "n": 9}
        assert desk.history == ["create", "update"]

    def test_edit_of_another_field_then_update(self, desk: Desk) -> None:
        """An update of one field and somebody's edit of another are merged: both are there."""
        note = desk.create(FIELDS)
        desk.push()
        desk.foreign_edit(desk.key, {"title": "theirs"})
        desk.journal.update(note, {"n": 2})

        report = desk.push()

        assert report.pending == 0
        assert desk.record == {**FIELDS, "title": "theirs", "n": 2}
        assert desk.history == ["create", "update", "update"]
        here = desk.journal.load(note).fields or {}
        assert {name: value for name, value in here.items() if value is not None} == desk.record

    def test_edit_then_delete(self, desk: Desk) -> None:
        """A delete of a record that somebody else has changed is a conflict; it stays."""
        note = desk.create(FIELDS)
        desk.push()
        desk.foreign_edit(desk.key, {"n": 9})
        desk.journal.delete(note)

        desk.push()

        assert held(desk).classification == "conflict"
        assert desk.record == {**FIELDS, "n": 9}
        assert desk.history == ["create", "update"]

    def test_delete_then_update(self, desk: Desk) -> None:
        """An update of what somebody else has deleted is gone, and brings nothing back."""
        note = desk.create(FIELDS)
        desk.push()
        desk.foreign_delete(desk.key)
        desk.journal.update(note, {"n": 2})

        desk.push()

        assert held(desk).classification == "gone"
        assert desk.record is None
        assert desk.history == ["create", "delete"]

    def test_delete_then_delete(self, desk: Desk) -> None:
        """A delete of what somebody else has deleted is done."""
        note = desk.create(FIELDS)
        desk.push()
        desk.foreign_delete(desk.key)
        desk.journal.delete(note)

        report = desk.push()

        assert report.pending == 0
        assert acknowledged(desk).evidence == "read"
        assert desk.history == ["create", "delete"]

    def test_the_key_is_taken(self, desk: Desk) -> None:
        """A create under a key that another record has is a conflict; theirs stays."""
        theirs = {"title": "theirs", "n": 7}
        desk.foreign_create(desk.key, theirs)
        desk.create(FIELDS)

        desk.push()

        assert held(desk).classification == "conflict"
        assert desk.record == theirs
        assert desk.history == ["create"]

    def test_the_key_is_taken_by_the_same(self, desk: Desk) -> None:
        """A create that finds its own values under its key was applied before."""
        desk.foreign_create(desk.key, FIELDS)
        desk.create(FIELDS)

        report = desk.push()

        assert report.pending == 0
        assert acknowledged(desk).evidence == "read"
        assert desk.history == ["create"]


class TestForms:
    """Values that a service writes in a form of its own."""

    def test_datasette(self, request: pytest.FixtureRequest) -> None:
        """SQLite shows 1 for true and the text of an object: neither is a change of ours."""
        desk = Desk(request.getfixturevalue("datasette_service"), "datasette.toml", "Note", "notes")
        note = desk.create({"title": "a", "done": True, "body": {"lines": ["x", 1.5]}})
        desk.journal.update(note, {"done": False})

        report = desk.push()

        assert report.pending == 0
        assert desk.journal.load(note).fields == {
            "title": "a",
            "done": False,
            "body": {"lines": ["x", 1.5]},
        }
        assert desk.history == ["create", "update"]
        desk.close()

    def test_a_reference_to_an_id_of_the_service(self, request: pytest.FixtureRequest) -> None:
        """A reference goes out as the number that the service has given, and comes back as ours."""
        service = request.getfixturevalue("datasette_service")
        desk = Desk(service, "datasette-tasks.toml", "Task", "tasks")
        parent = desk.create({"title": "parent"})
        child = desk.journal.create("Task", {"title": "child", "parent": parent})
        desk.push()
        desk.journal.update(child, {"title": "a child"})

        report = desk.push()

        assert report.pending == 0
        assert desk.journal.load(child).remote.fields["parent"] == parent
        stored = desk.remote_fields(child.id)
        assert stored is not None
        assert stored["parent"] == int(desk.journal.load(parent).remote.remote_id or "")
        desk.close()

    def test_a_key_that_the_service_does_not_take(self, request: pytest.FixtureRequest) -> None:
        """A key that the service would refuse, or redirect, is held before anything is sent."""
        desk = Desk(request.getfixturevalue("kinto_service"), "kinto.toml", "Note")
        desk.key = "a/1"
        desk.create(FIELDS)

        desk.push()

        assert "takes no key like 'a/1'" in held(desk).messages[0].message
        desk.close()
