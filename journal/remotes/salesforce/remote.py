"""An org as a remote: which way each draft goes, and when the org is to be spared; no I/O.

- O1. Nothing is sent while the org has to be spared: before that, the sender waits.
- O2. An org that has refused a key of a request once is never asked to heed one again.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from journal.events import FieldMessage
from journal.outcomes import Refused, Wait
from journal.remotes.credentials import authorised
from journal.remotes.dialect import Dialect
from journal.remotes.profiles import toml_of
from journal.remotes.remote import Response
from journal.remotes.salesforce import objects
from journal.remotes.salesforce.answers import is_key_refusal, is_no_session
from journal.remotes.salesforce.describing import described
from journal.remotes.salesforce.environment import content_of
from journal.remotes.salesforce.errands import OrgErrand, Way
from journal.remotes.salesforce.keeping import TokenFile
from journal.remotes.salesforce.limits import HEADER, pause_s, usage_of
from journal.remotes.salesforce.reading import OrgReader
from journal.remotes.salesforce.settings import Settings
from journal.remotes.salesforce.together import AHEAD
from journal.remotes.salesforce.whole import Whole
from journal.sources import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from typing import Self

    from journal.outcomes import Outcome
    from journal.remotes.errand import Errand
    from journal.remotes.remote import Answer, Push, Request
    from journal.remotes.salesforce.settings import How
    from journal.sources import Clock

_PRECONDITION: Final = 412
_UNSURE: Final = (
    "the org takes no Idempotency-Key, and an earlier request of this create may have been "
    "applied: look there, and then resolve the draft as applied, retry it, or discard it"
)


class Salesforce(OrgReader):
    """An org of Salesforce."""

    def __init__(
        self,
        settings: Settings,
        *,
        environ: Mapping[str, str] = os.environ,
        bearer: Callable[[], str] | None = None,
        save: Callable[[str], object] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Speak to the org as the settings say.

        Args:
            settings: of the org.
            environ: where the secrets that the settings name are looked up.
            bearer: gives a token, when there is none and when the org refuses the last one.
            save: keeps a refresh token that the org has put in the place of another; without
                it, the file that the settings name does.
            clock: says until when an assertion that asks for a token is valid.

        Raises:
            ProfileError: the settings are not safe, or a secret is not set in the environment.
        """
        settings.check()
        self.settings = settings
        path, variable = settings.refresh_token_file, settings.refresh_variable
        file, first = None, ""
        if path is not None and variable is not None and save is None:
            file, first = TokenFile(path, variable), environ.get(variable, "")
            environ, save = file.laid_over(environ), file.save
        profiles = {how: described(settings, how) for how in _WAYS}
        usual: How = "upsert" if settings.key or _has_keys(settings) else "ui"
        super().__init__(profiles[usual], environ=environ, bearer=bearer, save=save, clock=clock)
        if file is not None:
            self.credentials.share(file.turn())
            self.credentials.secrets.add([first])
        self._dialects = {how: Dialect(profile) for how, profile in profiles.items()}
        self._takes_keys = True
        self._owed_s = 0.0
        self._usage = ""
        self._objects = {}
        self._together = Whole(
            settings,
            self.errand,
            self._in_call,
            alone=self._pushed,
            note=self._note,
            clock=clock or SystemClock(),
            look=self._looked_up,
            settle=self._settled,
        )

    def __repr__(self) -> str:
        """Show where the org is, and no secret."""
        return f"Salesforce({self.settings.url!r})"

    @classmethod
    def load(cls, path: str | os.PathLike[str], **given: Any) -> Self:  # noqa: ANN401  of __init__
        """Speak to the org that a TOML file describes.

        Args:
            path: of the file; a file that it names is looked for beside it.
            given: the arguments of the class.

        Raises:
            ProfileError: the file cannot be read, or a key in it is wrong.
        """
        content = toml_of(path)
        kept = content.get("refresh_token_file")
        if isinstance(kept, str):
            content["refresh_token_file"] = str(Path(path).parent / kept)
        return cls(Settings.of(content), **given)

    @classmethod
    def of(cls, content: Mapping[str, object], **given: Any) -> Self:  # noqa: ANN401  of __init__
        """Speak to the org that an object describes.

        Args:
            content: what would stand in the file.
            given: the arguments of the class.

        Raises:
            ProfileError: keys in it are wrong; all of them are named.
        """
        return cls(Settings.of(content), **given)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ, **given: Any) -> Self:  # noqa: ANN401
        """Speak to the org that the environment describes, by variables like SALESFORCE_URL.

        Args:
            environ: with the variables.
            given: the arguments of the class.

        Raises:
            ProfileError: a variable is missing, or wrong.
        """
        return cls(Settings.of(content_of(environ)), environ=environ, **given)

    @property
    def record_types(self) -> tuple[str, ...]:
        """The types of records that the settings name."""
        return tuple(self.settings.types)

    # --- pushing -------------------------------------------------------------------------

    def errand(self, push: Push) -> OrgErrand:
        """Return what carries the draft.

        Raises:
            RemoteError: the draft cannot be sent as it is.
        """
        how = self.settings.how(push.ref.type)
        if how == "ui" and not self._takes_keys:
            how = "post"
        return OrgErrand(self._dialects[how], push, Way(self.settings, how))

    def is_refused(self, answer: Answer) -> bool:
        """Say whether an answer refuses the session, so that another one may help."""
        return is_no_session(answer)

    def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
        """Send a draft: yield requests, receive their answers, return the outcome (O1).

        Raises:
            RemoteError: the draft cannot be sent as it is, or is one of a batch that is bound.
        """
        if self.binds_batches and push.batch_size > 1:
            raise self._together.why_not_alone(push)
        if (owed := self._owed()) is not None:
            return owed
        self._together.forget()
        exchange = super().push(push)
        try:
            request = next(exchange)
            while True:
                answer = yield request
                self._note(answer)
                request = exchange.send(answer)
        except StopIteration as ended:
            outcome: Outcome = ended.value
            return outcome
        finally:
            exchange.close()

    def _in_call(self, push: Push) -> OrgErrand:
        """Return what carries the draft in a call with others.

        A copy of an insert that comes late is refused, and so is all behind it; one of an upsert
        would write over what was changed since.

        Raises:
            RemoteError: the draft cannot be sent as it is.
        """
        how = self.settings.how(push.ref.type)
        if how != "upsert":
            return self.errand(push)
        return OrgErrand(self._dialects["insert"], push, Way(self.settings, "insert"))

    # --- pushing together ----------------------------------------------------------------

    @property
    def most_together(self) -> int:
        """How many drafts are looked at for a call; 1 where they are to be sent one by one."""
        is_possible = self.settings.batches == "order" and self._together.is_possible
        return AHEAD if is_possible or self.binds_batches else 1

    @property
    def binds_batches(self) -> bool:
        """Whether the drafts of one batch are applied all together, or not at all."""
        return self.settings.batches == "whole"

    def together(self, pushes: Sequence[Push]) -> int:
        """Return how many of these drafts, from the first one on, can go in one call, at most.

        Args:
            pushes: drafts that are next to send, in order; those behind are read for the next.
        """
        # While a pause is due, no others are begun that would have to wait, too.
        is_apart = pushes[0].batch_size == 1
        return 1 if is_apart and self._owed_s > 0 else self._together.count(pushes)

    def push_together(
        self, pushes: Sequence[Push]
    ) -> Generator[Request, Answer, Sequence[Outcome | None]]:
        """Send drafts together: yield requests, receive their answers, return the outcomes (O1).

        Raises:
            RemoteError: the first of them cannot be sent as it is.
        """
        if (owed := self._owed()) is not None:
            return [owed]
        exchange = self._together.sent(pushes)
        outcomes = yield from authorised(exchange, self.credentials, self.is_refused)
        secrets = self.credentials.secrets
        return [
            outcome
            and secrets.cleared(outcome, [push.fields, push.base, push.record.remote.fields])
            for outcome, push in zip(outcomes, pushes, strict=False)
        ]

    # --- the limits ----------------------------------------------------------------------

    def _owed(self) -> Wait | None:
        """Return the pause that is due before the org is asked again, once (O1)."""
        if self._owed_s <= 0:
            return None
        owed_s, self._owed_s = self._owed_s, 0.0
        self._together.forget()
        said = f"the org has answered {self._usage} of the calls of a day"
        return Wait(f"{said}: it is asked again in {owed_s:.0f} s", owed_s)

    def _note(self, answer: Answer) -> None:
        """Take note of what an answer says of the allowance."""
        said = answer.headers.get(HEADER, "") if isinstance(answer, Response) else ""
        usage = usage_of(said)
        if usage is not None:
            self._usage = f"{usage.used:,} of {usage.allowed:,}"
            self._owed_s = pause_s(usage, self.settings.limits)

    def _pushed(self, errand: Errand) -> Generator[Request, Answer, Outcome]:
        if isinstance(errand, OrgErrand) and errand.is_again:
            content = yield from self._object(errand.push.ref.type)
            if isinstance(content, dict):
                errand.leave_out(objects.unsettable(content))
            elif not isinstance(content, Refused):  # an org that does not say it may take all
                return content
        outcome = yield from super()._pushed(errand)
        if not isinstance(outcome, Refused) or not isinstance(errand, OrgErrand):
            return outcome
        push = errand.push
        if errand.way.how == "ui" and is_key_refusal(outcome.status, outcome.messages):
            self._takes_keys = False
            if push.is_maybe_applied:
                return outcome._replace(messages=(FieldMessage(message=_UNSURE),))
            return (yield from super()._pushed(self.errand(push)))
        if errand.has_orphaned(outcome):
            errand.names_parents = False
            return (yield from super()._pushed(errand))
        is_condition = (outcome.classification, outcome.status) == ("rejected", _PRECONDITION)
        if is_condition and push.kind != "create":
            # The record is as we know it: so the org compares more than whole seconds, or an
            # earlier mark of this delete came late.
            errand.grace_s = 1
            return (yield from super()._pushed(errand))
        return outcome


_WAYS: Final[tuple[How, ...]] = ("upsert", "insert", "ui", "post")


def _has_keys(settings: Settings) -> bool:
    return any(settings.key_of(name) for name in settings.types)
