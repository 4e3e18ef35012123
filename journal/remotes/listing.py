"""The list of changes, on trial: its first page, and one from a checkpoint; no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.outcomes import Refused, Unknown
from journal.remotes.changes import Feed
from journal.remotes.remote import Response
from journal.remotes.selection import NONE
from journal.remotes.trial import attempt

if TYPE_CHECKING:
    from journal.remotes.remote import Request
    from journal.remotes.trial import Probe, Steps, Told, Verdict

_LIST = "list of changes"
_AGAIN = "list from a checkpoint"


def listing(probe: Probe) -> Steps[None]:
    """List the changes as a pull would: the first page of all, and one from its checkpoint."""
    if probe.profile.changes is None:
        return
    feed = Feed(probe.dialect, probe.ref.type)
    request = feed.request(None, None)
    told = yield from _page(probe, request, _LIST)
    if told is None or not isinstance(told.answer, Response):
        return
    items = probe.dialect.items("changes", probe.ref.type, told.answer) or []
    named = {probe.ref.id, probe.known.remote_id}
    is_ours = any({item.shown.key, item.shown.id} & (named - {None}) for item in items)
    if not is_ours and (probe.profile.places("changes").key == NONE) and not probe.dialect.assigns:
        yield told.finding(_LIST, "does not", "no item shows which record it is of", "answer.key")
        return
    page = feed.page(request, told.answer, None, None, is_empty=told.state == "absent")
    if isinstance(page, Unknown):
        yield told.finding(_LIST, "does not", page.problem, "changes")
        return
    if isinstance(page, Refused):
        yield told.finding(_LIST, "does not", page.messages[0].message, "changes.next")
        return
    gone = [found for found in page.sightings if found.fields is None]
    if any({found.key, found.remote_id} & (named - {None}) for found in gone):
        says = "it says that our record was deleted, which it is not"
        yield told.finding(_LIST, "does not", says, "changes.deleted")
        return
    says = "ours among them" if is_ours else "ours on a later page, if anywhere"
    verdict: Verdict = "works" if is_ours else "not told"
    yield told.finding(_LIST, verdict, f"{len(items)} on the first page, {says}")
    if page.since is None or probe.profile.changes.lists_all:
        return
    yield from attempt(_listed_again(probe, feed, page.since), _AGAIN, otherwise=None)


def _listed_again(probe: Probe, feed: Feed, since: str) -> Steps[None]:
    """List from the checkpoint that a page has shown, as the next pull would."""
    told = yield from _page(probe, feed.request(since, None), _AGAIN)
    if told is not None:
        yield told.finding(_AGAIN, "works", "the checkpoint that a page shows is taken for one")


def _page(probe: Probe, request: Request, capability: str) -> Steps[Told | None]:
    """Ask for a page; say what is wrong where it is none."""
    told = yield from probe.ask("changes", request)
    key = "changes.path" if capability == _LIST else "changes.since"
    answer = told.answer
    is_success = isinstance(answer, Response) and answer.status < 300  # noqa: PLR2004
    is_empty = told.state == "absent" and is_success  # a rule says so
    if not isinstance(answer, Response) or not (told.state == "done" or is_empty):
        yield told.finding(capability, "does not", told.says, key)
        return None
    if not is_empty and probe.dialect.items("changes", probe.ref.type, answer) is None:
        says = "the answer shows no list of records there"
        yield told.finding(capability, "does not", says, "changes.items")
        return None
    return told
