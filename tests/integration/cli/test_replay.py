"""replay: the state as of a position, the check, and the bisection."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from journal import Journal
from projections import Drafts, History, Records
from tests.integration.cli.conftest import Cli, on_terminal

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _changes(file: Path) -> None:
    """Four changes."""
    with Journal(file, actor="ann") as journal:
        account = journal.create("Account", {"Name": "Acme"}, id="1")
        journal.update(account, {"Name": "Acme Ltd"}, reason="renamed")
        journal.create("Visit", {"Of": account}, id="v")
        journal.delete(account)


def test_the_end(cli: Cli, file: Path) -> None:
    """It says what every view is at the end, and builds none in the file."""
    done, as_json = cli("replay"), cli("replay", "--json")

    with Journal(file) as journal:
        assert Records(journal).checkpoint() == 0
        digests = {
            v.name: v.digest() for v in (Records(journal), Drafts(journal), History(journal))
        }
    assert done.out.splitlines()[0] == "replayed up to position 4"
    assert [line.split() for line in done.out.splitlines()[2:]] == list(map(list, digests.items()))
    [found] = as_json.objects
    assert (found["position"], found["digests"]) == (4, digests)
    assert (found["entry"]["event"], found["entry"]["ref"]) == ("RecordDeleted", "Account:1")


def test_the_state_as_of_a_position(cli: Cli) -> None:
    """The records and the queue are shown as they were."""
    done, as_json = cli("replay", "--at", "2"), cli("replay", "--at", "2", "--json")

    assert "Account:1  created  Name=Acme Ltd" in done.out
    assert "Visit" not in done.out
    _, record, *drafts = as_json.objects
    assert record["record"]["fields"] == {"Name": "Acme Ltd"}
    assert [draft["draft"]["position"] for draft in drafts] == [1, 2]


def test_before_the_first_event(cli: Cli) -> None:
    """At the position 0, nothing was there."""
    done, as_json = cli("replay", "--at", "0"), cli("replay", "--at", "0", "--json")

    assert done.out.endswith("\nThere was no record.\n\nNo draft was pending.\n")
    [found] = as_json.objects
    assert (found["position"], found["entry"]) == (0, None)


def test_a_check_that_finds_nothing(cli: Cli) -> None:
    """Replayed in every way there is, the views are the same."""
    done, as_json = cli("replay", "--check"), cli("replay", "--check", "--json", "--at", "3")

    assert done.code == as_json.code == 0
    assert done.out == (
        "the same at each of 4 positions, whichever way: records, drafts, history\n"
    )
    assert as_json.objects == [{"position": 3, "deterministic": True, "divergences": 0}]


def test_a_check_that_finds_a_row(cli: Cli, file: Path) -> None:
    """Rows that somebody changed are found, with the event and the place; the exit code is 1."""
    cli("list", "Account", "--deleted")
    with sqlite3.connect(file) as other:
        text = '{"Name":"Evil"}'
        other.execute("UPDATE records SET fields = ? WHERE record_id = '1'", (text,))
    other.close()

    done, as_json = cli("replay", "--check"), cli("replay", "--check", "--json")

    assert done.code == as_json.code == 1
    assert "records is another as its tables are, at position 4\n  #4 " in done.out
    assert '$.records["Account:1"].fields.Name\n    entry by entry  ' in done.out
    assert "'Evil'" in done.out
    found, total = as_json.objects
    assert found["divergence"]["entry"]["position"] == 4
    assert found["divergence"]["found_row"]["fields"] == text
    assert total == {"position": 4, "deterministic": False, "divergences": 1}
    assert cli("rebuild").code == cli("replay", "--check").code == 0


def test_a_bisection(cli: Cli) -> None:
    """The first event after which an expectation fails is named; the exit code is 1."""
    expression = 'records.Account:1.fields.Name == "Acme"'

    done = cli("replay", "--bisect", expression)
    as_json = cli("replay", "--bisect", expression, "--json")

    assert done.code == as_json.code == 1
    assert done.out.startswith(f"fails after event 2: {expression}\n  #2 ")
    assert "  records.Account:1.fields.Name was Acme, and is Acme Ltd\n" in done.out
    [found] = as_json.objects
    assert (found["entry"]["position"], found["before"], found["after"]) == (2, "Acme", "Acme Ltd")


def test_an_expectation_that_holds(cli: Cli) -> None:
    """Where it holds at the end, or at the position that is named, the exit code is 0."""
    done = cli("replay", "--bisect", "drafts.held == 0")
    as_json = cli("replay", "--bisect", "drafts.pending <= 1", "--at", "1", "--json")

    assert (done.code, done.out) == (0, "holds at position 4: drafts.held == 0\n")
    assert as_json.objects == [{"expectation": "drafts.pending <= 1", "holds": True, "position": 1}]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--at", "5"), "the log has no position 5: it ends at 4"),
        (("--check", "--bisect", "drafts.held == 0"), "say one of them"),
        (("--bisect", "drafts.held is 0"), "comes one of == != < <= > >="),
        (("--bisect", "drafts.held == 0", "--after", "3", "--at", "2"), "--after 3"),
    ],
)
def test_wrong_usage(cli: Cli, arguments: tuple[str, ...], problem: str) -> None:
    """What makes no sense is wrong usage, with the exit code 2."""
    done = cli("replay", *arguments)

    assert done.code == 2
    assert problem in done.err


def test_an_expectation_that_never_held(cli: Cli) -> None:
    """One that does not hold at the beginning is an error that says what to name."""
    done = cli("replay", "--bisect", "drafts.pending >= 1")

    assert done.code == 1
    assert "--after N" in done.err


def test_while_somebody_else_writes(cli: Cli, file: Path) -> None:
    """A journal that another one has open, and writes to, is replayed up to where it was."""
    with Journal(file, actor="bob") as journal:
        done = cli("replay", "--check")
        journal.create("Account", {}, id="2")
        after = cli("replay", "--check", "--json")

    assert done.code == 0
    assert after.objects[0]["position"] == 5


def test_progress(file: Path) -> None:
    """A person sees a bar while it runs, and it is gone at the end."""
    done = on_terminal(file, "replay", "--check", environment={"NO_COLOR": "1"})

    assert done.code == 0
    assert "replaying" in done.out
    assert "the same at each of 4 positions" in done.out


OWN = """
from journal import Journal
from projections import Fold, Projection

