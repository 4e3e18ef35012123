"""new: what can be created, and a form for it; where quick actions come from."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import pytest

from journal import Journal
from journal.catalogue import Described
from journal.cli import form
from journal.descriptions import Choice, FieldDescription, TypeDescription
from journal.values import Ref
from tests.integration.cli.conftest import on_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from journal.descriptions import FieldKind
    from tests.integration.cli.conftest import Cli

APP: Final = '''
from typing import Annotated, Literal

from journal import Actions, Journal, Ref, To

actions = Actions()
nothing = 3


@actions.action("Visit.create")
def visit(
    journal: Journal,
    account: Annotated[Ref, To("Account")],
    urgency: Literal["low", "high"] = "low",
    minutes: int = 30,
    note: str = "",
) -> Ref:
    """Plan a visit.

    Args:
        account: whom to visit.
    """
    if note == "broken":
        raise LookupError("no such van")
    if note == "bad":
        journal.create("Note", {"Text": note})
        journal.update("Visit:unknown", {"Note": note})
    return journal.create("Visit", {"Account": account, "Urgency": urgency, "Minutes": minutes})


@actions.action("Thing.create")
def thing(journal: Journal) -> None:
    """Make nothing."""
'''
LONG: Final = TypeDescription(
    "Task",
    (
        FieldDescription("Subject", "text", "What", required=True, length=5),
        FieldDescription("Number", createable=False),
        *(FieldDescription(f"Extra{number}", "number") for number in range(12)),
    ),
    "A task",
)


@pytest.fixture
def app(tmp_path: Path) -> str:
    """Where actions are, for ``--app``."""
    (tmp_path / "field app.py").write_text(APP, encoding="utf-8")
    return f"--app={tmp_path / 'field app.py'}:actions"


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that is installed, and offers actions."""
    (tmp_path / "plugged_in.py").write_text(APP, encoding="utf-8")
    info = tmp_path / "plugged_in-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugged-in\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[draft_journal.actions]\n"
        "field = plugged_in:actions\nbroken = not_there:actions\nother = plugged_in:nothing\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "plugged_in", raising=False)
    return info


class TestList:
    """What can be created."""

    def test_for_a_person(self, cli: Cli, app: str) -> None:
        """A table, also before there is a journal."""
        done = cli("new", app)

        assert done.out.splitlines() == [
            "type   needs    may have                what it does",
            "Thing                                   Make nothing",
            "Visit  account  urgency, minutes, note  Plan a visit",
            "Create one: draft-journal new TYPE",
        ]
        assert (done.code, done.err) == (0, "")

    def test_as_json(self, cli: Cli, app: str, file: Path) -> None:
        """One object for each, with its fields."""
        with Journal(file) as journal:
            journal.catalogue.keep(Described(LONG, "https://org.example.com", 1))
        task, _, visit = cli("new", app, "--json").objects

        assert (task["action"], len(task["fields"])) == ("Task.create", 13)
        assert (visit["type"], visit["says"]) == ("Visit", "Plan a visit")
        assert visit["fields"][1]["choices"] == [
            {"value": "low", "label": "low"},
            {"value": "high", "label": "high"},
        ]

    def test_nothing(self, cli: Cli) -> None:
        """It is said how something comes to be there."""
        assert cli("new").out.startswith("Nothing can be created by a form yet.")
        assert cli("new", "--json").out == ""
        assert "There is no form for Visit. Nothing can be" in cli("new", "Visit").err


