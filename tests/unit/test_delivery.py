"""Drafts that go to the remote together: in order, once, and none of them lost or held up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from journal import Journal, Ref
from journal.errors import RemoteError
from journal.events import DraftDiscarded, DraftHeld, DraftRetried, FieldMessage, PushStarted
from journal.outcomes import Acknowledged, NotSent, Refused, Unknown
from journal.remotes import HttpRemote, NoAnswer, Profile, Request, Response
from journal.staging import Facts
from journal.sync.ledger import Ledger
from projections import Drafts
from tests.unit.scripted import LOST, Script, outcomes, says, shows

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from journal.drafts import Draft
    from journal.outcomes import Outcome
    from journal.remotes import Answer, Push
    from journal.sync.reports import SyncStatus

REFUSED: Final = NoAnswer(was_sent=False, problem="connection refused")
TRUCK: Final = 3


class Convoy(HttpRemote):
    """A remote that takes several drafts in one request, and answers with a status for each."""

    def __init__(self, most_together: int = TRUCK) -> None:
        """Take so many."""
        super().__init__(Profile.of({"url": "https://records.example.com"}))
        self.most_together = most_together
        self.taken: Callable[[Sequence[Push]], int] = len
        self.error: Exception | None = None
        self.late: Exception | None = None
        self.extra: list[Outcome] = []

    def together(self, pushes: Sequence[Push]) -> int:
        """Take as many as the test says."""
        return self.taken(pushes)

    def push_together(self, pushes: Sequence[Push]) -> Generator[Request, Answer, list[Outcome]]:
        """Send their records' ids; return what the statuses of the answer mean."""
        if self.error is not None:
            raise self.error
        body = json.dumps([push.ref.id for push in pushes]).encode()
        answer = yield Request("PUT", "/together", body=body)
        if self.late is not None:
            raise self.late
        if isinstance(answer, NoAnswer):
            outcome = Unknown(answer.problem) if answer.was_sent else NotSent(answer.problem)
            return [outcome] * len(pushes)
        return [*map(meant, json.loads(answer.body)), *self.extra]


def meant(status: int) -> Outcome:
    """Return the outcome that a status means."""
    if status == 500:
        return Unknown("it failed")
    if status == 422:
        return Refused("rejected", (FieldMessage(message="no"),), status)
    return Acknowledged("answer", None, '"1"', status)


def each(*statuses: int) -> Response:
    """Return an answer with a status for each draft."""
    return says(200, json.dumps(statuses).encode())


def sent(script: Script) -> list[Any]:
    """Return what each request carried: the ids of those that went together, or the path."""
    return [json.loads(r.body or b"") if r.path == "/together" else r.path for r in script.requests]


@pytest.fixture
def journal() -> Iterator[Journal]:
    """A journal in memory with four accounts that were made offline."""
    with Journal(actor="ann", origin="van-7") as journal:
        for number in range(1, 5):
            journal.create("Account", {"Number": number}, id=f"a{number}")
        yield journal


class TestTogether:
    """How drafts go together."""

    def test_in_order(self, journal: Journal) -> None:
        """The drafts that are next go in one request, as many as it takes, in their order."""
        script = Script(journal, Convoy())

        report = script.drain(each(200, 201, 200), shows({"Number": 4}, '"1"'))

        assert sent(script) == [["a1", "a2", "a3"], "/Account/a4"]
        assert (report.acknowledged, report.attempts, report.pending) == (4, 4, 0)

    def test_all_are_durable_before(self, journal: Journal) -> None:
        """S2: that they are about to leave is in the log before the request leaves."""
        begun: list[list[str]] = []

        def at(_: Request) -> None:
            entries = journal.log.read()
            begun.append([e.stream.id for e in entries if isinstance(e.event, PushStarted)])

        Script(journal, Convoy(4)).drain(each(200, 200, 200, 200), at=at)

        assert begun == [["a1", "a2", "a3", "a4"]]

    def test_what_became_of_them_is_one_append(self, journal: Journal) -> None:
        """S3: the outcomes of one request are appended together."""
        Script(journal, Convoy(3)).drain(each(200, 422, 200), shows({"Number": 4}, '"1"'))

        batches = {e.batch for e in journal.log.read() if isinstance(e.event, DraftHeld)}
        assert len(batches) == 1
        assert [type(event).__name__ for event in outcomes(journal)] == [
            "DraftAcknowledged",
            "DraftHeld",
            "DraftAcknowledged",
            "DraftAcknowledged",
        ]

    @pytest.mark.parametrize("most", [0, 1])
    def test_not_where_the_remote_takes_one(self, journal: Journal, most: int) -> None:
        """Where a request can hold one draft, each goes as it always does."""
        script = Script(journal, Convoy(most))

        script.drain(*[shows({"Number": number}, '"1"') for number in range(1, 5)])

        assert sent(script) == [f"/Account/a{number}" for number in range(1, 5)]

    def test_as_many_as_the_remote_says(self, journal: Journal) -> None:
        """The remote says which of them can go together, by what they are."""
        convoy = Convoy(4)
        convoy.taken = lambda pushes: 2 if len(pushes) > 2 else 1
        script = Script(journal, convoy)

        script.drain(each(200, 200), shows({"Number": 3}, '"1"'), shows({"Number": 4}, '"1"'))

        assert sent(script) == [["a1", "a2"], "/Account/a3", "/Account/a4"]

    def test_a_held_lane_is_passed(self, journal: Journal) -> None:
        """A draft behind a held one waits; those of other lanes go together past it."""
        script = Script(journal, Convoy(4))
        script.drain(each(422, 200, 200, 200))
        journal.update("Account:a1", {"Number": 10})
        for number in (2, 3):
            journal.update(f"Account:a{number}", {"Number": 10})
        script.requests.clear()

        script.drain(each(200, 200))

        assert sent(script) == [["a2", "a3"]]

    def test_nothing_passes_where_that_is_asked(self, journal: Journal) -> None:
        """Where a held draft stops everything, nothing behind it goes along."""
        script = Script(journal, Convoy(4), on_held="stop")

        report = script.drain(each(200, 422))

        assert (report.acknowledged, report.held, report.stopped_by) == (1, 1, "held")


