"""Mistakes of the remote: of what it sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journal import record
from journal.remotes import comparison, contents
from journal.remotes.errand import Errand
from journal.values import Ref
from tests.integration.simulate.planted.seams import Code, plants

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal.record import Change, Record
    from journal.remotes.dialect import Dialect
    from journal.remotes.errand import AsExpected
    from journal.remotes.remote import Push, Request
    from journal.remotes.templates import Values
    from journal.values import Fields


def _rewritten(real: Code, anew: Callable[[Errand, Request], Request]) -> object:
    """Return the method that writes a request, with what it has written changed."""

    def write(self: Errand, found: AsExpected | None) -> Request:
        return anew(self, real(self, found))

    return write


@plants(Errand, "write", by="lost update", seeds=1)
def sends_without_a_condition(real: Code) -> object:
    """The service is not told on which version of a record a change was made."""

    def anew(_: Errand, request: Request) -> Request:
        headers = {n: v for n, v in request.headers.items() if not n.startswith("If-")}
        return request._replace(headers=headers)

    return _rewritten(real, anew)


@plants(record, "base_version", by="lost update", seeds=22)
def sends_the_newest_version_as_the_condition(_: Code) -> object:
    """A change is conditional on the version that a pull saw last, not on that it was made on."""

    def base_version(there: Record, change: Change) -> str | None:
        del change
        return there.remote.version

    return base_version


@plants(Errand, "_values", by="I15", seeds=45)
def keeps_the_key_of_an_amended_draft(real: Code) -> object:
    """The key of a request is that of the draft, whatever its fields are by now."""

    def values(self: Errand, found_id: str | None) -> dict[str, object]:
        return {**real(self, found_id), "draft": self.push.draft_id}

    return values


@plants(Errand, "_values", by="I15", seeds=1)
def makes_a_key_for_each_attempt(real: Code) -> object:
    """Each request has a key of its own, so that the service recognises none."""
    count = iter(range(1_000_000))

    def values(self: Errand, found_id: str | None) -> dict[str, object]:
        found: dict[str, object] = real(self, found_id)
        return {**found, "draft": f"{found['draft']}-{next(count)}"}

    return values


@plants(Errand, "key", by="I15", seeds=15)
def makes_a_record_for_each_attempt(real: Any) -> object:  # noqa: ANN401  a property
    """A create whose answer was lost is sent again as another record."""
    count = iter(range(1_000_000))

    def key(self: Errand) -> str:
        found: str = real.fget(self)
        is_again = self._dialect.assigns and self.push.is_maybe_applied
        return f"{found}-{next(count)}" if is_again and self.push.kind == "create" else found

    return property(key)


@plants(comparison, "resolved", by="I14", seeds=4)
def refers_by_its_own_ids(_: Code) -> object:
    """A reference is sent as our id of the record, not as what the service calls it."""

    def resolved(push: Push, id_value: Callable[[str], object]) -> Fields:
        del id_value
        fields = push.fields.items()
        return {name: value.id if isinstance(value, Ref) else value for name, value in fields}

    return resolved


@plants(contents, "contents", by="I14", seeds=4)
def sends_the_whole_record(real: Code) -> object:
    """An update writes all fields as they are here, not only those that were changed."""

    def whole(dialect: Dialect, push: Push, values: Values, there: Fields) -> dict[str, object]:
        if push.kind == "update":
            push = push._replace(fields={**push.record.remote.fields, **push.fields})
        return real(dialect, push, values, there)  # type: ignore[no-any-return]

    return whole


@plants(contents, "contents", by="I14", seeds=14)
def leaves_out_what_is_unset(real: Code) -> object:
    """A field that was set to no value is not sent, and so keeps its value there."""

    def kept(dialect: Dialect, push: Push, values: Values, there: Fields) -> dict[str, object]:
        if push.kind == "update":
            some = {name: value for name, value in push.fields.items() if value is not None}
            push = push._replace(fields=some)
        return real(dialect, push, values, there)  # type: ignore[no-any-return]

    return kept


@plants(comparison, "resolved", by="I14", seeds=4)
def refers_by_its_own_ids_in_lists(real: Code) -> object:
    """A reference that stands deeper in a field is sent as our id of the record."""

    def resolved(push: Push, id_value: Callable[[str], object]) -> dict[str, object]:
        there: dict[str, object] = real(push, id_value)
        return {
            name: value if isinstance(value, list | dict) else there[name]
            for name, value in push.fields.items()
        }

    return resolved
