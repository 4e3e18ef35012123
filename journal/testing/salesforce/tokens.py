"""Who may log in, and who is: apps, sessions, refresh tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal.testing.salesforce.settings import Settings

__all__ = ["ConnectedApp", "Session", "Tokens"]


@dataclass(frozen=True, slots=True)
class ConnectedApp:
    """What may log in, and as whom.

    Args:
        client_id: what it calls itself.
        client_secret: what it proves it with.
        username: the user that it runs as with client credentials.
        public_key: a PEM with the key or the certificate that its assertions are checked with;
            without one it may send none.
    """

    client_id: str = "stand-in-client"
    client_secret: str = field(default="stand-in-secret", repr=False)
    username: str = "integration@stand-in.example"
    public_key: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is logged in."""

    user_id: str
    client_id: str
    until: datetime


class Tokens:
    """Sessions by access token, and refresh tokens that still work.

    Args:
        org_id: of the org that they are for.
        settings: how long a session lasts, and whether refresh tokens rotate.
        now: tells the time.
    """

    def __init__(self, org_id: str, settings: Settings, now: Callable[[], datetime]) -> None:
        self._org_id, self._settings, self._now = org_id, settings, now
        self._sessions: dict[str, Session] = {}
        self._refreshing: dict[str, tuple[str, str]] = {}
        self._replaced: dict[str, str] = {}
        self._made = 0

    def issue(self, user_id: str, client_id: str) -> str:
        """Return an access token of a new session."""
        token = f"{self._org_id[:15]}!{self._unique('AQ')}"
        life = timedelta(seconds=self._settings.session_s)
        self._sessions[token] = Session(user_id, client_id, self._now() + life)
        return token

    def session(self, token: str) -> Session | None:
        """Return the session of an access token, or None where there is none any more."""
        found = self._sessions.get(token)
        return None if found is None or self._now() >= found.until else found

    def end(self, token: str) -> None:
        """End a session, or take back a refresh token."""
        self._sessions.pop(token, None)
        self._refreshing.pop(token, None)

    def end_all(self) -> None:
        """End every session; refresh tokens go on."""
        self._sessions.clear()

    def issue_refresh_token(self, username: str, client_id: str) -> str:
        """Return a new refresh token."""
        token = self._unique("5Aep")
        self._refreshing[token] = (username, client_id)
        return token

    def refreshed(self, token: str, client_id: str) -> tuple[str, str | None] | None:
        """Return the user of a refresh token and the next token, or None where it is dead.

        There is a next one only where the org rotates them: then this one has worked.
        """
        username, owner = self._refreshing.get(token, ("", ""))
        if not username or owner != client_id:
            return None
        if not self._settings.rotates_refresh_tokens:
            return username, None
        del self._refreshing[token]
        self._replaced[token] = self.issue_refresh_token(username, client_id)
        return username, self._replaced[token]

    def reused(self, token: str, client_id: str) -> str | None:
        """Revoke what has replaced a refresh token that is used again; return whose it was.

        It may have been stolen, so none of its successors works any more.
        """
        while token in self._replaced:
            token = self._replaced[token]
        username, owner = self._refreshing.get(token, ("", ""))
        if not username or owner != client_id:
            return None
        del self._refreshing[token]
        return username

    def end_of(self, user_id: str, client_id: str) -> None:
        """End every session that a user has by an app."""
        theirs = (user_id, client_id)
        kept = {t: s for t, s in self._sessions.items() if (s.user_id, s.client_id) != theirs}
        self._sessions = kept

    def _unique(self, prefix: str) -> str:
        self._made += 1
        return f"{prefix}{self._made:06d}StandIn{self._made * 7919 % 99991:05d}"