class TestOutcomes:
    """What becomes of those that went together."""

    def test_the_rest_goes_at_once(self, journal: Journal) -> None:
        """What was not carried out behind a refused draft is sent again, without a wait."""
        script = Script(journal, Convoy(4))

        report = script.drain(each(200, 422), each(200, 200))

        assert sent(script) == [["a1", "a2", "a3", "a4"], ["a3", "a4"]]
        assert (report.acknowledged, report.held, script.pauses) == (3, 1, [])

    def test_a_wait_in_the_middle(self, journal: Journal) -> None:
        """Those before are acknowledged, and that one and those behind it go after the wait.

        Whether it was applied is not known, so it goes alone.
        """
        script = Script(journal, Convoy(4))

        report = script.drain(
            each(200, 500),
            says(404),
            shows({"Number": 2}, '"1"'),
            each(200, 200),
        )

        assert report.acknowledged == 4
        assert script.pauses == [1.0]
        assert sent(script)[1:] == ["/Account/a2", "/Account/a2", ["a3", "a4"]]

    def test_a_lost_answer(self, journal: Journal) -> None:
        """What may be applied goes alone after that, and is looked up first."""
        script = Script(journal, Convoy())

        report = script.drain(
            LOST,
            shows({"Number": 1}, '"1"'),
            shows({"Number": 2}, '"1"'),
            says(404),
            shows({"Number": 3}, '"1"'),
            shows({"Number": 4}, '"1"'),
        )

        assert report.acknowledged == 4
        assert [request.method for request in script.requests] == [
            "PUT",
            "GET",
            "GET",
            "GET",
            "PUT",
            "PUT",
        ]

    def test_not_sent(self, journal: Journal) -> None:
        """Where no request has left, the first is tried alone, and then they go together again."""
        script = Script(journal, Convoy(4))

        report = script.drain(REFUSED, shows({"Number": 1}, '"1"'), each(200, 200, 200))

        assert sent(script) == [["a1", "a2", "a3", "a4"], "/Account/a1", ["a2", "a3", "a4"]]
        assert (report.acknowledged, len(script.pauses)) == (4, 1)
        assert script.methods == ["PUT"] * 3

    def test_what_did_not_go_can_be_amended(self, journal: Journal) -> None:
        """All but the first are pending again, durably; a night offline adds nothing to that."""
        script = Script(journal, Convoy(4), attempts=9)

        script.drain(*[REFUSED] * 9)

        assert [found.draft.state for found in Drafts(journal).pending()] == [
            "sending",
            *["pending"] * 3,
        ]
        assert len(journal.log.read()) == 4 + 4 + 3
        for number in (2, 3, 4):
            draft = journal.load(f"Account:a{number}").changes[0].draft_id
            journal.amend(draft, {"Number": 10})

    def test_what_waits_behind_a_held_one_can_be_discarded(self, journal: Journal) -> None:
        """It has not been sent, whatever was begun: nobody has to insist."""
        journal.update("Account:a2", {"Number": 10})
        last = journal.load("Account:a2").changes[-1].draft_id
        script = Script(journal, Convoy(5), on_held="stop")

        script.drain(each(200, 422))

        journal.discard(last)
        reasons = {e.reason for e in journal.log.read() if isinstance(e.event, DraftRetried)}
        assert reasons == {"the remote did not carry it out"}

    def test_another_process_looks_first(self, journal: Journal) -> None:
        """Whoever begins anew cannot know that the first has not left, and looks it up."""
        Script(journal, Convoy(4), attempts=1).drain(REFUSED)
        script = Script(journal, Convoy(4))

        script.drain(shows({"Number": 1}, '"1"'), each(200, 200, 200))

        assert sent(script) == ["/Account/a1", ["a2", "a3", "a4"]]
        assert script.methods == ["GET", "PUT"]

    @pytest.mark.parametrize("statuses", [(), (200,) * 5])
    def test_a_remote_that_miscounts(self, journal: Journal, statuses: tuple[int, ...]) -> None:
        """A remote that says nothing of any draft, or of more than there were, is not believed."""
        script = Script(journal, Convoy(4), attempts=1)

        report = script.drain(each(*statuses))

        assert (report.acknowledged, report.pending) == (0, 4)
        assert "did not say what became of each" in report.problem

    def test_a_remote_that_breaks(self, journal: Journal) -> None:
        """A remote that raises ends nothing: what came of the drafts is unknown."""
        convoy = Convoy(4)
        convoy.error = ZeroDivisionError()

        report = Script(journal, convoy, attempts=1).drain()

        assert (report.pending, report.problem) == (4, "the remote failed: ZeroDivisionError")

    def test_a_draft_that_cannot_be_sent(self, journal: Journal) -> None:
        """Where the remote cannot send the first as it is, that one is held; the others go on."""
        convoy = Convoy(4)
        convoy.error = RemoteError("no key like this")
        script = Script(journal, convoy)

        report = script.drain(shows({"Number": 4}, '"1"'))

        assert (report.held, report.acknowledged, report.stopped_by) == (3, 1, "held")
        assert sent(script) == ["/Account/a4"]

    def test_a_draft_that_cannot_be_told_of(self, journal: Journal) -> None:
        """V2: where the remote finds out after the request has left, all may be applied."""
        convoy = Convoy()
        convoy.late = RemoteError("there is no such account")
        script = Script(journal, convoy)

        report = script.drain(
            each(200, 200, 200), *[shows({"Number": number}, '"1"') for number in range(1, 5)]
        )

        assert script.methods == ["PUT", "GET", "GET", "GET", "PUT"]
        assert (report.held, report.pending) == (0, 0)

    def test_answers_are_not_kept(self, journal: Journal) -> None:
        """What was answered to a request is forgotten with the next one, however many there are."""
        for number in range(50):
            journal.create("Account", {"Number": number})
        script = Script(journal, Convoy(2))

        script.drain(*[each(200, 200)] * 27)

        assert len(script.session._delivery._doubts._answers) == 1

    def test_a_remote_that_cannot_say(self, journal: Journal) -> None:
        """Where it fails to say what it takes together, each draft goes alone."""
        convoy = Convoy(4)

        def fails(_: Sequence[Push]) -> int:
            raise ZeroDivisionError

        convoy.taken = fails
        script = Script(journal, convoy)

        script.drain(*[shows({"Number": number}, '"1"') for number in range(1, 5)])

        assert script.methods == ["PUT"] * 4


