"""Several requests in one, where one may name what another made: `composite`, and graphs."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

from journal.testing.salesforce.call import Call, body_of, flag
from journal.testing.salesforce.parts import (
    FIRST_ERROR,
    ROLLED_BACK,
    Part,
    Run,
    parts_of,
    ran,
    shown_part,
    unusable,
)
from journal.testing.salesforce.refusal import Answer, Content

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journal.testing.salesforce.state import State

__all__ = ["on_composite", "on_graphs"]

PARTS_MOST: Final = 25
QUERIES_MOST: Final = 5
NODES_MOST: Final = 500
GRAPHS_MOST: Final = 75
DEPTH_MOST: Final = 15
KINDS_MOST: Final = 15
FAILURES_MOST: Final = 14
_REGROUPS: Final = 49


class _HalfError(Exception):
    """A part failed, and so does all."""


def on_composite(state: State, call: Call, run: Run) -> Answer:
    """Run the parts; in their order where they are not to be regrouped.

    Raises:
        RefusedError: it cannot be read: nothing has run.
    """
    body = body_of(call.content)
    parts = parts_of(call, body, PARTS_MOST)
    heavy = [part for part in parts if part.kind[1].startswith(("query", "composite/sobjects"))]
    if len(heavy) > QUERIES_MOST:
        raise unusable(f"the request has more than {QUERIES_MOST} queries and collections")
    regroups = body.get("collateSubrequests", call.version >= _REGROUPS)
    ordered = _regrouped(parts) if state.settings.regroups and regroups is not False else parts
    _run_all(state, call, ordered, run, all_or_none=flag(body.get("allOrNone")))
    return Answer(200, {"compositeResponse": [shown_part(part) for part in parts]})


def _run_all(
    state: State, call: Call, parts: Sequence[Part], run: Run, *, all_or_none: bool
) -> bool:
    """Run parts one after another, and say whether they stay done."""
    try:
        with state.database.transaction() if all_or_none else nullcontext():
            for part in parts:
                part.answer = ran(state, call, part, parts, run)
                _check_whole(all_or_none and part.answer.status >= FIRST_ERROR)
    except _HalfError:
        for part in parts:
            if part.answer is None or not _keeps(part):
                part.answer = ROLLED_BACK
        return False
    return True


def _check_whole(is_half: bool) -> None:  # noqa: FBT001  says it all
    if is_half:
        raise _HalfError


def _keeps(part: Part) -> bool:
    """Say whether a part says what it said before it was rolled back.

    A failure does; and so does a collection, whose items go on claiming success: a trap that is
    documented.
    """
    is_collection = part.kind[1].startswith("composite/sobjects")
    return part.answer is not None and (part.answer.status >= FIRST_ERROR or is_collection)


def _regrouped(parts: Sequence[Part]) -> list[Part]:
    """Return the parts as they may run: those that are alike together, after what they need."""
    ordered: list[Part] = []
    left = list(parts)
    names = {part.name for part in parts}
    while left:
        first, done = left[0], {part.name for part in ordered}
        group = [
            part
            for part in left
            if part is first
            or (part.kind == first.kind and not part.headers and part.needs & names <= done)
        ]
        group = [first] if first.headers else group
        ordered += group
        left = [part for part in left if part not in group]
    return ordered


# --- graphs ------------------------------------------------------------------------------


def on_graphs(state: State, call: Call, run: Run) -> Answer:
    """Run graphs, each whole or not at all, and in each what is needed first.

    Raises:
        RefusedError: one cannot be read: nothing has run.
    """
    listed = body_of(call.content).get("graphs")
    if not isinstance(listed, list) or not 1 <= len(listed) <= GRAPHS_MOST:
        raise unusable(f"graphs is not a list of up to {GRAPHS_MOST} graphs")
    graphs = [(str(body_of(each).get("graphId")), _graph(call, each)) for each in listed]
    if sum(len(parts) for _, parts in graphs) > NODES_MOST:
        raise unusable(f"the request has more than {NODES_MOST} nodes")
    answers: list[Content] = []
    failures = 0
    for graph_id, parts in graphs:
        is_run = failures < FAILURES_MOST
        done = is_run and _run_all(state, call, _after_needs(parts), run, all_or_none=True)
        failures += not done
        response = {"compositeResponse": [shown_part(part) for part in parts]}
        answers.append({"graphId": graph_id, "graphResponse": response, "isSuccessful": done})
    return Answer(200, {"graphs": answers})


def _graph(call: Call, said: Content) -> list[Part]:
    parts = parts_of(call, body_of(said), NODES_MOST)
    if len({part.kind for part in parts}) > KINDS_MOST:
        raise unusable(f"a graph has more than {KINDS_MOST} kinds of nodes")
    _after_needs(parts)
    return parts


def _after_needs(parts: Sequence[Part]) -> list[Part]:
    """Return the parts, each after those that it needs.

    Raises:
        RefusedError: parts need one another, or stand too deep.
    """
    names = {part.name for part in parts}
    ordered: list[Part] = []
    for _ in range(DEPTH_MOST):
        done = {part.name for part in ordered}
        ordered += [p for p in parts if p.name not in done and p.needs & names <= done]
    if len(ordered) < len(parts):
        raise unusable(f"a graph is deeper than {DEPTH_MOST}, or goes round")
    return ordered
