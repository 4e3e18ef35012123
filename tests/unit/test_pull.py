"""The pull: every answer of the remote is written in the test."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal import Journal, Ref
from journal.errors import ProfileError, RemoteError
from journal.events import DraftAcknowledged, PushStarted, RecordObserved
from journal.names import Names
from journal.remotes import HttpRemote, NoAnswer, Profile, Request, Response
from journal.remotes.changes import Feed
from journal.remotes.dialect import Dialect
from journal.remotes.times import moved, not_after
from journal.sources import Sources
from journal.staging import Facts
from journal.sync.backoff import Backoff
from journal.sync.effects import Call, Pause
from journal.sync.floor import Floor
from journal.sync.pulling import MOST_EMPTY, READS_AGAIN, Pull
from journal.sync.settings import Settings
from tests.unit.scripted import Leaping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from journal.remotes import Answer
    from journal.sync import PullReport

URL: Final = "https://records.example.com/v1"
CHANGES: Final = {
    "path": "/{type}/changes?since={since}",
    "items": "/items",
    "since": "/at",
    "deleted": "/gone",
    "next": "/next",
}
CONTENT: Final = {
    "url": URL,
    "answer": {"key": "/id", "version": "/v", "own": ["/at", "/gone"]},
    "changes": CHANGES,
    "types": {"Note": {"name": "notes"}},
}
ASSIGNED: Final = {
    "url": URL,
    "answer": {"id": "/id", "version": "/v", "own": ["/at"]},
    "create": {"method": "POST", "path": "/{type}", "on_doubt": "hold"},
    "changes": CHANGES,
    "types": {"Note": {"name": "notes"}},
}
HASTE: Final = Backoff(first_s=1.0, most_s=1.0, least_s=1.0)
FACTS: Final = Facts("sync", "van-7")


def item(key: object, at: int, /, **fields: object) -> dict[str, Any]:
    """Return a change as the service shows it."""
    return {"id": key, "at": at, "v": f"v{at}", **fields}


def gone(key: object, at: int) -> dict[str, Any]:
    """Return a tombstone."""
    return {"id": key, "at": at, "v": f"v{at}", "gone": True}


def page(*items: dict[str, Any], after: str | None = None, **headers: str) -> Response:
    """Return a page of changes."""
    return Response(200, headers, json.dumps({"items": items, "next": after}).encode())


class Killed(Exception):  # noqa: N818  what is raised where the process would be dead
    """The process is killed here."""


class Script:
    """Pulls in which the remote answers what the script says."""

    def __init__(
        self, content: dict[str, Any] | None = None, journal: Journal | None = None
    ) -> None:
        """Pull into that journal, or into one of its own."""
        self.journal = journal or Journal(actor="ann", origin="van-7", sources=Sources(Leaping()))
        self.floor = Floor(self.journal.sources.clock)
        self.remote = HttpRemote(Profile.of(content or CONTENT))
        self.requests: list[Request] = []
        self.pauses: list[float] = []

    def pull(
        self,
        *answers: Answer,
        types: tuple[str, ...] = ("Note",),
        limit_pages: int | None = None,
        at: Callable[[Request], None] | None = None,
    ) -> PullReport:
        """Pull; each request gets the next answer, and there must be neither more nor fewer."""
        left = list(answers)

        def answer(request: Request) -> Answer:
            if at is not None:
                at(request)
            assert left, f"unexpected: {request}"
            return left.pop(0)

        report = self.pull_from(answer, types=types, limit_pages=limit_pages)
        assert left == []
        return report

    def pull_from(
        self,
        answer: Callable[[Request], Answer],
        *,
        types: tuple[str, ...] = ("Note",),
        limit_pages: int | None = None,
        killed_after: int | None = None,
    ) -> PullReport:
        """Pull from whatever answers; killed after so many effects."""
        pull = Pull(self.journal, self.remote, Settings("lane", HASTE, 3), None, floor=self.floor)
        effects = pull.pages(types, limit_pages, lambda: False)
        result: Any = None
        count = 0
        while True:
            try:
                effect = effects.send(result)
            except StopIteration as ended:
                report: PullReport = ended.value
                return report
            match effect:
                case Request():
                    self.requests.append(effect)
                    result = answer(effect)
                case Call(function):
                    result = function()
                case Pause(seconds):
                    self.pauses.append(seconds)
                    if isinstance(self.journal.sources.clock, Leaping):
                        self.journal.sources.clock.leap(seconds)
                    result = "time"
                case _:
                    raise AssertionError(effect)
            count += 1
            if count == killed_after:
                effects.close()
                raise Killed

    @property
    def paths(self) -> list[str]:
        """Where the requests went."""
        return [request.path for request in self.requests]

    def fields(self, key: str) -> dict[str, Any] | None:
        """Return a record as it is here."""
        return self.journal.load(Ref.of("Note", key)).fields

    @property
    def observed(self) -> list[str]:
        """The records that were observed, in order."""
        entries = self.journal.log.read()
        return [e.stream for e in entries if isinstance(e.event, RecordObserved)]

    def acknowledge(self, draft_id: str, version: str, remote_id: str | None = None) -> None:
        """Note a receipt, as the sender does."""
        entry = self.journal.log.find(draft_id)
        assert entry is not None
        event = DraftAcknowledged(
            draft_id=draft_id, evidence="answer", remote_version=version, remote_id=remote_id
        )
        self.journal.note(entry.stream, lambda _: (event,), FACTS)

    def start_push(self, draft_id: str) -> None:
        """Note that a draft is about to leave, as the sender does."""
        entry = self.journal.log.find(draft_id)
        assert entry is not None
        self.journal.note(entry.stream, lambda _: (PushStarted(draft_id=draft_id),), FACTS)


@pytest.fixture
def script() -> Iterator[Script]:
    """A journal before a service whose records have our keys."""
    script = Script()
    yield script
    script.journal.close()


@pytest.fixture
def assigned() -> Iterator[Script]:
    """A journal before a service that has ids of its own, and no place for our key."""
    script = Script(ASSIGNED)
    yield script
    script.journal.close()


class TestPages:
    """D1, D2: a page is stored whole, and then it is noted that it was."""

    def test_each_is_one_append(self, script: Script) -> None:
        """What a page shows is stored in one append, by the actor pull, in one correlation."""
        report = script.pull(
            page(item("a", 1, n=1), item("b", 2, n=2), after=f"{URL}/notes/changes?p=2"),
            page(item("c", 3, n=3)),
        )

        entries = script.journal.log.read()
        assert [e.batch for e in entries] == [1, 1, 3]
        assert {e.actor for e in entries} == {"pull"}
        assert len({e.correlation_id for e in entries}) == 1
        assert (report.observed, report.pages, report.stopped_by) == (3, 2, None)
        assert script.paths == ["/notes/changes", "/notes/changes?p=2"]
        assert script.fields("a") == {"n": 1}
        assert script.journal.load("Note:a").remote.version == "v1"

    def test_the_next_pull_begins_after_the_last_item(self, script: Script) -> None:
        """The checkpoint is that of the last item that was stored."""
        script.pull(page(item("a", 1), item("b", 7)))
        script.pull(page())
        script.pull(page())

        assert script.paths[1:] == ["/notes/changes?since=7"] * 2

    def test_what_is_known_appends_nothing(self, script: Script) -> None:
        """The same page again leaves the log as it is (D3)."""
        shown = page(item("a", 1, n=1), gone("b", 2))
        script.pull(shown)
        head = script.journal.log.head()
        report = script.pull(shown)

        assert script.journal.log.head() == head == 1
        assert (report.observed, report.unchanged, report.deleted) == (0, 2, 0)

    def test_a_tombstone_deletes_what_was_here(self, script: Script) -> None:
        """A record that is gone there is gone here; one that was never here is not mentioned."""
        script.pull(page(item("a", 1, n=1)))
        report = script.pull(page(gone("a", 2), gone("never", 3)))

        assert (report.deleted, report.unchanged) == (1, 1)
        assert script.fields("a") is None
        assert script.journal.load("Note:never").version == 0

    def test_of_several_changes_of_a_record_the_last_counts(self, script: Script) -> None:
        """A record is stored once for each page, as the page shows it last."""
        script.pull(page(item("a", 1, n=1), item("a", 2, n=2)))

        assert script.observed == ["Note:a"]
        assert script.fields("a") == {"n": 2}

    def test_a_limit_is_kept_and_the_next_pull_goes_on_there(self, script: Script) -> None:
        """Stopped after a page, a pull goes on at the next, with what that page was called."""
        first = page(item("a", 1), after="/v1/notes/changes?p=2")
        report = script.pull(first, limit_pages=1)
        script.pull(page(item("b", 2)))
        script.pull(page())

        assert report.stopped_by == "limit"
        assert script.paths == ["/notes/changes", "/notes/changes?p=2", "/notes/changes?since=2"]

    def test_a_page_that_is_no_longer_known_begins_its_list_anew(self, script: Script) -> None:
        """Where the service has forgotten a page, and then the checkpoint, all is read anew."""
        script.pull(page(item("a", 1)))
        script.pull(page(item("b", 2), after="/v1/notes/changes?p=2"), limit_pages=1)
        script.pull(Response(410), Response(400), page(item("b", 2)))

        assert script.paths[2:] == [
            "/notes/changes?p=2",
            "/notes/changes?since=1",
            "/notes/changes",
        ]

    def test_a_page_that_is_never_known_ends_it(self, script: Script) -> None:
        """A page that its service names, and refuses each time, is not asked for without end."""
        first = page(item("a", 1), after="/v1/notes/changes?p=2")
        refused = Response(400, {}, b'{"message": "no such page"}')

        report = script.pull(*[first, refused] * (READS_AGAIN + 1))

        assert (report.stopped_by, report.problem) == ("refused", "no such page (400)")
        assert script.pull(page(item("b", 2))).stopped_by is None

    def test_pages_without_an_end_end(self, script: Script) -> None:
        """A next page that was read already stops the pull, and says so."""
        there = "/v1/notes/changes?p=2"
        report = script.pull(page(item("a", 1), after=there), page(item("b", 2), after=there))

        assert report.stopped_by == "refused"
        assert "no end" in report.problem

    def test_empty_pages_without_an_end_end(self, script: Script) -> None:
        """Pages that only promise others stop it too; a few of them are no list without an end."""
        empty = [page(after=f"/v1/notes/changes?p={n}") for n in range(MOST_EMPTY)]
        few = [*empty[1:], page(item("a", 1), after="/v1/notes/changes?p=last"), empty[0]]

        assert script.pull(*few, page(item("b", 2))).stopped_by is None
        report = script.pull(*empty)

        assert (report.stopped_by, report.pages) == ("refused", MOST_EMPTY)
        assert "no end" in report.problem

    def test_a_list_of_another_log_is_not_gone_on_with(self, script: Script) -> None:
        """A bookmark belongs to the log in which what it stands for is stored."""
        script.pull(page(item("a", 1)))
        with script.journal.log.views.write() as cursor:
            cursor.execute("UPDATE sync_bookmark SET hash = x'00'")
        script.pull(page(item("a", 1)))

        assert script.paths == ["/notes/changes"] * 2

    def test_another_path_in_the_profile_begins_anew(self, script: Script) -> None:
        """A checkpoint of another list says nothing of this one."""
        script.pull(page(item("a", 1), after="/v1/notes/changes?p=2"), limit_pages=1)
        other = {**CONTENT, "changes": {**CHANGES, "path": "/{type}/feed?since={since}"}}
        second = Script(other, script.journal)
        second.pull(page(item("a", 1)))

        assert second.paths == ["/notes/feed"]


NO_PAGES: Final = {
    "a captive portal": Response(200, {}, b"<html><title>Hotel</title></html>"),
    "cut": Response(200, {}, b'{"items": [{"id": "a"'),
    "another shape": Response(200, {}, b'{"rows": []}'),
    "an item that is no object": Response(200, {}, b'{"items": [3]}'),
    "no key": Response(200, {}, b'{"items": [{"at": 1, "n": 1}]}'),
    "no checkpoint": Response(200, {}, b'{"items": [{"id": "a", "n": 1}]}'),
    "503": Response(503, {"retry-after": "7"}),
    "500": Response(500),
    "lost": NoAnswer(was_sent=True, problem="lost"),
    "refused": NoAnswer(was_sent=False, problem="refused"),
}


class TestNoPages:
    """D2: what is no page stores nothing, and moves nothing on."""

    @pytest.mark.parametrize("answer", NO_PAGES.values(), ids=NO_PAGES)
    def test_is_tried_again_and_advances_nothing(self, script: Script, answer: Answer) -> None:
        """It is asked for again, with pauses, and after so many attempts the pull ends."""
        script.pull(page(item("a", 1)))
        report = script.pull(answer, answer, answer)
        after = script.pull(answer, page(item("b", 2)))

        assert (report.stopped_by, report.pages) == ("unreachable", 0)
        assert report.problem
        assert (after.stopped_by, after.observed) == (None, 1)
        assert script.paths[1:] == ["/notes/changes?since=1"] * 5
        is_asked = answer == NO_PAGES["503"]
        assert len(script.pauses) == (4 if is_asked else 3)
        assert min(script.pauses) >= (6.9 if is_asked else 1)

    @pytest.mark.parametrize("asked", [True, False], ids=["so long", "unsaid"])
    def test_the_next_pull_leaves_it_alone_as_long_as_it_has_asked(
        self,
        script: Script,
        asked: bool,  # noqa: FBT001
    ) -> None:
        """S8: who pulls again at once, after a pull was given up, does not ask again at once."""
        headers = {"retry-after": "600"} if asked else {}
        script.pull(*[Response(429, headers)] * 3)
        del script.pauses[:]

        report = script.pull(page(item("a", 1)))

        (waited_s,) = script.pauses
        assert waited_s > (599 if asked else 1)
        assert report.stopped_by is None

    def test_what_a_push_was_asked_for_holds_for_a_pull(self, script: Script) -> None:
        """S8: there is one floor for all that is asked of a remote."""
        script.floor.rise(60, "the remote is busy")

        script.pull(page(item("a", 1)))

        assert script.pauses == [pytest.approx(60, abs=1)]

    def test_credentials_that_are_refused_end_it(self, script: Script) -> None:
        """A 401 is not tried again."""
        assert script.pull(Response(401)).stopped_by == "unauthorized"

    def test_a_refusal_ends_the_type_and_not_the_others(self, script: Script) -> None:
        """A type that is refused says why; the next one is pulled."""
        report = script.pull(
            Response(403, {}, b'{"message": "not yours"}'),
            page(item("t", 1)),
            types=("Note", "Task"),
        )

        assert (report.stopped_by, report.observed) == ("refused", 1)
        assert "not yours" in report.problem

    @pytest.mark.parametrize(
        "there",
        [
            "https://elsewhere.example.com/v1/notes/changes?p=2",
            "http://records.example.com/v1/notes/changes?p=2",
            "https://records.example.com/admin",
            "https://records.example.com/v1/../admin",
            "https://ann@records.example.com/v1/notes",
            "//elsewhere.example.com/v1/notes",
            "https://records.example.com:bad/v1/notes",
        ],
    )
    def test_a_next_page_elsewhere_is_not_asked_for(self, script: Script, there: str) -> None:
        """A next page beyond the address of the service is refused, with the page that names it."""
        report = script.pull(page(item("a", 1), after=there))

        assert report.stopped_by == "refused"
        assert "beyond" in report.problem
        assert script.observed == []

    def test_a_record_that_cannot_be_kept_is_left_out_and_named(self, script: Script) -> None:
        """It holds up nothing else."""
        report = script.pull(page(item("a", 1, n=2**60), item("\n", 2), item("b", 3, n=1)))

        assert [(left.name, bool(left.problem)) for left in report.left_out] == [
            ("\n", True),
            ("a", True),
        ]
        assert script.observed == ["Note:b"]

    def test_a_profile_without_changes_says_what_to_write(self) -> None:
        """The error names the key."""
        with pytest.raises(ProfileError) as caught:
            Feed(Dialect(Profile.of({"url": URL})), "Note")

        assert caught.value.key == "changes"
        assert "{since}" in caught.value.hint

    def test_a_change_without_fields_is_no_page(self) -> None:
        """A list that shows no record, and no tombstone, is asked for again."""
        changes = {**CHANGES, "record": "/doc", "answer": {"key": "/id"}}
        script = Script({**CONTENT, "changes": changes})
        with script.journal:
            report = script.pull(*[page({"id": "a", "at": 1})] * 3)

        assert (report.stopped_by, report.pages) == ("unreachable", 0)
        assert "no fields" in report.problem

    def test_what_only_a_person_can_mend_ends_it(self, script: Script) -> None:
        """A certificate that is not trusted is not tried again."""
        insecure = NoAnswer(was_sent=False, problem="no TLS", cause="configuration")

        assert script.pull(insecure).stopped_by == "unreachable"

    @pytest.mark.parametrize(
        ("broken", "stopped_by"),
        [(RemoteError("cannot be asked"), "refused"), (ValueError("bug"), "unreachable")],
    )
    def test_a_remote_that_breaks_stores_nothing(
        self,
        script: Script,
        monkeypatch: pytest.MonkeyPatch,
        broken: Exception,
        stopped_by: str,
    ) -> None:
        """A remote of the host's that raises ends the pull, and says so."""

        def breaks(*_: object) -> NoReturn:
            raise broken

        monkeypatch.setattr(script.remote, "changes", breaks)
        report = script.pull()

        assert report.stopped_by == stopped_by
        assert report.problem


