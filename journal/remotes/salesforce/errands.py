"""One draft in the words of an org; pure.

- E1. What an org may have made of an earlier request of ours is recognised, and never called a
  conflict: a record under a key that only this draft has, and the mark of a delete on its way.
- E3. What drafts behind one have made of its record, that left in the same call, is no conflict
  either: other values, or that it is deleted.
- E2. A parent is named by its key only where the org surely has it under that key.
"""

from __future__ import annotations

import re
from itertools import dropwhile, islice, takewhile
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from journal.events import FieldMessage, time_of
from journal.outcomes import Acknowledged, Refused
from journal.remotes.comparison import expected, holds
from journal.remotes.contents import contents
from journal.remotes.dialect import Shown
from journal.remotes.errand import AsExpected, Errand
from journal.remotes.meanings import content_of
from journal.remotes.salesforce.answers import is_surely_deleted, meant
from journal.remotes.salesforce.settings import KEYED
from journal.remotes.times import http_date
from journal.values import Ref, same

if TYPE_CHECKING:
    from journal.record import Change
    from journal.remotes.dialect import Dialect
    from journal.remotes.meanings import Meaning
    from journal.remotes.remote import Answer, Push, Request, Response
    from journal.remotes.salesforce.settings import How, Settings
    from journal.remotes.sections import Verb
    from journal.remotes.templates import Values
    from journal.values import Fields

_MINTED: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
)
_PRECONDITION: Final = 412
_LONGEST: Final = 255
"""How many characters a text of a capture field has at most."""
_CONDITION: Final = "If-Unmodified-Since"
_DUPLICATE_RULES: Final = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
_UNSEEN: Final = (
    "the org does not show the record: it was deleted, or is no longer shared with this user; "
    "resolve the draft as applied, or retry it once it is visible"
)
_MAYBE_UNSEEN: Final = "it was deleted, or is no longer shared with this user"
_EXISTED: Final = "the org had a record under our key already"
_OTHERWISE: Final = "the org has other values than were sent in "


def is_minted(key: str) -> bool:
    """Say whether a key is one that was made to be unique, so that nobody else has it."""
    return _MINTED.fullmatch(key) is not None


class Way(NamedTuple):
    """How the records of an org are written."""

    settings: Settings
    how: How
    """How the record of this draft is created, here and now."""


