"""Crashes at every point of a piece of work: each is reached, and what is wrong there is found."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import httpx
import pytest

from journal import Journal, Ref
from journal.testing import OrgAtHand, ServiceAtHand, assert_drained, for_each_crash_point
from projections import Drafts, Records

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path
    from typing import TypeAlias

    from journal.testing import CrashPoint

    Check: TypeAlias = Callable[[Journal, CrashPoint], None]

BIG = "y" * 20_000
"""So much that a commit writes several frames to the WAL."""


def day(journal: Journal) -> Iterator[Ref]:
    """Make a record, two at once, and read; promise each when it is stored."""
    account = journal.create("Account", {"Name": "Acme"}, id="1")
    yield account
    with journal.batch():
        visit = journal.create("Visit", {"Of": account, "Note": BIG}, id="v")
        journal.update(account, {"Name": "Bolt"})
    yield visit
    assert len(Drafts(journal)) == 3
    Records(journal).types()
    journal.delete(visit)
    yield Ref("Visit:gone")


def test_what_was_promised_is_there() -> None:
    """At every point, the log is whole, nothing is half there, and what was promised is there."""
    heads: Counter[int] = Counter()
    places: Counter[str] = Counter()

    def check(journal: Journal, point: CrashPoint) -> None:
        head = journal.log.head()
        heads[head] += 1
        places[point.at.partition(" ")[0]] += 1
        assert head in {0, 1, 3, 4}
        assert head >= (0, 1, 3, 4)[len(point.promised)]
        assert (
            point.promised
            == (Ref("Account:1"), Ref("Visit:v"), Ref("Visit:gone"))[: len(point.promised)]
        )

    count = for_each_crash_point(day, check)

    assert count == sum(heads.values()) == sum(places.values()) > 20
    assert set(heads) == {0, 1, 3, 4}
    assert places["within"] > 5, "some have died in the middle of a write"


def test_a_service_of_ones_own() -> None:
    """What is opened may be a service that keeps a journal at that path."""

    class Service:
        def __init__(self, path: Path) -> None:
            self.journal = Journal(path, actor="service")

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            self.journal.close()

        def order(self, name: str) -> None:
            self.journal.create("Order", {"Name": name}, id=name)

    def work(service: Service) -> Iterator[str]:
        for name in ("a", "b"):
            service.order(name)
            yield name

    def check(service: Service, point: CrashPoint) -> None:
        for name in point.promised:
            assert f"Order:{name}" in Records(service.journal)
        service.order("b")  # whoever asks again gets it once

    assert for_each_crash_point(work, check, open=Service) > 5


def test_a_promise_that_is_made_too_early() -> None:
    """A service that answers before it stores is found, with the point at which it dies."""

    def hasty(journal: Journal) -> Iterator[str]:
        yield "Account:1"
        journal.create("Account", {}, id="1")

    def check(journal: Journal, point: CrashPoint) -> None:
        for ref in point.promised:
            assert journal.load(ref).version, f"{ref} was promised"

    with pytest.raises(AssertionError, match="Account:1 was promised") as caught:
        for_each_crash_point(hasty, check)

    [note] = [note for note in caught.value.__notes__ if note.startswith("crash point")]
    assert note.endswith("after the promise")


def test_work_that_spoils_a_view() -> None:
    """A view that is not the fold of the log is found without any check of one's own."""

    def work(journal: Journal) -> None:
        journal.create("Account", {}, id="1")
        Records(journal).types()
        assert journal.log.path is not None
        with sqlite3.connect(journal.log.path) as other:
            other.execute("UPDATE records SET version = 9")
        other.close()

    with pytest.raises(AssertionError, match=r'\$\.records\["Account:1"\]\.version is 9, and 1'):
        for_each_crash_point(work, lambda _journal, _point: None)


def one(journal: Journal) -> None:
    """Make a record."""
    journal.create("Account", {}, id="1")


