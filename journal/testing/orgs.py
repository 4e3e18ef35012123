"""The stand-in for a Salesforce org as a test has it at hand: served when it is first asked for."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from journal.remotes import Salesforce
from journal.sync import Subscriber
from journal.sync.backoff import Backoff
from journal.testing.salesforce import EXTERNAL_ID, Org

if TYPE_CHECKING:
    from journal import Journal

__all__ = ["OrgAtHand"]

_SOON: Final = Backoff(first_s=0.001, most_s=0.002, least_s=0.0, throttled_s=0.001)


class OrgAtHand(Org):
    """A stand-in org, and what sends to it in a test."""

    def __init__(self, **given: Any) -> None:  # noqa: ANN401  the arguments of Org
        """Begin with no records; the arguments are those of `Org`."""
        super().__init__(**given)
        self._stack = ExitStack()
        self._url = ""

    @property
    def url(self) -> str:
        """Where it is served."""
        if not self._url:
            self._url = self._stack.enter_context(self.serve())
        return self._url

    def remote(self, **settings: Any) -> Salesforce:  # noqa: ANN401  any setting
        """Return it as a remote, with a key on every object; settings are laid over the usual."""
        app = self.apps[0]
        oauth = {"client_id": app.client_id, "client_secret": "{env:SECRET}"}
        usual = {"url": self.url, "key": EXTERNAL_ID, "auth": {"oauth": oauth}}
        return Salesforce.of({**usual, **settings}, environ={"SECRET": app.client_secret})

    def subscriber(
        self,
        journal: Journal,
        settings: dict[str, Any] | None = None,
        **given: Any,  # noqa: ANN401
    ) -> Subscriber:
        """Return a subscriber of that journal to this org, that hardly waits between attempts.

        Args:
            journal: whose drafts are sent.
            settings: of the org, to be laid over the usual ones.
            given: arguments of the subscriber.
        """
        return Subscriber(journal, self.remote(**(settings or {})), **{"backoff": _SOON, **given})

    def close(self) -> None:
        """Serve no more."""
        self._stack.close()