class OrgErrand(Errand):
    """A draft on its way to an org."""

    def __init__(self, dialect: Dialect, push: Push, way: Way) -> None:
        """Carry that draft.

        Raises:
            RemoteError: the org does not take its key, or one of its fields.
        """
        self.way = way
        self.grace_s = 0
        """By how many seconds the date of a condition is later than the version."""
        self._said = way.settings.types.get(push.ref.type)
        self._capture = way.settings.capture_of(push.ref.type)
        super().__init__(dialect, push)

    @property
    def remote_id(self) -> str | None:
        """What the org calls the record; one that is created again gets another id."""
        return None if self.push.kind == "create" else super().remote_id

    # --- requests ------------------------------------------------------------------------

    def write(self, found: AsExpected | None) -> Request:
        """Return the request that applies the draft.

        Args:
            found: what a look-up has shown right before; None where there was none.

        Raises:
            RemoteError: the draft cannot be sent as it is.
        """
        request = super().write(found)
        headers = dict(request.headers)
        if self.push.kind != "delete" and self._said and self._said.allow_duplicates:
            headers |= _DUPLICATE_RULES
        version = self._known_version or (None if found is None else found.version)
        later = http_date(version or "", self.grace_s)
        if self.grace_s and later is not None and _CONDITION in headers:
            headers[_CONDITION] = later
        return request._replace(headers=headers)

    def contents(self, values: Values, record: Fields) -> dict[str, object]:
        """Return what stands for the fields of the draft, and for their names.

        Args:
            values: what stands for the other placeholders.
            record: the record as it was read, in the org's words.

        Raises:
            RemoteError: the draft refers to a record that the org does not have.
        """
        by_key = self.by_key
        fields = {name: v for name, v in self.push.fields.items() if name not in by_key}
        found = contents(self.dialect, self.push._replace(fields=fields), values, record)
        written: Any = found["fields"]
        related = dict(by_key.values())
        return {**found, "fields": {**self.captured(), **written, **related}}

    @property
    def by_key(self) -> dict[str, tuple[str, dict[str, str]]]:
        """By which relationship, and which key, our fields name a parent (E2)."""
        found = {}
        settings = self.way.settings
        for name, said in ({} if self._said is None else self._said.parents).items():
            relation, _, key = said.partition(".")
            target = self.push.fields.get(name)
            if not isinstance(target, Ref) or not is_minted(target.id):
                continue
            if settings.how(target.type) in KEYED and settings.key_of(target.type) == key:
                found[name] = relation, {key: target.id}
        return found

    def captured(self) -> dict[str, str]:
        """Return the capture fields with what they are told of the change."""
        made, named = self.push.made, self._capture
        if made is None:
            return {}
        at = time_of(made.occurred_at).isoformat(timespec="milliseconds")
        told = {
            named.occurred_at: at.replace("+00:00", "Z"),
            named.actor: made.actor,
            named.device: made.origin,
            named.reason: made.reason,
        }
        pairs = ((name, text) for name, text in told.items() if name is not None and text)
        return {name: text[:_LONGEST] for name, text in pairs}

    def before(self, found: AsExpected) -> Request | None:
        """Return what writes the capture fields before a delete, if they are not there yet.

        Args:
            found: what a look-up has shown right before.
        """
        captured = self.captured()
        if self.push.kind != "delete" or not captured or self._is_marked(found.fields):
            return None
        version = self.dialect.version_values(found.version)
        values = {**self._values(found.id), **version, "fields": captured}
        return self.dialect.request("update", self.push.ref.type, values)

    def _is_marked(self, fields: Fields) -> bool:
        """Say whether a record shows that a request of this delete was there before (E1)."""
        captured = self.captured()
        forms = self.dialect.forms(self.push.ref.type)
        alike = (forms.agrees(name, fields.get(name), text) for name, text in captured.items())
        return bool(captured) and all(alike)

    @property
    def known_names(self) -> list[str]:
        """What the org calls the fields that are asked for."""
        names = super().known_names
        return list(dict.fromkeys([*names, *self._marks]))

    @property
    def _marks(self) -> list[str]:
        return list(self.captured()) if self.push.kind == "delete" else []

    # --- answers -------------------------------------------------------------------------

    def means(self, verb: Verb, answer: Answer) -> Meaning:
        """Return what an answer to a request means."""
        pause_s = self.way.settings.limits.pause_s
        found = meant(self.way.how, verb, answer, self.names, pause_s)
        return super().means(verb, answer) if found is None else found

    def shown(self, response: Response) -> Shown | None:
        """Return the record that the answer to a read shows, with the fields that we know."""
        record = super().shown(response)
        if record is None or record.fields is None:
            return record
        known = set(self.known_names)
        return record._replace(fields={n: v for n, v in record.fields.items() if n in known})

    def is_at_odds(self, refusal: Refused) -> bool:
        """Say whether a refusal says of the record what a read that is as expected denies.

        An org shows at once what was written; but it may compare parts of seconds.
        """
        is_condition = refusal.status == _PRECONDITION and not self.grace_s
        return not is_condition and super().is_at_odds(refusal)

    def is_sent_anyway(self, found: object) -> bool:  # noqa: ARG002  as its base
        """Say whether a delete is sent though a look-up before it has found no record: never."""
        return False

    def receipt(
        self, response: Response, found: AsExpected | None = None, *, is_said: bool
    ) -> Acknowledged | None:
        """Return the acknowledgement that an answer is, or None where it is none.

        Args:
            response: the answer to a write.
            found: what a read right before it has shown.
            is_said: whether a rule of the profile says that it was done.
        """
        content = content_of(response)
        members = content if isinstance(content, dict) else {}
        if members.get("success") is False:
            return None
        receipt = super().receipt(response, found, is_said=is_said)
        push = self.push
        is_first = push.kind == "create" and not (push.is_maybe_applied or push.is_doubted)
        if receipt is None or not is_first or members.get("created") is not False:
            return receipt
        return receipt._replace(note=_EXISTED)

    def compared(
        self, response: Response, record: Shown, found_id: str | None
    ) -> Acknowledged | Refused | AsExpected:
        """Compare what the org has with what the draft wants (E1)."""
        fields = record.fields or {}
        marks = set(self._marks) - set(super().known_names)
        plain = record._replace(fields={n: v for n, v in fields.items() if n not in marks})
        if self._marks and self._is_marked(fields) and self._is_as_it_was(plain):
            return AsExpected(self.remote_id or record.id, record.version, fields)
        if self._is_as_followed(plain):
            return self.acknowledged(response, plain, "read")
        settled = super().compared(response, plain, found_id)
        if isinstance(settled, AsExpected):
            return settled._replace(fields=fields)
        is_ours = self.way.how in KEYED and is_minted(self.key)
        was_sent = self.push.is_maybe_applied or self.push.is_doubted
        if self.push.kind == "create" and isinstance(settled, Refused) and is_ours and was_sent:
            receipt = self.acknowledged(response, plain, "read")
            others = self._others(plain)
            return receipt._replace(note=f"{_OTHERWISE}{', '.join(others)}")
        return settled

    def _is_as_followed(self, record: Shown) -> bool:
        """Say whether a record is as drafts behind this one leave it, all maybe applied (E3)."""
        push = self.push
        wanted = dict(push.fields)
        for change in self._behind:
            wanted |= {name: v for name, v in change.fields.items() if name in wanted}
        forms = self.dialect.forms(push.ref.type)
        is_followed = not same(wanted, push.fields)
        return is_followed and holds(push, forms, forms.read(record.fields or {}), wanted)

    @property
    def _behind(self) -> list[Change]:
        """The drafts of the record behind this one that may be applied, too, as this one may."""
        changes = self.push.record.changes if self.push.is_maybe_applied else ()
        own = dropwhile(lambda change: change.draft_id != self.push.draft_id, changes)
        return list(takewhile(lambda change: change.state == "sending", islice(own, 1, None)))

    def _is_as_it_was(self, record: Shown) -> bool:
        """Say whether nobody but ourselves has changed what is to be deleted."""
        if self._is_overtaken:
            return False
        forms = self.dialect.forms(self.push.ref.type)
        return holds(self.push, forms, forms.read(record.fields or {}), expected(self.push))

    def _is_as_expected(self, version: str | None, received: Fields) -> bool:
        return not self._is_overtaken and super()._is_as_expected(version, received)

    @property
    def _is_overtaken(self) -> bool:
        """Whether a receipt has shown another record than the one that is to be deleted."""
        push = self.push
        if push.kind != "delete" or not push.is_after_receipt:
            return False
        forms = self.dialect.forms(push.ref.type)
        return not holds(push, forms, push.record.remote.fields, push.base)

    def _others(self, record: Shown) -> list[str]:
        """Return our names of the fields to which the org has given other values."""
        forms, push = self.dialect.forms(self.push.ref.type), self.push
        received = forms.read(record.fields or {})
        return [n for n, v in push.fields.items() if not holds(push, forms, received, {n: v})]

    def absent(self, response: Response) -> Acknowledged | Refused | AsExpected:
        """Say what it settles that the org does not have the record, or does not show it."""
        settled = super().absent(response)
        if is_surely_deleted(response):
            is_ours = self.push.kind == "update" and any(c.kind == "delete" for c in self._behind)
            return self.acknowledged(response, Shown(), "read") if is_ours else settled
        if self.push.kind == "delete" and self.way.settings.on_not_found == "hold":
            return self.held(_UNSEEN, response)
        if isinstance(settled, Refused):
            maybe = FieldMessage(message=_MAYBE_UNSEEN)
            return settled._replace(messages=(*settled.messages, maybe))
        return settled
