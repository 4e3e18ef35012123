"""What a remote is: requests out, answers in, an outcome at the end; it does no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from journal.events import ChangeKind
    from journal.outcomes import Outcome
    from journal.record import Made, Record
    from journal.values import Fields, Ref


Place: TypeAlias = Literal["remote", "token"]
Cause: TypeAlias = Literal["link", "configuration", "credentials", "turn"]


class Request(NamedTuple):
    """A request to the remote, relative to where the remote is; it holds no secret."""

    method: str
    path: str
    """Below the remote's URL, each segment quoted; it begins with a slash."""
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    to: Place = "remote"
    """``token`` is where access tokens come from; the credentials then know the whole request."""


class Response(NamedTuple):
    """An answer of the remote, whole."""

    status: int
    headers: Mapping[str, str] = {}
    """The names are in lower case."""
    body: bytes = b""


class NoAnswer(NamedTuple):
    """There was no answer, or none that could be received whole."""

    was_sent: bool
    """Whether the request may have reached the remote, and been carried out."""
    problem: str
    cause: Cause = "link"
    """What has to change: the ``link``, the ``configuration`` (a certificate, an address), the
    ``credentials``, or nothing: somebody else has the ``turn``, and will soon be done."""


Answer: TypeAlias = Response | NoAnswer


class Turn(NamedTuple):
    """Where a draft stands among those that its journal has sent."""

    journal: str
    """The id of the journal."""
    number: int
    """The same however often it is sent again, and greater than that of any begun before."""
    previous: int
    """The number of the last draft that an answer has acknowledged; 0 where none is known."""


class Push(NamedTuple):
    """A draft on its way, with all that a remote needs to know."""

    draft_id: str
    ref: Ref
    kind: ChangeKind
    fields: Fields
    """The fields that it sets, with the records that they refer to."""
    base: Fields
    base_version: str | None
    """The remote's version that it is to be conditional on, where one is known."""
    revision: int
    is_maybe_applied: bool
    """Whether an earlier request for it left without its outcome having become known."""
    record: Record
    targets: Mapping[Ref, Record]
    """The records that it, its base and its record refer to."""
    is_doubted: bool = False
    """Whether it was held as unknown, and somebody lets it be sent again: it may be applied."""
    age_s: float = 0.0
    """How long ago its first request left, in seconds; 0 where none has."""
    made: Made | None = None
    """When, by whom, where and why it was made."""
    turn: Turn | None = None
    """Where it stands among those that are sent; None where it was not begun yet."""
    batch: int = 0
    """What it shares with the drafts that were made in the same batch."""
    batch_size: int = 1
    """How many of these are pending, itself included; 1 where the remote does not bind them."""

    @property
    def remote_id(self) -> str | None:
        """What the remote calls the record, where it is known."""
        return self.record.remote.remote_id

    @property
    def is_after_receipt(self) -> bool:
        """Whether the remote acknowledged an earlier draft of the record since this one was made.

        Then `base_version`, and what the remote is known to have, are from that receipt.
        """
        change = self.record.change(self.draft_id)
        return change is not None and self.record.remote.receipt > change.based_at


class Remote(Protocol):
    """A record service that drafts can be sent to.

    Where it has an attribute `credentials`, a `journal.remotes.credentials.Credentials`, their
    query parameters are added to every request, and it may ask for tokens.
    """

    @property
    def url(self) -> str:
        """Where the remote is: credentials are sent to this origin only."""
        ...

    def headers(self) -> Mapping[str, str]:
        """Return the headers of every request, credentials among them, as they are now."""
        ...

    def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
        """Send a draft: yield requests, receive their answers, return the outcome.

        `NotSent` is returned only where no request of this push has left that could write.

        Raises:
            RemoteError: the draft cannot be sent as it is; it will be held.
        """
        ...


class Batching(Remote, Protocol):
    """A remote that can send several drafts in one request, which keeps their order.

    Where it has an attribute `binds_batches` that is true, the pending drafts of one batch are
    one unit: `together` and `push_together` are then given all of them, and nothing else with
    them, as long as they are no more than `most_together`. None of them is sent while one is
    held, or held back; and some, or all, may be maybe applied.
    """

    @property
    def most_together(self) -> int:
        """How many drafts a request can hold; 1 where they are to be sent one by one."""
        ...

    def together(self, pushes: Sequence[Push]) -> int:
        """Return how many of these drafts, from the first one on, can go in one request.

        Args:
            pushes: drafts that are next to send, in order; none of them is maybe applied, but
                in a batch that is bound. What they say of their records does not tell what those
                before them will do.
        """
        ...

    def push_together(
        self, pushes: Sequence[Push]
    ) -> Generator[Request, Answer, Sequence[Outcome | None]]:
        """Send drafts together: yield requests, receive their answers, return the outcomes.

        Returns:
            The outcomes of the first of them, at least of one. Of those without one it is
            certain that no request of this call has carried them out; they are sent again at
            once. None says that of one of a batch that is bound, and that no request before has
            done so: it is as if it was never sent, and waits for what holds its batch.

        Raises:
            RemoteError: the first of them cannot be sent as it is; no request has left.
        """
        ...


def batching(remote: Remote) -> Batching | None:
    """Return a remote that can send several drafts in one request; None where it cannot."""
    names = ("most_together", "together", "push_together")
    can = all(hasattr(remote, name) for name in names)
    return cast("Batching", remote) if can else None


def is_binding(remote: Remote) -> bool:
    """Say whether a remote takes the drafts of one batch together or not at all."""
    return batching(remote) is not None and bool(getattr(remote, "binds_batches", False))


class Sighting(NamedTuple):
    """A record as a list of changes shows it."""

    key: str | None
    """Our key, where the list shows it."""
    remote_id: str | None
    """What the service calls it; our key, where that is its id."""
    fields: Fields | None
    """Its fields, under our names; None where it is gone."""
    version: str | None
    is_partial: bool = False
    """Whether it has other fields, too, of which nothing is said."""


class Page(NamedTuple):
    """A page of changes."""

    sightings: tuple[Sighting, ...]
    since: str | None
    """The checkpoint after it; None where it shows none, for it has no changes."""
    next: str | None
    """What asks for the page after it; None where it is the last."""
    is_check_due: bool = False
    """Whether the lists may lack records that are gone: then it is asked which are still there."""


class Sighted(Protocol):
    """A remote that shows records."""

    @property
    def url(self) -> str:
        """Where the remote is; what is known of its records is kept under it."""
        ...

    def headers(self) -> Mapping[str, str]:
        """Return the headers of every request, as those of `Remote`."""
        ...

    def recognised(self, fields: Fields, record: Record, targets: Mapping[Ref, Record]) -> Fields:
        """Return the fields of a sighting as we would have written them.

        Args:
            fields: as the page shows them.
            record: what is known of the record here.
            targets: the records that it, and its pending changes, refer to.
        """
        ...


class Feeding(Sighted, Protocol):
    """A remote that lists what has changed there, so that it can be pulled."""

    @property
    def record_types(self) -> Sequence[str]:
        """The types of records that are pulled where none are named."""
        ...

    def changes(
        self, record_type: str, since: str | None, page: str | None
    ) -> Generator[Request, Answer, Page | Outcome]:
        """Ask for a page of changes: yield requests, receive their answers, return the page.

        Args:
            record_type: of which records.
            since: the checkpoint, as a page before has shown it; None for all there is.
            page: what the page before has said of it; None for the first of a list.

        Raises:
            ProfileError: the remote does not list changes.
            RemoteError: the page cannot be asked for.
        """
        ...
