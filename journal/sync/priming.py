"""A prime: a pull of what a query lists, once, so that it can be read and edited offline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journal.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from journal.outcomes import Outcome
    from journal.record import Record
    from journal.remotes.questions import Priming
    from journal.remotes.remote import Answer, Page, Request
    from journal.values import Fields, Ref

ACTOR = "prime"
"""Who observes, in the envelope of what a prime appends."""


class Primed:
    """What a query lists, as if a remote had listed it as its changes.

    Its bookmark is kept for the query: a prime that was cut off goes on where it was, and one
    that has ended begins anew, which changes nothing where nothing has changed.
    """

    def __init__(self, remote: Priming, query: str) -> None:
        """List what that query lists.

        Raises:
            QueryError: it is no query, or not one for whole records.
        """
        self.record_types = (remote.queried(query),)
        self._remote = remote
        self._query = query

    @property
    def url(self) -> str:
        """Under what the bookmark is kept."""
        return f"{self._remote.url} {self._query}"

    def headers(self) -> Mapping[str, str]:
        """Return the headers of every request."""
        return self._remote.headers()

    def changes(
        self, _record_type: str, _since: str | None, page: str | None
    ) -> Generator[Request, Answer, Page | Outcome]:
        """Ask for a page of what the query lists."""
        return self._remote.selected(self._query, page)

    def recognised(self, fields: Fields, record: Record, targets: Mapping[Ref, Record]) -> Fields:
        """Return the fields of a sighting as we would have written them."""
        return self._remote.recognised(fields, record, targets)


def primed(remote: Any, query: str) -> Primed:  # noqa: ANN401  a remote of the host's, whatever it is
    """Return what a query to a remote lists.

    Raises:
        QueryError: it is no query, or not one for whole records.
        RemoteError: the remote cannot be queried.
    """
    if any(not hasattr(remote, name) for name in ("queried", "selected", "recognised")):
        raise RemoteError(
            f"{remote!r} cannot be queried", hint="pull it: draft-journal pull --remote PROFILE"
        )
    return Primed(remote, query)
