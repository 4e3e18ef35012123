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
        self.binds_batches = False
        self.given: list[Push] = []

    def together(self, pushes: Sequence[Push]) -> int:
        """Take as many as the test says."""
        self.given.extend(pushes)
        return self.taken(pushes)

    def push_together(
        self, pushes: Sequence[Push]
    ) -> Generator[Request, Answer, list[Outcome | None]]:
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


def meant(status: int) -> Outcome | None:
    """Return the outcome that a status means."""
    if status == 0:
        return None
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


class TestBound:
    """Drafts of one batch, where the remote takes them all together or not at all."""

    @pytest.fixture
    def journal(self) -> Iterator[Journal]:
        """A journal in memory with a batch of three accounts, and one that was made apart."""
        with Journal(actor="ann", origin="van-7") as journal:
            with journal.batch():
                for number in range(1, 4):
                    journal.create("Account", {"Number": number}, id=f"a{number}")
            journal.create("Account", {"Number": 4}, id="a4")
            yield journal

    @pytest.fixture
    def convoy(self) -> Convoy:
        """A remote that binds batches."""
        convoy = Convoy(4)
        convoy.binds_batches = True
        return convoy

    def states(self, journal: Journal) -> list[tuple[str, str]]:
        """Return of each draft that is pending whose it is, and where it stands."""
        return [(p.draft.ref.id, p.draft.state) for p in Drafts(journal).pending()]

    def test_a_batch_is_apart(self, journal: Journal, convoy: Convoy) -> None:
        """The drafts of a batch go together, and say so; others go after them."""
        convoy.given.clear()
        script = Script(journal, convoy)

        script.drain(each(200, 200, 200), shows({"Number": 4}, '"1"'))

        assert sent(script) == [["a1", "a2", "a3"], "/Account/a4"]
        assert [(push.batch, push.batch_size) for push in convoy.given] == [(1, 3)] * 3

    def test_not_where_the_remote_does_not_bind(self, journal: Journal, convoy: Convoy) -> None:
        """Where the remote does not say that it binds them, they go as any others."""
        convoy.binds_batches = False
        script = Script(journal, convoy)

        script.drain(each(200, 422, 200, 200))

        assert sent(script) == [["a1", "a2", "a3", "a4"]]
        assert self.states(journal) == [("a2", "held")]

    def test_one_that_is_refused_holds_all(self, journal: Journal, convoy: Convoy) -> None:
        """Nothing is known against the others: they wait, pending, and go with it, all of them."""
        script = Script(journal, convoy)

        report = script.drain(each(0, 422, 0), shows({"Number": 4}, '"1"'))

        assert (report.acknowledged, report.held, script.pauses) == (1, 1, [])
        assert self.states(journal) == [("a1", "pending"), ("a2", "held"), ("a3", "pending")]
        journal.amend(Drafts(journal).pending()[0].draft.draft_id, {"Number": 9})
        journal.retry(Drafts(journal).pending()[1].draft.draft_id)
        assert script.drain(each(200, 200, 200)).acknowledged == 3

    def test_the_others_go_without_it(self, journal: Journal, convoy: Convoy) -> None:
        """Once it is discarded, the others are the batch."""
        Script(journal, convoy).drain(each(0, 422, 0), shows({"Number": 4}, '"1"'))
        journal.discard(Drafts(journal).pending()[1].draft.draft_id)
        script = Script(journal, convoy)

        script.drain(each(200, 200))

        assert sent(script) == [["a1", "a3"]]

    def test_a_lost_answer(self, journal: Journal, convoy: Convoy) -> None:
        """What may be applied goes together all the same: none is looked up by itself."""
        script = Script(journal, convoy)

        script.drain(LOST, each(200, 200, 200), shows({"Number": 4}, '"1"'))

        assert sent(script) == [["a1", "a2", "a3"]] * 2 + ["/Account/a4"]

    def test_another_process(self, journal: Journal, convoy: Convoy) -> None:
        """So it is with who comes after a sender that was killed; each is said to be in doubt."""
        Script(journal, convoy, attempts=1).drain(LOST)
        convoy.given.clear()
        script = Script(journal, convoy)

        script.drain(each(200, 200, 200), shows({"Number": 4}, '"1"'))

        assert [push.is_maybe_applied for push in convoy.given] == [True, True, True]

    def test_not_sent(self, journal: Journal, convoy: Convoy) -> None:
        """Where no request has left, they go together again, and are not begun once more."""
        script = Script(journal, convoy)

        script.drain(REFUSED, each(200, 200, 200), shows({"Number": 4}, '"1"'))

        assert sent(script)[:2] == [["a1", "a2", "a3"]] * 2
        begun = [e for e in journal.log.read() if isinstance(e.event, PushStarted)]
        assert len(begun) == 4

    def test_a_wait_for_one(self, journal: Journal, convoy: Convoy) -> None:
        """Where one has failed for now, all are sent again after the wait, and none is held."""
        script = Script(journal, convoy)

        report = script.drain(each(0, 500, 0), each(200, 200, 200), shows({"Number": 4}, '"1"'))

        assert (report.acknowledged, script.pauses) == (4, [1.0])

    def test_in_doubt_for_ever(self, journal: Journal, convoy: Convoy) -> None:
        """D1: the first is held in the end, and the others stay in doubt with it."""
        script = Script(journal, convoy, attempts=9, doubts=2)

        report = script.drain(each(500, 500, 500), each(500, 500, 500), shows({"Number": 4}, '"1"'))

        assert (report.held, report.acknowledged) == (1, 1)
        assert self.states(journal) == [("a1", "held"), ("a2", "sending"), ("a3", "sending")]

    def test_a_remote_that_says_nothing(self, journal: Journal, convoy: Convoy) -> None:
        """A remote that has nothing to say of any draft is not believed."""
        report = Script(journal, convoy, attempts=1).drain(each(0, 0, 0))

        assert "did not say what became of each" in report.problem

    def test_what_does_not_fit(self, journal: Journal, convoy: Convoy) -> None:
        """A batch that the remote cannot take is left to what it says of the first alone."""
        convoy.taken = lambda _: 1
        script = Script(journal, convoy)

        script.drain(*[shows({"Number": number}, '"1"') for number in range(1, 5)])

        assert sent(script) == ["/Account/a1", "/Account/a2", "/Account/a3", "/Account/a4"]

    def test_a_part_is_settled_meanwhile(
        self, journal: Journal, convoy: Convoy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where one is settled as they are chosen, they are chosen anew: none goes alone."""
        push_of = Ledger.push_of

        def discarding(ledger: Ledger, draft: Draft) -> Push | None:
            change = journal.load("Account:a2").changes
            if change:
                gone = DraftDiscarded(draft_id=change[0].draft_id)
                journal.note(Ref("Account:a2"), lambda _: (gone,), Facts("ann", "van-7"))
            return push_of(ledger, draft)

        monkeypatch.setattr(Ledger, "push_of", discarding)
        script = Script(journal, convoy)

        report = script.drain(each(200, 200), shows({"Number": 4}, '"1"'))

        assert sent(script)[0] == ["a1", "a3"]
        assert (report.acknowledged, script.pauses) == (3, [0.01])

    def test_the_next_batch_is_begun_whole(self, journal: Journal, convoy: Convoy) -> None:
        """S2: no part of a batch is begun with the receipt of a draft before it."""
        journal.note(Ref("Account:a1"), lambda _: (), Facts("ann", "van-7"))
        with journal.batch():
            journal.create("Account", {"Number": 5}, id="a5")
            journal.create("Account", {"Number": 6}, id="a6")
        script = Script(journal, convoy)

        script.drain(each(200, 200, 200), shows({"Number": 4}, '"1"'), each(200, 200))

        begun = [e for e in journal.log.read() if isinstance(e.event, PushStarted)]
        batches = [[e.stream.id for e in begun if e.batch == b] for b in {e.batch for e in begun}]
        assert sorted(batches) == [["a1", "a2", "a3"], ["a4"], ["a5", "a6"]]


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
