"""Floor 9: the commands about quick actions: what can be created, and how it is done.

They know nothing of how a person is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.actions import CREATE, Actions, creating
from journal.draft_commands import DraftCommands
from journal.errors import ActionError
from journal.modelling import described, first_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Unpack

    from pydantic import BaseModel

    from journal.actions import Action, Function
    from journal.staging import Envelope


class ActionCommands(DraftCommands):
    """Knows what a person can do, and does it."""

    def action(self, name: str) -> Callable[[Function], Function]:
        """Register the function below as a quick action of this journal, under a name.

        Its first parameter is the journal; the others, each with a type, are the fields that a
        person fills in.

        Args:
            name: such as ``Visit.create``, which puts Visit into the list of what can be created.

        Raises:
            ActionError: the name is none, or is taken, or the function cannot be called so.
        """
        return self.actions.action(name)

    @property
    def actions(self) -> Actions:
        """The quick actions that are registered."""
        return self._actions

    def creatable(self) -> tuple[Action, ...]:
        """Return what can be created, in the order of the types.

        These are the actions called ``<Type>.create``, and one for each registered type, and
        each type that a service has described as one whose records it lets be created, that has
        no such action. Where types are registered, others are not listed.

        Raises:
            LogError: what services have described could not be read.
        """
        registered = {a.record_type: a for a in self._actions if a.is_create}
        models = self.schema.record_types
        found = {name: _of_model(name, model) for name, model in models.items()}
        for kept in () if models else self.catalogue.all():
            if kept.type.createable:
                found[kept.type.record_type] = creating(kept.type)
        return tuple(action for _, action in sorted({**found, **registered}.items()))

    def act(
        self,
        name: str,
        fields: Mapping[str, object] | None = None,
        **envelope: Unpack[Envelope],
    ) -> object:
        """Do what a quick action does; its changes are stored together, all or none.

        Args:
            name: of the action, such as ``Visit.create``.
            fields: the values of its fields; those that are left out get their defaults.
            **envelope: who does it, why, and what it belongs to.

        Returns:
            What the function returns; a `Ref` where it is the action of a type.

        Raises:
            ActionError: there is no such action.
            RefusedError: a subclass says what is wrong with a field; nothing was stored.
            LogError: it could not be stored.
        """
        action = self._actions.get(name)
        if action is None and name.endswith(f".{CREATE}"):
            action = next((a for a in self.creatable() if a.name == name), None)
        if action is None:
            known = sorted({*(a.name for a in self._actions), *(a.name for a in self.creatable())})
            listed = ", ".join(known) or "none is registered, and no type is known"
            raise ActionError(name, "there is none of this name", hint=f"there are: {listed}")
        with self.batch(**envelope):
            return action.run(self, fields or {})


def _of_model(name: str, model: type[BaseModel]) -> Action:
    return creating(described(name, model), first_line(vars(model).get("__doc__") or ""))