class TestOurOwn:
    """D4: a page never sets a record back."""

    def test_a_page_from_before_a_receipt_is_asked_for_anew(self, script: Script) -> None:
        """Between request and answer our own write is acknowledged: the old page is not stored."""
        script.pull(page(item("a", 1, n=1), item("b", 2)))
        draft = script.journal.update("Note:a", {"n": 2})
        assert draft is not None
        old, new = page(item("a", 1, n=1)), page(item("a", 9, n=2))

        def receipt(_: Request) -> None:
            if script.journal.load("Note:a").changes:
                script.acknowledge(draft, "v9")

        script.pull(old, new, at=receipt)

        assert script.observed == ["Note:a", "Note:b"]
        assert script.fields("a") == {"n": 2}
        assert script.journal.load("Note:a").remote.version == "v9"
        assert script.paths[1:] == ["/notes/changes?since=2"] * 2

    def test_a_foreign_edit_after_our_write_is_not_lost(self, script: Script) -> None:
        """A page that was overtaken by a receipt is never advanced past."""
        script.pull(page(item("a", 1, n=1)))
        draft = script.journal.update("Note:a", {"n": 2})
        assert draft is not None

        def receipt(_: Request) -> None:
            if script.journal.load("Note:a").changes:
                script.acknowledge(draft, "v8")

        script.pull(page(item("a", 9, n=3)), page(item("a", 9, n=3)), at=receipt)

        assert script.fields("a") == {"n": 3}

    def test_an_older_page_of_another_pull_does_not_set_it_back(self, script: Script) -> None:
        """Two pulls at once: what one has read before is not stored over what the other has."""
        other = Script(journal=script.journal)

        def overtake(_: Request) -> None:
            if not other.requests:
                other.pull(page(item("a", 2, n=2)))

        script.pull(page(item("a", 1, n=1)), page(item("a", 2, n=2)), at=overtake)

        assert script.fields("a") == {"n": 2}
        assert script.observed == ["Note:a"]

    def test_a_record_that_changes_without_end_is_left_for_later(self, script: Script) -> None:
        """After so many times at once the page is asked for with pauses, and then given up."""
        count = 0

        def write(_: Request) -> None:
            nonlocal count
            count += 1
            script.journal.observe("Note:a", {"n": -count})

        answers = [page(item("a", 1, n=1))] * (READS_AGAIN + 3)
        report = script.pull(*answers, at=write)

        assert report.stopped_by == "unreachable"
        assert len(script.pauses) == 2

    def test_pending_drafts_stay_on_top(self, script: Script) -> None:
        """Another base is named where it is another one for the draft, and only there."""
        script.pull(page(item("a", 1, n=1, m=1), item("b", 2, n=1), item("c", 3, n=1)))
        for key in "abc":
            script.journal.update(f"Note:{key}", {"n": 5})
        report = script.pull(
            page(item("a", 4, n=1, m=2), item("b", 5, n=2), item("c", 6, n=5)),
        )

        assert report.conflicting == ("Note:b",)
        assert [script.fields(key) for key in "abc"] == [{"n": 5, "m": 2}, {"n": 5}, {"n": 5}]

    def test_a_delete_there_under_a_draft_is_named(self, script: Script) -> None:
        """Local work on a record that is gone there stays, and is named."""
        script.pull(page(item("a", 1, n=1), item("b", 2, n=1)))
        script.journal.update("Note:a", {"n": 5})
        script.journal.delete("Note:b")
        report = script.pull(page(gone("a", 3), item("b", 4, n=2)))

        assert report.conflicting == ("Note:a", "Note:b")
        assert script.fields("a") == {"n": 5}


