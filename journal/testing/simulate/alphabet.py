"""All short workloads over a small alphabet: what can be done, how fast, and at which service.

A workload begins with the making of a record, or with a record that both sides have; whatever
its letters do, they do to that record, so that they meet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, get_args

from journal.testing.simulate.scenario import Dialect, Fault, Knobs, Operation, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST: Final = 3
"""How many letters a workload has at most."""
MOST_ON_FILE: Final = 2

ALPHABET: Final[dict[str, tuple[tuple[str, int, int, int], ...]]] = {
    "create": (("create", 1, 0, 1),) * MOST,
    "child": tuple(("create", 10 + place, 0, 36) for place in range(MOST)),
    "update": tuple(("update", 0, 1, c) for c in (1, 3, 7)),
    "delete": (("delete", 0, 0, 0),) * MOST,
    "batch": tuple(("batch", 0, 0, c) for c in (32, 44, 50)),
    "poison": tuple(("update", 0, 1, c) for c in (25, 51, 103)),
    "foreign": tuple(("foreign", 0, 0, c) for c in (1, 2, 4)),
    "vanish": (("foreign", 0, 3, 1),) * MOST,
    "observe": (("observe", 0, 0, 0),) * MOST,
    "pull": (("pull", 0, 0, 0),) * MOST,
    "amend": tuple(("amend", 0, 0, c) for c in (1, 2, 4)),
    "discard": (("discard", 0, 0, 3),) * MOST,
    "resolve": tuple(("resolve", 0, 0, c) for c in (2, 1, 3)),
}
"""What each letter stands for, at the first place of a workload, at the second, and so on.

The numbers are those of an `Operation`: always the first record, and other values at each place.

- ``create`` makes the first record, at the beginning; what was deleted is never made again.
- ``child`` makes another one that refers to it.
- ``update`` changes its name, ``poison`` too, to what the service refuses.
- ``batch`` changes its name, and makes a child, both or neither.
- ``foreign`` is another writer who changes its name at the service; ``vanish`` one who deletes it.
- ``observe`` tells the journal what the service has now, ``pull`` asks the service for it.
- ``amend`` and ``discard`` are about the oldest draft that is held, or else pending.
- ``resolve`` settles a conflict, or a doubt.
"""

CHANGES: Final = frozenset({"create", "child", "update", "delete", "batch", "poison"})
"""Letters that make a draft."""
DECISIONS: Final = frozenset({"amend", "discard", "resolve"})
"""Letters that are about a draft."""
SIGHTS: Final = frozenset({"observe", "pull"})
"""Letters that look at the service."""

PACES: Final[dict[str, tuple[float, ...]]] = {
    "at-once": (0.0, 0.0, 0.0),
    "under-way": (0.0, 0.03, 0.15),
    "apart": (0.0, 4.0, 8.0),
}
"""When the letters of a workload are done: before the sender wakes up, while the first request is
on its way there and its answer on its way back, or each when all has come to rest."""
DIALECTS: Final[tuple[Dialect, ...]] = get_args(Dialect)
SEED: Final = 38
"""Of all of them: the first requests take so long that the pace is what it is called."""
_BEGIN_S: Final = 1.5
_REST_S: Final = 4.0
_SETUP: Final = Operation(0.1, *ALPHABET["create"][0])


class Workload(NamedTuple):
    """A few operations, how fast they follow each other, and at which service."""

    dialect: Dialect
    pace: str
    letters: tuple[str, ...]
    on_file: bool = False
    """Whether the log is a real SQLite file."""

    def __str__(self) -> str:
        """Return its name."""
        store = "file" if self.on_file else "memory"
        return f"{store}/{self.dialect}/{self.pace}/{','.join(self.letters)}"

    @property
    def has_begun(self) -> bool:
        """Whether there is a record at both sides before it."""
        return self.letters[0] != "create"

    def before(self) -> Scenario:
        """Return what is before it, up to its first operation."""
        knobs = self._knobs(_BEGIN_S - 0.1)
        return Scenario(SEED, knobs, (_SETUP,), ())

    def scenario(self, faults: tuple[Fault, ...] = ()) -> Scenario:
        """Return it as a scenario, in which this goes wrong."""
        begin_s = _BEGIN_S if self.has_begun else 0.1
        at_s = [begin_s + gap_s for gap_s in PACES[self.pace]]
        operations = tuple(
            Operation(at_s[place], *ALPHABET[letter][place])
            for place, letter in enumerate(self.letters)
        )
        before = (_SETUP,) if self.has_begun else ()
        knobs = self._knobs(at_s[len(self.letters) - 1] + _REST_S)
        return Scenario(SEED, knobs, before + operations, faults)

    def _knobs(self, troubled_s: float) -> Knobs:
        return Knobs(
            dialect=self.dialect,
            on_file=self.on_file,
            first_s=0.02,
            most_s=0.5,
            request_s=0.5,
            troubled_s=troubled_s,
        )


def workload_of(name: str) -> Workload:
    """Return the workload of a name.

    Raises:
        ValueError: there is none of that name.
    """
    match name.split("/"):
        case ("memory" | "file") as store, (
            "etag" | "keyed" | "plain" | "together"
        ) as dialect, pace, letters:
            word = tuple(letters.split(","))
            is_known = len(word) <= MOST and ALPHABET.keys() >= set(word)
            if is_known and pace in PACES:
                return Workload(dialect, pace, word, on_file=store == "file")
        case _:
            pass
    raise ValueError(f"there is no workload {name!r}")


def words(length: int) -> Iterator[tuple[str, ...]]:
    """Yield every sequence of so many letters that is possible."""
    if length == 0:
        yield ()
        return
    for word in words(length - 1):
        for letter in ALPHABET:
            if is_possible(word, letter):
                yield (*word, letter)


def is_possible(word: tuple[str, ...], letter: str) -> bool:
    """Say whether a letter can follow others: whether that is there which it is about.

    A change needs the record, another writer needs it at the service, a decision needs a draft,
    and a look something that may be seen. A create needs that there is nothing yet.
    """
    match letter:
        case "create":
            return not word
        case "foreign" | "vanish":
            return "vanish" not in word
        case _ if letter in DECISIONS:
            return not CHANGES.isdisjoint(word)
        case _ if letter in SIGHTS:
            return bool(word)
        case _:
            return "delete" not in word


def workloads(length: int) -> Iterator[Workload]:
    """Yield every workload of up to so many letters.

    The pace of one letter alone is one pace. A log on a file knows nothing of services: there, up
    to two letters are tried, at one of them, all at once.
    """
    for count in range(1, length + 1):
        found = tuple(words(count))
        for dialect in DIALECTS:
            for pace in tuple(PACES)[: 1 if count == 1 else None]:
                yield from (Workload(dialect, pace, word) for word in found)
        if count <= MOST_ON_FILE:
            yield from (Workload(DIALECTS[0], "at-once", word, on_file=True) for word in found)
