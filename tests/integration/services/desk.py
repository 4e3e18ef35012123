"""A desk in front of a service: the same story for each, by its profile file only."""

from __future__ import annotations

import tomllib
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from journal import Journal
from journal.events import DraftAcknowledged, DraftHeld
from journal.remotes import HttpRemote, Profile
from journal.sync import Subscriber
from tests.pages import DOCS

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal import Ref
    from journal.events import Entry
    from journal.sync import Report

PROFILES: Final = DOCS / "how-to" / "profiles"


class Desk:
    """A journal whose drafts go to a service, and that service as everybody else sees it.

    Args:
        service: the service.
        profile: the name of the profile's file.
        record_type: our name of the record type.
        table: what the service calls the table, where it has several.
        url: where it is reached, if not at its own place.
    """

    def __init__(
        self,
        service: Any,  # noqa: ANN401  one of the services
        profile: str,
        record_type: str,
        table: str | None = None,
        url: str | None = None,
    ) -> None:
        content = tomllib.loads((PROFILES / profile).read_text(encoding="utf-8"))
        self.service = service
        self._content = service.amended(content) if hasattr(service, "amended") else content
        self.reach_by(url or service.url)
        self.journal = Journal(actor="ann", origin="van-7")
        self.type = record_type
        self.key = str(uuid4())
        more = {} if table is None else {"table": table}
        self.foreign_create: Callable[..., None] = partial(service.create, **more)
        self.foreign_edit: Callable[..., None] = partial(service.edit, **more)
        self.foreign_delete: Callable[..., None] = partial(service.delete, **more)
        self.remote_fields: Callable[[str], dict[str, Any] | None] = partial(service.fields, **more)

    def reach_by(self, url: str) -> None:
        """Reach the service by that address from now on."""
        self.profile = Profile.of({**self._content, "url": url})
        self.remote = HttpRemote(self.profile, environ=self.service.environ)

    @property
    def record(self) -> dict[str, Any] | None:
        """What the service has under our key."""
        return self.remote_fields(self.key)

    @property
    def history(self) -> list[str]:
        """What was done to the record, by the service's own word."""
        history: list[str] = self.service.history(self.key)
        return history

    def create(self, fields: dict[str, Any]) -> Ref:
        """Create the record here."""
        return self.journal.create(self.type, fields, id=self.key)

    def push(self, **settings: Any) -> Report:  # noqa: ANN401  any setting
        """Send what is pending."""
        with Subscriber(self.journal, self.remote, **settings) as subscriber:
            return subscriber.drain(timeout_s=60)

    @property
    def last(self) -> DraftAcknowledged | DraftHeld:
        """What became of the draft that was settled last."""
        settled = [event for event in map(_event, self.journal.log.read()) if event is not None]
        return settled[-1]

    def close(self) -> None:
        """Close the journal."""
        self.journal.close()


def _event(entry: Entry) -> DraftAcknowledged | DraftHeld | None:
    event = entry.event
    return event if isinstance(event, (DraftAcknowledged, DraftHeld)) else None
