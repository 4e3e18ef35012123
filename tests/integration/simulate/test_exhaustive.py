"""Every short workload, with a crash at every call of it, keeps every promise."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import TYPE_CHECKING

import pytest

from journal.testing.simulate import Case, Exhausted, case_of, exhaust, shrunk
from journal.testing.simulate.alphabet import (
    ALPHABET,
    DIALECTS,
    PACES,
    Workload,
    is_possible,
    words,
    workloads,
)
from journal.testing.simulate.cases import AT_REQUESTS, AT_WRITES, CALM, KINDS, TWO, cases_after
from journal.testing.simulate.exhaustive import BrokenCase, tallied
from journal.testing.simulate.report import listed, tried
from tests.integration.simulate.planted import CATALOGUE, planted

if TYPE_CHECKING:
    from journal.testing.simulate.scenario import Dialect

WORDS = {1: 8, 2: 83, 3: 880}
"""How many sequences of letters are possible, of each length."""
PLANTED = {
    "takes a lost answer for done": ("update", 1, "I14"),
    "notes too early what is settled": ("create,poison", 1, "I9"),
    "sends without a condition": ("update,foreign", 0, "lost update"),
    "appends without a lease": ("update", 0, "I16"),
}
"""What is planted, the workload that finds it, how much must go wrong, and what is broken then."""


# --- they keep every promise ---------------------------------------------------------------------


def test_every_workload_of_one_operation_keeps_every_promise() -> None:
    """At every service, whatever goes wrong at whichever place; and every case is met."""
    found = tallied((each for each in workloads(1) if not each.on_file), of_one=1)

    assert found.failures == ()
    assert found.workloads == {1: WORDS[1] * len(DIALECTS)}
    assert {kind for _, kind in found.cases} == {CALM, *AT_WRITES, *AT_REQUESTS}
    assert found.cases.total() > 500


@pytest.mark.long
def test_every_short_workload_keeps_every_promise() -> None:
    """Up to three operations, at every service, at every pace; of one, two things go wrong."""
    found = exhaust(3)

    paces = len(DIALECTS) * len(PACES)
    assert found.failures == ()
    assert found.workloads == {
        1: WORDS[1] * (len(DIALECTS) + 1),
        2: WORDS[2] * (paces + 1),
        3: WORDS[3] * paces,
    }
    assert {kind for _, kind in found.cases} == set(KINDS)
    assert found.cases.total() > 350_000


def test_some_of_them_alone() -> None:
    """Those whose names begin so, in several processes; what names none is refused."""
    done: list[tuple[int, int]] = []

    found = exhaust(2, 2, lambda *given: done.append(given), only="file/etag/at-once/update,d")

    assert (found.is_kept, found.workloads, found.jobs) == (True, {2: 2}, 2)
    assert done[-1] == (2, 2)
    with pytest.raises(ValueError, match="no workload"):
        exhaust(2, only="file/soap")


def test_two_things_go_wrong_one_after_the_other() -> None:
    """The second one is after the first one, at each place of what the first one leads to."""
    first = case_of("memory/etag/at-once/update/crash-after@8")
    result = first.run()

    second = list(cases_after(first, result))

    assert {each.kind for each in second} == {TWO}
    assert min(each.faults[1].at for each in second if each.faults[1].kind == "crash before") == 9
    assert all(each.run().counts.rows.total() == 2 for each in second[::9])


def test_a_log_on_a_file_is_left_before_every_statement() -> None:
    """A process ends before each statement of a call, not only before and after the call."""
    workload = Workload("etag", "at-once", ("update",), on_file=True)

    found = tallied([workload])

    assert found.failures == ()
    assert found.cases[1, "crash within"] > found.cases[1, "crash before"] > 5
    assert (1, "request lost") not in found.cases


# --- what goes wrong, goes wrong -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "said", "effects"),
    [
        ("dies-before-the-request@2", "dies before a request", []),
        ("dies-after-the-request@2", "dies after a request", ["update"]),
        ("dies-with-the-answer@2", "dies with the answer", ["update"]),
    ],
)
def test_the_process_dies_around_a_request(fault: str, said: str, effects: list[str]) -> None:
    """Before it nothing has left; after it the service does it, and nobody hears the answer."""
    trace = case_of(f"memory/etag/at-once/update/{fault}").run().trace

    died, again = (
        next(at for at, line in enumerate(trace) if what in line and at > 5)
        for what in (said, "starts")
    )
    done = [line.split()[2] for line in trace[:again] if line.split()[1] == "service"]
    assert done == ["create", *effects]
    assert not any("DraftAcknowledged" in line for line in trace[died:again])
    assert any("DraftAcknowledged" in line for line in trace[again:])


@pytest.mark.parametrize("dialect", ["etag", "keyed", "together"])  # the fourth looks first
@pytest.mark.parametrize("first", ["create", "update"])
@pytest.mark.parametrize(
    ("pace", "order"),
    [
        ("at-once", "change change change request service answer"),
        ("under-way", "change request change service change answer"),
        ("apart", "change request service answer change request service answer change"),
    ],
)
def test_a_pace_is_what_it_is_called(dialect: Dialect, first: str, pace: str, order: str) -> None:
    """Operations come before the request, on its way there and back, or after the answer."""
    trace = Case(Workload(dialect, pace, (first, "update", "update"))).run().trace

    begin = 0 if first == "create" else next(i for i, at in enumerate(trace) if "Acknow" in at)
    marks = {
        "change": (" RecordCreated ", " RecordUpdated "),
        "request": ("#",),
        "service": (" service ",),
    }
    seen: list[str] = []
    for line in trace[begin:]:
        is_answer = "#" in line and line.split("#")[1].split()[1].isdecimal()
        kind = next((kind for kind, texts in marks.items() if any(t in line for t in texts)), "")
        seen += ["answer"] if is_answer else [kind] if kind else []
    assert " ".join(seen).startswith(order)


# --- which there are -----------------------------------------------------------------------------


@pytest.mark.parametrize("length", WORDS)
def test_every_possible_sequence_is_there_once(length: int) -> None:
    """They are those of all sequences in which every letter can follow those before it."""
    every = product(ALPHABET, repeat=length)
    possible = [
        word
        for word in every
        if all(is_possible(word[:place], letter) for place, letter in enumerate(word))
    ]

    assert list(words(length)) == possible
    assert len(possible) == WORDS[length]


@pytest.mark.parametrize(
    ("word", "is_there"),
    [
        (("create", "discard"), True),
        (("update", "update"), True),
        (("update", "create"), False),
        (("delete", "update"), False),
        (("vanish", "foreign"), False),
        (("vanish", "update"), True),
        (("foreign", "resolve"), False),
        (("observe",), False),
    ],
)
def test_what_cannot_be_is_left_out(word: tuple[str, ...], is_there: bool) -> None:  # noqa: FBT001
    """A letter needs that which it is about."""
    assert (word in set(words(len(word)))) is is_there


def test_a_case_has_a_name() -> None:
    """Each is made again from its name."""
    memory, file = (
        Workload("keyed", "apart", ("poison", "amend")),
        Workload("etag", "at-once", ("child",), on_file=True),
    )

    for workload in (memory, file):
        case = Case(workload)
        found = [case, *cases_after(case, case.run())]
        found += cases_after(found[1], found[1].run())
        assert [case_of(str(each)) for each in found] == found
        assert len(set(map(str, found))) == len(found)


@pytest.mark.parametrize(
    "name",
    [
        "update",
        "memory/etag/at-once/updates",
        "memory/etag/now/update",
        "memory/soap/at-once/update",
        "disk/etag/at-once/update",
        "memory/etag/at-once/update,update,update,update",
        "memory/etag/at-once/update/burns@1",
        "memory/etag/at-once/update/crash-after@x",
        "memory/etag/at-once/update/crash-after",
    ],
)
def test_a_name_of_nothing_is_refused(name: str) -> None:
    """It says which name it was."""
    with pytest.raises(ValueError, match=r"there is no workload|nothing that can go wrong"):
        case_of(name)


# --- what is planted -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found(name: str) -> None:
    """A mistake breaks a promise in a short workload; the case has a name, and is made short."""
    bug, (word, wrong, broken) = CATALOGUE[name], PLANTED[name]
    workload = Workload("etag", "at-once", tuple(word.split(",")))

    with planted(bug):
        found = tallied([workload], bug.parts, of_one=1)
        case = case_of(found.failures[0].case)
        result = case.run(bug.parts)
        short = shrunk(result, bug.parts)

    assert broken in {failure.text.split(" at ")[0] for failure in found.failures}
    assert (case.workload, len(case.faults)) == (workload, wrong)
    assert case.run().is_kept
    assert short.violation is not None
    assert len(short.scenario.operations) <= len(result.scenario.operations)


# --- what is told --------------------------------------------------------------------------------


def test_what_came_of_them_is_told() -> None:
    """How many cases there were of each kind, and each that failed with the command for it."""
    cases = Counter({(1, "crash before"): 1_200, (2, CALM): 34})
    kept = Exhausted(2, 1, 2.0, Counter({1: 5, 2: 34}), cases, ())
    name = "memory/etag/at-once/update/crash-before@7"
    broken = kept._replace(failures=(BrokenCase(name, "I14 at 1.000 s: no"),))

    lines = list(tried(kept))
    assert "     1,200         0  crash before" in lines
    assert "1,234 cases of 39 workloads" in lines
    assert lines[-1] == "every promise was kept"
    assert list(tried(broken))[-2:] == [
        "BROKEN I14 at 1.000 s: no",
        f"  again: draft-journal simulate --case {name}",
    ]
    assert (listed(kept)["kept"], listed(kept)["count"]) == (True, 1_234)
    assert listed(kept)["cases"]["crash before"] == {"1": 1_200, "2": 0}
    assert listed(broken)["failures"] == [{"case": name, "text": "I14 at 1.000 s: no"}]
