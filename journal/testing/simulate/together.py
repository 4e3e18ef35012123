"""A remote that sends several drafts in one request, to a service that keeps their order."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from journal.errors import RemoteError
from journal.outcomes import OUTCOMES, Acknowledged, NotSent, Refused, Unauthorized, Unknown
from journal.remotes.classify import Doubt, Success
from journal.remotes.credentials import authorised
from journal.remotes.generic import HttpRemote
from journal.remotes.meanings import content_of
from journal.remotes.remote import Request, Response
from journal.testing.simulate.service import REFUSED

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from journal.outcomes import Outcome
    from journal.remotes.errand import Errand
    from journal.remotes.profiles import Profile
    from journal.remotes.remote import Answer, Push
    from journal.sources import Clock

_DONE = 207


class TogetherRemote(HttpRemote):
    """The generic remote, to which a service takes a list of requests: `Batching`."""

    def __init__(
        self, profile: Profile, most_together: int, *, bearer: Callable[[], str], clock: Clock
    ) -> None:
        """Send so many drafts together, at most."""
        super().__init__(profile, environ={}, bearer=bearer, clock=clock)
        self._most_together = most_together

    @property
    def most_together(self) -> int:
        """How many drafts a request can hold."""
        return self._most_together

    def together(self, pushes: Sequence[Push]) -> int:
        """Return how many can go together: each of another record, and sure of its condition.

        What refers to a record that the service does not have yet cannot be written.
        """
        seen = set()
        for count, push in enumerate(pushes):
            if push.ref in seen or not self._is_plain(push):
                return count
            seen.add(push.ref)
        return len(pushes)

    def _is_plain(self, push: Push) -> bool:
        """Say whether the request for a draft is known without asking the service first."""
        try:
            errand = self.errand(push)
            return not errand.must_look and bool(errand.write(None))
        except RemoteError:
            return False

    def push_together(self, pushes: Sequence[Push]) -> Generator[Request, Answer, list[Outcome]]:
        """Send drafts together; return the outcomes of the first of them."""
        errands = [self.errand(push) for push in pushes]
        exchange: Any = self._sent_together(errands)
        outcomes: list[Outcome] = yield from authorised(exchange, self.credentials)
        known = [[push.fields, push.base, push.record.remote.fields] for push in pushes]
        secrets = self.credentials.secrets
        return [secrets.cleared(o, k) for o, k in zip(outcomes, known, strict=False)]

    def _sent_together(self, errands: list[Errand]) -> Generator[Request, Answer, list[Outcome]]:
        requests = [errand.write(None) for errand in errands]
        listed = [
            {
                "method": request.method,
                "path": request.path,
                "headers": dict(request.headers),
                "body": None if request.body is None else json.loads(request.body),
            }
            for request in requests
        ]
        answer = yield Request("POST", "/-/together", {}, json.dumps(listed).encode())
        if not (isinstance(answer, Response) and answer.status == _DONE):
            return self._unsettled(errands, answer)
        items: Any = content_of(answer)
        if not isinstance(items, list) or len(items) > len(errands):
            return [Unknown("the answer is no list of what became of each")] * len(errands)
        outcomes: list[Outcome] = []
        for errand, item in zip(errands, items, strict=False):
            found = yield from self._judged(errand, item)
            outcomes.append(found)
            if not isinstance(found, Acknowledged):
                break
        has_stopped = any(map(_is_refusal, items))  # and has done nothing behind those it lists
        told = len(items) if has_stopped else len(errands)
        missing = max(told - len(outcomes), 0)
        return outcomes + [Unknown("the answer does not say what became of it")] * missing

    def _unsettled(self, errands: list[Errand], answer: Answer) -> list[Outcome]:
        """Return the outcomes where the service has not said what became of each."""
        meaning = errands[0].means("update", answer)
        found: Outcome = Unknown("the answer does not say what became of each")
        if isinstance(meaning, OUTCOMES):
            found = meaning
        is_none_done = isinstance(found, NotSent | Refused | Unauthorized)
        return [found] if is_none_done else [found] * len(errands)

    def _judged(self, errand: Errand, item: Any) -> Generator[Request, Answer, Outcome]:  # noqa: ANN401  whatever it is
        """Return what became of one of them, by its part of the answer."""
        try:
            body = b"" if item["body"] is None else json.dumps(item["body"]).encode()
            response = Response(int(item["status"]), item["headers"], body)
        except (KeyError, TypeError, ValueError):
            return Unknown("a part of the answer is none")
        settle = partial(self._settled, errand)
        match errand.means(errand.push.kind, response):
            case Success(response):
                receipt = errand.receipt(response, None, is_said=False)
                return receipt if receipt is not None else (yield from settle(None))
            case Doubt(_, refusal):
                return (yield from settle(errand.in_our_words(refusal)))
            case meaning if isinstance(meaning, OUTCOMES):
                outcome: Outcome = meaning
                return outcome
            case _:
                return Unknown("a part of the answer means nothing")


def _is_refusal(item: Any) -> bool:  # noqa: ANN401  whatever it is
    status = item.get("status") if isinstance(item, dict) else None
    return isinstance(status, int) and status >= REFUSED
