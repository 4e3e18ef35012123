"""The end of doubts: no draft is in doubt for ever while the remote answers."""

from __future__ import annotations

from itertools import cycle, islice, repeat
from typing import TYPE_CHECKING, Any, Final

import pytest

from journal import Journal, Ref
from journal.events import DraftHeld, FieldMessage
from journal.outcomes import Refused, Seen, Unknown, Wait
from journal.remotes import HttpRemote, NoAnswer, Profile, Request, Response
from journal.sources import Sources
from journal.sync.doubts import AGREEING, FEW, OLD_S, SURE, Doubts
from journal.sync.effects import Call
from tests.unit.scripted import LOST, REFUSED, Script, outcomes, says, shows

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from journal.events import HoldClass
    from journal.outcomes import Outcome
    from journal.remotes import Answer, Push

URL: Final = "https://records.example.com"
ACCOUNT: Final = Ref("Account:a1")
OTHER: Final = {"a": 1, "b": 2}
LOGIN: Final = {"error": "login required"}
TAKEN: Final = "the remote has another record under our key"
MANY: Final = 100
ODD: Final = Request("GET", "/")


@pytest.fixture
def journal() -> Iterator[Journal]:
    """An empty journal."""
    with Journal(actor="ann", origin="van-7") as journal:
        yield journal


def remote(**profile: Any) -> HttpRemote:  # noqa: ANN401  any key of a profile
    """Return a remote with these keys in its profile."""
    return HttpRemote(Profile.of({"url": URL, **profile}))


def held(journal: Journal) -> DraftHeld:
    """Return the only outcome, which is a hold."""
    (event,) = outcomes(journal)
    assert isinstance(event, DraftHeld)
    return event


class TestKeyThatIsTaken:
    """A record under our key with which ours has no name in common."""

    def test_is_a_conflict_once_reads_agree(self, journal: Journal) -> None:
        """It is held as a conflict after reads that agree, with waits in between."""
        journal.create("Account", {"c": 2}, id="a1")
        script = Script(journal, remote())
        answers = [says(412), shows(OTHER, '"1"'), *[shows(OTHER, '"1"')] * (AGREEING - 1)]

        report = script.drain(*answers)

        assert (report.held, script.methods) == (1, ["PUT", *["GET"] * AGREEING])
        assert len(script.pauses) == AGREEING - 1
        event = held(journal)
        assert (event.classification, event.messages[-1].message) == ("conflict", TAKEN)
        assert journal.load(ACCOUNT).remote.fields == OTHER

    def test_after_a_lost_answer(self, journal: Journal) -> None:
        """The version that a read shows tells a record from a page."""
        journal.create("Account", {"c": 2}, id="a1")

        Script(journal, remote()).drain(LOST, *[shows(OTHER, '"1"')] * AGREEING)

        assert held(journal).classification == "conflict"

    def test_without_versions(self, journal: Journal) -> None:
        """That the remote declined to make a second one tells it too, if it says so each time."""
        journal.create("Account", {"c": 2}, id="a1")
        script = Script(journal, remote(answer={"version": "none"}), doubts=4)

        script.drain(says(409), *[shows(OTHER)] * 4)

        assert held(journal).classification == "unknown"

    def test_reads_that_do_not_agree(self, journal: Journal) -> None:
        """Records that differ from read to read are believed by nobody: it is held as unknown."""
        journal.create("Account", {"c": 2}, id="a1")
        script = Script(journal, remote(), 9, doubts=8)

        script.drain(says(412), *[shows({"a": n}, f'"{n}"') for n in range(8)])

        assert held(journal).classification == "unknown"

    @pytest.mark.parametrize("version", [None, 'W/"1"'])
    def test_a_portal_is_no_record(self, journal: Journal, version: str | None) -> None:
        """An object that says that something is wrong is taken for no record."""
        journal.create("Account", {"c": 2}, id="a1")
        script = Script(journal, remote(), doubts=5)

        report = script.drain(*[shows(LOGIN, version)] * 6)

        assert (report.held, held(journal).classification) == (1, "unknown")

    def test_another_record_is_none(self, journal: Journal) -> None:
        """A read that shows the key of another record does not show who has ours."""
        journal.create("Account", {"c": 2}, id="a1")
        script = Script(journal, remote(answer={"key": "/k"}), doubts=5)

        script.drain(says(412), *[shows({"k": "a2"}, '"1"')] * 5)

        assert held(journal).classification == "unknown"


