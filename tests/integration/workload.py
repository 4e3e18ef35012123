"""What the processes do that are killed: changes, views and pushes, each told when it is done.

It runs in a process of its own, or in the test's own to be copied. It says so before each
change and after it; whatever was told as done must be found again, whatever happens.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias

from journal import Journal, Ref
from journal.remotes import HttpRemote, Profile
from journal.sync import Subscriber
from journal.sync.backoff import Backoff
from tests.replay.fixed import BEGIN_US, FixedSources
from tests.replay.views import VIEWS

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from journal.sync import Progress
    from projections import Projection

SEEN: Final = Ref("Account:seen")
"""A record that the service has from the beginning, at the version `SEEN_VERSION`."""
SEEN_VERSION: Final = '"1"'
SEEN_FIELDS: Final = {"Name": "Seen", "Phone": None, "Grade": 7}

HASTE: Final = Backoff(first_s=0.01, most_s=0.05, least_s=0.001)


class Tell(Protocol):
    """Tells the test what was done, in words that arrive even if the process dies next."""

    def __call__(self, *words: str) -> None:
        """Tell these words."""
        ...


def subscriber(
    journal: Journal, url: str, progress: Callable[[Progress], None] | None = None
) -> Subscriber:
    """Return a subscriber to the service at the address, in haste."""
    remote = HttpRemote(Profile.of({"url": url}))
    return Subscriber(journal, remote, backoff=HASTE, progress=progress)


# --- a short day, the same each time -----------------------------------------------------------


class Desk(NamedTuple):
    """What a step works with."""

    journal: Journal
    views: tuple[Projection, ...]
    sync: Subscriber | None

    def read(self) -> None:
        """Have every view catch up with the log."""
        for view in self.views:
            view.catch_up()

    def drain(self) -> None:
        """Push what is pending, where there is a service."""
        if self.sync is not None:
            report = self.sync.drain()
            assert report.pending == 0, report


def _offline(desk: Desk) -> None:
    journal = desk.journal
    with journal.batch(reason="a round of visits"):
        second = journal.create("Account", {"Name": "Bolt", "Open": True}, id="a2")
        journal.create("Contact", {"Of": second, "Name": "Zoë"}, id="c1")
        journal.update(Ref("Visit:v1"), {"Status": "moved", "Account": second})


def _online(desk: Desk) -> None:
    journal = desk.journal
    with journal.batch():
        journal.update(Ref("Account:a1"), {"Name": "Acme AG"})
        journal.update(Ref("Account:a1"), {"Grade": 2})
        journal.delete(Ref("Contact:c1"))


STEPS: Final[tuple[Callable[[Desk], object], ...]] = (
    lambda desk: desk.journal.create("Account", {"Name": "Acme", "Grade": 1.5}, id="a1"),
    lambda desk: desk.journal.create("Visit", {"Account": Ref("Account:a1")}, id="v1"),
    lambda desk: desk.journal.update(Ref("Visit:v1"), {"Status": "open", "Note": None}),
    Desk.read,
    _offline,
    lambda desk: desk.journal.observe(SEEN, SEEN_FIELDS, remote_version=SEEN_VERSION),
    lambda desk: desk.journal.update(SEEN, {"Phone": "+41 44"}),
    Desk.drain,
    Desk.read,
    lambda desk: desk.journal.update(Ref("Visit:v1"), {"Status": "done"}),
    lambda desk: desk.journal.create("Part", {"Of": [Ref("Visit:v1")], "N": 1}, id="p1"),
    lambda desk: desk.journal.delete(SEEN),
    Desk.read,
    _online,
    Desk.drain,
    Desk.read,
)


def short_day(path: str, url: str | None, tell: Tell) -> None:
    """Live through the short day in a journal at the path, with a service where there is one."""
    sources = FixedSources()
    with Journal(path, actor="tech-17", origin="tablet-3", sources=sources) as journal:
        live(journal, sources, url, tell)


def live(journal: Journal, sources: FixedSources, url: str | None, tell: Tell) -> None:
    """Do every step; tell ``step N`` when the N-th is done, ``draft ID`` when it is acknowledged.

    The time and the ids of a step depend on nothing but its number.
    """
    views = tuple(view(journal) for view in VIEWS)
    with ExitStack() as stack:
        sync = None
        if url is not None:
            sync = stack.enter_context(subscriber(journal, url, teller(tell)))
        desk = Desk(journal, views, sync)
        for number, step in enumerate(STEPS, 1):
            sources.clock.now = BEGIN_US + number * 1_000_000
            sources.ids.count = number * 1_000
            step(desk)
            tell("step", str(number))


def teller(tell: Tell) -> Callable[[Progress], None]:
    """Return what tells ``draft ID`` of every draft that is acknowledged."""

    def progress(said: Progress) -> None:
        if said.step == "acknowledged" and said.draft is not None:
            tell("draft", said.draft.draft_id)

    return progress


# --- changes without an end, others each time --------------------------------------------------

TYPES: Final = ("Account", "Visit")
"""Of which types the records are that a plan makes."""

Plan: TypeAlias = tuple[tuple[str, Ref, dict[str, object]], ...]
"""Changes of one transaction: create, update or delete; the record; the fields."""


def pushing(path: str, url: str, tell: Tell) -> None:
    """Push what is pending, however often it takes; tell ``drained`` when nothing is left."""
    with (
        Journal(path, actor="tech-17", origin="tablet-3", durability="normal") as journal,
        subscriber(journal, url) as sync,
    ):
        while (report := sync.drain()).pending:
            assert report.held == 0, report
    tell("drained")


def plans(dice: random.Random, prefix: str, alive: list[Ref]) -> Iterator[Plan]:
    """Yield transactions for ever, each of which changes something."""
    count = 0
    while True:
        plan = []
        for _ in range(dice.choice((1, 1, 1, 2, 5))):
            count += 1
            name = f"{prefix}-{count}"
            kind = dice.choice(("create", "update", "update", "delete")) if alive else "create"
            if kind == "create":
                fields: dict[str, object] = {"Name": name, "Note": dice.choice(("", None, "ü"))}
                if alive:
                    fields["Of"] = dice.choice(alive)
                ref = Ref.of(dice.choice(TYPES), name)
                alive.append(ref)
            else:
                ref = dice.choice(alive)
                fields = {"Name": name, "Grade": dice.random()} if kind == "update" else {}
            if kind == "delete":
                alive.remove(ref)
            plan.append((kind, ref, fields))
        yield tuple(plan)


def carry_out(journal: Journal, plan: Plan) -> None:
    """Make the changes of a plan, in one transaction."""
    with journal.batch():
        for kind, ref, fields in plan:
            change(journal, kind, ref, fields)


def change(journal: Journal, kind: str, ref: Ref, fields: dict[str, object]) -> None:
    """Make one change of a plan."""
    if kind == "create":
        journal.create(ref.type, fields, id=ref.id)
    elif kind == "update":
        journal.update(ref, fields)
    else:
        journal.delete(ref)


def _tell_on_stdout(*words: str) -> None:
    os.write(1, f"{' '.join(words)}\n".encode())


if __name__ == "__main__":
    short_day(sys.argv[1], sys.argv[2], _tell_on_stdout)
