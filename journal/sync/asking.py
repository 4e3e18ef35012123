"""What becomes of a question that a remote did not answer as it should; it does no waiting.

A question only reads, so it may be asked again.
"""

from __future__ import annotations

from logging import getLogger
from typing import TYPE_CHECKING, Any, TypeVar, assert_never

from journal.errors import ProfileError, RemoteError
from journal.events import FieldMessage
from journal.outcomes import Acknowledged, NotSent, Refused, Unauthorized, Unknown, Wait
from journal.sync.backoff import Failures, kind_of
from journal.sync.effects import Pause

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from journal.journal import Journal
    from journal.outcomes import Outcome, Unsettled
    from journal.remotes.remote import Answer, Request
    from journal.sync.effects import Effect
    from journal.sync.floor import Floor
    from journal.sync.reports import PullStoppedBy
    from journal.sync.settings import Settings

_Answer = TypeVar("_Answer")
_log = getLogger("journal.sync")


class Asking:
    """Asks a remote, and waits between questions that failed in a row."""

    def __init__(
        self,
        journal: Journal,
        settings: Settings,
        say: Callable[[str, float], None],
        floor: Floor,
    ) -> None:
        """Begin without failures.

        Args:
            journal: whose clock and randomness are used.
            settings: how long to wait, and how often to try.
            say: told what was in the way, and how long is waited, before every wait.
            floor: before which nothing is asked (S8).
        """
        self.problem = ""
        """What was last in the way."""
        self._journal = journal
        self._settings = settings
        self._say = say
        self._failures = Failures()
        self._floor = floor

    def succeed(self) -> None:
        """Count failures anew."""
        self._failures = Failures()

    def waited(self) -> Generator[Effect, Any, bool]:
        """Leave the remote alone as long as it has asked for that (S8); say whether to stop."""
        left_s = self._floor.left_s
        if left_s <= 0:
            return False
        self.problem = self._floor.problem
        self._say(self.problem, left_s)
        woken = yield Pause(left_s)
        return bool(woken == "stop")

    def asked(
        self, question: Callable[[], Generator[Request, Answer, _Answer | Outcome]], about: str
    ) -> Generator[Effect, Any, _Answer | Outcome]:
        """Ask; a remote that breaks, a host's own among them, answers nothing.

        Args:
            question: yields requests, and returns what the answers say.
            about: what it is about, for the log.

        Raises:
            ProfileError: the profile does not say how to ask.
        """
        try:
            return (yield from question())
        except RemoteError as error:
            return Refused("rejected", (FieldMessage(message=str(error)),))
        except ProfileError:
            raise
        except Exception as error:  # noqa: BLE001  it is logged, and tried again
            _log.exception("the remote failed at %s", about)
            return Unknown(f"the remote failed: {type(error).__name__}")

    def after(
        self, outcome: Outcome | None, silent: str
    ) -> Generator[Effect, Any, PullStoppedBy | None]:
        """Wait where waiting is due; return why there is no use in asking again, if there is none.

        Args:
            outcome: of the question.
            silent: what is said of a refusal that says nothing.
        """
        match outcome:
            case None | Acknowledged():
                return None
            case Refused():
                said = (m.message for m in outcome.messages)
                status = "" if outcome.status is None else f" ({outcome.status})"
                self.problem = next(said, silent) + status
                return "refused"
            case Unauthorized() | NotSent(is_misconfigured=True):
                self.problem = outcome.problem
                return "unauthorized" if isinstance(outcome, Unauthorized) else "unreachable"
            case Wait() | Unknown() | NotSent():
                return (yield from self._waited(outcome))
            case _:
                assert_never(outcome)

    def _waited(self, outcome: Unsettled) -> Generator[Effect, Any, PullStoppedBy | None]:
        kind = kind_of(outcome)
        self.problem = outcome.problem
        self._failures = self._failures.and_another(kind)
        asked_s = outcome.retry_after_s if isinstance(outcome, Wait) else None
        randomness = self._journal.sources.randomness
        backoff = self._settings.backoff
        delay_s = backoff.delay_s(self._failures.of(kind), randomness, asked_s, kind)
        self._floor.heed(outcome, delay_s)
        if self._failures.all >= self._settings.attempts:
            return "unreachable"
        self._say(self.problem, delay_s)
        return "stop" if (yield Pause(delay_s)) == "stop" else None
