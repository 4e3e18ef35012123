"""A desk in front of a subject: one record, changed in a journal, and pushed by a subscriber."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from journal.errors import JournalError
from journal.journal import Journal
from journal.remotes.remote import Push, Turn
from journal.remotes.story import another
from journal.sync import Subscriber
from journal.sync.backoff import Backoff
from journal.testing.conformance.subject import NonconformingError, NotToldError
from journal.testing.conformance.trouble import Troubled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.events import ChangeKind
    from journal.remotes.remote import Request
    from journal.testing.conformance.subject import Subject
    from journal.testing.conformance.trouble import Trouble

_HASTE: Final = Backoff(first_s=0.02, most_s=0.5, least_s=0.005)
_ATTEMPTS: Final = 8
"""How often in a row a draft is tried, each time with nothing in the way."""


class Desk:
    """One record of the subject, which nobody else has."""

    def __init__(self, subject: Subject, journal: Journal) -> None:
        """Keep it in that journal."""
        self.subject = subject
        self.journal = journal
        self.ref = subject.new_ref()

    def change(self, kind: ChangeKind) -> None:
        """Make a change of that kind."""
        match kind:
            case "create":
                self.journal.create(self.ref.type, self.subject.fields, id=self.ref.id)
            case "update":
                self.journal.update(self.ref, self._changed())
            case "delete":
                self.journal.delete(self.ref)

    def _changed(self) -> dict[str, object]:
        """Return another value for the first field that can have one.

        Raises:
            NotToldError: none can.
        """
        fields = self.journal.load(self.ref).fields or {}
        for name in self.subject.fields:
            if (new := another(fields[name])) is not None:
                return {name: new}
        raise NotToldError("none of the fields is a text or a number")

    def push(self, *troubles: Trouble, late: list[Request] | None = None) -> list[Request]:
        """Push what is pending, and see that it arrives; return what the remote asked for.

        Args:
            troubles: what the next exchanges meet with.
            late: requests that arrive before the first one.

        Raises:
            NonconformingError: it does not arrive, or is held.
            NotToldError: it is left to a person, as the profile says.
        """
        remote = Troubled(self.subject.remote, list(troubles))
        remote.late = list(late or ())
        settings = {"backoff": _HASTE, "attempts": _ATTEMPTS}
        with Subscriber(self.journal, remote, **settings) as subscriber:  # type: ignore[arg-type]
            report = subscriber.drain(timeout_s=self.subject.timeout_s)
        if report.pending:
            holds = [c.held_as for c in self.journal.load(self.ref).changes if c.held_as]
            said = f"a draft is held as {holds[0]}" if holds else "a draft does not arrive"
            service = self.subject.service
            if holds == ["unknown"] and service and service.profile.create.on_doubt == "hold":
                raise NotToldError("the profile leaves a create in doubt to a person")
            raise NonconformingError(f"{said}: {report.problem or self._why()}")
        return remote.requests

    def _why(self) -> str:
        said = [e.event for e in self.journal.log.read() if e.stream == self.ref]
        messages = getattr(said[-1], "messages", ()) if said else ()
        return "; ".join(message.text for message in messages)

    def compare(self) -> None:
        """See that the service has the record as it is here.

        Raises:
            NonconformingError: it has not.
        """
        found = self.subject.differences(self.journal.load(self.ref))
        if found:
            raise NonconformingError(f"{self.ref}: {'; '.join(found)}")

    def pushes(self) -> Push:
        """Return the change that is pending as a remote is handed it, for the first time."""
        record = self.journal.load(self.ref)
        change = record.changes[0]
        turn = Turn(self.journal.log.journal_id, 1, 0)
        version = change.base_version
        return Push(
            *(change.draft_id, self.ref, change.kind, change.fields, change.base, version),
            *(change.revision, False, record, {}),
            made=change.made,
            turn=turn,
        )


@contextmanager
def desk(subject: Subject, kind: ChangeKind = "create") -> Iterator[Desk]:
    """Yield a desk at which a change of that kind may be made next; clean up after it.

    Raises:
        NotToldError: there is nobody to ask.
    """
    subject.see_reachable()
    with Journal(actor="conformance", origin="conformance") as journal:
        made = Desk(subject, journal)
        with cleaned(made):
            if kind != "create":
                made.change("create")
                made.push()
            yield made


@contextmanager
def cleaned(made: Desk) -> Iterator[None]:
    """Take the record away at the end, as far as that can be done."""
    try:
        yield
    finally:
        with suppress(JournalError):
            _clean(made)


def _clean(made: Desk) -> None:
    record = made.journal.load(made.ref)
    for change in reversed(record.changes):
        made.journal.discard(change.draft_id, force=True)
    if made.journal.load(made.ref).fields is not None:
        made.change("delete")
        made.push()
