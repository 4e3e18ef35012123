"""Mistakes with secrets."""

from __future__ import annotations

from logging import getLogger
from typing import TYPE_CHECKING

from journal.remotes.errand import Errand
from journal.remotes.generic import HttpRemote
from journal.remotes.masking import Secrets
from tests.integration.simulate.planted.seams import Code, plants

if TYPE_CHECKING:
    from collections.abc import Generator

    from journal.outcomes import Outcome
    from journal.remotes.errand import AsExpected
    from journal.remotes.remote import Answer, Push, Request


@plants(Secrets, "cleared", by="I19", seeds=458)
def keeps_a_secret_that_an_answer_repeats(_: Code) -> object:
    """A service repeats the token that it refuses, and the answer is stored as it is."""

    def cleared(self: Secrets, outcome: Outcome, known: object = None) -> Outcome:
        del self, known
        return outcome

    return cleared


@plants(HttpRemote, "push", by="I19", seeds=1)
def logs_the_headers_of_a_request(real: Code) -> object:
    """What is sent is said in the log of the program, with what authorises it."""

    def push(self: HttpRemote, given: Push) -> Generator[Request, Answer, Outcome]:
        getLogger("journal.remotes").warning("sending %s: %s", given.ref, self.headers())
        outcome: Outcome = yield from real(self, given)
        return outcome

    return push


@plants(Errand, "write", by="I19", seeds=1)
def says_in_the_address_what_the_token_is(real: Code) -> object:
    """The access token is a parameter of the address, which every log on the way keeps."""

    def write(self: Errand, found: AsExpected | None) -> Request:
        request: Request = real(self, found)
        return request._replace(path=f"{request.path}?access_token=canary-0000-secret")

    return write