class TestGiven:
    """Where nobody is asked."""

    def test_all_that_is_needed_is_given(self, cli: Cli, app: str) -> None:
        """The fields are what the form says, not texts."""
        cli("create", "Account", "--id", "acme")
        done = cli("new", "Visit", "account=acme", "minutes=45", "urgency=HIGH", app)
        ref = done.out.strip()

        assert ref.startswith("Visit:")
        assert cli("show", ref, "--json").objects[0]["fields"] == {"Urgency": "high", "Minutes": 45}
        assert cli("show", ref, "--json").objects[0]["references"] == {"Account": "Account:acme"}

    def test_as_json(self, cli: Cli, app: str) -> None:
        """The action, the record and the drafts; an action may create no record."""
        cli("create", "Account", "--id", "acme")
        (made,) = cli("new", "Visit.create", "account=@Account:acme", app, "--json").objects
        (other,) = cli("new", "Thing", app, "--json").objects

        assert made["action"] == "Visit.create"
        assert made["ref"].startswith("Visit:")
        assert len(made["draft_ids"]) == 1
        assert other == {"action": "Thing.create", "ref": None, "draft_ids": []}

    def test_what_is_missing_is_named(self, cli: Cli, app: str) -> None:
        """Without a terminal nobody can be asked, and nothing is stored."""
        done = cli("new", "Visit", "minutes=3", app)

        assert done.code == 2
        assert "no terminal to ask on: account (a record: Account)" in done.err
        assert cli("log", "--json").out == ""

    @pytest.mark.parametrize(
        ("field", "why"),
        [
            ("minutes=soon", "minutes: is no whole number"),
            ("account=nobody", "account: record Account:nobody is unknown"),
            ("urgency=huge", "urgency: 'huge' is none of its values: low, high"),
        ],
    )
    def test_what_does_not_fit(self, cli: Cli, app: str, field: str, why: str) -> None:
        """It is said of which field, and why."""
        assert why in cli("new", "Visit", field, app).err

    def test_all_of_it_or_nothing(self, cli: Cli, app: str) -> None:
        """What an action did before it failed is not stored."""
        cli("create", "Account", "--id", "acme")
        done = cli("new", "Visit", "account=acme", "note=bad", app)

        assert done.code == 1
        assert len(cli("log", "--json").objects) == 1

    def test_an_action_that_is_broken(self, cli: Cli, app: str) -> None:
        """It is said which, and why, as of every other error."""
        cli("create", "Account", "--id", "acme")
        done = cli("new", "Visit", "account=acme", "note=broken", app)

        assert done.code == 1
        assert "quick action 'Visit.create': failed: LookupError: no such van" in done.err
        assert "nothing was stored" in done.err


class TestAsked:
    """A form on a terminal."""

    def test_field_by_field(self, cli: Cli, app: str, file: Path) -> None:
        """A wrong answer is asked for again; Enter takes what is usual."""
        cli("create", "Account", "--id", "acme")
        typed = "\nnobody\nacme\n2\nsoon\n45\n\n"
        done = on_terminal(file, "new", "Visit", app, typed=typed, environment={"NO_COLOR": "1"})

        assert done.code == 0
        for line in (
            "account: a record: Account, required",
            "  whom to visit.",
            "  it is required",
            "  record Account:nobody is unknown",
            "urgency: one of, Enter for low",
            "   2  high",
            "minutes: integer, Enter for 30",
            "  is no whole number",
        ):
            assert f"{line}\n" in done.out
        assert "created Visit:" in done.out
        (visit,) = cli("list", "Visit", "--json").objects
        assert visit["fields"] == {"Urgency": "high", "Minutes": 45}

    def test_a_long_form(self, cli: Cli, file: Path) -> None:
        """Of many fields those that are required are asked for; the others by name."""
        with Journal(file) as journal:
            journal.catalogue.keep(Described(LONG, "https://org.example.com", 1))
        typed = "too long\nCall\nColour\nExtra3\n1.5\n\n"
        done = on_terminal(file, "new", "Task", typed=typed, environment={"NO_COLOR": "1"})

        assert done.code == 0
        assert "What (Subject): text of at most 5, required" in done.out
        assert "has 8 characters; the service takes 5" in done.out
        assert "there is no such field" in done.out
        (task,) = cli("list", "Task", "--json").objects
        assert task["fields"] == {"Subject": "Call", "Extra3": 1.5}

    def test_what_the_service_would_refuse_is_asked_for_again(self, cli: Cli, file: Path) -> None:
        """What was filled in is not lost."""
        with Journal(file) as journal:
            form = TypeDescription("Task", LONG.fields[:1])
            journal.catalogue.keep(Described(form, "https://org.example.com", 1))
        done = on_terminal(file, "new", "Task", "Subject:=[1]", typed="Call\n")

        assert "Subject: is no text" in done.out
        (task,) = cli("list", "Task", "--json").objects
        assert task["fields"] == {"Subject": "Call"}

    def test_what_is_left_out_in_the_end(self, cli: Cli, file: Path) -> None:
        """A field that was given, and does not fit, may be left out after all."""
        with Journal(file) as journal:
            form = TypeDescription("Task", LONG.fields[:3])
            journal.catalogue.keep(Described(form, "https://org.example.com", 1))
        done = on_terminal(file, "new", "Task", "Subject=Call", "Extra0:=[1]", typed="\n")

        assert "Extra0: is no number" in done.out
        (task,) = cli("list", "Task", "--json").objects
        assert task["fields"] == {"Subject": "Call"}

    def test_interrupted(self, cli: Cli, app: str, file: Path) -> None:
        """Ctrl-C, or the end of the input, creates nothing."""
        done = on_terminal(file, "new", "Visit", app, typed="\x04")

        assert done.code == 130
        assert "Nothing was created." in done.out
        assert cli("log", "--json").out == ""


