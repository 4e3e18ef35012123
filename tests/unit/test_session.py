"""The session: whenever a change is made, it is sent without another one (S5)."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from journal import Journal
from journal.checkpoint import Checkpoint
from journal.remotes import HttpRemote, Profile, Request
from journal.sync.session import Call, Listen, Session, Settings
from tests.unit.scripted import shows

STEPS: Final = 16
"""More than the effects of sending two drafts in the background."""


@pytest.mark.parametrize("nth", range(STEPS))
@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_a_change_at_any_moment_is_sent(
    nth: int,
    is_after: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    """A change made before or after any step is sent before the session waits for another."""
    with Journal(actor="ann", origin="van-7") as journal:
        journal.create("Account", {"Name": "first"}, id="a1")
        remote = HttpRemote(Profile.of({"url": "https://records.example.com"}))
        session = Session(journal, remote, Settings(), Checkpoint(journal.log), None)
        effects = session.run(lambda: False)
        sent: list[str] = []
        result: Any = None
        for step in range(10 * STEPS):
            effect = effects.send(result)
            if step == nth and not is_after:
                journal.create("Account", {"Name": "second"}, id="a2")
            match effect:
                case Request(body=body, path=path):
                    sent.append(path)
                    result = shows(json.loads(body or b"{}"), f'"{step}"')
                case Call(function):
                    result = function()
                case Listen(after):
                    result = False
                    if journal.log.head() <= after and step >= nth:
                        break  # here it would wait for ever
                case _:
                    raise AssertionError(effect)
            if step == nth and is_after:
                journal.create("Account", {"Name": "second"}, id="a2")
        effects.close()

    has_second = step > nth or not is_after
    assert sent == ["/Account/a1", "/Account/a2"][: 1 + has_second]
