"""The fixtures: what they hand to a test, and what is said when one fails."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.pages import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plugin.conftest import Run

SAME = """
import pytest

def test_it(journal):
    ref = journal.create("Account", {"Name": "Acme"})
    journal.update(ref, {"City": "Graz"})
    print("HASH", journal.log.verify().head_hash, journal.sources.randomness.uniform(0, 1))
"""


def hash_of(result: pytest.RunResult) -> str:
    """Return what a test printed of its journal."""
    result.assert_outcomes(passed=1)
    [line] = [line for line in result.outlines if "HASH " in line]
    return line.partition("HASH ")[2]


def test_a_seed_gives_the_same_log(run: Run) -> None:
    """The same seed gives the same bytes and dice in every run, and another seed others."""
    first, again = run(SAME, "-s"), run(SAME, "-s", "--journal-seed", "0")
    other = run(SAME, "-s", "--journal-seed", "7")

    assert hash_of(first) == hash_of(again) != hash_of(other)


def test_a_failure_says_its_seed(run: Run) -> None:
    """What failed says by which command it fails again, and where its journal is."""
    source = """
    import pytest

    @pytest.mark.journal(path=True, actor="bob")
    def test_it(journal):
        assert journal.create("Account", {}) is None

    def test_other():
        assert not 1
    """

    result = run(source, "--journal-seed", "42")

    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "*- draft-journal -*",
            "seed 42: pytest 'test_a_failure_says_its_seed.py::test_it' --journal-seed 42",
            "its journal: draft-journal --journal */journal.db log",
        ]
    )
    assert result.stdout.str().count("seed 42:") == 1, "a test without a journal has no seed"


def test_a_seed_that_is_drawn(run: Run) -> None:
    """With ``random``, one is drawn for the run, and what is none is wrong usage."""
    source = """
    def test_one(journal_seed): assert journal_seed < 0
    def test_two(journal_seed): assert journal_seed < 0
    """

    drawn = run(source, "--journal-seed", "random")
    wrong = run(source, "--journal-seed", "seven")

    seeds = {line.split()[1] for line in drawn.outlines if line.startswith("seed ")}
    assert len(seeds) == 1
    assert wrong.ret == pytest.ExitCode.USAGE_ERROR


def test_in_memory_or_in_a_file(run: Run) -> None:
    """A mark or a parameter says where the journal is, and as what it is opened."""
    source = """
    import pytest

    @pytest.mark.parametrize("journal", ["memory", "file"], indirect=True)
    def test_both(journal, request):
        assert (journal.log.path is None) == ("memory" in request.node.name)

    @pytest.mark.journal(path=True, origin="van-7")
    def test_file(journal):
        assert journal.log.path.exists() and journal.origin == "van-7"
        begin = journal.sources.clock.now_us()
        journal.sources.clock.advance(3600)
        assert 3_600_000_000 <= journal.sources.clock.now_us() - begin <= 3_600_010_000
    """

    run(source, "--strict-markers").assert_outcomes(passed=3)


def test_a_scenario_of_which_nobody_asks(run: Run) -> None:
    """A command of which nobody asks what came of it fails: its error would be swallowed."""
    source = """
    def test_raised(given):
        given().when(lambda journal: journal.update("Account:1", {}))

    def test_stored(given):
        given().when(lambda journal: journal.create("Account", {}))

    def test_asked(given):
        assert given().when(lambda journal: journal.create("Account", {})).result
        given().when(lambda journal: 1).then()

    def test_failed(given):
        given().when(lambda journal: 1)
        assert not 1
    """

    result = run(source)

    result.assert_outcomes(passed=3, failed=1, errors=2)
    result.stdout.fnmatch_lines(
        ["when() was called, and nobody asked *, and it raised RecordMissingError*; add .then(*)"]
    )


@pytest.mark.parametrize(
    ("fixture", "mark", "problem"),
    [
        ("journal", "journal(pth=True)", "has no argument 'pth'; did you mean path?"),
        ("journal", "journal(actr='ann')", "has no argument 'actr'; did you mean actor?"),
        (
            "journal",
            "journal(True)",
            "journal(True): its arguments have names; say which it is: ac",
        ),
        ("journal", "journal(path='my.db')", "has path='my.db'; it is True or False"),
        ("journal", "parametrize('journal', ['disk'], indirect=True)", "'file' or 'memory'"),
        ("record_service", "record_service(on_sockets=True)", "did you mean on_socket?"),
        ("record_service", "record_service(x=1)", "no argument 'x'; it may be on_socket, validate"),
        ("record_service", "record_service('on_socket')", "its arguments have names"),
        ("record_service", "record_service(on_socket='no')", "it is True or False"),
        ("record_service", "record_service(validate='no')", "validate is 'no'; it is a function"),
        ("journal_cassette", "journal_cassette(['S3CRET'])", "say which it is: harmless, secrets"),
        ("journal_cassette", "journal_cassette(secret=['S3CRET'])", "did you mean secrets?"),
    ],
)
def test_a_mark_that_cannot_be_meant(run: Run, fixture: str, mark: str, problem: str) -> None:
    """No argument of a mark is passed over: it fails with what it may be, and no traceback."""
    result = run(f"""
    import pytest

    @pytest.mark.{mark}
    def test_it({fixture}):
        pass
    """)

    result.assert_outcomes(errors=1)
    assert problem in result.stdout.str()
    assert "Traceback" not in result.stdout.str()
    assert "plugin.py:" not in result.stdout.str()


def test_a_service_with_faults(run: Run) -> None:
    """The record service is at hand, in process or on a socket, with every fault of the way."""
    source = """
    import pytest
    from journal.testing import assert_drained, assert_verified

    def day(journal):
        account = journal.create("Account", {"Name": "Acme"})
        for n in range(9):
            journal.update(account, {"N": n})
        return account

    def send(journal, record_service, faults):
        faults.drop_after()
        faults.drop_before()
        faults.unreachable()
        faults.duplicate(later=2, skip=1)
        faults.delay(later=3)
        faults.truncate(method="PATCH")
        faults.status(503, retry_after_s=0)
        faults.status(500, after=True)
        with record_service.subscriber(journal) as subscriber:
            report = subscriber.drain(timeout_s=30)
        assert (report.pending, faults.pending) == (0, []), (report, faults.pending)
        assert len(faults.struck) == 8
        assert_drained(journal)
        assert_verified(journal)

    def test_in_process(journal, record_service, faults):
        account = day(journal)
        send(journal, record_service, faults)
        assert record_service.records[("Account", account.id)]["N"] == 8

    @pytest.mark.record_service(on_socket=True)
    def test_on_a_socket(journal, record_service, faults):
        account = day(journal)
        send(journal, record_service, faults)
        assert record_service.records[("Account", account.id)]["N"] == 8

    def refuse(collection, fields):
        yield "Name", "no"

    @pytest.mark.record_service(validate=refuse)
    def test_held(journal, record_service):
        journal.create("Account", {"Name": "Acme"})
        with record_service.subscriber(journal, attempts=1) as subscriber:
            assert subscriber.drain().held == 1
        with pytest.raises(AssertionError, match="1 drafts are pending:\\n  #1 .*no"):
            assert_drained(journal)
    """

    run(source).assert_outcomes(passed=3)


def test_a_fault_that_is_never_met(run: Run) -> None:
    """What was to go wrong, and never did, is warned of: the test has not tried it."""
    source = """
    def test_service(journal, record_service, faults):
        journal.create("Account", {})
        faults.drop_after(times=9)
        faults.status(503, path="/Visit")
        with record_service.subscriber(journal) as subscriber:
            subscriber.drain(timeout_s=10)

    def test_org(org):
        org.faults.drop_before(method="GET")

    def test_failed(faults):
        faults.drop_before()
        assert not 1
    """

    result = run(source, "-W", "default")

    result.assert_outcomes(passed=2, failed=1, warnings=2)
    result.stdout.fnmatch_lines(
        ["*a fault has never gone wrong, for no request has fitted it: answer, method any, path*"]
    )


def test_an_org(run: Run) -> None:
    """The stand-in org is served when it is asked for, and takes what is sent to it."""
    source = """
    def test_it(journal, org):
        journal.create("Account", {"Name": "Acme"})
        org.faults.drop_after(method="PATCH")
        with org.subscriber(journal) as subscriber:
            report = subscriber.drain(timeout_s=30)
        assert (report.acknowledged, report.pending) == (1, 0), report
        assert [account["Name"] for account in org.records("Account")] == ["Acme"]
    """

    run(source).assert_outcomes(passed=1)


def test_it_costs_nothing_where_it_is_not_used(here: Path) -> None:
    """To load the plugin imports neither the library nor what it needs."""
    (here / "test_it.py").write_text("def test_it(): pass\n", encoding="utf-8")
    script = (
        "import pytest, sys; "
        "pytest.main(['-q', '-p', 'journal.testing.plugin', '-p', 'no:cacheprovider']); "
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=here,
        env={"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        check=True,
        capture_output=True,
        text=True,
    )

    loaded = set(done.stdout.splitlines()[-1].split())
    assert {"journal", "journal.testing.plugin"} <= loaded
    heavy = {"eventsourcing", "httpx", "hypothesis", "pydantic", "projections", "sqlite3"}
    assert loaded & {*heavy, "journal.journal"} == set()
