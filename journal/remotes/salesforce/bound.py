"""The changes of a batch in one call: whether they can be, and what holds them up; pure.

- B7. Of the changes of one batch all are applied by one call, or none: none of them is ever sent
  alone, nor with a part of the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from journal.errors import RemoteError
from journal.events import FieldMessage
from journal.outcomes import Refused
from journal.remotes.salesforce import composite
from journal.remotes.salesforce.group import MOST_BYTES, Group
from journal.remotes.salesforce.settings import KEYED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from journal.outcomes import Outcome
    from journal.remotes.remote import Push
    from journal.remotes.salesforce.group import Member
    from journal.remotes.salesforce.settings import Settings
    from journal.values import Ref

    Told: TypeAlias = list[Outcome | None]

_REMEDY: Final = 'discard some of them, or set batches = "order" for the org, and retry it'
_WAIT: Final = {True: "waits", False: "wait"}


class Bound(Group):
    """The drafts of a batch, in one call: what is read behind them can wait.

    After a lost answer they are looked up together, and so any of them may undo what others did.
    """

    def _would_lose(self, ref: Ref) -> bool:  # noqa: ARG002  as its base
        return False

    def _has_room(self, member: Member) -> bool:
        requests = [*self.requests, *member.requests]
        size = sum(len(each.body or b"") for each in requests)
        return len(requests) <= composite.MOST and size <= MOST_BYTES


def problem_of(settings: Settings, pushes: Sequence[Push]) -> str:
    """Return why a batch surely cannot be one transaction; empty where it may."""
    count = pushes[0].batch_size
    requests = sum(
        1 + (p.kind == "delete" and bool(settings.capture_of(p.ref.type).names)) for p in pushes
    )
    if count > len(pushes) or requests > composite.MOST:
        needs = f", and they need {requests}" if count == len(pushes) else ""
        return f"a call holds no more than {composite.MOST} requests{needs}"
    for push in pushes:
        said = settings.types.get(push.ref.type)
        if push.kind != "delete" and said is not None and said.allow_duplicates:
            return f"{push.ref.type} has allow_duplicates, which is said with a header"
        if push.kind == "create" and settings.how(push.ref.type) not in KEYED:
            return f"a new {push.ref.type} has no field for our key"
    return ""


def is_doubtful(push: Push) -> bool:
    """Say whether a draft may be applied."""
    return push.is_maybe_applied or push.is_doubted


def cannot(push: Push, why: str) -> RemoteError:
    """Return that a batch cannot be sent as it is."""
    which = f"the {push.batch_size} changes of its batch are applied together or not at all"
    problem = f"{which}, and cannot be sent so: {why}" if why else which
    return RemoteError(problem, hint=_REMEDY)


def held_up(pushes: Sequence[Push], at: int, outcome: Outcome) -> Told:
    """Return the outcomes where one of a batch holds it up, and nothing of it is applied."""
    others = len(pushes) - 1
    if isinstance(outcome, Refused):
        changes = "1 other change" if others == 1 else f"{others} other changes"
        said = FieldMessage(message=f"{changes} of the same batch {_WAIT[others == 1]} with it")
        outcome = outcome._replace(messages=(*outcome.messages, said))
    return [*[None] * at, outcome, *[None] * (others - at)]