class TestDoubtsWithoutEnd:
    """What a remote may answer again and again, each with what ends it."""

    @pytest.mark.parametrize(
        "answers",
        [
            [says(302, location="https://elsewhere.example.com")],
            [says(200, b"[]")],
            [says(200, b"[]"), says(404)],
            [says(500), says(404)],
            [says(403)],
            [says(200, b"7"), LOST, shows({"Name": "other"})],
        ],
        ids=["redirect", "no record", "false success", "poison", "unreadable", "mixed"],
    )
    def test_ends_in_a_hold(self, journal: Journal, answers: list[Answer]) -> None:
        """A draft that is in doubt so often, with the remote answering, is held."""
        journal.create("Account", {"Name": "Acme"}, id="a1")

        events = drained(journal, cycle(answers))

        assert isinstance(events[-1], DraftHeld)
        assert events[-1].messages

    @pytest.mark.parametrize("answer", [says(500), says(502), LOST], ids=repr)
    def test_a_remote_that_only_fails(self, journal: Journal, answer: Answer) -> None:
        """Where the remote only fails, it takes much longer, and ends all the same."""
        journal.create("Account", {"Name": "Acme"}, id="a1")

        attempts = drained(journal, islice(cycle([answer]), 5 * SURE - 1), doubts=5)
        assert attempts == []
        drained(journal, cycle([answer]), doubts=5)

        assert held(journal).classification == "unknown"

    def test_a_key_that_is_in_use_for_ever(self) -> None:
        """A remote that says for ever that our key is in use is not believed for ever."""
        doubts = Doubts(1)
        doubts.begin("d1", 0)
        doubts.heard(ODD, Response(409))

        came = [doubts.judged(Wait("our key is in use")) for _ in range(SURE)]

        assert came[:-1] == [Wait("our key is in use")] * (SURE - 1)
        assert isinstance(came[-1], Refused)

    @pytest.mark.parametrize(
        "answer",
        [REFUSED, says(511), says(200, b"<html><title>Hotel</title>"), says(503), says(401)],
        ids=["refused", "proxy", "portal", "busy", "unauthorized"],
    )
    def test_being_offline_burns_nothing(self, journal: Journal, answer: Answer) -> None:
        """What is not the remote's word on the draft holds it never, however often."""
        journal.create("Account", {"Name": "Acme"}, id="a1")

        assert drained(journal, islice(cycle([LOST, answer]), MANY), doubts=None) == []
        assert drained(journal, islice(cycle([answer]), MANY), doubts=1) == []

    def test_says_what_was_seen(self, journal: Journal) -> None:
        """The hold says how often, why, and what the remote answered, without a secret."""
        journal.create("Account", {"Name": "Acme"}, id="a1")
        canary = "s3cr3t-c4n4ry"
        profile = Profile.of({"url": URL, "auth": {"bearer": "{env:TOKEN}"}})
        hidden = HttpRemote(profile, environ={"TOKEN": canary})

        Script(journal, hidden, doubts=3).drain(*[shows([canary])] * 4)

        event = held(journal)
        problem = "a read was answered with something that is not the record"
        said = FieldMessage(message=f"not known after 3 attempts: {problem}")
        assert (event.messages, event.status) == ((said,), 200)
        assert canary not in event.answer
        assert event.answer.startswith('["')

    def test_a_remote_that_breaks(self, journal: Journal) -> None:
        """A remote of a host that raises at each draft does not hold up the queue for ever."""

        class Broken:
            url = URL

            def headers(self) -> Mapping[str, str]:
                return {}

            def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
                raise ZeroDivisionError(push)
                yield

        journal.create("Account", {"Name": "Acme"}, id="a1")

        Script(journal, Broken(), doubts=3).drain()

        assert held(journal).classification == "unknown"

    def test_in_a_row_and_of_one_draft(self) -> None:
        """What another draft went through does not count for this one."""
        doubts = Doubts(2)
        came = []
        for draft_id in ("d1", "d2", "d1", "d1"):
            doubts.begin(draft_id, 0)
            doubts.heard(ODD, Response(200))
            came.append(type(doubts.judged(Unknown("odd"))).__name__)

        assert came == ["Unknown", "Unknown", "Unknown", "Refused"]

    def test_who_gives_tokens_is_not_the_remote(self) -> None:
        """An answer of the token endpoint does not show that the remote is there."""
        doubts = Doubts(1)
        doubts.begin("d1", 0)
        doubts.heard(Request("POST", "/", to="token"), Response(200))

        assert doubts.judged(Unknown("odd")) == Unknown("odd")

    def test_that_only_tokens_were_asked_for_counts_nothing(self) -> None:
        """However often nobody but the token endpoint answers, the draft is not in doubt for it."""
        doubts = Doubts(1)
        for _ in range(MANY):
            doubts.begin("d1", 0)
            doubts.heard(Request("POST", "/", to="token"), Response(200))

            assert doubts.judged(Unknown("odd")) == Unknown("odd")

    def test_patience_is_no_doubt(self) -> None:
        """A remote that asks for patience may do so for ever."""
        doubts = Doubts(1)
        for _ in range(MANY):
            doubts.begin("d1", 0)
            doubts.heard(Request("PUT", "/"), Response(503))

            assert doubts.judged(Wait("later")) == Wait("later")

    def test_an_hour_is_old(self) -> None:
        """D4: from exactly an hour on, a few doubts are enough."""
        doubts = Doubts(MANY)
        for n in range(FEW):
            doubts.begin("d1", 0, OLD_S)
            doubts.heard(ODD, Response(200))

            assert isinstance(doubts.judged(Unknown("odd")), Refused) is (n == FEW - 1)