def nothing(_journal: Journal, _point: CrashPoint) -> None:
    """Check nothing."""


@contextmanager
def in_memory(_path: Path) -> Iterator[Journal]:
    """Open something else than was asked for."""
    with Journal() as journal:
        yield journal


@contextmanager
def elsewhere(path: Path) -> Iterator[Journal]:
    """Open what was asked for, and hand over another one."""
    with Journal(path), Journal() as journal:
        yield journal


class TestSweepsOfNothing:
    """A sweep that would check nothing fails, and says why."""

    @pytest.mark.parametrize("opening", [in_memory, elsewhere])
    def test_another_file(self, opening: Any) -> None:  # noqa: ANN401  either
        """Work that changes another file, or none, has no crash points of its own."""
        with pytest.raises(AssertionError, match=r"has changed nothing .* open\(\) returns for"):
            for_each_crash_point(one, nothing, open=opening)

    def test_work_that_does_nothing(self) -> None:
        """Work that only reads cannot be interrupted."""
        with pytest.raises(AssertionError, match="the work has changed nothing"):
            for_each_crash_point(lambda journal: journal.log.head(), nothing)

    def test_work_that_is_only_begun(self) -> None:
        """Async work would never be done."""

        async def work(journal: Journal) -> None:
            one(journal)

        async def yielding(journal: Journal) -> AsyncIterator[int]:
            one(journal)
            yield 1

        for each in (work, yielding):
            with pytest.raises(TypeError, match=r"^work is async, so nothing of it was done; call"):
                for_each_crash_point(each, nothing)

    def test_a_check_that_is_only_begun(self) -> None:
        """A check that is async, or yields, would never be made."""

        async def later(_journal: Journal, _point: CrashPoint) -> None:
            raise AssertionError

        def yielding(_journal: Journal, _point: CrashPoint) -> Iterator[int]:
            yield 1
            raise AssertionError

        with pytest.raises(TypeError, match=r"^check is async, so nothing of it was done"):
            for_each_crash_point(one, later)
        with pytest.raises(TypeError, match=r"^check yields, so nothing .* be a plain function"):
            for_each_crash_point(one, yielding)

    def test_a_check_that_says_no(self) -> None:
        """A check that returns False has found something, as one that raises."""
        with pytest.raises(AssertionError, match="check returned False") as caught:
            for_each_crash_point(one, lambda _journal, _point: False)

        assert caught.value.__notes__[-1].startswith("crash point 1 of ")

    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            ({"views": Records}, "views is <class .*Records'>; it takes several"),
            ({"views": ["records"]}, "'records' is no class of a projection"),
            ({"services": object()}, r"services takes several, .*; write \[service\]"),
            ({"services": ["org"]}, r"'org' has no save\(\) and restore\(saved\)"),
        ],
    )
    def test_what_cannot_be_meant(self, arguments: Any, problem: str) -> None:  # noqa: ANN401
        """What is no view, and no service, is said before anything is done."""
        done: list[Journal] = []

        with pytest.raises(TypeError, match=problem):
            for_each_crash_point(done.append, nothing, **arguments)

        assert done == []


