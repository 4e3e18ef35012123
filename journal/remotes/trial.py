"""The trial of a profile: what a service does when it is spoken to as the profile says; no I/O.

A generator: it yields requests, and is sent their answers, and yields what it has found. It
says of an answer what the sender would make of it, by the same code. It writes one record,
under a key of its own, and takes it away again.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias, TypeVar

from journal.errors import JournalError, ProfileError
from journal.outcomes import Refused, Unauthorized
from journal.record import Record
from journal.record import Remote as Known
from journal.remotes.auth import Auth
from journal.remotes.classify import Doubt, Success
from journal.remotes.credentials import authorised
from journal.remotes.dialect import Shown
from journal.remotes.errand import AsExpected
from journal.remotes.meanings import Done
from journal.remotes.remote import NoAnswer, Push, Response, Turn

if TYPE_CHECKING:
    from journal.events import ChangeKind
    from journal.outcomes import Acknowledged
    from journal.remotes.errand import Errand, Hits
    from journal.remotes.generic import HttpRemote
    from journal.remotes.remote import Answer, Request
    from journal.remotes.sections import Verb
    from journal.values import Fields, Ref

Verdict: TypeAlias = Literal["works", "does not", "not told"]
State: TypeAlias = Literal["done", "absent", "refused", "unauthorized", "unclear"]
_Result = TypeVar("_Result")

_FORBIDDEN: Final = 403
CAPABILITIES: Final = (
    "reachable",
    "authenticated",
    "absent record",
    "create",
    "receipt of create",
    "version",
    "replayed create",
    "update",
    "receipt of update",
    "stale change",
    "unset",
    "list of changes",
    "list from a checkpoint",
    "delete",
    "receipt of delete",
    "nothing left behind",
)
"""What a trial says something of, in order; beside them it names members of the service's own."""


class Finding(NamedTuple):
    """What the trial has found of one capability."""

    capability: str
    verdict: Verdict
    says: str
    key: str = ""
    """The key of the profile to look at."""
    request: Request | None = None
    answer: Answer | None = None


Steps: TypeAlias = Generator["Request | Finding", Any, _Result]
"""Yields requests, which are answered, and findings, which are not."""


class Told(NamedTuple):
    """What an answer says, by the profile."""

    state: State
    says: str
    request: Request
    answer: Answer
    shown: Shown = Shown()
    """The record, where a read shows it, or another one in its place."""
    receipt: Acknowledged | None = None
    """The acknowledgement that the sender would take from it."""
    others: int = 0
    """How many records of other keys a look-up lists."""

    def finding(self, capability: str, verdict: Verdict, says: str, key: str = "") -> Finding:
        """Return a finding that this answer shows."""
        return Finding(capability, verdict, says, key, self.request, self.answer)


class Probe:
    """One record of a service, written and read by a profile as the sender would."""

    def __init__(self, remote: HttpRemote, ref: Ref, draft_id: str) -> None:
        """Be about that record, which nobody else has, in the name of that draft."""
        self.ref = ref
        self._remote = remote
        self.dialect = remote.dialect
        self.profile = remote.profile
        self.known = Known()
        self._credentials = remote.credentials
        self._draft_id = draft_id
        self._drafts = 0

    def errand(self, kind: ChangeKind, fields: Fields | None = None) -> Errand:
        """Return a change of the record, on what is known of it."""
        fields, known = fields or {}, self.known
        base = {name: known.fields.get(name) for name in fields}
        base = known.fields if kind == "delete" else base
        record = Record(self.ref, remote=known)
        named = (self._draft_id, self.ref, kind, fields, base, known.version, self._drafts)
        turn = Turn(self._draft_id, self._drafts + 1, 0)  # a journal of its own
        push = Push(*named, False, record, {}, turn=turn)  # noqa: FBT003  a NamedTuple
        return self._remote.errand(push)

    def write(
        self, kind: ChangeKind, fields: Fields | None = None, *, looks: bool = True
    ) -> Steps[Told]:
        """Send a change, right after a read where the sender would read first.

        Args:
            kind: of the change.
            fields: that it sets.
            looks: whether to read first at all.

        Raises:
            JournalError: it cannot be made of what is known.
        """
        errand, found = self.errand(kind, fields), None
        if looks and errand.must_look and kind != "create":
            seen = yield from self.look()
            if seen.state != "done":
                return seen
            shown = seen.shown
            found = AsExpected(shown.id, shown.version, shown.fields or {})
        told = yield from self.ask(kind, errand.write(found), errand.names)
        if told.state != "done" or not isinstance(told.answer, Response):
            return told
        meaning = self.dialect.means(kind, self.ref.type, told.answer, errand.names)
        receipt = errand.receipt(told.answer, is_said=isinstance(meaning, Done))
        return told._replace(receipt=receipt)

    def amend(self) -> None:
        """Be another draft from now on."""
        self._drafts += 1

    def look(self) -> Steps[Told]:
        """Read the record, after a look-up by our key where its id is not known."""
        errand, found_id = self.errand("delete"), None
        if errand.is_found_by_key:
            told, hits = yield from self.listed()
            if hits is None:
                return told
            if not hits.ours:
                return told._replace(state="absent", others=hits.others)
            found_id = hits.ours[0].id
        told = yield from self.ask("read", errand.read(found_id))
        if told.state != "done" or not isinstance(told.answer, Response):
            return told
        shown = self.dialect.shown("read", self.ref.type, told.answer)
        if shown is None:
            says = "no record, or no fields, where answer.record and answer.fields say"
            return told._replace(state="unclear", says=says)
        if not errand.is_it(shown, found_id):
            says = f"another record, by answer.key or answer.id, or none of its fields: {shown}"
            return told._replace(state="unclear", says=says, shown=shown)
        return told._replace(shown=shown._replace(id=errand.remote_id or shown.id or found_id))

    def listed(self) -> Steps[tuple[Told, Hits | None]]:
        """Look the record up by our key; return the answer, and what it lists, if it is a list."""
        errand = self.errand("delete")
        told = yield from self.ask("find", errand.find())
        if told.state != "done" or not isinstance(told.answer, Response):
            return told, None
        hits = errand.hits(told.answer)
        if hits is None:
            says = "the look-up shows no list of records"
            return told._replace(state="unclear", says=says), None
        return told, hits

    def ask(self, verb: Verb, request: Request, names: list[str] | None = None) -> Steps[Told]:
        """Send a request, and say what its answer means."""
        answer = yield from authorised(_sent(request), self._credentials)
        match self.dialect.means(verb, self.ref.type, answer, names or ()):
            case Success() | Done():
                return Told("done", "", request, answer)
            case Doubt(_, Refused(classification="gone") as refusal):
                return Told("absent", _words(refusal), request, answer)
            case Doubt(_, refusal) | (Refused() as refusal):
                is_who = isinstance(answer, Response) and answer.status == _FORBIDDEN
                state: State = "unauthorized" if is_who and verb == "read" else "refused"
                return Told(state, _words(refusal), request, answer)
            case Unauthorized(problem):
                return Told("unauthorized", problem, request, answer)
            case unsettled:
                return Told("unclear", unsettled.problem, request, answer)


