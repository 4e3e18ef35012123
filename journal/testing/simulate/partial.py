"""A remote whose lists show some of the fields of a record, and say nothing of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.remotes.generic import HttpRemote
from journal.remotes.remote import Page

if TYPE_CHECKING:
    from collections.abc import Generator

    from journal.outcomes import Outcome
    from journal.remotes.remote import Answer, Request


class PartialRemote(HttpRemote):
    """The generic remote, to a service that is listed by a query."""

    def changes(
        self, record_type: str, since: str | None, page: str | None
    ) -> Generator[Request, Answer, Page | Outcome]:
        """Ask for a page of changes: yield requests, receive their answers, return the page."""
        found = yield from super().changes(record_type, since, page)
        if not isinstance(found, Page):
            return found
        shown = (each._replace(is_partial=each.fields is not None) for each in found.sightings)
        return found._replace(sightings=tuple(shown))