def comes_to(*refusals: Refused) -> list[Outcome]:
    """Return the outcomes of attempts in a row, which come to these refusals once believed."""
    doubts = Doubts(MANY)
    came: list[Outcome] = []
    for refusal in refusals:
        doubts.begin("d1", 0)
        doubts.heard(ODD, Response(200))
        came.append(doubts.judged(Unknown("odd", refusal=refusal)))
    return came


class TestBelieved:
    """Refusals that attempts in a row come to (D3)."""

    TAKEN = Refused("conflict", seen=Seen({"a": 1}))

    @pytest.mark.parametrize("refusal", [TAKEN, Refused("rejected", status=404)])
    def test_what_is_the_same_each_time(self, refusal: Refused) -> None:
        """What a conflict shows, or the status of a rejection, is believed the third time."""
        *before, last = comes_to(*[refusal] * AGREEING)

        assert all(isinstance(outcome, Unknown) for outcome in before)
        assert last == refusal

    @pytest.mark.parametrize("classification", ["gone", "unknown"])
    def test_nothing_else_is(self, classification: HoldClass) -> None:
        """That a record is gone is never believed by what reads show."""
        refusal = Refused(classification, seen=Seen({"a": 1}))

        assert not any(isinstance(came, Refused) for came in comes_to(*[refusal] * 2 * AGREEING))

    def test_not_where_another_came_between(self) -> None:
        """What shows nothing, or something else, between two that agree begins the count anew."""
        for other in (Refused("gone"), Refused("conflict", seen=Seen({"a": 2}))):
            came = comes_to(self.TAKEN, other, self.TAKEN, self.TAKEN)

            assert not any(isinstance(outcome, Refused) for outcome in came)


@pytest.mark.parametrize(
    ("method", "answer", "has_written"),
    [
        ("PUT", Response(200), True),
        ("PUT", Response(500), True),
        ("PUT", NoAnswer(was_sent=True, problem="lost"), True),
        ("PUT", NoAnswer(was_sent=False, problem="refused"), False),
        ("PUT", Response(429), False),
        ("GET", Response(200), False),
        ("GET", NoAnswer(was_sent=True, problem="lost"), False),
    ],
)
def test_what_may_have_changed_something(method: str, answer: Answer, has_written: bool) -> None:  # noqa: FBT001
    """A request may have changed something where it is no read, and may have been carried out."""
    doubts = Doubts(None)
    before = doubts.has_written
    doubts.begin("d1", 0)
    doubts.heard(Request(method, "/"), answer)
    now = doubts.has_written
    doubts.begin("d1", 0)

    assert (before, now, doubts.has_written) == (False, has_written, False)


def test_what_is_held_with_no_refusal_has_no_answer() -> None:
    """What was answered is kept where it is what a draft may have been refused with."""
    doubts = Doubts(1)
    doubts.begin("d1", 0)
    doubts.heard(ODD, Response(200, {}, b"[]"))

    found = doubts.judged(Unknown("odd"))

    assert isinstance(found, Refused)
    assert (found.classification, found.status, found.answer) == ("unknown", 200, "")


class TestRetried:
    """A draft that was held as unknown, and is to be sent again."""

    def test_is_looked_up_first(self, journal: Journal) -> None:
        """What it may have done is looked up before anything is sent: it is applied once."""
        journal.create("Account", {"Name": "Acme"}, id="a1")
        script = Script(journal, remote(), doubts=2)
        script.drain(says(200, b"[]"), says(200, b"[]"), says(200, b"[]"))
        assert held(journal).classification == "unknown"
        script.requests.clear()

        journal.retry(journal.load(ACCOUNT).changes[0].draft_id)
        report = script.drain(shows({"Name": "Acme"}, '"1"'))

        assert (script.methods, report.acknowledged) == (["GET"], 1)

    @pytest.mark.parametrize("kind", ["update", "delete"])
    def test_a_change(self, journal: Journal, kind: str) -> None:
        """The same goes for a change of a record that is there."""
        journal.create("Account", {"Name": "Acme"}, id="a1")
        script = Script(journal, remote(), doubts=1)
        script.drain(shows({"Name": "Acme"}, '"1"'))
        if kind == "update":
            journal.update(ACCOUNT, {"Name": "Acme & Co"})
        else:
            journal.delete(ACCOUNT)
        script.drain(says(302))
        script.requests.clear()

        journal.retry(journal.load(ACCOUNT).changes[0].draft_id)
        script.drain(shows({"Name": "Acme"}, '"1"'), says(204))

        assert script.methods[0] == "GET"