def _sent(request: Request) -> Generator[Request, Answer, Answer]:
    return (yield request)


def _words(refusal: Refused) -> str:
    said = "; ".join(message.text for message in refusal.messages)
    return said or f"the remote answered {refusal.status}"


def reached(probe: Probe) -> Steps[bool]:
    """Ask for a record that nobody has; return whether there is somebody to ask for more."""
    told = yield from probe.look()
    if isinstance(told.answer, NoAnswer):
        yield told.finding("reachable", "does not", told.says, "url")
        return False
    yield told.finding("reachable", "works", f"it answered {told.answer.status}")
    if told.state == "unauthorized":
        yield told.finding("authenticated", "does not", told.says, "auth")
        return False
    if probe.profile.auth == Auth():
        yield Finding("authenticated", "not told", "the profile has no credentials", "auth")
    else:
        yield told.finding("authenticated", "works", "the credentials are not refused")
    yield from absence(probe, told, "absent record")
    return True


def absence(probe: Probe, told: Told, capability: str) -> Steps[bool]:
    """Say whether it is told that there is no record; return whether it is."""
    is_find = probe.profile.find is not None and probe.errand("delete").is_found_by_key
    where = "find" if is_find else "read"
    find = probe.profile.find
    if told.others and find is not None and not find.lists_all:
        says = "the look-up by our key lists other records: its filter is ignored"
        yield told.finding(capability, "does not", says, "find.path")
        return False
    if told.state == "absent":
        status = told.answer.status if isinstance(told.answer, Response) else 0
        wrong = " (so it would with a wrong path, too)" if status == 404 else ""  # noqa: PLR2004
        yield told.finding(capability, "works", f"it says that there is none{wrong}")
        return True
    if twin_of(probe, told) is not None:
        says = "there is a second record under our key: a create that arrived twice made two"
        yield told.finding(capability, "does not", says, "create.is_repeatable")
        return False
    if told.state == "done":
        says = 'it shows a record that is not there: say by a meaning = "absent" how to tell'
    else:
        says = f"it does not say that there is none: {told.says}{_how(told)}"
    yield told.finding(capability, "does not", says, "meaning" if where == "read" else where)
    return False


def _how(told: Told) -> str:
    """Return how to say that an answer means that there is none, where it seems to."""
    is_success = isinstance(told.answer, Response) and told.answer.status < 300  # noqa: PLR2004
    return '; if this answer means it, say so by a meaning = "absent"' if is_success else ""


def twin_of(probe: Probe, told: Told) -> str | None:
    """Return the id of another record under our key, where a read shows one."""
    shown = told.shown
    is_other = told.state == "unclear" and shown.key == probe.ref.id
    return shown.id if is_other and shown.id != probe.known.remote_id else None


def attempt(steps: Steps[_Result], capability: str, otherwise: _Result) -> Steps[_Result]:
    """Take steps; what cannot be made of the profile and the answers is a finding."""
    try:
        return (yield from steps)
    except JournalError as error:
        hint = f"; {error.hint}" if error.hint else ""
        key = error.key if isinstance(error, ProfileError) else "key.pattern"
        yield Finding(capability, "does not", f"{error.problem}{hint}", key)
        return otherwise