class Names(Projection):
    name = "names"
    tables = {"names": "name TEXT PRIMARY KEY, position INTEGER NOT NULL, more TEXT NOT NULL"}

    def apply(self, cursor, entries):
        for entry in entries:
            for name in self.names(entry):
                row = (name, entry.position, '{"by": ["%s"]}' % entry.actor)
                cursor.execute("INSERT OR REPLACE INTO names VALUES (?, ?, ?)", row)

    def names(self, entry):
        return list(getattr(entry.event, "fields", {}))[:1]

class Wild(Names):
    name = "wild"
    tables = {"wild": "position INTEGER PRIMARY KEY, said TEXT NOT NULL"}

    def apply(self, cursor, entries):
        for entry in entries:
            said = ",".join({"a", "b", "c", "d", "e"}) if entry.position == 3 else ""
            cursor.execute("INSERT INTO wild VALUES (?, ?)", (entry.position, said))

class Ours(Names):
    name = "records"

class Half(Projection):
    name = "half"

def counted(changes, entry):
    return {**changes, entry.stream.type: changes.get(entry.stream.type, 0) + 1}

def counts(journal):
    return Fold(journal, {}, counted)

class Counts(Fold):
    def __init__(self, journal):
        super().__init__(journal, {}, counted)

def spoils(changes, entry):
    changes[entry.stream.type] = entry.position
    return changes

def spoiled(journal):
    return Fold(journal, {}, spoils)

def none(journal):
    return {}

def bare():
    return counts(Journal())