def drained(journal: Journal, answers: Iterator[Answer], doubts: int | None = 5) -> list[Any]:
    """Return the outcomes of a drain in which the remote gives these answers until it is over."""
    script = Script(journal, remote(), 10 * MANY, doubts=doubts)
    effects = script.session.drain(None, lambda: False)
    result: Any = None
    for _ in range(100 * MANY):
        try:
            effect = effects.send(result)
        except StopIteration:
            break
        result = effect.function() if isinstance(effect, Call) else None
        if isinstance(effect, Request):
            result = next(answers, None)
            if result is None:
                break
    effects.close()
    script.session.lease.release()
    return outcomes(journal)


class Calendar:
    """A clock on the wall that the test moves, beside a monotonic one that stands."""

    def __init__(self) -> None:
        """Begin at some time."""
        self.wall_us = 1_700_000_000_000_000

    def now_us(self) -> int:
        """Return the wall clock."""
        return self.wall_us

    def monotonic_s(self) -> float:
        """Return the monotonic clock."""
        return 1000.0


class TestTimetable:
    """Drafts that are sent by a process which is started now and then (D4)."""

    def begun(self, later_s: float, doubts: int | None = 20) -> tuple[list[Any], list[Any]]:
        """Return the outcomes of a first run that is in doubt, and of all after a later one."""
        clock = Calendar()
        sources = Sources(clock=clock)
        with Journal(actor="ann", origin="van-7", sources=sources) as journal:
            journal.create("Account", {"Name": "Acme"}, id="a1")
            Script(journal, remote(), doubts=doubts).drain(*[says(200, b"[]")] * 6)
            first = outcomes(journal)
            clock.wall_us += round(later_s * 1e6)
            answers = repeat(says(200, b"[]"))
            return first, drained(journal, islice(answers, 12), doubts)

    def test_an_old_draft_is_held_after_a_few(self) -> None:
        """An hour after its first request, a draft that is still in doubt is soon held."""
        first, (hold,) = self.begun(OLD_S + 1)

        assert first == []
        assert hold.classification == "unknown"
        assert hold.messages[0].message.startswith(f"not known after {FEW} attempts: ")

    def test_a_young_draft_is_not(self) -> None:
        """Before that, it is borne with as long as it is said."""
        assert self.begun(OLD_S - 1) == ([], [])

    def test_a_draft_is_never_held_where_that_is_asked(self) -> None:
        """Without a bound, no age is one."""
        assert self.begun(OLD_S + 1, None) == ([], [])


class TestWhatFollowsARead:
    """The first write after a read that was answered, of one attempt."""

    @pytest.mark.parametrize(
        ("heard", "expected"),
        [
            ([], False),
            ([(Request("GET", "/n"), LOST)], False),
            ([(Request("GET", "/n", to="token"), shows({}))], False),
            ([(Request("GET", "/n"), shows({}))], True),
            ([(Request("GET", "/n"), shows({})), (Request("GET", "/n"), LOST)], True),
            ([(Request("GET", "/n"), shows({})), (Request("PUT", "/n"), LOST)], False),
            ([(Request("PUT", "/n"), shows({}))], False),
        ],
    )
    def test_a_write(self, heard: list[tuple[Request, Answer]], expected: bool) -> None:  # noqa: FBT001
        """It follows what was read at the remote, where no other may have changed that since."""
        doubts = Doubts(MANY)
        doubts.begin("d1", 1)

        for request, answer in heard:
            doubts.heard(request, answer)

        assert doubts.is_looked_up_before(Request("PATCH", "/n")) is expected
        assert not doubts.is_looked_up_before(Request("GET", "/n"))
        assert not doubts.is_looked_up_before(Request("POST", "/t", to="token"))

    def test_the_next_attempt_has_read_nothing_yet(self) -> None:
        """What was read an attempt ago says nothing."""
        doubts = Doubts(MANY)
        doubts.begin("d1", 1)
        doubts.heard(Request("GET", "/n"), shows({}))

        doubts.begin("d1", 1)

        assert not doubts.is_looked_up_before(Request("PATCH", "/n"))
