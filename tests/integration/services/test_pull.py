"""Down-sync from real services, by profile file only: their word against the journal's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from journal.events import RecordObserved
from journal.remotes import HttpRemote, Profile
from journal.sync import PullReport, Subscriber
from journal.values import Ref
from tests.integration.services.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.services.datasette import Datasette
    from tests.integration.services.kinto import Kinto


@pytest.fixture
def kinto_desk(kinto_service: Kinto) -> Iterator[Desk]:
    """A journal before a Kinto, two records to a page, that has pulled what others have left."""
    desk = Desk(kinto_service, "kinto.toml", "Note")
    changes = desk.profile.changes
    assert changes is not None
    paged = changes.model_copy(update={"path": changes.path.replace("100", "2")})
    desk.profile = Profile.model_validate(desk.profile.model_copy(update={"changes": paged}))
    desk.remote = HttpRemote(desk.profile, environ=kinto_service.environ)
    pull(desk)
    yield desk
    desk.close()


@pytest.fixture
def datasette_desk(datasette_service: Datasette) -> Iterator[Desk]:
    """A journal before a Datasette that has pulled what others have left."""
    desk = Desk(datasette_service, "datasette.toml", "Note")
    pull(desk)
    yield desk
    desk.close()


def pull(desk: Desk, limit_pages: int | None = None) -> PullReport:
    """Pull, and be done with it."""
    with Subscriber(desk.journal, desk.remote) as subscriber:
        return subscriber.pull(limit_pages=limit_pages)


def seen(desk: Desk, key: str) -> dict[str, object] | None:
    """Return the fields of a record as the journal has them."""
    return desk.journal.load(Ref.of(desk.type, key)).fields


def test_what_others_did_at_kinto_is_here_after_a_pull(kinto_desk: Desk) -> None:
    """Creates, edits and deletes of others arrive, on several pages, and nothing twice."""
    desk, key = kinto_desk, kinto_desk.key
    for number in range(5):
        desk.foreign_create(f"{key}-{number}", {"title": f"n{number}", "n": number})

    first = pull(desk)
    desk.foreign_edit(f"{key}-1", {"title": "edited"})
    desk.foreign_delete(f"{key}-2")
    second = pull(desk)
    third = pull(desk)

    assert (first.observed, first.pages, first.stopped_by) == (5, 3, None)
    assert (second.observed, second.deleted, second.stopped_by) == (1, 1, None)
    assert (third.observed, third.unchanged, third.deleted, third.pages) == (0, 0, 0, 1)
    assert seen(desk, f"{key}-1") == {"title": "edited", "n": 1}
    assert seen(desk, f"{key}-2") is None
    entries = [e for e in desk.journal.log.read() if isinstance(e.event, RecordObserved)]
    assert {e.actor for e in entries} == {"pull"}


def test_our_own_changes_come_back_from_kinto_as_known(kinto_desk: Desk) -> None:
    """What was pushed from here is nothing new, and a delete of ours neither."""
    desk = kinto_desk
    ref = desk.create({"title": "ours", "n": 1})
    assert desk.push().pending == 0
    head = desk.journal.log.head()

    after_create = pull(desk)
    assert (after_create.observed, after_create.unchanged) == (0, 1)
    assert desk.journal.log.head() == head

    desk.journal.delete(ref)
    assert desk.push().pending == 0
    head = desk.journal.log.head()
    assert pull(desk).deleted == 0
    assert desk.journal.log.head() == head


def test_a_record_pulled_from_kinto_is_edited_here_on_what_was_seen(kinto_desk: Desk) -> None:
    """A pulled record has its version: the edit goes out on that condition, and merges."""
    desk, key = kinto_desk, kinto_desk.key
    desk.foreign_create(key, {"title": "theirs", "n": 1})
    pull(desk)
    desk.journal.update(Ref.of("Note", key), {"title": "ours"})
    desk.foreign_edit(key, {"n": 2})
    report = pull(desk)

    assert report.conflicting == ()
    assert seen(desk, key) == {"title": "ours", "n": 2}
    assert desk.push().pending == 0
    assert desk.record == {"title": "ours", "n": 2}
    assert desk.history == ["create", "update", "update"]


def test_a_pending_draft_on_what_kinto_has_no_more_is_named(kinto_desk: Desk) -> None:
    """Where another value is there now than a draft was made on, the report names the record."""
    desk, key = kinto_desk, kinto_desk.key
    desk.foreign_create(key, {"title": "theirs"})
    pull(desk)
    desk.journal.update(Ref.of("Note", key), {"title": "ours"})
    desk.foreign_edit(key, {"title": "theirs again"})

    assert pull(desk).conflicting == (Ref.of("Note", key),)
    assert seen(desk, key) == {"title": "ours"}


def test_a_pull_from_kinto_stops_and_goes_on_at_any_page(kinto_desk: Desk) -> None:
    """One page at a time, by subscribers that end in between, comes to the same."""
    desk, key = kinto_desk, kinto_desk.key
    for number in range(5):
        desk.foreign_create(f"{key}-{number}", {"n": number})

    reports = [pull(desk, limit_pages=1) for _ in range(3)]

    assert [r.observed for r in reports] == [2, 2, 1]
    assert [r.stopped_by for r in reports] == ["limit", "limit", None]
    assert [seen(desk, f"{key}-{n}") for n in range(5)] == [{"n": n} for n in range(5)]


def test_what_others_did_at_datasette_is_here_after_a_pull(datasette_desk: Desk) -> None:
    """A filter by time, moved back by the overlap, shows edits; deletes it cannot show."""
    desk, key = datasette_desk, datasette_desk.key
    desk.foreign_create(key, {"title": "theirs", "n": 1})
    first = pull(desk)
    desk.foreign_edit(key, {"title": "edited"})
    second = pull(desk)
    head = desk.journal.log.head()
    third = pull(desk)

    assert (first.observed, second.observed, third.observed) == (1, 1, 0)
    assert third.unchanged >= 1  # the overlap shows it again
    assert desk.journal.log.head() == head
    found = seen(desk, key)
    assert found is not None
    assert (found["title"], found["n"]) == ("edited", 1)


def test_our_own_changes_come_back_from_datasette_as_known(datasette_desk: Desk) -> None:
    """What it stores in a form of its own is what was sent, and nothing new."""
    desk = datasette_desk
    ref = desk.create({"title": "ours", "done": True, "n": 1})
    assert desk.push().pending == 0
    head = desk.journal.log.head()

    assert pull(desk).observed == 0
    assert desk.journal.log.head() == head
    assert desk.journal.load(ref).fields is not None