class TestSources:
    """Where actions come from."""

    def test_an_installed_package(self, cli: Cli, plugin: Path) -> None:
        """It is asked, unless that is not wanted; one that is broken is told of."""
        assert plugin.is_dir()
        done = cli("new")
        without = cli("new", "--no-plugins")

        assert "Visit  account" in done.out
        assert "broken = not_there:actions': cannot be imported" in done.err
        assert "is int, and no Actions" in done.err
        assert without.out.startswith("Nothing")

    def test_nothing_is_imported_that_is_not_named(self, cli: Cli, plugin: Path) -> None:
        """Other commands do not ask installed packages."""
        cli("create", "Note", "Text=x")
        cli("new", "--no-plugins")

        assert plugin.is_dir()
        assert "plugged_in" not in sys.modules

    def test_a_module(self, cli: Cli, plugin: Path) -> None:
        """A module that is installed is named by its name; what is named goes first."""
        assert plugin.is_dir()
        done = cli("new", "--app", "plugged_in:actions")

        assert "Visit  account" in done.out
        assert "is registered already" in done.err

    @pytest.mark.parametrize(
        ("named", "why"),
        [
            ("field", "is not where actions are"),
            (":x", "is not where actions are"),
            ("nowhere.py:x", "there is no such file"),
            ("not_there:actions", "cannot be imported: ModuleNotFoundError"),
            ("json:dumps", "is function, and no Actions"),
            ("json:nothing", "there is no nothing in it"),
        ],
    )
    def test_what_is_named_must_be_there(self, cli: Cli, named: str, why: str) -> None:
        """It is said what is wrong with it."""
        done = cli("new", "--app", named)

        assert done.code == 1
        assert why in done.err


class TestAnswers:
    """What an answer means."""

    COLOUR = FieldDescription(
        "Colour", "choice", choices=(Choice("r", "Red"), Choice("2"), Choice("b")), closed=True
    )

    @pytest.mark.parametrize(
        ("kind", "text", "value"),
        [
            ("text", " as it is ", " as it is "),
            ("any", "3", "3"),
            ("boolean", "Yes", True),
            ("boolean", "n", False),
            ("integer", "-7", -7),
            ("number", "7", 7),
            ("number", "1.5", 1.5),
            ("number", "1e3", 1000.0),
            ("date", "2026-04-01", "2026-04-01"),
            ("reference", "@Account:acme", Ref("Account:acme")),
        ],
    )
    def test_by_kind(self, kind: FieldKind, text: str, value: object) -> None:
        """A number is a number, a date is its text, a record is a reference."""
        found = form.value_of(FieldDescription("f", kind), text, Ref)

        assert (found, type(found)) == (value, type(value))

    @pytest.mark.parametrize(
        ("text", "value"), [("r", "r"), ("red", "r"), ("1", "r"), ("2", "2"), ("3", "b")]
    )
    def test_choices(self, text: str, value: str) -> None:
        """By value, by label, or by number, in this order."""
        assert form.value_of(self.COLOUR, text, Ref) == value
        several = self.COLOUR._replace(kind="choices")
        assert form.value_of(several, f"{text}; b", Ref) == f"{value};b"

    @pytest.mark.parametrize(
        ("kind", "text"),
        [("boolean", "perhaps"), ("integer", "1.5"), ("number", "many"), ("number", "inf")],
    )
    def test_what_means_nothing(self, kind: FieldKind, text: str) -> None:
        """It is said why."""
        with pytest.raises(ValueError, match="is n"):
            form.value_of(FieldDescription("f", kind), text, Ref)

    def test_how_a_field_is_shown(self) -> None:
        """What it holds, whether it is needed, and what is usual."""
        of = FieldDescription
        many = tuple(Choice(f"{number}") for number in range(20))

        assert form.question(of("f", "number", precision=5, scale=2, required=True)) == [
            "f: number up to 999.99, required"
        ]
        assert form.question(of("f", "boolean", "Done", default=True)) == [
            "Done (f): yes or no, Enter for yes"
        ]
        assert form.question(of("f", "integer", precision=3)) == [
            "f: integer up to 999, Enter for none"
        ]
        assert form.question(of("f", "choice", choices=many))[-1] == "      and 8 more"
        assert form.question(self.COLOUR)[1] == "   1  r  Red"
