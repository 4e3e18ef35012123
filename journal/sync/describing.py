"""Asks a remote what its record types are, and keeps what it says; it does no waiting."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from journal.catalogue import Described
from journal.descriptions import TypeDescription
from journal.errors import RemoteError
from journal.sync.asking import Asking
from journal.sync.effects import Call
from journal.sync.floor import Floor
from journal.sync.reports import DescribeReport

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from journal.journal import Journal
    from journal.outcomes import Outcome
    from journal.remotes.questions import Describing
    from journal.sync.effects import Effect
    from journal.sync.reports import PullStoppedBy
    from journal.sync.settings import Settings

_SILENT: Final = "the remote does not say what it is"


class Describe:
    """Keeps what a remote says of its record types."""

    def __init__(
        self,
        journal: Journal,
        remote: Describing,
        settings: Settings,
        floor: Floor | None = None,
    ) -> None:
        """Ask that remote, not before its floor, and keep it in that journal's catalogue."""
        self._journal = journal
        self._remote = remote
        floor = floor or Floor(journal.sources.clock)
        self._asking = Asking(journal, settings, lambda _problem, _delay_s: None, floor)

    def types(
        self, record_types: Iterable[str], should_stop: Callable[[], bool]
    ) -> Generator[Effect, Any, DescribeReport]:
        """Ask for type after type; one that the remote does not describe holds up no other.

        Args:
            record_types: what to ask for.
            should_stop: asked between types.

        Raises:
            LogError: the catalogue could not be written.
        """
        clock = self._journal.sources.clock
        began_s = clock.monotonic_s()
        described: list[str] = []
        refused: dict[str, str] = {}
        stopped_by: PullStoppedBy | None = None
        for record_type in record_types:
            stopped_by = "stop" if should_stop() else (yield from self._described(record_type))
            if stopped_by is None:
                described.append(record_type)
            elif stopped_by == "refused":
                refused[record_type] = self._asking.problem
                stopped_by = None
            else:
                break
        problem = "" if stopped_by is None else self._asking.problem
        took_s = clock.monotonic_s() - began_s
        return DescribeReport(tuple(described), refused, stopped_by, problem, took_s)

    def _described(self, record_type: str) -> Generator[Effect, Any, PullStoppedBy | None]:
        """Keep what the remote says of a type; return why not, if not."""
        while True:
            if (yield from self._asking.waited()):
                return "stop"
            found: TypeDescription | Outcome
            found = yield from self._asking.asked(
                partial(self._remote.describe, record_type), f"the type {record_type}"
            )
            if isinstance(found, TypeDescription):
                self._asking.succeed()
                now_us = self._journal.sources.clock.now_us()
                kept = Described(found._replace(record_type=record_type), self._remote.url, now_us)
                yield Call(partial(self._journal.catalogue.keep, kept))
                return None
            if (ended := (yield from self._asking.after(found, _SILENT))) is not None:
                return ended


def describing(remote: Any) -> Describing:  # noqa: ANN401  a remote of the host's, whatever it is
    """Return a remote that can say what its record types are.

    Raises:
        RemoteError: it cannot.
    """
    missing = [name for name in ("record_types", "describe") if not hasattr(remote, name)]
    if missing:
        raise RemoteError(
            f"{remote!r} does not describe its record types: it has no {', '.join(missing)}",
            hint="give it what journal.remotes.questions.Describing says",
        )
    found: Describing = remote
    return found
