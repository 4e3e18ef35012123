"""Decisions about drafts, over real files, real sockets, and with others who write meanwhile."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from journal import Journal, Ref
from journal.errors import DraftMissingError, VersionConflictError
from journal.events import QUEUE, DraftDiscarded, NewEntry, QueueStarted
from journal.remotes import HttpRemote, Profile
from journal.sync import Report, Subscriber
from journal.testing.service import RecordService
from projections import Drafts
from tests.integration.driving import Flavour, Watch
from tests.integration.faults import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path


def needs_a_city(collection: str, fields: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Refuse accounts without a city."""
    if collection == "Account" and not fields.get("City"):
        yield "City", "an account needs a city"


@pytest.fixture
def service() -> Iterator[RecordService]:
    """Return a running record service that takes no account without a city."""
    with RecordService(validate=needs_a_city) as service:
        yield service


def pushed(journal: Journal, service: RecordService) -> Report:
    """Send what there is."""
    remote = HttpRemote(Profile.of({"url": service.url}))
    with Subscriber(journal, remote) as subscriber:
        return subscriber.drain(PATIENCE_S)


def filled(journal: Journal) -> str:
    """Make a queue with a bad create in its middle; return the id of that draft."""
    journal.create("Account", {"Name": "Zest", "City": "Ulm"}, id="zest")
    journal.create("Visit", {"Subject": "free"}, id="free")
    acme = journal.create("Account", {"Name": "Acme"}, id="acme")
    visit = journal.create("Visit", {"Account": acme}, id="v1")
    journal.update(Ref("Account:zest"), {"Name": "Zest Ltd"})
    journal.update(acme, {"Name": "Acme Ltd"})
    journal.create("Report", {"Visit": visit}, id="r1")
    journal.create("Visit", {"Subject": "last"}, id="last")
    return journal.load(acme).changes[0].draft_id


SENTENCE = (
    "the create of Account:acme is held: rejected (City: an account needs a city); it waits for a "
    "decision: amend it, retry it, or discard it; 3 drafts wait behind it"
)


class TestRejectedInTheMiddle:
    """A queue with one rejected create in its middle."""

    @pytest.mark.parametrize("is_restarted", [False, True], ids=["at once", "after a restart"])
    def test_is_explained_and_amended(
        self,
        path: Path,
        service: RecordService,
        is_restarted: bool,  # noqa: FBT001  a parameter of the test
    ) -> None:
        """The other lanes finish; the sentence names all; amending it drains the rest."""
        journal = Journal(path, actor="ann", origin="van-7")
        draft_id = filled(journal)
        report = pushed(journal, service)
        assert (report.acknowledged, report.held, report.pending) == (4, 1, 4)
        assert report.stopped_by == "held"
        if is_restarted:
            journal.close()
            journal = Journal(path, actor="ann", origin="van-7")

        drafts = Drafts(journal)
        status = drafts.status()
        assert drafts.explain(draft_id) == drafts.get(draft_id).why == SENTENCE
        assert status.sentence == f"nothing can be sent: {SENTENCE}"
        assert (status.pending, status.held, status.sending, status.next) == (4, 1, 0, None)
        behind = "waits behind the create of Account:acme, which is held"
        assert [behind in each.why for each in drafts.pending()] == [False, True, True, True]
        assert drafts.pending(1)[0].why == SENTENCE

        journal.amend(draft_id, {"City": "Bern"}, reason="asked the customer")
        rest = pushed(journal, service)

        assert (rest.acknowledged, rest.pending, rest.stopped_by) == (4, 0, None)
        assert drafts.status().sentence == "nothing is pending: everything is acknowledged"
        assert service.records["Account", "acme"] == {"Name": "Acme Ltd", "City": "Bern"}
        assert [(effect.method, effect.path) for effect in service.effects][-4:] == [
            ("PUT", "/Account/acme"),
            ("PUT", "/Visit/v1"),
            ("PATCH", "/Account/acme"),
            ("PUT", "/Report/r1"),
        ]
        journal.close()

    def test_is_discarded(self, path: Path, service: RecordService) -> None:
        """What stands on it falls with it; nothing that is left is held back."""
        with Journal(path, actor="ann", origin="van-7") as journal:
            draft_id = filled(journal)
            pushed(journal, service)

            fallen = journal.discard(draft_id)

            assert [draft.ref for draft in fallen] == [
                "Account:acme",
                "Visit:v1",
                "Account:acme",
                "Report:r1",
            ]
            assert (len(Drafts(journal)), pushed(journal, service).pending) == (0, 0)
            assert journal.log.verify().is_intact


