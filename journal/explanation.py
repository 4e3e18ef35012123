"""Floor 3: what each draft, and the queue as a whole, waits for, in one sentence; pure.

Every sentence says what waits, why, and what would unblock it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, assert_never

from journal.drafts import STARTED, Draft, blockers
from journal.errors import DraftMissingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from journal.drafts import Hold, OnHeld, Queue, Stop, Switch
    from journal.events import FieldMessage


def explain(queue: Queue, draft_id: str, on_held: OnHeld = "lane") -> str:
    """Return one sentence: what a draft waits for, why, and what would unblock it.

    Args:
        queue: that the draft is in.
        draft_id: of a pending draft.
        on_held: what a held draft stops, as for `Queue.next_to_send`.

    Raises:
        DraftMissingError: no pending draft has that id.
    """
    for draft, _, sentence in explained(queue, queue.switch, on_held):
        if draft.draft_id == draft_id:
            return sentence
    raise DraftMissingError(draft_id)


def explained(
    drafts: Iterable[Draft], switch: Switch = STARTED, on_held: OnHeld = "lane"
) -> Iterator[tuple[Draft, Draft | None, str]]:
    """Yield each draft, in order, with its blocker and what it waits for, in one sentence."""
    drafts = list(drafts)
    found = list(blockers(drafts, on_held))
    in_lanes = (blocker is not None for _, blocker in blockers(drafts))
    behind = Counter(
        blocker.draft_id for draft, blocker in found if blocker is not None and blocker is not draft
    )
    ahead = 0
    for (draft, blocker), is_in_lane in zip(found, in_lanes, strict=True):
        if blocker is draft:
            sentence = _held_text(draft, behind[draft.draft_id], on_held)
        elif blocker is not None:
            sentence = _blocked_text(draft, blocker, is_in_lane=is_in_lane)
        else:
            sentence = _free_text(draft, switch, ahead)
            ahead += 1
        yield draft, blocker, sentence


def _held_text(draft: Draft, behind: int, on_held: OnHeld) -> str:
    waits = f"it waits for a decision: {_remedy(draft)}"
    if behind:
        everything = ", as nothing passes a held draft" if on_held == "stop" else ""
        wait = "draft waits" if behind == 1 else "drafts wait"
        waits += f"; {behind} {wait} behind it{everything}"
    return f"{name_of(draft)} is held: {hold_text(draft.hold)}; {waits}"


def _blocked_text(draft: Draft, blocker: Draft, *, is_in_lane: bool) -> str:
    why = "waits behind" if is_in_lane else "waits, as nothing passes a held draft, behind"
    held = f"{name_of(blocker)}, which is held: {hold_text(blocker.hold)}"
    return f"{name_of(draft)} {why} {held}; it waits for a decision on that draft"


def _free_text(draft: Draft, switch: Switch, ahead: int) -> str:
    if switch.stop is not None:
        started = f"waits until the queue is started: {stop_text(switch.stop)}"
        return f"{name_of(draft)} {started}"
    if draft.state == "sending":
        return f"{name_of(draft)} was sent and its outcome is not known yet; it is being resolved"
    if ahead:
        plural = "s" if ahead > 1 else ""
        return f"{name_of(draft)} waits for its turn behind {ahead} draft{plural}"
    return f"{name_of(draft)} is the next to be sent"


def name_of(draft: Draft) -> str:
    """Return which draft it is, in a few words."""
    return f"the {draft.kind} of {draft.ref}"


def _remedy(draft: Draft) -> str:
    """Return what would unblock a held draft."""
    classification = None if draft.hold is None else draft.hold.classification
    match classification:
        case "conflict" if draft.kind == "delete":
            return "resolve it for ours (delete it) or theirs (keep it)"
        case "conflict":
            return "resolve it for ours, for theirs or with values, or discard it"
        case "gone":
            return "resolve it for ours (create it again) or theirs (give it up)"
        case "unknown":
            return "retry it, resolve it as applied, or discard it by force"
        case "rejected" | None if draft.kind == "delete":
            return "retry it, or discard it"
        case "rejected" | None:
            return "amend it, retry it, or discard it"
        case _:
            assert_never(classification)


def stop_text(stop: Stop) -> str:
    """Return why nothing is sent, in a few words."""
    why = "; ".join(filter(None, (stop.problem, stop.reason)))
    return f"it was stopped by {stop.actor}" + (f" ({why})" if why else "")


def hold_text(hold: Hold | None) -> str:
    """Return why a draft is held, in a few words."""
    if hold is None:
        return "for a reason that was not recorded"
    said = "; ".join(_said(hold.messages))
    return f"{hold.classification} ({said})" if said else hold.classification


def _said(messages: Iterable[FieldMessage]) -> Iterator[str]:
    """Yield what is said, once for all fields of which it is said."""
    fields: dict[str, list[str]] = {}
    for message in messages:
        fields.setdefault(message.message, []).append(message.field)
    for text, named in fields.items():
        listed = ", ".join(filter(None, dict.fromkeys(named)))
        yield f"{listed}: {text}" if listed else text


class Status(NamedTuple):
    """The queue as a whole."""

    pending: int
    """How many drafts are not acknowledged, the held ones included."""
    held: int
    sending: int
    """How many are maybe applied: sent, and the outcome not known yet."""
    stopped: Stop | None
    """Who stopped the queue, and why; None where it is sent."""
    next: Draft | None
    """The draft that will be sent next; None where none can be."""
    oldest_age_s: float | None
    """How long ago the oldest of them was made, in seconds; None where there is none."""
    sentence: str
    """What it waits for, why, and what would unblock it."""


def status_of(queue: Queue, now_us: int, on_held: OnHeld = "lane") -> Status:
    """Return how the queue is as a whole.

    Args:
        queue: the queue.
        now_us: the time, in microseconds since 1970.
        on_held: what a held draft stops, as for `Queue.next_to_send`.
    """
    following = queue.next_to_send(on_held)
    first = next(iter(queue), None)
    return Status(
        len(queue),
        queue.held,
        sum(draft.state == "sending" for draft in queue),
        queue.switch.stop,
        following,
        None if first is None else max(now_us - first.occurred_at, 0) / 1_000_000,
        _sentence(queue, following, on_held),
    )


def _sentence(queue: Queue, following: Draft | None, on_held: OnHeld) -> str:
    if queue.switch.stop is not None:
        stopped = f"the queue is stopped: {stop_text(queue.switch.stop)}"
        return f"{stopped}; {_counted(len(queue))} until it is started"
    if not len(queue):
        return "nothing is pending: everything is acknowledged"
    if following is None:
        first = next(draft for draft in queue if draft.state == "held")
        others = f"; {queue.held - 1} more held" if queue.held > 1 else ""
        return f"nothing can be sent: {explain(queue, first.draft_id, on_held)}{others}"
    is_sending = "is being sent" if following.state == "sending" else "is the next to be sent"
    held = f", {queue.held} of them held" if queue.held else ""
    plural = "s are" if len(queue) > 1 else " is"
    return f"{len(queue)} draft{plural} pending{held}; {name_of(following)} {is_sending}"


def _counted(pending: int) -> str:
    return f"{pending} draft waits" if pending == 1 else f"{pending} drafts wait"
