"""The stand-in org: what a test holds in its hand."""

from __future__ import annotations

import copy
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from journal.sources import SystemClock
from journal.testing.salesforce.caller import Caller
from journal.testing.salesforce.defaults import default_schema
from journal.testing.salesforce.ids import normal_id
from journal.testing.salesforce.rules import Lock, Rules
from journal.testing.salesforce.service import ReceivedRequest, Service
from journal.testing.salesforce.settings import Settings
from journal.testing.salesforce.state import ADMIN, State
from journal.testing.salesforce.tokens import ConnectedApp
from journal.testing.salesforce.writing import shown_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.applications import Starlette

    from journal.testing.salesforce.assigning import Body
    from journal.testing.salesforce.database import RecordEffect, Row
    from journal.testing.salesforce.faults import Faults
    from journal.testing.salesforce.schema import Schema, SObject

__all__ = ["Org"]


def _system_time() -> datetime:
    return datetime.fromtimestamp(SystemClock().now_us() / 1_000_000, UTC)


class Org:
    """A Salesforce org that is none: in this process, in memory, for tests.

    Args:
        schema: its objects; those of `default_schema()` if None.
        apps: who may log in; one, of the default id and secret, if there is none.
        settings: how it is set.
        clock: tells the time, with its zone.
    """

    def __init__(
        self,
        schema: Schema | None = None,
        *,
        apps: tuple[ConnectedApp, ...] = (),
        settings: Settings | None = None,
        clock: Callable[[], datetime] = _system_time,
    ) -> None:
        self.settings = settings or Settings()
        self.apps = apps or (ConnectedApp(),)
        self._clock = clock
        self._lock = threading.RLock()
        self._state = State(schema or default_schema(), self.settings, clock, self.apps)
        self._service = Service(self._state, self._lock)

    # --- how it is reached ---------------------------------------------------------------

    @property
    def app(self) -> Starlette:
        """The org as an ASGI application, for a transport within the process.

        A connection that a fault drops is a `ConnectionResetError` there.
        """
        from journal.testing.salesforce.app import application  # noqa: PLC0415  an extra

        return application(self._service)

    @contextmanager
    def serve(self, port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
        """Serve on a socket of the loopback while the block lasts, and yield the URL.

        Served twice, it has two addresses.

        Args:
            port: the port; 0 takes a free one.
            host: a loopback address.

        Raises:
            OSError: the port is taken.
        """
        from journal.testing.salesforce.serving import listening, serving  # noqa: PLC0415

        bound = listening(host, port)
        url = f"http://{host}:{bound.getsockname()[1]}"
        with serving(self._service, bound):
            yield url

    def move(self, instance_url: str) -> None:
        """Move to another URL: tokens name it, and other hosts are those that the org has left."""
        with self._lock:
            self.settings.instance_url, self.settings.has_moved = instance_url, True

    # --- as it was -----------------------------------------------------------------------

    def save(self) -> Any:  # noqa: ANN401  to be handed to `restore`, and not looked into
        """Return what the org has, did and was told to do, for `restore`."""
        with self._lock:
            return copy.deepcopy(vars(self._service), self._lasting())

    def restore(self, saved: Any) -> None:  # noqa: ANN401
        """Be what it was when that was saved; settings and the clock stay as they are."""
        with self._lock:
            was = copy.deepcopy(saved, self._lasting())
            vars(self._service).update(was)
            self._state = was["_state"]

    def _lasting(self) -> dict[int, Any]:
        """Return what is no part of a state: it is not copied, but named (a memo of `deepcopy`)."""
        lasting = (self._service, self._lock, self.settings, self._clock)
        return {id(each): each for each in lasting}

    # --- what happened -------------------------------------------------------------------

    @property
    def faults(self) -> Faults:
        """What is to go wrong."""
        return self._service.faults

    @property
    def rules(self) -> Rules:
        """What an administrator has set up."""
        return self._state.rules

    @property
    def effects(self) -> list[RecordEffect]:
        """What was done to records, in order; what was rolled back is not there."""
        with self._lock:
            return copy.deepcopy(self._state.database.effects)

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The requests that came, in order."""
        with self._lock:
            return copy.deepcopy(self._service.requests)

    # --- what somebody else does there ---------------------------------------------------

    def records(self, sobject: str) -> list[dict[str, Any]]:
        """Return the records of an object that are not deleted, as rows show them."""
        with self._lock:
            rows = self._state.database.rows(self._state.schema.object(sobject))
            return [shown_fields(row) for row in rows if not row.is_deleted]

    def get(self, record_id: str) -> dict[str, Any] | None:
        """Return a record as rows show it, deleted or not, or None where there never was one."""
        with self._lock:
            row = self._state.database.row(normal_id(record_id) or "")
            return None if row is None else shown_fields(row)

    def create(self, sobject: str, fields: Body, *, by: str = ADMIN) -> str:
        """Make a record behind everybody's back, and return its id.

        Args:
            sobject: the object.
            fields: what is set.
            by: the name of the user.

        Raises:
            RefusedError: it may not be saved.
        """
        with self._lock, self._state.database.transaction():
            found = self._state.schema.object(sobject)
            return self._state.writer.create(found, fields, self._caller(by)).id

    def update(self, record_id: str, fields: Body, *, by: str = ADMIN) -> None:
        """Change a record behind everybody's back.

        Args:
            record_id: its id.
            fields: what is set.
            by: the name of the user.

        Raises:
            RefusedError: it may not be saved.
        """
        with self._lock, self._state.database.transaction():
            self._state.writer.update(self._row(record_id), fields, self._caller(by))

    def delete(self, record_id: str, *, by: str = ADMIN) -> None:
        """Put a record into the bin behind everybody's back.

        Args:
            record_id: its id.
            by: the name of the user.

        Raises:
            RefusedError: it may not be deleted.
        """
        with self._lock:
            self._state.writer.delete(self._row(record_id), self._caller(by))

    def undelete(self, record_id: str, *, by: str = ADMIN) -> None:
        """Take a record out of the bin, by the user of that name."""
        with self._lock:
            self._state.writer.undelete(self._row(record_id), self._caller(by))

    def alter(self, sobject: SObject) -> None:
        """Put an object in place of the one of its name, or add it: what is described changes."""
        with self._lock:
            self._state.database.alter(sobject)
            self._state.described_at = self._state.now()

    def purge(self, record_id: str) -> None:
        """Empty the bin of a record: nothing says any more that it was deleted.

        Raises:
            ValueError: it is not in the bin.
        """
        with self._lock:
            row = self._row(record_id)
            if not row.is_deleted:
                raise ValueError(f"{record_id} is not in the bin: delete it first")
            self._state.database.erase(row)

    def touch(self, record_id: str) -> None:
        """Move the SystemModstamp of a record and nothing else, as automation may."""
        with self._lock:
            self._state.writer.touch(self._row(record_id), self._caller(ADMIN))

    def lock(self, record_id: str, *, tries: int | None = None, wrapped: bool = False) -> None:
        """Lock a record: who writes it, or a record that newly names it, is refused.

        Args:
            record_id: its id.
            tries: how often; until it is unlocked if None.
            wrapped: whether a trigger meets the lock, and says so in its own words.
        """
        with self._lock:
            self.rules.locks[self._row(record_id).id] = Lock(tries, wrapped)

    def unlock(self, record_id: str) -> None:
        """Take the lock of a record away."""
        with self._lock:
            self.rules.locks.pop(self._row(record_id).id, None)

    def hide(self, record_id: str) -> None:
        """Let nobody but administrators see a record any more."""
        with self._lock:
            self.rules.hidden.add(self._row(record_id).id)

    def user_id(self, username: str) -> str:
        """Return the id of a user, who is made where there is none of that name."""
        with self._lock:
            return self._state.add_user(username)

    # --- who is logged in ----------------------------------------------------------------

    def access_token(self, username: str | None = None) -> str:
        """Return the access token of a new session of a user, or of the first app's."""
        with self._lock:
            app = self.apps[0]
            user_id = self._state.add_user(username or app.username)
            return self._state.tokens.issue(user_id, app.client_id)

    def refresh_token(self, username: str | None = None) -> str:
        """Return a new refresh token of a user, or of the first app's."""
        with self._lock:
            app = self.apps[0]
            name = username or app.username
            return self._state.tokens.issue_refresh_token(name, app.client_id)

    def expire_sessions(self) -> None:
        """End every session; refresh tokens go on."""
        with self._lock:
            self._state.tokens.end_all()

    def spend_calls(self, number: int) -> None:
        """Count calls that somebody else has made today."""
        with self._lock:
            self._state.count_calls(number)

    def _caller(self, username: str) -> Caller:
        user_id = self._state.add_user(username)
        return Caller(user_id, is_admin=True, allow_save=True)

    def _row(self, record_id: str) -> Row:
        row = self._state.database.row(normal_id(record_id) or "")
        if row is None:
            raise KeyError(record_id)
        return row