ready = counts(Journal())
number = 3
"""


class TestOwnProjections:
    """Projections of the host, which are imported where they are named, and nowhere else."""

    @pytest.fixture
    def own(self, tmp_path: Path) -> str:
        """A module with projections."""
        path = tmp_path / "own_views.py"
        path.write_text(OWN, encoding="utf-8")
        return str(path)

    def test_they_are_shown(self, cli: Cli, own: str) -> None:
        """Their digests are told, and their rows as of a position."""
        named = ("--projection", f"{own}:Names")
        done, as_json = cli("replay", *named, "--at", "3"), cli("replay", *named, "--json")

        assert "names: names, 2 rows\n  name=Name  position:=1" in done.out
        assert list(as_json.objects[0]["digests"]) == ["records", "drafts", "history", "names"]
        *_, of, name = cli("replay", *named, "--at", "3", "--json").objects
        assert (of["row"]["name"], name["row"]["name"], name["row"]["position"]) == (
            "Name",
            "Of",
            3,
        )
        assert (name["view"], name["table"]) == ("names", "names")

    def test_they_are_checked(
        self, cli: Cli, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One that is not what it should be is found, also one of a module that is installed."""
        good = cli("replay", "--check", "--projection", f"{own}:Names")
        monkeypatch.syspath_prepend(tmp_path)
        bad = cli("replay", "--check", "--projection", "own_views:Wild", "--json")

        assert (good.code, bad.code) == (0, 1)
        assert good.out.endswith("whichever way: records, drafts, history, names\n")
        *found, total = [each.get("divergence", each) for each in bad.objects]
        assert {(each["view"], each["entry"]["position"]) for each in found} == {("wild", 3)}
        assert found[0]["path"] == '$.wild["3"].said'
        assert total["deterministic"] is False

    def test_expectations_of_them(self, cli: Cli, own: str) -> None:
        """An expectation may be about their rows, and on into JSON; one without a row holds."""
        named = ("--projection", f"{own}:Names")
        rows = cli("replay", *named, "--bisect", "views.names.names.count <= 1", "--json")
        held = cli("replay", *named, "--bisect", 'views.names.names.Of.more.by.0 == "ann"')
        column = cli("replay", *named, "--bisect", "views.names.names.Name.at == 1")
        table = cli("replay", *named, "--bisect", "views.names.other.count == 1")
        unnamed = cli("replay", "--bisect", "views.names.names.count == 1")

        [found] = rows.objects
        assert (found["entry"]["position"], found["before"], found["after"]) == (3, 1, 2)
        assert held.code == 0
        assert "names has no column at\n  it has name, position, more" in column.err
        assert "there is no views.names.other\n  there are views.names.names" in table.err
        assert "name its projection, too: --projection" in unnamed.err

    @pytest.mark.parametrize("name", ["counts", "Counts", "ready"])
    def test_a_fold_in_memory(self, cli: Cli, own: str, name: str) -> None:
        """A fold is named by what makes it of the journal; one of another journal will do."""
        named = ("--projection", f"{own}:{name}", "--projection", f"{own}:Names")
        done, early = (
            cli("replay", *named, "--at", "4"),
            cli("replay", *named, "--at", "2", "--json"),
        )
        checked = cli("replay", *named, "--check")
        held = cli("replay", *named, "--bisect", f"folds.{name}.Account <= 3 and folds.{name} != 1")
        failing = cli("replay", *named, "--bisect", f"folds.{name}.Account < 2", "--json")
        spelt = cli("replay", *named, "--bisect", "folds.count.Account < 2")
        missing = cli("replay", "--bisect", f"folds.{name}.Account < 2")

        assert f"\n{name}: " in done.out
        assert early.objects[-1] == {"fold": name, "state": {"Account": 2}}
        assert list(early.objects[0]["digests"])[-2:] == ["names", name]
        assert checked.code == held.code == 0
        assert checked.out.endswith(f"whichever way: records, drafts, history, names, {name}\n")
        [found] = failing.objects
        assert (found["entry"]["position"], found["before"], found["after"]) == (2, 1, 2)
        assert f"there is no folds.count\n  there are folds.{name}" in spelt.err
        assert "name it, too: --projection MODULE:NAME" in missing.err

    def test_a_fold_that_is_checked(self, cli: Cli, own: str) -> None:
        """A fold whose function changes the state that it is handed is found, with the event."""
        bad = cli("replay", "--check", "--json", "--projection", f"{own}:spoiled", "--at", "3")
        again = cli("replay", "--check", *["--projection", f"{own}:counts"] * 2)

        found, total = bad.objects
        assert (bad.code, total["deterministic"], total["position"]) == (1, False, 3)
        assert (found["divergence"]["view"], found["divergence"]["path"]) == (
            "spoiled",
            "$.Account",
        )
        assert found["divergence"]["entry"]["position"] == 1
        assert (again.code, "counts: two views are called so" in again.err) == (2, True)

    @pytest.mark.parametrize(
        ("name", "problem"),
        [
            ("own_views", "write module:name, or path/to/file.py:name"),
            ("not_there:Names", "install it, or write path/to/file.py:name"),
            ("not_there.py:Names", "there is no such file"),
            ("{own}:Other", "there is no Other in it; name a class that derives from projections"),
            ("{own}:number", "it is no projection, and no fold; name a class that derives from"),
            ("{own}:Journal", "or a function of the journal that returns a projections.Fold"),
            ("{own}:bare", "bare: it makes nothing of a journal: TypeError: bare() takes 0"),
            ("{own}:none", "none: it returns dict, and no projections.Fold; name a class"),
            ("{own}:Half", "it is no whole projection; give it a name, tables and apply()"),
        ],
    )
    def test_a_bad_name(self, cli: Cli, own: str, name: str, problem: str) -> None:
        """What cannot be had is wrong usage, and it is said how to mend it."""
        done = cli("replay", "--check", "--projection", name.format(own=own))

        assert done.code == 2
        assert problem in done.err

    def test_a_name_that_is_taken(self, cli: Cli, own: str) -> None:
        """One that is called as one of ours, or twice the same, is refused."""
        ours = cli("replay", "--check", "--projection", f"{own}:Ours")
        twice = cli("replay", *["--projection", f"{own}:Names"] * 2, "--check")

        assert "name records is that of a projection of this library" in ours.err
        assert (twice.code, "two projections are called names" in twice.err) == (1, True)
