"""Quick actions: functions under a name, and what can be created."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from journal import Actions, Journal, Ref, To
from journal.catalogue import Described
from journal.descriptions import Choice, FieldDescription, TypeDescription
from journal.errors import (
    ActionError,
    InvalidRecordError,
    RefusedError,
    UnknownTypeError,
)
from journal.modelling import described, parameters

if TYPE_CHECKING:
    from collections.abc import Callable

ACME = Ref("Account:acme")
Short = Annotated[str, StringConstraints(max_length=3)]


class Colour(Enum):
    """Some colours."""

    RED = "red"
    BLUE = "blue"


class Account(BaseModel):
    """A customer.

    Or somebody who may become one.
    """

    name: Short
    rating: float | None = None
    site: Literal["north", "south"] = Field("north", title="Site", description="Where it is.")
    since: date | None = None
    tags: list[Literal["a", "b"]] = []
    owner: Annotated[Ref, To("User")] | Annotated[Ref, To("Group")] | None = None
    colour: Colour | None = None
    code: Annotated[str, Field(alias="Code (intern)")] = ""
    anything: object = None
    several: int | str = 0


class Loose(BaseModel):
    """Takes other fields, too."""

    model_config = ConfigDict(extra="allow")


class Bare(BaseModel):  # noqa: D101  it says nothing, on purpose
    x: Literal[1, 2] | None = None
    y: list[int] = []


@pytest.fixture
def journal() -> Journal:
    """A journal with an account."""
    journal = Journal(actor="ann", origin="van-7")
    journal.create("Account", {"name": "Acme"}, id="acme")
    return journal


def plan(journal: Journal, account: Ref, note: str = "", *, minutes: int = 30) -> Ref:
    """Plan a visit.

    Args:
        journal: in which.
        account: whom to visit.
        note (str): what to bring,
            and what not.
        minutes: how long.

    Returns:
        The visit.
    """
    return journal.create("Visit", {"account": account, "note": note, "minutes": minutes})


class TestModels:
    """A pydantic model as a description."""

    def test_fields(self) -> None:
        """Each field is what its annotation tells."""
        found = described("Account", Account)

        assert found.record_type == "Account"
        assert found.complete
        assert found.fields == (
            FieldDescription("name", "text", required=True, nullable=False, length=3),
            FieldDescription("rating", "number"),
            FieldDescription(
                "site",
                "choice",
                "Site",
                "Where it is.",
                nullable=False,
                default="north",
                choices=(Choice("north"), Choice("south")),
                closed=True,
            ),
            FieldDescription("since", "date"),
            FieldDescription(
                "tags",
                "choices",
                nullable=False,
                default=[],
                choices=(Choice("a"), Choice("b")),
                closed=True,
            ),
            FieldDescription("owner", "reference", refers_to=("User", "Group")),
            FieldDescription(
                "colour", "choice", choices=(Choice("red"), Choice("blue")), closed=True
            ),
            FieldDescription("Code (intern)", "text", nullable=False, default=""),
            FieldDescription("anything"),
            FieldDescription("several", nullable=False, default=0),
        )

    def test_what_cannot_be_told_is_anything(self) -> None:
        """Values that are no texts are no choices; a model may take other fields."""
        assert [field.kind for field in described("Bare", Bare).fields] == ["any", "any"]
        assert not described("Loose", Loose).complete

    def test_what_is_said_of_parameters(self) -> None:
        """The section of a docstring says what each parameter is."""
        assert parameters(plan.__doc__ or "") == {
            "journal": "in which.",
            "account": "whom to visit.",
            "note": "what to bring, and what not.",
            "minutes": "how long.",
        }
        assert parameters("Plan.") == {}
        assert parameters("Args:\n    \n    what is this\nMore:\n    x: y") == {}


class TestRegistered:
    """A function under a name."""

    def test_it_is_handed_what_a_person_gave(self, journal: Journal) -> None:
        """The values are of the types of the parameters; who did it, and why, is kept."""
        journal.action("Visit.create")(plan)
        visit = journal.act("Visit.create", {"account": ACME, "minutes": "45"}, reason="asked")

        assert isinstance(visit, Ref)
        assert journal.load(visit).fields == {"account": ACME, "note": "", "minutes": 45}
        [entry] = journal.log.stream(visit)
        assert (entry.actor, entry.reason) == ("ann", "asked")

    def test_its_form(self, journal: Journal) -> None:
        """What is asked for is told by the parameters and the docstring."""
        assert journal.action("Visit.create")(plan) is plan
        [action] = journal.actions

        assert (action.name, action.record_type, action.is_create) == (
            "Visit.create",
            "Visit",
            True,
        )
        assert action.says == "Plan a visit"
        assert repr(action) == "Action('Visit.create')"
        assert action.form.fields == (
            FieldDescription(
                "account", "reference", help="whom to visit.", required=True, nullable=False
            ),
            FieldDescription(
                "note", "text", help="what to bring, and what not.", nullable=False, default=""
            ),
            FieldDescription("minutes", "integer", help="how long.", nullable=False, default=30),
        )

    def test_what_does_not_fit_is_said_field_by_field(self, journal: Journal) -> None:
        """All that is wrong is said at once, and nothing is done (Q1)."""
        journal.action("Visit.create")(plan)
        with pytest.raises(InvalidRecordError) as caught:
            journal.act("Visit.create", {"minutes": "long", "colour": 1})

        assert caught.value.messages == {
            "colour": "there is no such field",
            "minutes": "Input should be a valid integer, unable to parse string as an integer",
            "account": "is required",
        }
        assert journal.log.head() == 1

    def test_its_changes_are_stored_together(self, journal: Journal) -> None:
        """An action that fails has done nothing."""

        @journal.action("Visit.close")
        def close(journal: Journal, note: str) -> None:
            journal.create("Note", {"text": note})
            journal.update("Visit:unknown", {"done": True})

        with pytest.raises(RefusedError):
            journal.act("Visit.close", {"note": "x"})

        assert journal.log.head() == 1

    def test_a_name_has_one_action(self, journal: Journal) -> None:
        """A second one under the same name is refused."""
        journal.action("Visit.create")(plan)
        with pytest.raises(ActionError, match="is registered already") as caught:
            journal.action("Visit.create")(plan)

        assert caught.value.action == "Visit.create"

    @pytest.mark.parametrize("name", ["create", "Visit.", ".create", "Visit.a b", "3.x", "Visit"])
    def test_names(self, name: str) -> None:
        """A name is a type and a verb."""
        with pytest.raises(ActionError, match=r"such as Visit\.create"):
            Actions().action(name)(plan)

    def test_functions_that_nobody_could_call(self) -> None:
        """What a person could not fill in is refused when it is registered."""

        def bare() -> None: ...
        def keyword(*, journal: Journal) -> None: ...
        def untyped(_journal: Journal, note) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001
        def many(_journal: Journal, *notes: str) -> None: ...
        def others(_journal: Journal, **notes: str) -> None: ...
        def hidden(_journal: Journal, note: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821
        def strange(_journal: Journal, note: Journal) -> None: ...
        async def later(_journal: Journal) -> None: ...

        reasons: dict[Callable[..., object], str] = {
            bare: "takes no journal",
            keyword: "takes no journal",
            untyped: "the parameter note has no type",
            many: "cannot be filled in by name",
            others: "cannot be filled in by name",
            hidden: "cannot be found: name 'Nowhere'",
            strange: "has a type that a field cannot have",
            later: "is no function that can be called",
        }
        for function, why in reasons.items():
            with pytest.raises(ActionError, match=why):
                Actions().action("Visit.create")(function)

    def test_a_decorator_without_a_name(self, journal: Journal) -> None:
        """It would register nothing, and nobody would know."""
        with pytest.raises(ActionError, match=r"write it as @actions\.action"):
            journal.action(plan)  # type: ignore[arg-type]

    @pytest.mark.parametrize("given", [3, plan, [plan], {"Visit.create": plan}])
    def test_what_is_no_list_of_actions(self, given: Any) -> None:  # noqa: ANN401
        """It is said before anything is opened."""
        with pytest.raises(ActionError, match="are no Actions"):
            Journal(actions=given)
        with pytest.raises(ActionError, match="is no action"):
            Actions().add(given)

    def test_actions_are_made_before_there_is_a_journal(self) -> None:
        """A module registers actions; each journal that is opened with them has its own list."""
        actions = Actions()
        actions.action("Visit.create")(plan)
        with Journal(actions=actions) as one, Journal(actions=actions) as other:
            one.action("Visit.close")(lambda _: None)

            assert (len(actions), len(one.actions), len(other.actions)) == (1, 2, 1)
            assert actions.get("Visit.create") is one.actions.get("Visit.create")
            assert actions.get("Visit.close") is None


class TestCreatable:
    """What can be created (Q2)."""

    def test_what_is_registered(self, journal: Journal) -> None:
        """What is called create is listed, in the order of the types; nothing else is."""
        for name in ("Visit.create", "Visit.close", "Order.create"):
            journal.action(name)(plan)

        assert [action.name for action in journal.creatable()] == ["Order.create", "Visit.create"]

    def test_types_have_an_action_of_their_own(self) -> None:
        """A registered type can be created, by its own action where it has one."""
        types: dict[str, type[BaseModel]] = {"Account": Account, "Loose": Loose, "Bare": Bare}
        with Journal(types=types) as journal:
            journal.action("Loose.create")(lambda journal: journal.create("Loose", {"x": 1}))
            listed = {action.record_type: action for action in journal.creatable()}
            account = journal.act("Account.create", {"name": "Acm", "Code (intern)": "7"})
            loose = journal.act("Loose.create")

            assert list(listed) == ["Account", "Bare", "Loose"]
            assert listed["Account"].says == "A customer"
            assert listed["Bare"].says == ""
            assert isinstance(account, Ref)
            assert isinstance(loose, Ref)
            assert journal.load(account).fields is not None
            assert journal.load(loose).fields == {"x": 1}
            with pytest.raises(InvalidRecordError):
                journal.act("Account.create", {"name": "too long"})

    def test_types_that_a_service_has_described(self, journal: Journal) -> None:
        """They can be created, unless the service lets nobody, or types are registered."""
        for name, createable in (("Task", True), ("Fixed", False)):
            kept = TypeDescription(name, createable=createable, complete=False)
            journal.catalogue.keep(Described(kept, "https://org.example.com", 1))

        assert [action.name for action in journal.creatable()] == ["Task.create"]
        task = journal.act("Task.create", {"x": 1})
        assert isinstance(task, Ref)
        assert journal.load(task).fields == {"x": 1}

        with Journal(types=[Account]) as other:
            other.catalogue.keep(Described(TypeDescription("Task"), "https://org.example.com", 1))
            assert [action.name for action in other.creatable()] == ["Account.create"]
            with pytest.raises(UnknownTypeError):
                other.create("Task", {})

    def test_a_field_may_have_any_name(self, journal: Journal) -> None:
        """Also that of what an action is handed."""
        fields = tuple(map(FieldDescription, ("journal", "fields", "self", "a b")))
        journal.catalogue.keep(Described(TypeDescription("Task", fields), "https://x.example", 1))
        given = {field.name: "x" for field in fields}
        task = journal.act("Task.create", given)

        assert isinstance(task, Ref)
        assert journal.load(task).fields == given

    @pytest.mark.parametrize("name", ["Task.create", "Visit.plan"])
    def test_an_action_that_is_not_there(self, journal: Journal, name: str) -> None:
        """It is said which there are."""
        with pytest.raises(ActionError, match="none is registered"):
            journal.act(name)
        journal.action("Visit.create")(plan)
        with pytest.raises(ActionError, match=r"there are: Visit\.create"):
            journal.act(name)


def test_what_is_given_to_an_action_is_any_value(journal: Journal) -> None:
    """Where a parameter takes anything, it gets what was given."""

    @journal.action("Note.create")
    def note(journal: Journal, text: Any) -> Ref:  # noqa: ANN401
        return journal.create("Note", {"text": text})

    made = journal.act("Note.create", {"text": {"a": [1]}})
    assert isinstance(made, Ref)
    assert journal.load(made).fields == {"text": {"a": [1]}}
