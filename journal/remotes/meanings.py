"""What an answer means: the rules of the profile first, then the table of statuses; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, assert_never

from pydantic_core import from_json

from journal.outcomes import Unauthorized, Unknown, Wait
from journal.remotes.classify import Doubt, classify, refused
from journal.remotes.classify import Meaning as TableMeaning
from journal.remotes.patience import retry_after_s
from journal.remotes.pointers import MISSING
from journal.remotes.remote import Response
from journal.remotes.selection import select, selector
from journal.values import same

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from journal.remotes.remote import Answer
    from journal.remotes.sections import Condition, Means, Rule, Verb

_SUCCESS: Final = range(200, 300)
_BARE: Final = frozenset({204, 205, 304})
_NO_WORDS: Final[Mapping[str, str]] = {}


class Done(NamedTuple):
    """A rule of the profile says that the remote did what it was asked to."""

    response: Response


Meaning: TypeAlias = Done | TableMeaning


def meaning(
    rules: Collection[Rule],
    verb: Verb,
    answer: Answer,
    names: Iterable[str] = (),
    words: Mapping[str, str] = _NO_WORDS,
) -> Meaning:
    """Return what an answer means: what the first rule says that fits, or the table.

    Args:
        rules: of the profile, in order.
        verb: what was asked.
        answer: whatever came of it.
        names: of the draft's fields, as the service has them.
        words: what stands for the record type in pointers.
    """
    if rules and isinstance(answer, Response):
        content = content_of(answer)
        for rule in rules:
            if _fits(rule, verb, answer, content, words):
                return _meant(rule.means, answer, names)
    return classify(answer, names)


def content_of(response: Response) -> object:
    """Return the JSON of an answer, or `MISSING` where it is none."""
    try:
        return from_json(response.body, allow_inf_nan=False)
    except ValueError:
        return MISSING


def is_bare(response: Response) -> bool:
    """Say whether an answer has no content, and says so by its status: it lists nothing."""
    return not response.body and response.status in _BARE


def _fits(
    rule: Rule, verb: Verb, response: Response, content: object, words: Mapping[str, str]
) -> bool:
    if rule.on is not None and verb not in rule.on:
        return False
    if rule.status is not None and response.status not in rule.status:
        return False
    if rule.means == "refused" and response.status not in _SUCCESS:
        return False  # the table knows better which refusal it is
    if rule.at is None:
        return True
    found = select(selector(rule.at, words), content, response.headers, takes_null=True)
    return holds(rule, found, content)


def holds(condition: Condition | Rule, found: object, content: object) -> bool:
    """Say whether what was found at the place of a condition is what it says, in that content."""
    if condition.is_not is not None:
        return content is not MISSING and not same(found, condition.is_not)
    if found is MISSING:
        return False
    if condition.is_ is not None:
        return same(found, condition.is_)
    if condition.has is not None:
        return isinstance(found, str) and condition.has in found
    return bool(found) is not condition.is_empty


def _meant(means: Means, response: Response, names: Iterable[str]) -> Meaning:
    said = f"the remote answered {response.status}, which means {means!r} by the profile"
    match means:
        case "done":
            return Done(response)
        case "absent":
            return Doubt(response, refused("gone", response, names))
        case "refused":
            return Doubt(response, refused("rejected", response, names))
        case "conflict":
            return Doubt(response, refused("conflict", response, names))
        case "wait":
            return Wait(said, retry_after_s(response))
        case "unauthorized":
            return Unauthorized(said)
        case "unknown":
            return Unknown(said)
        case _:
            assert_never(means)
