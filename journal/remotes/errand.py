"""One draft in the words of a service: its requests, and what answers say of it; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from journal.errors import RemoteError
from journal.events import FieldMessage
from journal.outcomes import Acknowledged, Refused, Seen
from journal.remotes.comparison import (
    expected,
    holds,
    is_about,
    is_overtaken,
    known_names,
    ours,
    resolved,
    shown,
    tells,
)
from journal.remotes.contents import contents
from journal.remotes.dialect import Shown
from journal.remotes.meanings import content_of
from journal.remotes.placeholders import uuid_of
from journal.remotes.pointers import fits
from journal.remotes.problems import is_error

if TYPE_CHECKING:
    from journal.events import Evidence
    from journal.remotes.dialect import Dialect
    from journal.remotes.meanings import Meaning
    from journal.remotes.remote import Answer, Push, Request, Response
    from journal.remotes.sections import Verb, Write
    from journal.remotes.templates import Values
    from journal.values import Fields

_NO_CONTENT: Final = frozenset({204, 205})
_MAX_NAMES: Final = 6_000
"""How many characters of names a request may hold; where there are more, all fields are read."""
_NO_SUCH_STATE: Final = frozenset({404, 410, 412})
_ACCEPTED: Final = 202
"""The remote may do it later, or never: no receipt."""


class AsExpected(NamedTuple):
    """What a look-up found: the draft is not applied, and nothing speaks against sending it."""

    id: str | None = None
    version: str | None = None
    fields: Fields = {}  # noqa: RUF012  a NamedTuple's default, never written to
    """The record as it was read, in the service's words."""


class Hits(NamedTuple):
    """What a look-up by our key lists."""

    ours: list[Shown]
    others: int
    """How many records of other keys."""