class TestIdentity:
    """D5: which record of ours is meant."""

    def test_by_the_id_that_a_receipt_has_told(self, assigned: Script) -> None:
        """A record that was made from here is known again by the service's id."""
        ref = assigned.journal.create("Note", {"n": 1}, id="ours")
        assigned.acknowledge(assigned.journal.load(ref).changes[0].draft_id, "v1", "17")
        report = assigned.pull(page(item(17, 2, n=2), item(18, 3, n=3)))

        assert report.observed == 2
        assert assigned.fields("ours") == {"n": 2}
        assert assigned.fields("18") == {"n": 3}

    def test_what_was_made_again_is_not_gone_with_what_was_called_so_before(
        self, assigned: Script
    ) -> None:
        """A tombstone is of an id: a record that has got another one since is there."""
        assigned.pull(page(item(17, 1, n=1)))
        assigned.journal.observe("Note:17", None, remote_id="17")
        assigned.journal.observe("Note:17", {"n": 2}, remote_id="19", remote_version="v3")
        told = []

        for shown in (
            page(gone(17, 2)),
            page(item(19, 4, n=4), gone(17, 5)),
            page(gone(17, 6), gone(19, 7)),
        ):
            assigned.pull(shown)
            told.append(assigned.fields("17"))

        assert told == [{"n": 2}, {"n": 4}, None]

    def test_the_table_may_be_lost(self, assigned: Script) -> None:
        """It is derived anew from the log."""
        ref = assigned.journal.create("Note", {"n": 1}, id="ours")
        assigned.acknowledge(assigned.journal.load(ref).changes[0].draft_id, "v1", "17")
        assigned.pull(page(item(17, 2, n=2)))
        with assigned.journal.log.views.write() as cursor:
            cursor.execute("DROP TABLE sync_remote_name")
            cursor.execute("DROP TABLE sync_checkpoint")
            cursor.execute("DROP TABLE sync_bookmark")
        assigned.pull(page(item(17, 3, n=3)))

        assert assigned.fields("ours") == {"n": 3}
        names = Names(assigned.journal.log)
        names.catch_up()
        assert names.find("Note", ["17", "18"]) == {"17": ref}

    def test_the_table_is_not_read_anew(
        self, assigned: Script, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It goes on where it was: what was folded before is not asked for again."""
        assigned.pull(page(item(1, 1, n=1)))
        read: list[int] = []
        log = assigned.journal.log
        before = log.read

        def reading(after: int = 0, *rest: Any) -> Any:  # noqa: ANN401
            read.append(after)
            return before(after, *rest)

        monkeypatch.setattr(log, "read", reading)
        Names(log).catch_up()
        assert read == [1]

    def test_a_create_that_cannot_be_told_apart_is_waited_for(self, assigned: Script) -> None:
        """Nothing is stored while a record that is shown may be one that was made from here."""
        ref = assigned.journal.create("Note", {"n": 1}, id="ours")
        draft = assigned.journal.load(ref).changes[0].draft_id
        assigned.start_push(draft)
        waiting = assigned.pull(page(item(17, 1, n=1)))
        assigned.acknowledge(draft, "v1", "17")
        after = assigned.pull(page(item(17, 1, n=1)))

        assert waiting.stopped_by == "unsettled"
        assert "Note:ours" in waiting.problem
        assert (after.observed, after.unchanged) == (0, 1)
        assert assigned.paths == ["/notes/changes"] * 2

    def test_two_records_with_our_key_stay_two(self) -> None:
        """A second record that shows the key of one that is known is another record."""
        both = {
            **ASSIGNED,
            "answer": {"id": "/id", "key": "/key", "version": "/v", "own": ["/at"]},
        }
        script = Script(both)
        with script.journal:
            script.pull(page(item(1, 1, key="k", n=1), item(2, 2, key="k", n=2)))
            script.pull(page(item(1, 3, key="k", n=3), item(2, 4, key="k", n=4)))

            assert (script.fields("k"), script.fields("2")) == ({"n": 3}, {"n": 4})
            assert script.observed == ["Note:k", "Note:2"] * 2

    def test_references_and_values_stay_as_they_are_written_here(self, script: Script) -> None:
        """A field that refers to a record does so after a pull, and nothing is new."""
        script.pull(page(item("a", 1, n=1)))
        ref = script.journal.create("Note", {"of": Ref("Note:a")}, id="b")
        draft = script.journal.load(ref).changes[0].draft_id
        script.acknowledge(draft, "v2", "b")
        report = script.pull(page(item("b", 2, of="a"), item("b", 3, of="a", n=None)))

        assert (report.observed, script.fields("b")) == (1, {"of": Ref("Note:a"), "n": None})


class TestLists:
    """How services list their changes."""

    def test_an_overlap_moves_a_time_back(self, script: Script) -> None:
        """Every list begins so much before its checkpoint, and never ahead of the service."""
        content = {**CONTENT, "changes": {**CHANGES, "overlap_s": 5, "first": ""}}
        timed = Script(content, script.journal)
        shown: dict[str, Any] = {"id": "a", "v": "1"}
        timed.pull(page({**shown, "at": "2026-01-01T00:00:03.250Z"}))
        ahead = page({**shown, "at": "2030-01-01T00:00:00Z"}, date="Thu, 01 Jan 2026 01:00:00 GMT")
        timed.pull(ahead)
        timed.pull(page(date="Thu, 01 Jan 2026 01:00:00 GMT"))

        assert [
            parse_qs(urlsplit(p).query, keep_blank_values=True)["since"] for p in timed.paths
        ] == [[""], ["2025-12-31T23:59:58.250Z"], ["2026-01-01T00:59:55Z"]]

    @pytest.mark.parametrize(
        ("form", "since"),
        [
            ("seconds", "1767225605"),
            ("milliseconds", "1767225605750"),
            ("%Y-%m-%d %H:%M", "2026-01-01%2000%3A00"),
        ],
    )
    def test_a_time_may_be_asked_for_in_another_form(
        self, script: Script, form: str, since: str
    ) -> None:
        """A service may take a time otherwise than it shows it; the checkpoint stays as shown."""
        asked = {"path": "/{type}?s={since}", "items": "/items", "since": "/at", "more": "/more"}
        formed = Script({**CONTENT, "changes": {**asked, "since_as": form}}, script.journal)
        shown = {"id": "a", "v": "1", "at": "2026-01-01T01:00:05.750+0100"}
        first = json.dumps({"items": [shown], "more": True}).encode()
        formed.pull(Response(200, {}, first), page())
        formed.pull(page())

        assert formed.paths == ["/notes", f"/notes?s={since}", f"/notes?s={since}"]

    def test_another_form_of_no_time_names_its_key(self, script: Script) -> None:
        """What is no time cannot be written as one."""
        said = {**CONTENT, "changes": {**CHANGES, "first": "soon", "since_as": "seconds"}}
        with pytest.raises(ProfileError, match=r"changes\.since_as.*is no time|Invalid isoformat"):
            Script(said, script.journal).pull()

    def test_an_overlap_of_no_time_names_its_key(self, script: Script) -> None:
        """A checkpoint that is no time cannot be moved."""
        content = {**CONTENT, "changes": {**CHANGES, "overlap_s": 5}}
        timed = Script(content, script.journal)
        timed.pull(page({"id": "a", "v": "1", "at": "opaque"}))
        with pytest.raises(ProfileError) as caught:
            timed.pull(page())

        assert caught.value.key == "changes.overlap_s"

    def test_a_header_link_leads_on(self, script: Script) -> None:
        """The target of rel="next" is the next page; a secret in it is not kept."""
        changes = {**CHANGES, "next": "header:Link"}
        auth = {"query": {"api_key": "{env:KEY}"}}
        linked = Script({**CONTENT, "changes": changes}, script.journal)
        profile = Profile.of({**CONTENT, "changes": changes, "auth": auth})
        linked.remote = HttpRemote(profile, environ={"KEY": "s3cr3t"})
        header = f'<{URL}/x>; rel="prev", <{URL}/notes/changes?p=2&api_key=s3cr3t>; rel="next"'
        linked.pull(page(item("a", 1), link=header), page(item("b", 2), link="<x>; rel=prev"))

        assert linked.paths[1:] == ["/notes/changes?p=2"]

    def test_tokens_indices_and_flags(self, script: Script) -> None:
        """A token, an index, or a flag ask for the page after; the checkpoint stays with them."""
        base = {"items": "/items", "since": "/at"}
        token = {**base, "path": "/t?s={since}&p={page}", "page": "/after", "first": "0"}
        index = {**base, "path": "/i?s={since}&i={index}", "index_from": 1, "first": "0"}
        pages = {**index, "path": "/p?s={since}&p={index}", "index_counts": "pages"}
        more = {**base, "path": "/m?s={since}", "more": "/more", "first": "0"}

        def shown(at: int, **extra: object) -> Response:
            items = [item(f"k{at}", at), item(f"l{at}", at)] if at else []
            return Response(200, {}, json.dumps({"items": items, **extra}).encode())

        for changes, answers, paths in (
            (token, [shown(1, after="t2"), shown(2)], ["/t?s=0", "/t?s=0&p=t2"]),
            (index, [shown(1), shown(2), shown(0)], ["/i?s=0&i=1", "/i?s=0&i=3", "/i?s=0&i=5"]),
            (pages, [shown(1), shown(2), shown(0)], ["/p?s=0&p=1", "/p?s=0&p=2", "/p?s=0&p=3"]),
            (more, [shown(1, more=True), shown(2, more=False)], ["/m?s=0", "/m?s=1"]),
        ):
            listed = Script({**CONTENT, "changes": changes}, script.journal)
            assert listed.pull(*answers).stopped_by is None
            assert listed.paths == paths

    def test_a_list_of_all_is_read_whole_each_time(self, script: Script) -> None:
        """Without checkpoints every pull begins anew, and only what is new is stored."""
        changes = {"path": "/all?p={page}", "items": "/items", "page": "/after", "lists_all": True}
        listed = Script({**CONTENT, "changes": changes}, script.journal)
        first = [{"id": "a", "v": "1", "n": 1}, {"id": "b", "v": "1", "n": 1}]
        later = [{"id": "b", "v": "2", "n": 2}]

        def shown(items: list[dict[str, Any]], after: str | None = None) -> Response:
            return Response(200, {}, json.dumps({"items": items, "after": after}).encode())

        reports = [
            listed.pull(shown(first[:1], "t"), shown(first[1:])),
            listed.pull(shown(first[:1], "t"), shown(later)),
            listed.pull(shown([])),
        ]

        assert [(r.observed, r.unchanged, r.stopped_by) for r in reports] == [
            (2, 0, None),
            (1, 1, None),
            (0, 0, None),
        ]
        assert listed.paths == ["/all", "/all?p=t", "/all", "/all?p=t", "/all"]

    def test_an_answer_may_mean_that_nothing_has_changed(self, script: Script) -> None:
        """A service that leaves an empty list out is understood by a rule, and only by one."""
        meaning = [{"on": ["changes"], "at": "", "is": {}, "means": "absent"}]
        changes = {"path": "/f?s={since}", "items": "/items", "next_since": "/to", "first": "0"}
        ruled = Script({**CONTENT, "changes": changes, "meaning": meaning}, script.journal)
        nothing = Response(200, {}, b"{}")
        shown = {"items": [{"id": "a", "v": "1"}], "to": "7"}

        ruled.pull(Response(200, {}, json.dumps(shown).encode()))
        report = ruled.pull(nothing)

        assert (report.observed, report.stopped_by) == (0, None), report
        assert ruled.paths == ["/f?s=0", "/f?s=7"]

    def test_pages_may_be_numbered(self, script: Script) -> None:
        """A page may have a number, however many items it has."""
        asked = {"path": "/{type}?s={since}&p={index}", "items": "/items", "since": "/at"}
        pages = {"index_from": 1, "index_counts": "pages"}
        numbered = Script({**CONTENT, "changes": {**asked, **pages}}, script.journal)
        numbered.pull(page(item("a", 1), item("b", 2)), page(item("c", 3)), page())

        assert numbered.paths == ["/notes?p=1", "/notes?p=2", "/notes?p=3"]
        assert numbered.fields("c") == {}

    def test_a_flag_may_say_that_there_is_no_more(self, script: Script) -> None:
        """What says that more pages follow is a condition, also one that something is false."""
        asked = {"path": "/{type}?s={since}", "items": "/items", "since": "/at"}
        ends = {**CONTENT, "changes": {**asked, "more": {"at": "/end", "is": False}}}
        flagged = Script(ends, script.journal)
        first = json.dumps({"items": [item("a", 1)], "end": False}).encode()
        last = json.dumps({"items": [item("b", 2)], "end": True}).encode()
        flagged.pull(Response(200, {}, first), Response(200, {}, last))

        assert flagged.paths == ["/notes", "/notes?s=1"]

    def test_a_word_says_that_a_record_is_deleted(self, script: Script) -> None:
        """Where each change has a state, one of them is that its record was deleted."""
        said = {**CHANGES, "deleted": {"at": "/state", "is": "cancelled"}}
        stated = Script({**CONTENT, "changes": said}, script.journal)
        stated.pull(page(item("a", 1, state="open"), item("b", 2, state="open")))
        report = stated.pull(page(item("a", 3, state="cancelled"), item("b", 4, state="done")))

        assert (report.deleted, report.observed) == (1, 1)
        assert stated.fields("a") is None
        assert stated.fields("b") == {"state": "done"}

    def test_a_list_may_have_an_address_of_its_own(self, script: Script) -> None:
        """Where the last page has the address of the list of what changes next, it is kept."""
        said = {"path": "/{type}/delta", "items": "/items", "next": "/next", "next_list": "/delta"}
        linked = Script({**CONTENT, "changes": said}, script.journal)
        delta = f"{URL}/notes/delta?$token=7%21a"
        end = json.dumps({"items": [item("b", 2)], "delta": delta}).encode()
        linked.pull(page(item("a", 1), after=f"{URL}/notes/delta?p=2"), Response(200, {}, end))
        linked.pull(page(item("a", 3), after=f"{URL}/notes/delta?p=3"), limit_pages=1)
        empty = Response(200, {}, json.dumps({"items": [], "delta": delta}).encode())
        linked.pull(Response(410), empty)
        linked.pull(Response(410), Response(200, {}, end))

        there = "/notes/delta?$token=7%21a"
        assert linked.paths[:3] == ["/notes/delta", "/notes/delta?p=2", there]
        assert linked.paths[3:5] == ["/notes/delta?p=3", there]
        assert linked.paths[5:] == [there, "/notes/delta"]

    def test_a_list_elsewhere_is_not_asked_for(self, script: Script) -> None:
        """The address of the next list is bound to the service, as that of a page is."""
        said = {"path": "/{type}/delta", "items": "/items", "next_list": "/next"}
        linked = Script({**CONTENT, "changes": said}, script.journal)
        report = linked.pull(page(item("a", 1), after="https://evil.example.com/v1/notes"))

        assert report.stopped_by == "refused"
        assert "https://evil.example.com" in report.problem
        assert script.journal.log.head() == 0

    @pytest.mark.parametrize("status", [204, 304])
    def test_no_content_is_an_empty_list(self, script: Script, status: int) -> None:
        """An answer that has no body by its status lists nothing, and is the end."""
        rule = {"on": ["changes"], "status": 304, "means": "done"}
        unchanged = Script({**CONTENT, "meaning": [rule]}, script.journal)
        report = unchanged.pull(Response(status))

        assert (report.stopped_by, report.pages, report.observed) == (None, 1, 0)

    def test_the_list_may_stand_under_the_name_of_the_type(self, script: Script) -> None:
        """Where the list is, may be said with what the service calls the type."""
        said = {**CONTENT, "changes": {**CHANGES, "items": "/{type}"}}
        named = Script(said, script.journal)
        named.pull(Response(200, {}, json.dumps({"notes": [item("a", 1, n=1)]}).encode()))

        assert named.fields("a") == {"n": 1}

    def test_a_checkpoint_of_the_page_is_kept_with_its_type(self, script: Script) -> None:
        """A number goes back as a number."""
        changes = {
            "method": "POST",
            "path": "/feed",
            "body": '{"type": "{type}", "since": "{since}"}',
            "items": "/items",
            "next_since": "/cursor",
        }
        feed = Script({**CONTENT, "changes": changes}, script.journal)
        answer = Response(200, {}, json.dumps({"items": [], "cursor": 12}).encode())
        feed.pull(answer)
        feed.pull(answer)

        assert [json.loads(r.body or b"") for r in feed.requests] == [
            {"type": "notes"},
            {"type": "notes", "since": 12},
        ]


TIMES: Final = (
    ("2026-01-01T00:00:03Z", -5, "2025-12-31T23:59:58Z"),
    ("2026-01-01 00:00:03", -5, "2025-12-31 23:59:58"),
    ("2026-01-01T00:00+02:00", -5, "2025-12-31T23:59:55+02:00"),
    ("2026-01-01T00:00:03,1234567+02:00", -0.5, "2026-01-01T00:00:02,6234560+02:00"),
    ("2026-01-02", -5, "2026-01-01"),
    ("2026-01-02T00:00:00.5Z", 0.5, "2026-01-02T00:00:01.0Z"),
    (1_700_000_000, -5, 1_699_999_995),
    (1_700_000_000_000, -5, 1_699_999_995_000),
    (1_700_000_000.5, -5, 1_699_999_995.5),
    ('"1700000000000"', -5, '"1699999995000"'),
    ("1700000000.25", -5, "1699999995.25"),
    ("Thu, 01 Jan 2026 00:00:03 GMT", -5, "Wed, 31 Dec 2025 23:59:58 GMT"),
    ("Thu, 1 Jan 2026 00:00:03 +0100", -5, "Wed, 31 Dec 2025 23:59:58 +0100"),
)


@pytest.mark.parametrize(("time", "by_s", "after"), TIMES, ids=str)
def test_a_time_is_moved_in_its_form(time: object, by_s: float, after: object) -> None:
    """A checkpoint that is a time stays in the form in which the service wrote it."""
    assert moved(time, by_s) == after


@pytest.mark.parametrize("value", ["", "s1_92", "Thu, 1 Jan", True, None, [1]])
def test_what_is_no_time_is_not_moved(value: object) -> None:
    """It is refused, and stays as it is where it is only to be held back."""
    with pytest.raises(ValueError, match="is no time"):
        moved(value, -1)
    assert not_after(value, "Thu, 01 Jan 2026 01:00:00 GMT") == value


def test_a_date_of_http_is_held_back_too() -> None:
    """A checkpoint as in the header Date is never ahead of the service."""
    now, ahead = "Thu, 01 Jan 2026 01:00:00 GMT", "Tue, 01 Jan 2030 00:00:00 GMT"
    assert not_after(ahead, now) == now
    assert not_after(now, now) == now


def test_a_number_is_held_back_too() -> None:
    """A checkpoint in seconds is never ahead of the service."""
    assert not_after(1_900_000_000, "Thu, 01 Jan 2026 01:00:00 GMT") == 1_767_229_200
    assert not_after(1_700_000_000, "Thu, 01 Jan 2026 01:00:00 GMT") == 1_700_000_000
    assert not_after(1_700_000_000, None) == 1_700_000_000


# --- cut at any moment -------------------------------------------------------------------


class Service:
    """Lists its changes in order, two to a page, as they are now."""

    def __init__(self, changes: list[tuple[str, int | None]]) -> None:
        """Begin with these changes: of which record, and its value; None for a delete."""
        self.changes = changes

    def __call__(self, request: Request) -> Response:
        """Answer with the page that is asked for."""
        query = parse_qs(urlsplit(request.path).query)
        since = int(query.get("since", ["0"])[0])
        latest = {key: (at, n) for at, (key, n) in enumerate(self.changes, 1)}
        listed = sorted((at, key, n) for key, (at, n) in latest.items() if at > since)
        items = [gone(key, at) if n is None else item(key, at, n=n) for at, key, n in listed[:2]]
        more = f"/v1/notes/changes?since={listed[1][0]}" if len(listed) > 2 else None
        return page(*items, after=more)


@given(
    changes=st.lists(
        st.tuples(st.sampled_from("abcdef"), st.none() | st.integers(0, 3)), max_size=12
    ),
    cuts=st.lists(st.integers(1, 12), max_size=5),
    at=st.integers(0, 12),
)
def test_a_pull_that_is_killed_anywhere_goes_on(
    changes: list[tuple[str, int | None]], cuts: list[int], at: int
) -> None:
    """Killed after any effect, and resumed, it ends with the records of one that was not."""
    with Journal(actor="ann", origin="van-7") as whole, Journal(actor="ann") as cut:
        service = Service(changes[:at])
        for effects in cuts:
            with suppress(Killed):
                Script(journal=cut).pull_from(service, killed_after=effects)
        service.changes = changes
        Script(journal=cut).pull_from(service)
        Script(journal=whole).pull_from(service)

        for key in "abcdef":
            ref = Ref.of("Note", key)
            here, there = cut.load(ref), whole.load(ref)
            assert here.fields == there.fields
            if here.fields is not None:
                assert here.remote == there.remote
        head = cut.log.head()
        Script(journal=cut).pull_from(service)
        assert cut.log.head() == head
