"""One draft in the words of an org; pure.

- E1. What an org may have made of an earlier request of ours is recognised, and never called a
  conflict: a record under a key that only this draft has, and the mark of a delete on its way.
- E2. A parent is named by its key where it may have one there, and by its id where it has none.
- E3. What cannot be an id of the org is none: the record is found by our key then, and where it
  has none, nothing is sent; it would be taken for gone.
- E4. A record that is created again is all that is known of it; of that, what nobody may set is
  left out, and the capture fields tell of this change and not of an earlier one.
- E5. What drafts behind one have made of its record, that left in the same call, is no conflict
  either: other values, or that it is deleted.
- E6. What the capture fields of a record have come to, and who has changed it when, is no change
  by somebody else: each of our own updates writes that, too.
"""

from __future__ import annotations

from itertools import dropwhile, islice, takewhile
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from journal.errors import RemoteError
from journal.events import FieldMessage, time_of
from journal.outcomes import Acknowledged, Refused
from journal.remotes.comparison import holds
from journal.remotes.contents import contents
from journal.remotes.dialect import Shown
from journal.remotes.errand import AsExpected, Errand
from journal.remotes.meanings import content_of
from journal.remotes.salesforce.answers import is_made, is_surely_deleted, meant
from journal.remotes.salesforce.ids import is_id, is_minted
from journal.remotes.salesforce.objects import KEPT_ITSELF
from journal.remotes.salesforce.settings import KEYED
from journal.remotes.times import http_date
from journal.values import Ref, references, same

if TYPE_CHECKING:
    from collections.abc import Collection

    from journal.events import Evidence
    from journal.record import Change
    from journal.remotes.dialect import Dialect
    from journal.remotes.meanings import Meaning
    from journal.remotes.remote import Answer, Push, Request, Response
    from journal.remotes.salesforce.settings import How, Settings
    from journal.remotes.sections import Verb
    from journal.remotes.templates import Values
    from journal.values import Fields

