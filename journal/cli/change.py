"""A change as one line of JSON, the format of an import; pure.

Each line is an object of one of three kinds::

    {"change":"create","type":"Account","id":"acme","fields":{…},"references":{"Owner":"User:7"}}
    {"change":"update","record":"Account:acme","fields":{…},"references":{…}}
    {"change":"delete","record":"Account:acme"}

with ``actor``, ``reason`` and ``correlation_id`` where they are known. `fields` are JSON values
as they are; a reference is never guessed from a text, it stands in `references`: under the name
of its field, or, where it stands within a field, under the JSON pointer to its place there.

It knows nothing of journals, files or command lines.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple, TypeAlias

from journal.cli import strict_json
from journal.errors import InvalidChangeError, InvalidNameError, shown
from journal.values import Fields, Ref, check_record_id, check_type

_FACTS: Final = ("actor", "reason", "correlation_id")
_KEYS: Final = {
    "create": ("change", "type", "id", "fields", "references", *_FACTS),
    "update": ("change", "record", "fields", "references", *_FACTS),
    "delete": ("change", "record", *_FACTS),
}
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}")


class Facts(NamedTuple):
    """Who made a change, why, and what it belongs to, where the line says so."""

    actor: str | None = None
    reason: str | None = None
    correlation_id: str | None = None


class Create(NamedTuple):
    """Create a record; with an id of its own where `record_id` is None."""

    record_type: str
    record_id: str | None
    fields: Fields
    facts: Facts


class Update(NamedTuple):
    """Set fields of a record."""

    ref: Ref
    fields: Fields
    facts: Facts


class Delete(NamedTuple):
    """Delete a record."""

    ref: Ref
    facts: Facts


Change: TypeAlias = Create | Update | Delete


def parse(line: str | bytes, number: int) -> Change:
    """Return the change of a line.

    Args:
        line: the JSON.
        number: of the line, from 1, for the error.

    Raises:
        InvalidChangeError: the line is no change; the text says what is wrong with it.
    """
    try:
        document = strict_json.parse(line)
    except ValueError as error:
        raise InvalidChangeError(number, str(error)) from error
    return _Line(number, document).change()


class _Line:
    """One parsed line, on its way to a change."""

    def __init__(self, number: int, document: object) -> None:
        self.number = number
        if not isinstance(document, dict):
            raise self.error("it is not a JSON object", hint='such as {"change":"create", …}')
        self.document: dict[str, Any] = document

    def error(self, problem: str, *, hint: str = "") -> InvalidChangeError:
        return InvalidChangeError(self.number, problem, hint=hint)

    def change(self) -> Change:
        kind = self.document.get("change")
        if not isinstance(kind, str) or kind not in _KEYS:
            raise self.error(
                '"change" is missing' if kind is None else f'"change" is {shown(str(kind))}',
                hint='it must be "create", "update" or "delete"',
            )
        if unknown := [key for key in self.document if key not in _KEYS[kind]]:
            raise self.error(
                f"{'an' if kind == 'update' else 'a'} {kind} has no key {shown(unknown[0])}",
                hint=f"its keys are {', '.join(_KEYS[kind])}",
            )
        facts = Facts(*(self.text(key) for key in _FACTS))
        if kind == "create":
            return Create(self.record_type(), self.record_id(), self.fields(), facts)
        ref = self.ref("record", self.needed("record"))
        if kind == "delete":
            return Delete(ref, facts)
        fields = self.fields()
        if not fields:
            raise self.error("the update sets no field", hint='give "fields" or "references"')
        return Update(ref, fields, facts)

    def text(self, key: str) -> str | None:
        value = self.document.get(key)
        if value is None or type(value) is str:
            return value
        raise self.error(f'"{key}" is not a text')

    def needed(self, key: str) -> str:
        value = self.text(key)
        if value is None:
            raise self.error(f'"{key}" is missing')
        return value

    def record_type(self) -> str:
        record_type = self.needed("type")
        try:
            check_type(record_type)
        except InvalidNameError as error:
            raise self.error(error.problem, hint=error.hint) from error
        return record_type

    def record_id(self) -> str | None:
        record_id = self.text("id")
        try:
            if record_id is not None:
                check_record_id(record_id)
        except InvalidNameError as error:
            raise self.error(error.problem, hint=error.hint) from error
        return record_id

    def ref(self, place: str, text: object) -> Ref:
        if type(text) is not str:
            raise self.error(f'"{place}" is not a text', hint="write a reference as Type:id")
        try:
            return Ref(text)
        except InvalidNameError as error:
            raise self.error(f'"{place}": {error.problem}', hint=error.hint) from error

    def fields(self) -> Fields:
        fields = dict(self.object("fields"))
        for name, target in self.object("references").items():
            ref = self.ref(f"references.{name}", target)
            if name.startswith("/"):
                self.place(fields, name, ref)
            elif name in fields:
                raise self.error(f'{shown(name)} is both in "fields" and in "references"')
            else:
                fields[name] = ref
        return fields

    def place(self, fields: Fields, pointer: str, ref: Ref) -> None:
        """Put a reference to where its text stands within a field."""
        *way, last = [s.replace("~1", "/").replace("~0", "~") for s in pointer[1:].split("/")]
        holder: Any = fields if way else None
        try:
            for step in way:
                holder = holder[_key(holder, step)]
            key = _key(holder, last)
            if holder[key] == ref:
                holder[key] = ref
                return
        except (LookupError, TypeError):
            pass
        raise self.error(
            f'"references": {shown(pointer)} does not lead to the text {shown(str(ref))}',
            hint="a pointer leads to a place within a field, where the same text stands",
        )

    def object(self, key: str) -> dict[str, Any]:
        value = self.document.get(key, {})
        if isinstance(value, dict):
            return value
        raise self.error(f'"{key}" is not an object')


def _key(holder: object, step: str) -> str | int:
    """Return the step of a pointer as the key of what it leads into."""
    return int(step) if type(holder) is list and _INDEX.fullmatch(step) else step
