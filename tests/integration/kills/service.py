"""A record service that survives who is killed, sees each request come, and knows its draft."""

from __future__ import annotations

import json
from contextlib import closing
from http.client import HTTPConnection
from threading import RLock
from typing import TYPE_CHECKING, Final, TypeAlias

from journal.testing.service import Effect, RecordService
from tests.integration.kills.victims import COMMON, DRAFT, VICTIM
from tests.integration.workload import TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from journal.testing.loopback import Reply

    Answering: TypeAlias = Callable[[], Reply]
    Meet: TypeAlias = Callable[[str, Answering], Reply]

ID_CHARACTERS: Final = 36
"""How long the id of a draft is; its key says also how often a conflict of it was decided."""
EVERY: Final = 7
"""After how many requests another client writes something."""


class WatchedService(RecordService):
    """A record service, with another client that writes now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.meets: dict[str, Meet] = {}
        """What is done with the requests of a victim: by its name, the method, and the answer."""
        self.is_quiet = False
        self._drafts: dict[int, str] = {}
        self._requests = 0
        self._one_by_one = RLock()

    @property
    def own(self) -> list[tuple[str, Effect]]:
        """The writes of the victims in order, each with the draft that its request named."""
        with self._one_by_one:
            return [(self._drafts[e.n], e) for e in self.effects if e.n in self._drafts]

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer a request in the way of whoever waits for it."""
        meet = self.meets.get(headers.get(VICTIM, ""), _answered)
        return meet(method, lambda: self._counted(method, target, headers, body))

    def come_to_rest(self) -> None:
        """Wait until nothing is under way any more of what those have sent who are dead."""
        with closing(HTTPConnection(self.url.removeprefix("http://"))) as last:
            last.request("GET", "/")  # connections are accepted in their order: theirs came before
            last.getresponse().read()
        assert self._server is not None
        for thread in self._server._serving:
            thread.join()

    def _counted(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer a request; note of which draft it was where it has an effect."""
        with self._one_by_one:
            self._requests += 1
            if self._requests % EVERY == 0 and not self.is_quiet:
                self.write_beside()
            before = len(self._effects)
            reply: Reply = super().answer(method, target, headers, body)
            if len(self._effects) > before:
                self._drafts[len(self._effects)] = headers.get(DRAFT, "")[:ID_CHARACTERS]
            return reply

    def write_beside(self) -> None:
        """Do what another client does: change the common record, make one, take one away."""
        with self._one_by_one:
            number = len(self._effects)
            common, other = f"/{COMMON.type}/{COMMON.id}", f"/{TYPES[0]}/other-{number % 5}"
            is_there = (TYPES[0], f"other-{number % 5}") in self.records
            if number % 2 and (COMMON.type, COMMON.id) in self.records:
                method, target = "PATCH", common
            else:
                method, target = ("DELETE" if is_there and number % 3 == 0 else "PUT"), other
            body = b"" if method == "DELETE" else json.dumps({"Remark": number}).encode()
            super().answer(method, target, {}, body)


def _answered(_: str, answering: Answering) -> Reply:
    """Answer a request for which nobody waits."""
    return answering()
