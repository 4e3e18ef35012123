"""What else a remote may be asked: protocols beside `Remote`, none of which it has to follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from journal.remotes.remote import Feeding, Sighted

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from journal.descriptions import TypeDescription
    from journal.outcomes import Outcome
    from journal.remotes.remote import Answer, Page, Request

CHECKED_AT_ONCE: Final = 200
"""How many records a remote is asked for at once, whether they are still there."""


class Checking(Feeding, Protocol):
    """A remote whose lists may lack records that are gone, and that can be asked for them."""

    def surviving(
        self, record_type: str, remote_ids: Sequence[str]
    ) -> Generator[Request, Answer, frozenset[str] | Outcome]:
        """Ask which of these records are still there: yield requests, receive their answers.

        Args:
            record_type: of the records.
            remote_ids: what the remote calls them, at most `CHECKED_AT_ONCE`.

        Raises:
            RemoteError: it cannot be asked for.
        """
        ...


class Priming(Sighted, Protocol):
    """A remote that can be asked for the records that somebody wants to have here."""

    def queried(self, query: str) -> str:
        """Return the type of the records that a query lists.

        Args:
            query: in the language of the remote.

        Raises:
            QueryError: it is no query, or not one for whole records.
        """
        ...

    def selected(self, query: str, page: str | None) -> Generator[Request, Answer, Page | Outcome]:
        """Ask for a page of what a query lists: yield requests, receive answers, return the page.

        Args:
            query: in the language of the remote.
            page: what the page before has said of it; None for the first.

        Raises:
            QueryError: it is no query.
            RemoteError: the page cannot be asked for.
        """
        ...


class Describing(Protocol):
    """A remote that can say what its record types are."""

    @property
    def url(self) -> str:
        """Where the remote is."""
        ...

    @property
    def record_types(self) -> Sequence[str]:
        """The types of records that are described where none are named."""
        ...

    def headers(self) -> Mapping[str, str]:
        """Return the headers of every request, as those of `Remote`."""
        ...

    def describe(self, record_type: str) -> Generator[Request, Answer, TypeDescription | Outcome]:
        """Ask what a record type is: yield requests, receive their answers, return it.

        Args:
            record_type: under our name.

        Raises:
            RemoteError: it cannot be asked for.
        """
        ...