class Errand:
    """A draft on its way to a service."""

    def __init__(self, dialect: Dialect, push: Push) -> None:
        """Carry that draft.

        Raises:
            RemoteError: the service does not take its key, or one of its fields.
        """
        self.push = push
        self._dialect = dialect
        self._type = push.ref.type
        self._forms = dialect.forms(self._type)
        self._is_sent = self._has_lost_id = False
        self._check_key()
        self._check_own()

    @property
    def dialect(self) -> Dialect:
        """How the service is spoken to."""
        return self._dialect

    @property
    def names(self) -> list[str]:
        """What the service calls the fields of the draft."""
        return [self._forms.name(name) for name in self.push.fields]

    def in_our_words(self, refusal: Refused) -> Refused:
        """Return what the service said, with the fields as we call them."""
        named = self._forms.ours
        said = (m.model_copy(update={"field": named(m.field)}) for m in refusal.messages)
        return refusal._replace(messages=tuple(said))

    # --- what is known -------------------------------------------------------------------

    @property
    def key(self) -> str:
        """Our key of the record; where that is its id, what the remote is known to call it."""
        known = None if self._dialect.assigns else self.push.remote_id
        return known or self.push.ref.id

    @property
    def remote_id(self) -> str | None:
        """What the service calls the record, where it is known.

        A record that is created again, for it is gone there, gets another id than it had.
        """
        if not self._dialect.assigns:
            return self.key
        is_gone = self._has_lost_id or self.push.record.remote.exists is False
        return None if is_gone and self.push.kind == "create" else self.push.remote_id

    def loses_id(self) -> bool:
        """Take what the record was called for gone; say whether it is to be looked up by our key.

        What the host, or a pull, has seen before a create is acknowledged may be gone by now, and
        another request of the create may have made the record again.
        """
        is_lost = self.push.kind == "create" and self._dialect.assigns and bool(self.remote_id)
        self._has_lost_id = self._has_lost_id or is_lost
        return is_lost and self.can_look

    @property
    def holds_doubt(self) -> bool:
        """Whether nothing but a person can tell if the service has made the record."""
        return self.push.kind == "create" and self._dialect.profile.create.on_doubt == "hold"

    @property
    def is_found_by_key(self) -> bool:
        """Whether the record must be looked up by our key before it can be read."""
        is_read_by_key = self._dialect.profile.read.key_path is not None
        return self._is_nameless and not is_read_by_key

    @property
    def _is_nameless(self) -> bool:
        return self.remote_id is None and self._dialect.uses("read", "id")

    @property
    def can_look(self) -> bool:
        """Whether the record can be read, or looked up, with what is known of it."""
        return not self.is_found_by_key or self._dialect.profile.find is not None

    @property
    def must_look(self) -> bool:
        """Whether a look-up comes first: a condition alone would not find a conflict (G3)."""
        push, dialect = self.push, self._dialect
        profile = dialect.profile
        write: Write = {"create": profile.create, "update": profile.update}.get(
            push.kind, profile.delete
        )
        is_known = write.is_repeatable and push.age_s < write.remembered_s
        is_open = push.is_maybe_applied and not is_known
        if push.kind == "create":
            is_seen = push.is_doubted or bool(push.record.remote.exists)
            is_doubted = is_seen and self.can_look and not self.holds_doubt
            return is_doubted or profile.create.looks_first or is_open
        return (
            is_open
            or push.is_doubted
            or self._known_version is None
            or profile.version.is_weak
            or is_overtaken(push, self._forms)
            or (self.remote_id is None and dialect.uses(push.kind, "id"))
            or (push.kind == "update" and dialect.uses("update", "record"))
            or (push.kind == "delete" and not dialect.is_conditional("delete"))
        )

    @property
    def _known_version(self) -> str | None:
        return self.push.base_version if self._dialect.has_versions else None

    def _check_key(self) -> None:
        pattern = self._dialect.profile.key.pattern
        is_sent = self.remote_id is None or self.push.kind == "create"
        if is_sent and not re.fullmatch(pattern, self.key):
            raise RemoteError(
                f"{self.push.ref}: the remote takes no key like {self.key!r}",
                hint=f"give records an id that matches {pattern} (key.pattern of the profile)",
            )

    def _check_own(self) -> None:
        own = {steps[0] for steps in self._dialect.own("read", self._type) if len(steps) == 1}
        for name in self.push.fields:
            if any(fits(step, self._forms.name(name)) for step in own):
                raise RemoteError(
                    f"{self.push.ref}: the remote keeps {name!r} itself",
                    hint="leave the field out, or mend answer.own, id, key and version "
                    "of the profile",
                )

    # --- requests ------------------------------------------------------------------------

    def write(self, found: AsExpected | None) -> Request:
        """Return the request that applies the draft.

        Args:
            found: what a look-up has shown right before; None where there was none.

        Raises:
            RemoteError: the draft cannot be sent as it is.
        """
        kind, self._is_sent = self.push.kind, True
        found = found or AsExpected()
        version = self._known_version or found.version
        if kind != "create" and version is None and self._dialect.profile.version.is_required:
            raise RemoteError(
                f"{self.push.ref}: the remote shows no version, and requires one",
                hint="mend answer.version of the profile",
            )
        values = {**self._values(found.id), **self._dialect.version_values(version)}
        if kind != "delete":
            values |= self.contents(values, found.fields)
        return self._dialect.request(kind, self._type, values)

    def contents(self, values: Values, record: Fields) -> dict[str, object]:
        """Return what stands for the fields of the draft, and for their names.

        Args:
            values: what stands for the other placeholders.
            record: the record as it was read, in the service's words.

        Raises:
            RemoteError: the draft refers to a record that the service does not have.
        """
        return contents(self._dialect, self.push, values, record)

    def before(self, found: AsExpected) -> Request | None:  # noqa: ARG002  for who needs it
        """Return what is to be sent right before the write, as an update, if anything is.

        Args:
            found: what a look-up has shown right before.
        """
        return None

    def read(self, remote_id: str | None) -> Request:
        """Return the request that reads the record, by an id that was found if by any."""
        values = self._values(remote_id)
        names = ",".join(self.known_names)
        if 0 < len(names) <= _MAX_NAMES:
            values["names.joined"] = names
        is_by_key = self._is_nameless and "id" not in values
        path = self._dialect.profile.read.key_path if is_by_key else None
        return self._dialect.request("read", self._type, values, path)

    @property
    def known_names(self) -> list[str]:
        """What the service calls the fields that are known of the record."""
        known = {**self.push.fields, **self.push.base, **self.push.record.remote.fields}
        return [self._forms.name(name) for name in known]

    def find(self) -> Request:
        """Return the request that looks the record up by our key."""
        return self._dialect.request("find", self._type, self._values(None))

    def _values(self, found_id: str | None) -> dict[str, object]:
        push = self.push
        draft = f"{push.draft_id}-{push.revision}" if push.revision else push.draft_id
        values: dict[str, object] = {"key": self.key, "draft": draft}
        remote_id = self.remote_id or found_id
        if self._dialect.uses(push.kind, "draft.uuid"):
            values["draft.uuid"] = uuid_of(draft)
        if push.turn is not None:
            values["journal"], values["number"] = push.turn.journal, push.turn.number
            if push.turn.previous:
                values["previous"] = push.turn.previous
        if remote_id is not None:
            values["id"] = self._dialect.id_value(remote_id)
        return values

    # --- answers ---------------------------------------------------------------------------

    def means(self, verb: Verb, answer: Answer) -> Meaning:
        """Return what an answer to a request means."""
        return self._dialect.means(verb, self._type, answer, self.names)

    def shown(self, response: Response) -> Shown | None:
        """Return the record that the answer to a read shows; None where it shows none."""
        return self._dialect.shown("read", self._type, response)

    # --- answers to a look-up ------------------------------------------------------------

    def hits(self, response: Response) -> Hits | None:
        """Return what a look-up lists; None where it is no list of records.

        A filter that a service does not know is often ignored: a hit shows our key, or is none.
        """
        items = self._dialect.items("find", self._type, response)
        if items is None:
            return None
        hits = [item.shown for item in items if item.shown.key == self.key]
        return Hits(hits, len(items) - len(hits))

    def is_it(self, record: Shown, found_id: str | None) -> bool:
        """Say whether a record that was read is the one that was asked for."""
        wanted = self.remote_id or found_id
        is_named_by_id = record.id is not None and wanted is not None
        if is_named_by_id and not self._forms.is_same_id(str(record.id), str(wanted)):
            return False
        is_by_id = self._dialect.assigns and wanted is not None
        if record.key is not None and not is_by_id and record.key != self.key:
            return False
        is_named = record.id is not None or (record.key is not None and not is_by_id)
        return is_named or is_about(self.push, self._forms.read(record.fields or {}))

    def compared(
        self, response: Response, record: Shown, found_id: str | None
    ) -> Acknowledged | Refused | AsExpected:
        """Compare what the remote has with what the draft wants."""
        push = self.push
        received = self._forms.read(record.fields or {})
        remote_id = self.remote_id or record.id or found_id
        is_so = push.kind != "delete" and holds(push, self._forms, received, push.fields)
        if is_so and self._is_proof:
            return self.acknowledged(response, record._replace(id=remote_id), "read")
        if push.kind != "create" and self._is_as_expected(record.version, received):
            return AsExpected(remote_id, record.version, record.fields or {})
        newer = "the remote has a newer version of the record"
        taken = "the remote has another record under our key"
        fields = ours(push, self._forms, received)
        seen = None if fields is None else Seen(fields, remote_id, record.version)
        answer = response.body.decode("utf-8", "replace")
        unkept = "it cannot be kept here, for it is too large or not exact: discard the draft"
        said = [taken if push.kind == "create" else newer, *([unkept] if seen is None else [])]
        messages = tuple(FieldMessage(message=text) for text in said)
        return Refused("conflict", messages, response.status, answer, seen)

    @property
    def _is_proof(self) -> bool:
        """Whether a record with the draft's values proves that the draft is applied (G1).

        Fields that are compared with nothing prove nothing as long as nothing was sent.
        """
        push = self.push
        compared = [name for name in push.fields if self._forms.kind(name) != "any"]
        if push.kind == "create" or len(compared) == len(push.fields) or self._is_sent:
            return True
        return bool(compared) and (push.is_maybe_applied or push.is_doubted)

    def strange(self, response: Response, record: Shown | None, *, is_taken: bool) -> Refused:
        """Return what it comes to where reads go on to show something that is not the record.

        A record without any name that we know has taken our key; but a page of a captive
        portal is none. So it must show a version, as the profile says, or else the remote must
        have declined to make a second record; and it must not say that something is wrong.

        Args:
            response: the answer to the read.
            record: what it shows, if anything.
            is_taken: whether the remote has said that there is a record already.
        """
        doubt = self.held("a read shows something that is not the record", response)
        if self.push.kind != "create" or record is None or is_error(record.fields or {}):
            return doubt
        is_named = {record.id, record.key} != {None}
        if is_named or not (is_taken or record.version is not None):
            return doubt
        settled = self.compared(response, record, None)
        return settled if isinstance(settled, Refused) else doubt

    def is_at_odds(self, refusal: Refused) -> bool:
        """Say whether a refusal says of the record what a read that is as expected denies.

        Who reads may be shown an older state than who writes, such as by a replica; that passes.
        """
        lost = _NO_SUCH_STATE - {404, 410} if self.push.kind == "create" else _NO_SUCH_STATE
        return refusal.status in lost

    def absent(self, response: Response) -> Acknowledged | Refused | AsExpected:
        """Say what it settles that the remote does not have the record."""
        push = self.push
        if push.kind == "delete":
            date = response.headers.get("date")
            return Acknowledged("read", push.remote_id, None, response.status, date)
        if push.kind == "create":
            return AsExpected()
        message = FieldMessage(message="the remote no longer has the record")
        return Refused("gone", (message,), response.status, seen=Seen(None, self.remote_id))

    def is_sent_anyway(self, found: object) -> bool:
        """Say whether a delete is sent though a look-up before it has found no record.

        What we have written, and cannot be read, may not have reached whoever reads: nobody has
        deleted it that we know of, and to delete it twice does no harm.
        """
        push, remote = self.push, self.push.record.remote
        is_ours = remote.receipt > 0 and bool(remote.exists)
        can_be = push.kind == "delete" and not self._dialect.profile.version.is_required
        is_first = not (push.is_maybe_applied or push.is_doubted)
        return isinstance(found, Acknowledged) and is_ours and can_be and is_first

    def held(self, problem: str, response: Response) -> Refused:
        """Return the hold of a doubt that only a person can settle."""
        answer = response.body.decode("utf-8", "replace")
        return Refused("unknown", (FieldMessage(message=problem),), response.status, answer)

    def _is_as_expected(self, version: str | None, received: Fields) -> bool:
        """Say whether the remote's record is still the one that the draft was made on."""
        if is_overtaken(self.push, self._forms):
            return False
        known = self._known_version
        if known is not None and version is not None:
            if not self._dialect.is_unchanged(version, known):
                return False
            if not self._dialect.profile.version.is_weak:
                return True
        return holds(self.push, self._forms, received, self.expected())

    def expected(self) -> Fields:
        """Return what the remote should have where the draft is not applied, as far as known."""
        return expected(self.push)

    # --- receipts ------------------------------------------------------------------------

    def receipt(
        self, response: Response, found: AsExpected | None = None, *, is_said: bool
    ) -> Acknowledged | None:
        """Return the acknowledgement that an answer is, or None where it is none (G1).

        Args:
            response: the answer to a write.
            found: what a read right before it has shown.
            is_said: whether a rule of the profile says that it was done.
        """
        kind = self.push.kind
        if response.status == _ACCEPTED and not is_said:
            return None
        if not response.body:
            is_enough = response.status in _NO_CONTENT or is_said
            record = self._dialect.said(kind, self._type, response)
            if found is not None and record.id is None:
                record = record._replace(id=found.id)
            is_named = self.remote_id is not None or record.id is not None
            return self._received(response, record, found) if is_enough and is_named else None
        if response.status in _NO_CONTENT:
            return None
        shown_here = self._dialect.shown(kind, self._type, response)
        record = shown_here or Shown()
        if (shown_here is None and not is_said) or not self._fits(record, is_said=is_said):
            return None
        is_compared = record.fields is not None and kind != "delete"
        if not (is_compared or is_said) and self._is_wrong(content_of(response), record):
            return None
        return self._received(response, record, found)

    def seen_after(self, receipt: Acknowledged, response: Response) -> Acknowledged:
        """Return the receipt with what a read right after it shows, if that is the record."""
        record = self.shown(response)
        if record is None or not self.is_it(record, receipt.remote_id):
            return receipt
        seen = self.acknowledged(response, record, "read")
        return receipt._replace(remote_version=seen.remote_version, fields=seen.fields)

    def _received(
        self, response: Response, record: Shown, found: AsExpected | None
    ) -> Acknowledged:
        """Return the acknowledgement that an answer is, with what was seen right before it.

        Where the answer shows no fields, what others have changed in those that the draft leaves
        alone would not be known here otherwise.
        """
        receipt = self.acknowledged(response, record, "answer")
        if record.fields is not None or found is None or self.push.kind != "update":
            return receipt
        written = resolved(self.push, self._dialect.id_value)
        received = {**self._forms.read(found.fields), **written}
        return receipt._replace(fields=shown(self.push, self._forms, received, "read"))

    def _is_wrong(self, content: object, record: Shown) -> bool:
        """Say whether an answer that names the record says that something is wrong with it.

        Nothing of it is compared, and a refusal may name what it refuses, with any status. What
        is empty, or is known of the record, says nothing.
        """
        known = {self._forms.name(name) for name in known_names(self.push)}
        parts = [part for part in (content, record.fields) if isinstance(part, dict)]
        return any(
            is_error({name: v for name, v in part.items() if v and name not in known})
            for part in parts
        )

    def _fits(self, record: Shown, *, is_said: bool) -> bool:
        """Say whether a receipt shows our record, as the draft leaves it, and nothing else.

        One that shows nothing that can be compared fits nothing: so does any other answer.
        """
        is_shown = record.id is not None
        is_known = is_shown and self._dialect.assigns and self.remote_id is not None
        is_made = self.push.kind == "create"  # what was seen under our key may be another one
        if (
            is_known
            and not is_made
            and not self._forms.is_same_id(str(self.remote_id), str(record.id))
        ):
            return False
        if record.key is not None:
            is_ours = self.push.kind == "create" or not self._dialect.assigns
            if is_ours and record.key != self.key:
                return False
            is_shown = is_shown or is_ours
        if record.id is None and self.remote_id is None:
            return False  # what the service calls it must be known
        if record.fields is None or self.push.kind == "delete":
            return is_shown or is_said
        received = self._forms.read(record.fields)
        is_told = is_shown or is_said or tells(self.push, self._forms, received)
        return is_told and holds(self.push, self._forms, received, self.push.fields)

    def _called(self, record: Shown) -> str | None:
        """Return what the service calls the record, by an answer that shows it.

        What it has made is called as the answer says: what was seen under our key before may
        have been another one.
        """
        known, said = self.remote_id, record.id
        if known is None or said is None or not self._dialect.assigns:
            return known or said
        is_other = self.push.kind == "create" and not self._forms.is_same_id(known, said)
        return said if is_other else known

    def acknowledged(self, response: Response, record: Shown, evidence: Evidence) -> Acknowledged:
        """Return the acknowledgement of the draft, with what the answer shows."""
        push, fields = self.push, None
        if record.fields is not None and push.kind != "delete":
            received = self._forms.read(record.fields)
            fields = shown(push, self._forms, received, evidence)
        return Acknowledged(
            evidence,
            self._called(record) or None,
            record.version,
            response.status,
            response.headers.get("date"),
            fields,
        )