_NO_ID: Final = "what the org calls {} is not known here"
_SAY_ID: Final = (
    "say it: journal.observe(ref, {}, remote_id=..., partial=True), and then retry the draft"
)
_PRECONDITION: Final = 412
_LONGEST: Final = 255
"""How many characters a text of a capture field has at most."""
_CONDITION: Final = "If-Unmodified-Since"
_DUPLICATE_RULES: Final = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
_NO_PARENT: Final = "Foreign key external ID"
_UI_DUPLICATES: Final = "?allowSaveOnDuplicate=true"
_UNSEEN: Final = (
    "the org does not show the record: it was deleted, or is no longer shared with this user; "
    "resolve the draft as applied, or retry it once it is visible"
)
_MAYBE_UNSEEN: Final = "it was deleted, or is no longer shared with this user"
_EXISTED: Final = "the org had a record under our key already"
_UNSET: Final = "created again without what nobody may set: "
_OTHERWISE: Final = "the org has other values than were sent in "


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
            RemoteError: the org does not take its key, or a field; or has no name for it (E3).
        """
        self.way = way
        self.grace_s = 0
        """By how many seconds the date of a condition is later than the version."""
        self.names_parents = True
        """Whether parents are named by their keys, where they may have them (E2)."""
        self.left_out: tuple[str, ...] = ()
        """Our names of the fields that are known of the record, and that nobody may set (E4)."""
        self._said = way.settings.types.get(push.ref.type)
        self._capture = way.settings.capture_of(push.ref.type)
        super().__init__(dialect, push)
        if push.kind != "create" and self.remote_id is None and way.how not in KEYED:
            raise RemoteError(_NO_ID.format(push.ref), hint=_SAY_ID)

    @property
    def remote_id(self) -> str | None:
        """What the org calls the record; one that is created again gets another id."""
        known = None if self.push.kind == "create" else super().remote_id
        return known if known is not None and is_id(known) else None

    @property
    def is_again(self) -> bool:
        """Whether a record is created again that the org has no more."""
        return self.push.kind == "create" and self.push.record.remote.exists is False

    def leave_out(self, names: Collection[str]) -> None:
        """Do not set these fields of a record that is created again, nor the capture fields (E4).

        Args:
            names: what the org calls them.
        """
        own, fields = self.dialect.forms(self.push.ref.type), self.push.fields
        self.left_out = tuple(name for name in fields if own.name(name) in names)
        unset = {*names, *self.captured()}
        kept = {name: value for name, value in fields.items() if own.name(name) not in unset}
        self.push = self.push._replace(fields=kept)

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
            if self.push.kind == "create" and self.way.how == "ui":
                request = request._replace(path=f"{request.path}{_UI_DUPLICATES}")
        version = self._known_version or (None if found is None else found.version)
        return self._with_grace(request._replace(headers=headers), version)

    def _with_grace(self, request: Request, version: str | None) -> Request:
        """Return a request whose condition allows for an org that compares parts of seconds."""
        later = http_date(version or "", self.grace_s)
        if later is None or _CONDITION not in request.headers:
            return request
        return request._replace(headers={**request.headers, _CONDITION: later})

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
        for place, target in references(fields):
            remote_id = self.push.targets[target].remote.remote_id
            if remote_id is not None and not is_id(remote_id):
                problem = f"{self.push.ref} {place}: {_NO_ID.format(target)}"
                raise RemoteError(problem, hint=_SAY_ID)
        found = contents(self.dialect, self.push._replace(fields=fields), values, record)
        written: Any = found["fields"]
        related = dict(by_key.values())
        return {**found, "fields": {**self.captured(), **written, **related}}

    @property
    def by_key(self) -> dict[str, tuple[str, dict[str, str]]]:
        """By which relationship, and which key, our fields name a parent (E2)."""
        found: dict[str, tuple[str, dict[str, str]]] = {}
        settings = self.way.settings
        named = {} if self._said is None or not self.names_parents else self._said.parents
        for name, said in named.items():
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
        at = time_of(made.occurred_at).isoformat(timespec="seconds")  # the org keeps no more
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
        request = self.dialect.request("update", self.push.ref.type, values)
        return self._with_grace(request, found.version)

    def _is_marked(self, fields: Fields) -> bool:
        """Say whether a record shows that a request of this delete was there before (E1)."""
        captured = self.captured()
        forms = self.dialect.forms(self.push.ref.type)
        ours, told = forms.ours, captured.items()
        alike = (forms.agrees(ours(name), fields.get(name), text) for name, text in told)
        return bool(captured) and all(alike)

    @property
    def known_names(self) -> list[str]:
        """What the org calls the fields that are asked for."""
        left_out = map(self.dialect.forms(self.push.ref.type).name, self.left_out)
        return list(dict.fromkeys([*super().known_names, *left_out, *self._marks]))

    @property
    def _marks(self) -> list[str]:
        return list(self.captured()) if self.push.kind == "delete" else []

    def has_orphaned(self, refusal: Refused) -> bool:
        """Say whether an org has no parent under a key by which one was named (E2).

        It may have the parent all the same: made before there was such a field, or without it.
        """
        keys = [key for _, named in self.by_key.values() for key in named.values()]
        said = [m.message for m in refusal.messages if _NO_PARENT in m.message]
        return any(key in text for text in said for key in keys)

    # --- answers -------------------------------------------------------------------------

    def means(self, verb: Verb, answer: Answer) -> Meaning:
        """Return what an answer to a request means."""
        pause_s = self.way.settings.limits.pause_s
        found = meant(self.way.how, verb, answer, self.names, pause_s)
        return super().means(verb, answer) if found is None else found

    def shown(self, response: Response) -> Shown | None:
        """Return the record that the answer to a read shows, with the fields that we know.

        An org takes a name in letters of any case, and answers in its own.
        """
        record = super().shown(response)
        if record is None or not (is_id(record.id) or record.id == self.remote_id):
            return None
        received = {name.casefold(): value for name, value in (record.fields or {}).items()}
        known = {name: name.casefold() for name in self.known_names}
        shown = {name: received[low] for name, low in known.items() if low in received}
        return record._replace(fields=shown)

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
        if self.push.kind == "create" and members and not is_made(self.way.how, members):
            return None
        receipt = super().receipt(response, found, is_said=is_said)
        push = self.push
        is_first = push.kind == "create" and not (push.is_maybe_applied or push.is_doubted)
        if receipt is None or not is_first or members.get("created") is not False:
            return receipt
        return receipt._replace(note=_EXISTED)

    def acknowledged(self, response: Response, record: Shown, evidence: Evidence) -> Acknowledged:
        """Return the acknowledgement of the draft, with what the answer shows."""
        receipt = super().acknowledged(response, record, evidence)
        note = f"{_UNSET}{', '.join(self.left_out)}" if self.left_out else None
        return receipt._replace(note=note)

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
        """Say whether a record is as drafts behind this one leave it, all maybe applied (E5)."""
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
        return holds(self.push, forms, forms.read(record.fields or {}), self.expected())

    def expected(self) -> Fields:
        """Return what the org should have where the draft is not applied, as far as known (E6)."""
        return self._uncaptured(super().expected())

    def _uncaptured(self, fields: Fields) -> Fields:
        """Return what is known of a record to be deleted, without what any update writes (E6)."""
        if self.push.kind != "delete":
            return fields
        forms, own = self.dialect.forms(self.push.ref.type), {*self._capture.names, *KEPT_ITSELF}
        return {name: value for name, value in fields.items() if forms.name(name) not in own}

    def _is_as_expected(self, version: str | None, received: Fields) -> bool:
        return not self._is_overtaken and super()._is_as_expected(version, received)

    @property
    def _is_overtaken(self) -> bool:
        """Whether a receipt has shown another record than the one that is to be deleted."""
        push = self.push
        if push.kind != "delete" or not push.is_after_receipt:
            return False
        forms = self.dialect.forms(push.ref.type)
        return not holds(push, forms, push.record.remote.fields, self._uncaptured(push.base))

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