class TestRequests:
    """Work that sends: at each point, the service is as it was then."""

    @staticmethod
    def swept(hand: ServiceAtHand | OrgAtHand, check: Check) -> list[str]:
        """Sweep over two changes that are sent, and return where the points were."""
        places: list[str] = []

        def work(journal: Journal) -> Iterator[str]:
            account = journal.create("Account", {"Name": "Acme"}, id="1")
            journal.update(account, {"Name": "Bolt"})
            with hand.subscriber(journal) as subscriber:
                assert subscriber.drain(timeout_s=10).pending == 0
            yield "sent"

        def checked(journal: Journal, point: CrashPoint) -> None:
            places.append(point.at)
            check(journal, point)

        for_each_crash_point(work, checked, services=[hand])
        return places

    def test_each_is_done_once(self) -> None:
        """Whoever comes after a crash around a request sends the rest, and nothing twice."""
        service = ServiceAtHand()
        seen: set[int] = set()

        def check(journal: Journal, point: CrashPoint) -> None:
            seen.add(len(service.effects))
            assert point.promised == () or len(service.effects) == 2
            if not journal.log.head():
                return
            with service.subscriber(journal) as subscriber:
                subscriber.drain(timeout_s=10)
            assert_drained(journal)
            made = [effect.method for effect in service.effects]
            assert made == ["PUT", "PATCH"][: len(made)]

        places = self.swept(service, check)

        assert seen == {0, 1, 2}
        assert len(service.effects) == 2, "in the end it is as the work has left it"
        around = [at for at in places if "/Account/1" in at]
        assert around[:2] == [
            "before PUT /Account/1 leaves",
            "after PUT /Account/1 was sent, and its answer is not seen",
        ]
        assert "before PATCH /Account/1 leaves" in around
        service.close()

    def test_an_org(self) -> None:
        """The stand-in org is brought back in the same way, with who is logged in and all."""
        org = OrgAtHand()
        seen: set[int] = set()

        def check(journal: Journal, _point: CrashPoint) -> None:
            seen.add(len(org.effects))
            if journal.log.head() < 2:
                return
            with org.subscriber(journal) as subscriber:
                subscriber.drain(timeout_s=10)
            assert_drained(journal)
            assert [account["Name"] for account in org.records("Account")] == ["Bolt"]
            assert [effect.operation for effect in org.effects] == ["create", "update"]

        places = self.swept(org, check)

        assert seen == {0, 1, 2}
        assert [at for at in places if at.endswith("oauth2/token leaves")]
        org.close()

    def test_a_sender_that_sends_twice_is_found(self) -> None:
        """Work that sends by a client of its own, without looking first, is found around it."""
        service = ServiceAtHand()

        def work(journal: Journal) -> None:
            journal.create("Note", {"Text": "a"}, id="1")
            post(journal)

        def post(journal: Journal) -> None:
            if "Note:sent" in Records(journal):
                return
            with httpx.Client(transport=service.network, base_url=service.url) as client:
                client.put("/Note/1", json={"Text": "a"})
            journal.create("Note", {}, id="sent")

        def check(journal: Journal, _point: CrashPoint) -> None:
            post(journal)
            assert len(service.effects) == 1, "it was sent twice"

        with pytest.raises(AssertionError, match="it was sent twice") as caught:
            for_each_crash_point(work, check, services=[service])

        assert (
            "after PUT /Note/1 was sent, and its answer is not seen" in caught.value.__notes__[-1]
        )
        service.close()

    def test_an_async_client(self) -> None:
        """Async clients are watched as well, and left as they were."""
        before = httpx.AsyncClient._transport_for_url
        places: list[str] = []

        def work(journal: Journal) -> None:
            async def ask() -> int:
                transport = httpx.MockTransport(lambda _request: httpx.Response(204))
                async with httpx.AsyncClient(transport=transport) as client:
                    return (await client.get("https://there.invalid/a?token=secret")).status_code

            assert asyncio.run(ask()) == 204
            assert journal.log.head() == 0

        for_each_crash_point(work, lambda _journal, point: places.append(point.at))

        assert places[-2:] == [
            "before GET /a leaves",
            "after GET /a was sent, and its answer is not seen",
        ]
        assert httpx.AsyncClient._transport_for_url is before

    def test_what_goes_wrong_is_brought_back(self) -> None:
        """What is to go wrong, and what is on its way, is what it was at the point, too."""
        service = ServiceAtHand()
        service.faults.delay(later=5)
        pending: set[tuple[int, int]] = set()

        def check(_journal: Journal, _point: CrashPoint) -> None:
            pending.add((len(service.faults.pending), service.network.deliver()))

        self.swept(service, check)

        assert pending == {(1, 0), (0, 1)}
        assert len(service.faults.struck) == 1
        service.close()