class TestMeanwhile:
    """What others do in the meantime."""

    def test_a_draft_is_discarded_just_before(
        self, journal: Journal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where one of them is settled as they are about to leave, they are chosen anew."""
        begin = Ledger.begin

        def discarding(ledger: Ledger, drafts: Sequence[Draft]) -> bool:
            change = journal.load("Account:a2").changes
            if change:
                gone = DraftDiscarded(draft_id=change[0].draft_id)
                journal.note(Ref("Account:a2"), lambda _: (gone,), Facts("ann", "van-7"))
            return begin(ledger, drafts)

        monkeypatch.setattr(Ledger, "begin", discarding)
        script = Script(journal, Convoy(4))

        report = script.drain(each(200, 200, 200))

        assert sent(script) == [["a1", "a3", "a4"]]
        assert (report.acknowledged, report.pending) == (3, 0)

    def test_a_draft_is_made_while_they_are_away(self, journal: Journal) -> None:
        """A change that is made meanwhile is sent after them."""

        def at(request: Request) -> None:
            if request.path == "/together":
                journal.create("Account", {"Number": 5}, id="a5")

        script = Script(journal, Convoy(4))

        report = script.drain(each(200, 200, 200, 200), shows({"Number": 5}, '"1"'), at=at)

        assert (report.acknowledged, len(Drafts(journal))) == (5, 0)

    def test_the_status_names_the_first(self, journal: Journal) -> None:
        """While they are away, the status shows the first of them, and nothing after that."""
        script = Script(journal, Convoy(4))
        board = script.session._board
        seen: list[SyncStatus] = []

        script.drain(each(200, 200, 200, 200), at=lambda _: seen.append(board.now()))

        assert [status.sending and status.sending.ref.id for status in seen] == ["a1"]
        assert board.now().sending is None
