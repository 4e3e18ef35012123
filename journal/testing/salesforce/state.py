"""All that an org is: its rows, its rules, who is logged in, and what it has answered."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from journal.testing.salesforce.cursors import Cursors
from journal.testing.salesforce.database import Database, Row
from journal.testing.salesforce.idempotency import Keys
from journal.testing.salesforce.ids import minted_id
from journal.testing.salesforce.rules import Rules
from journal.testing.salesforce.tokens import ConnectedApp, Tokens
from journal.testing.salesforce.writing import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from journal.testing.salesforce.caller import Caller
    from journal.testing.salesforce.schema import Schema
    from journal.testing.salesforce.settings import Settings

__all__ = ["ADMIN", "State"]

ADMIN: Final = "admin@stand-in.example"
_DAY: Final = timedelta(days=1)


class State:
    """What the parts of an org share.

    Args:
        schema: its objects.
        settings: how it is set.
        clock: tells the time.
        apps: who may log in.
    """

    def __init__(
        self,
        schema: Schema,
        settings: Settings,
        clock: Callable[[], datetime],
        apps: Iterable[ConnectedApp],
    ) -> None:
        self.schema, self.settings, self._clock = schema, settings, clock
        self.org_id = minted_id("00D", 1)
        self.described_at = self.now()
        self.rules = Rules()
        self.database = Database(schema)
        self.writer = Writer(
            self.database, self.rules, self.now, lambda: settings.takes_audit_fields
        )
        self.cursors, self.keys = Cursors(), Keys()
        self.users: dict[str, str] = {}
        self.apps = {app.client_id: app for app in apps}
        self.tokens = Tokens(self.org_id, settings, self.now)
        self._calls: deque[tuple[datetime, int]] = deque()
        self._called = 0
        for username in (ADMIN, *(app.username for app in self.apps.values())):
            self.add_user(username)

    def now(self) -> datetime:
        """Return the time, in whole seconds: an org keeps no parts of them."""
        return self._clock().astimezone(UTC).replace(microsecond=0)

    def add_user(self, username: str) -> str:
        """Make a user, or find the one of that name, and return the id."""
        if username not in self.users:
            sobject = self.schema.object("User")
            user_id, now = self.database.new_id(sobject), self.now()
            by = {"CreatedById": user_id, "LastModifiedById": user_id, "IsActive": True}
            at = {"CreatedDate": now, "LastModifiedDate": now, "SystemModstamp": now}
            named = {"Username": username, "Name": username.partition("@")[0], "Email": username}
            values = dict.fromkeys(field.name for field in sobject.all_fields)
            known = {"Id": user_id, "IsDeleted": False, **by, **at, **named}
            self.database.put(Row(sobject, user_id, {**values, **known}))
            self.users[username] = user_id
        return self.users[username]

    def is_visible(self, row: Row, caller: Caller) -> bool:
        """Say whether a user may know that there is such a row."""
        if caller.is_admin:
            return True
        if row.id in self.rules.hidden or (row.sobject.name, "read") in self.rules.denied:
            return False
        return row.sobject.name not in self.rules.private or row.values["OwnerId"] == caller.user_id

    def count_calls(self, number: int = 1) -> None:
        """Note that the org was called."""
        self._calls.append((self._clock(), number))
        self._called += number

    def calls_of_a_day(self) -> int:
        """Return how often the org was called in the last 24 hours."""
        while self._calls and self._calls[0][0] <= self._clock() - _DAY:
            self._called -= self._calls.popleft()[1]
        return self._called
