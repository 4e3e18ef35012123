"""Floor 5: quick actions: functions under a name, with the fields that a person fills in.

- Q1. An action is handed values of the types that its parameters have, or nothing is done.
- Q2. What can be created is what is called ``<Type>.create``.

It knows nothing of journals: an action is handed the one that it changes.
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_type_hints

from pydantic import PydanticUserError, TypeAdapter, ValidationError
from pydantic.errors import PydanticUndefinedAnnotation
from pydantic.fields import FieldInfo

from journal.descriptions import TypeDescription
from journal.errors import ActionError, InvalidNameError, InvalidRecordError
from journal.modelling import first_line, form_field, parameters
from journal.values import check_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Function = TypeVar("Function", bound="Callable[..., object]")
CREATE: Final = "create"
_VERB: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
_BY_NAME: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class Action:
    """Something that a person can do with a journal, with the fields that are asked for."""

    def __init__(
        self,
        name: str,
        function: Callable[..., object],
        form: TypeDescription,
        adapters: Mapping[str, TypeAdapter[Any]] | None,
        says: str = "",
    ) -> None:
        """Keep what is to be done, and what it needs.

        Args:
            name: such as ``Visit.create``.
            function: is handed the journal, and the values under their names.
            form: the fields.
            adapters: each makes a value of what is given; None where the function does so itself.
            says: what it does, in a sentence.
        """
        self.name = name
        self.form = form
        self.says = says
        self._function = function
        self._adapters = adapters

    @property
    def record_type(self) -> str:
        """The type of record that it is about."""
        return self.name.rpartition(".")[0]

    @property
    def is_create(self) -> bool:
        """Whether it creates a record: it is called ``<Type>.create`` (Q2)."""
        return self.name.rpartition(".")[2] == CREATE

    def __repr__(self) -> str:
        """Show the name."""
        return f"Action({self.name!r})"

    def run(self, journal: object, fields: Mapping[str, object]) -> object:
        """Do it, with the values that the fields are given; return what the function returns.

        Args:
            journal: that is changed.
            fields: their values; those that are left out get their defaults.

        Raises:
            InvalidRecordError: a field is missing, unknown, or does not fit; nothing was done.
        """
        if self._adapters is None:
            return self._function(journal, **fields)
        return self._function(journal, **self._valid(self._adapters, fields))

    def _valid(
        self, adapters: Mapping[str, TypeAdapter[Any]], fields: Mapping[str, object]
    ) -> dict[str, Any]:
        """Return the values as the types of the parameters make them (Q1)."""
        messages = {name: "there is no such field" for name in fields if name not in adapters}
        valid: dict[str, Any] = {}
        for name, adapter in adapters.items():
            if name not in fields:
                continue
            try:
                valid[name] = adapter.validate_python(fields[name])
            except ValidationError as error:
                messages[name] = "; ".join(detail["msg"] for detail in error.errors())
        for field in self.form.fields:
            if field.required and field.name not in fields:
                messages[field.name] = "is required"
        if messages:
            raise InvalidRecordError(self.name, messages)
        return valid


class Actions:
    """Quick actions, by name."""

    def __init__(self) -> None:
        """Begin without any."""
        self._actions: dict[str, Action] = {}

    def action(self, name: str) -> Callable[[Function], Function]:
        """Register the function below under a name; it stays what it is.

        Its first parameter is the journal. Every other one has a type, and is a field that a
        person fills in; the first sentence of its docstring says what it does, and a section
        ``Args:`` what each field is.

        Args:
            name: such as ``Visit.create``, which puts Visit into the list of what can be created.

        Raises:
            ActionError: the name is none, or is taken, or the function cannot be called so.
        """
        if not isinstance(name, str):
            raise ActionError(
                getattr(name, "__name__", repr(name)),
                "is registered under no name",
                hint='write it as @actions.action("Visit.create")',
            )

        def registered(function: Function) -> Function:
            self.add(_action(name, function))
            return function

        return registered

    def add(self, action: Action) -> None:
        """Add an action.

        Args:
            action: under a name of its own.

        Raises:
            ActionError: it is none, or the name is taken.
        """
        if not isinstance(action, Action):
            raise ActionError(repr(action), "is no action", hint="register functions by action()")
        if action.name in self._actions:
            raise ActionError(action.name, "is registered already", hint="choose another name")
        self._actions[action.name] = action

    def get(self, name: str) -> Action | None:
        """Return the action of that name, if it is registered.

        Args:
            name: such as ``Visit.create``.
        """
        return self._actions.get(name)

    def __iter__(self) -> Iterator[Action]:
        """Yield the actions in the order in which they were registered."""
        return iter(tuple(self._actions.values()))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._actions)


def check_actions(actions: object) -> None:
    """Refuse what holds no quick actions.

    Raises:
        ActionError: it does not.
    """
    if not isinstance(actions, Actions):
        raise ActionError(repr(actions), "are no Actions", hint="make them of journal.Actions()")


def creating(form: TypeDescription, says: str = "") -> Action:
    """Return the action that creates a record of a described type.

    Args:
        form: the type.
        says: what it does, in a sentence.
    """

    def create(journal: Any, /, **fields: object) -> object:  # noqa: ANN401  a journal
        return journal.create(form.record_type, fields)

    return Action(f"{form.record_type}.{CREATE}", create, form, None, says)


def _action(name: str, function: Callable[..., object]) -> Action:
    """Return the action that a function is (Q1).

    Raises:
        ActionError: the name is none, or a person could not fill in its fields.
    """
    record_type = _type_of(name)
    if inspect.iscoroutinefunction(function) or not callable(function):
        raise ActionError(name, "is no function that can be called", hint="use def, not async def")
    every = list(inspect.signature(function).parameters.values())
    if not every or every[0].kind in {every[0].KEYWORD_ONLY, every[0].VAR_KEYWORD}:
        raise ActionError(name, "takes no journal", hint="let its first parameter be the journal")
    others = every[1:]
    docstring = inspect.getdoc(function) or ""
    said = parameters(docstring)
    hints = _hints(name, function, others)
    fields, adapters = [], {}
    for parameter in others:
        info = _info(name, parameter, hints.get(parameter.name))
        if not info.description:
            info.description = said.get(parameter.name)
        fields.append(form_field(parameter.name, info))
        adapters[parameter.name] = _adapter(name, parameter.name, hints[parameter.name])
    form = TypeDescription(record_type, tuple(fields))
    return Action(name, function, form, adapters, first_line(docstring))


def _type_of(name: str) -> str:
    """Return the record type in the name of an action.

    Raises:
        ActionError: it is no such name.
    """
    record_type, _, verb = name.rpartition(".")
    try:
        check_type(record_type)
        if _VERB.fullmatch(verb):
            return record_type
    except InvalidNameError:
        pass
    raise ActionError(
        name, "is not allowed as a name", hint="write it as Type.verb, such as Visit.create"
    )


def _hints(
    name: str, function: Callable[..., object], others: list[inspect.Parameter]
) -> dict[str, Any]:
    """Return the types of the parameters, but for the journal's, which need not be imported.

    Raises:
        ActionError: one cannot be found.
    """
    unwrapped = inspect.unwrap(function)
    told = {p.name: p.annotation for p in others if p.annotation is not p.empty}
    holder = type(name, (), {"__annotations__": told})
    try:
        known = getattr(unwrapped, "__globals__", {})
        return get_type_hints(holder, known, known, include_extras=True)
    except (NameError, TypeError, SyntaxError) as error:
        raise ActionError(
            name,
            f"the type of a parameter cannot be found: {error}",
            hint="import it where the function is, and not for the type checker only",
        ) from error


def _info(name: str, parameter: inspect.Parameter, hint: Any) -> FieldInfo:  # noqa: ANN401  a type
    """Return what is said of a parameter.

    Raises:
        ActionError: it has no type, or no name under which it is given.
    """
    if parameter.kind not in _BY_NAME:
        problem, mend = "cannot be filled in by name", "give every field a parameter of its own"
        raise ActionError(name, f"{parameter} {problem}", hint=mend)
    if parameter.annotation is parameter.empty:
        problem = f"the parameter {parameter.name} has no type"
        raise ActionError(name, problem, hint=f"such as {parameter.name}: str")
    if parameter.default is parameter.empty:
        return FieldInfo.from_annotation(hint)
    return FieldInfo.from_annotated_attribute(hint, parameter.default)


def _adapter(name: str, parameter: str, hint: Any) -> TypeAdapter[Any]:  # noqa: ANN401  a type
    """Return what makes a value of that type.

    Raises:
        ActionError: nothing does.
    """
    try:
        return TypeAdapter(hint)
    except (PydanticUserError, PydanticUndefinedAnnotation) as error:
        raise ActionError(
            name,
            f"the parameter {parameter} has a type that a field cannot have",
            hint="use str, int, float, bool, dates, Literal, Ref, and lists or models of them",
        ) from error
