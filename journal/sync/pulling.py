"""The core of a pull, shared by the blocking and the async one; it does no waiting.

A pull reads what has changed at the remote, page by page, and stores what it sees. It sends
nothing, so it needs no lease.

- D1. A page is stored in one append, and only then is it noted that it was: whenever a pull
  ends, the next one goes on at that page, or reads it again, which changes nothing.
- D2. What is not a page, in whatever way, stores nothing, and moves nothing on.
```
bookmark -> request -> page -> stored, in one append -> bookmark -> request -> ...
```
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from journal.errors import RemoteError
from journal.outcomes import Refused, Wait
from journal.remotes.questions import CHECKED_AT_ONCE
from journal.remotes.remote import Page, Sighting
from journal.sync.asking import Asking
from journal.sync.bookmarks import Bookmark, Bookmarks
from journal.sync.effects import Call
from journal.sync.floor import Floor
from journal.sync.reports import PullProgress, PullReport
from journal.sync.storing import ACTOR, Store, known_there

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from journal.journal import Journal
    from journal.outcomes import Outcome
    from journal.remotes.questions import Checking
    from journal.remotes.remote import Feeding
    from journal.sync.effects import Effect
    from journal.sync.reports import PullStoppedBy
    from journal.sync.settings import Settings

MOST_EMPTY: Final = 1000
"""How many pages in a row may show no change, and still say that more follow."""
READS_AGAIN: Final = 5
"""How often in a row a page is asked for anew, at once, because of what was stored meanwhile; and
how often in one pull a list is begun anew, for a page that the service no longer knows."""
_ENDLESS: Final = "the next page is one that was read already: there is no end to it"
_EMPTY: Final = f"{MOST_EMPTY} pages in a row show no change: there is no end to it"
_BEGINS_ANEW: Final = frozenset({400, 404, 410, 422})
"""How a service refuses a page, or a checkpoint, that it no longer knows."""
_SILENT: Final = "the remote lists no changes"


class Pull:
    """Stores what has changed at a remote."""

    def __init__(  # noqa: PLR0913  what a pull is made of
        self,
        journal: Journal,
        remote: Feeding,
        settings: Settings,
        progress: Callable[[PullProgress], None] | None,
        *,
        actor: str = ACTOR,
        floor: Floor | None = None,
    ) -> None:
        """Begin where the last one has ended, and not before its floor."""
        self._journal = journal
        self._remote = remote
        self._settings = settings
        self._progress = progress
        self._bookmarks = Bookmarks(journal.log, remote.url)
        self._store = Store(journal, remote, actor)
        self._pages = 0
        self._again = 0
        self._record_type = ""
        floor = floor or Floor(journal.sources.clock)
        self._asking = Asking(journal, settings, self._say, floor)

    # --- the effects ---------------------------------------------------------------------

    def pages(
        self,
        record_types: Iterable[str],
        limit_pages: int | None,
        should_stop: Callable[[], bool],
    ) -> Generator[Effect, Any, PullReport]:
        """Store page after page, type after type, until there is no more.

        Args:
            record_types: what to pull.
            limit_pages: how many pages to store at most; None for all.
            should_stop: asked between pages.

        Raises:
            ProfileError: the profile does not say how the service lists its changes.
            LogError: the log could not be read or written.
        """
        clock = self._journal.sources.clock
        began_s = clock.monotonic_s()
        stopped_by: PullStoppedBy | None = None
        problem = ""
        for record_type in record_types:
            ended = yield from self._pulled(record_type, limit_pages, should_stop)
            if ended is not None and stopped_by is None:
                stopped_by, problem = ended, self._asking.problem
            if ended not in {None, "unsettled", "refused"}:  # others may fare better
                stopped_by, problem = ended, self._asking.problem
                break
        yield Call(self._store.end)
        counts = self._store.counts
        return PullReport(
            counts.observed,
            counts.unchanged,
            counts.deleted,
            self._pages,
            tuple(self._store.conflicting),
            tuple(self._store.left_out.values()),
            stopped_by,
            problem,
            clock.monotonic_s() - began_s,
        )

    def _pulled(
        self, record_type: str, limit_pages: int | None, should_stop: Callable[[], bool]
    ) -> Generator[Effect, Any, PullStoppedBy | None]:
        """Store the pages of one type; return why not all, or None (D1)."""
        bookmark: Bookmark = yield Call(lambda: self._bookmarks.load(record_type))
        asked: set[tuple[str | None, str | None]] = set()
        empty = begun = 0
        self._asking.problem = ""
        self._record_type = record_type
        while True:
            if limit_pages is not None and self._pages >= limit_pages:
                return "limit"
            if should_stop() or (yield from self._asking.waited()):
                return "stop"
            head = yield Call(self._journal.log.head)
            found: Page | Outcome | None
            found = yield from self._asking.asked(
                partial(self._remote.changes, record_type, bookmark.since, bookmark.page),
                f"the changes of {record_type}",
            )
            if isinstance(found, Page):
                storing = partial(self._store.store, record_type, found, head)
                if (doubt := (yield Call(storing))) == "again":
                    found = self._overtaken()
                elif doubt:
                    self._asking.problem = doubt
                    return "unsettled"
            if not isinstance(found, Page):
                anew = self._anew(bookmark, found)
                begun += anew not in {None, bookmark}
                if anew is not None and begun <= READS_AGAIN:
                    bookmark = anew
                    continue
                if (ended := (yield from self._asking.after(found, _SILENT))) is not None:
                    return ended
                continue
            self._asking.succeed()
            self._again, self._pages = 0, self._pages + 1
            self._say()
            checked = self._checked(record_type, should_stop, is_due=found.is_check_due)
            if (ended := (yield from checked)) is not None:
                return ended
            asked.add((bookmark.since, bookmark.page))
            bookmark = bookmark.after(found.since, found.next)
            yield Call(partial(self._bookmarks.save, record_type, bookmark))
            if bookmark.page is None:
                return None
            empty = 0 if found.sightings else empty + 1
            if (bookmark.since, bookmark.page) in asked or empty >= MOST_EMPTY:
                self._asking.problem = _ENDLESS if empty < MOST_EMPTY else _EMPTY
                yield Call(partial(self._bookmarks.save, record_type, Bookmark(bookmark.since)))
                return "refused"

    def _checked(
        self, record_type: str, should_stop: Callable[[], bool], *, is_due: bool
    ) -> Generator[Effect, Any, PullStoppedBy | None]:
        """Store which of the records that are known here are gone; return why not all, or None.

        It is the last resort: the whole log is read for it.
        """
        remote = self._remote
        if not (is_due and hasattr(remote, "surviving")):
            return None
        checking = cast("Checking", remote)
        known = yield Call(partial(known_there, self._journal, record_type))
        for begin in range(0, len(known), CHECKED_AT_ONCE):
            ids = known[begin : begin + CHECKED_AT_ONCE]
            while True:
                if should_stop() or (yield from self._asking.waited()):
                    return "stop"
                head = yield Call(self._journal.log.head)
                there: frozenset[str] | Outcome | None
                there = yield from self._asking.asked(
                    partial(checking.surviving, record_type, ids), f"the records of {record_type}"
                )
                if isinstance(there, frozenset):
                    gone = [Sighting(None, each, None, None) for each in ids if each not in there]
                    storing = partial(self._store.store, record_type, Page(tuple(gone), None, None))
                    if not (yield Call(partial(storing, head))):
                        break
                    there = self._overtaken()
                if (ended := (yield from self._asking.after(there, _SILENT))) is not None:
                    return ended
            self._asking.succeed()
            self._again = 0
        return None

    def _overtaken(self) -> Wait | None:
        """Return why a page must be asked for later; None where it is to be at once (D3)."""
        self._again += 1
        if self._again <= READS_AGAIN:
            return None
        return Wait("what the page shows is being changed from here: it is asked for again")

    def _anew(self, bookmark: Bookmark, found: Outcome | None) -> Bookmark | None:
        """Return where to ask again at once: for the page anew, or for the list (D1)."""
        if found is None:
            return bookmark
        if not isinstance(found, Refused) or found.status not in _BEGINS_ANEW:
            return None
        if bookmark.page is not None:
            return Bookmark(bookmark.since)
        return None if bookmark.since is None else Bookmark()

    def _say(self, problem: str = "", delay_s: float | None = None) -> None:
        if self._progress is not None:
            counts = self._store.counts
            said = PullProgress(self._record_type, self._pages, *counts, problem, delay_s)
            self._progress(said)


def feeding(remote: Any) -> Feeding:  # noqa: ANN401  a remote of the host's, whatever it is
    """Return a remote that lists its changes.

    Raises:
        RemoteError: it does not; a remote by profile says so itself, and names the key.
    """
    missing = [n for n in ("record_types", "changes", "recognised") if not hasattr(remote, n)]
    if missing:
        raise RemoteError(
            f"{remote!r} cannot be pulled: it has no {', '.join(missing)}",
            hint="give it what journal.remotes.remote.Feeding says",
        )
    found: Feeding = remote
    return found