class TestOthersMeanwhile:
    """Decisions while another process writes."""

    def test_what_comes_between_falls_too(self, path: Path, monkeypatch: Any) -> None:  # noqa: ANN401
        """V3: a draft that is made after the preview and before the append falls as well."""
        with Journal(path, actor="ann") as ours, Journal(path, actor="bob") as other:
            acme = ours.create("Account", {"Name": "Acme"}, id="acme")
            draft_id = ours.load(acme).changes[0].draft_id
            append, has_come = ours.log.append, Event()

            def late(new: Any, *more: Any) -> Any:  # noqa: ANN401
                if not has_come.is_set():
                    has_come.set()
                    other.create("Visit", {"Account": acme}, id="late")
                return append(new, *more)

            monkeypatch.setattr(ours.log, "append", late)
            fallen = ours.discard(draft_id)

            assert [draft.ref for draft in fallen] == ["Account:acme", "Visit:late"]
            assert len(Drafts(ours)) == 0
            events = [entry.event for entry in ours.log.read()[-2:]]
            assert all(isinstance(event, DraftDiscarded) for event in events)

    def test_only_one_of_two_stops_it(self, path: Path) -> None:
        """Two journals of one file see the same queue."""
        with Journal(path, actor="ann") as ours, Journal(path, actor="bob") as other:
            assert [ours.stop_queue(), other.stop_queue(), other.start_queue()] == [
                True,
                False,
                True,
            ]
            assert isinstance(ours.log.stream(QUEUE)[-1].event, QueueStarted)
            assert not ours.start_queue()

    def test_what_has_ended_meanwhile_is_missing(self, path: Path) -> None:
        """A draft that somebody else has discarded is decided no more."""
        with Journal(path, actor="ann") as ours, Journal(path, actor="bob") as other:
            acme = ours.create("Account", {"Name": "Acme"}, id="acme")
            draft_id = ours.load(acme).changes[0].draft_id
            other.discard(draft_id)

            with pytest.raises(DraftMissingError):
                ours.amend(draft_id, {"Name": "x"})
            assert ours.discard(draft_id) == ()

    def test_an_unexpected_head_is_a_conflict(self, path: Path) -> None:
        """What is to follow one entry is not appended behind another, in a file or in memory."""
        for name in (path, ":memory:"):
            with Journal(name, actor="ann") as journal:
                journal.create("Account", {"Name": "Acme"}, id="acme")
                entry = journal.log.read()[0]
                same = NewEntry(*(getattr(entry, name) for name in NewEntry._fields))
                later = [same._replace(version=2, event_id="later")]

                with pytest.raises(VersionConflictError, match="expected to end at 0, and ends"):
                    journal.log.append(later, 0)
                assert journal.log.append(later, 1)[0].position == 2


@pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "async"])
def test_a_started_queue_is_sent_at_once(
    path: Path,
    service: RecordService,
    is_async: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    """Who sends in the background waits for a stopped queue, and goes on when it is started."""
    flavour, watch = Flavour(is_async=is_async), Watch()
    with Journal(path, actor="ann", origin="van-7") as journal:
        journal.stop_queue(reason="a person")
        journal.create("Visit", {"Subject": "free"}, id="v1")
        try:
            remote = HttpRemote(Profile.of({"url": service.url}))
            subscriber = flavour(journal, remote, progress=watch)
            subscriber.start()
            journal.create("Visit", {"Subject": "free"}, id="v2")
            assert service.effects == []
            journal.start_queue()
            watch.wait_for("acknowledged", 2)
        finally:
            flavour.close()
    assert len(service.effects) == 2
