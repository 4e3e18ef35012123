"""A link that loses, delays, repeats and mangles messages at random, the same for a seed.

What it does to a request is drawn by weight; a report counts how often it did each.

A request that is delayed arrives after its sender has given up on it, while later ones are on
their way: the late copy that a network keeps. It is never kept for longer than `LATEST`
requests, for no service that forgets deleted records can tell a late create from a new one.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Final

from tests.integration.faults import (
    Exchange,
    answered,
    dropped_after,
    dropped_before,
    duplicated,
    duplicated_late,
    message,
    status,
    truncated,
)

if TYPE_CHECKING:
    from tests.integration.faults import Fault

LATEST: Final = 6
"""How many requests a delayed one is overtaken by at most."""


def failed_after(exchange: Exchange) -> None:
    """Say that the service failed, though it did what it was asked to."""
    exchange.forward()
    exchange.reply(message(500, b"<h1>Internal Server Error</h1>"))


def cut_within_headers(exchange: Exchange) -> None:
    """Lose all of the answer but the beginning of its headers."""
    exchange.reply(exchange.forward()[:20])
    exchange.close()


class LossyLink:
    """A fault that is another one at each request."""

    def __init__(self, seed: int, trouble: float = 0.3) -> None:
        """Draw by that seed; a part of the requests, from 0 to 1, meets with trouble."""
        self.met: Counter[str] = Counter()
        self._dice = random.Random(seed)  # noqa: S311  a test's
        self._trouble = trouble
        self._late: list[tuple[int, Exchange]] = []
        self._last: dict[bool, bytes] = {}
        self._is_misread = False
        self._faults: dict[str, Fault] = {
            "dropped before": dropped_before,
            "dropped after apply": dropped_after,
            "truncated": truncated,
            "cut within its headers": cut_within_headers,
            "duplicated": duplicated,
            "duplicated, second answer": duplicated_late,
            "delayed": self._delayed,
            "500 though applied": failed_after,
            "502": status(502, b"<html>Bad Gateway</html>"),
            "503": status(503, b"", Retry_After="0"),
            "429": status(429),
            "captive portal": answered(message(200, b"<html>Welcome to the hotel</html>")),
            "another's answer": self._answered_for_another,
        }

    def __call__(self, exchange: Exchange) -> None:
        """Do to a request what the dice say; deliver what is due first."""
        number = sum(self.met.values())
        due = [late for at, late in self._late if at <= number]
        self._late = [(at, late) for at, late in self._late if at > number]
        for late in due:
            late.forward()
        name = "passed"
        if self._dice.random() < self._trouble:
            name = self._dice.choice(list(self._faults))
        self.met[name] += 1
        self._faults.get(name, self._passed)(exchange)

    def _passed(self, exchange: Exchange) -> None:
        is_read = exchange.seen.method == "GET"
        self._last[is_read] = answer = exchange.forward()
        exchange.reply(answer)
        self._is_misread &= not is_read

    def _delayed(self, exchange: Exchange) -> None:
        due = sum(self.met.values()) + self._dice.randint(1, LATEST)
        self._late.append((due, exchange))
        exchange.close()

    def _answered_for_another(self, exchange: Exchange) -> None:
        """Do what a request asks, and give the answer to an earlier one of its kind."""
        is_read = exchange.seen.method == "GET"
        if is_read and self._is_misread:
            self._passed(exchange)
            return
        answer = exchange.forward()
        exchange.reply(self._last.get(is_read, answer))
        self._is_misread |= is_read
