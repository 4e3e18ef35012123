"""What a replay finds: a view that is another, or the first event after which something fails."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from journal.cli import shape, wording
from journal.cli.entries import event_word
from journal.cli.progress import bar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal import Journal
    from journal.cli.output import Output
    from journal.cli.setting import Setting
    from journal.cli.views import Own
    from journal.events import Entry
    from projections.expectation import Expectation
    from projections.replaying import Divergence


def told(entry: Entry, output: Output) -> str:
    """Return an event in one line."""
    word = event_word(type(entry.event).__name__)
    why = f"  ({wording.harmless(entry.reason)})" if entry.reason else ""
    parts = (
        output.styled(f"#{entry.position}", "faint"),
        output.styled(f"{wording.moment(entry.at)} UTC", "faint"),
        output.styled(word.text, word.style),
        wording.harmless(entry.stream),
        f"by {wording.harmless(entry.actor)}{why}",
        output.styled(entry.event_id, "faint"),
    )
    return "  ".join(parts)


def entry_object(entry: Entry | None) -> dict[str, Any] | None:
    """Return which event that is, for a program."""
    if entry is None:
        return None
    return {
        "position": entry.position,
        "at": shape.time_text(entry.at),
        "event": type(entry.event).__name__,
        "ref": entry.stream,
        "event_id": entry.event_id,
        "actor": entry.actor,
        "reason": entry.reason,
    }


# --- the check -------------------------------------------------------------------------------


def check_replays(setting: Setting, journal: Journal, until: int, own: Own) -> int:
    """Replay up to a position in every way there is, say what differs, and return the exit code."""
    from projections.refolding import divergences_of_fold
    from projections.replaying import VIEWS, divergences

    output = setting.output
    views = (*VIEWS, *own.projections)
    folds = own.folds(journal)
    found = []
    with bar(setting, "replaying") as move:
        for divergence in chain(
            divergences(journal, views, until=until, progress=move),
            *(divergences_of_fold(journal, fold, until=until) for fold in folds),
        ):
            found.append(divergence)
            if setting.is_json:
                output.object({"divergence": _divergence(divergence)})
    names = ", ".join([*(view.name for view in views), *(fold.name for fold in folds)])
    if setting.is_json:
        output.object({"position": until, "deterministic": not found, "divergences": len(found)})
    elif not found:
        good = output.styled("the same", "good")
        output.line(f"{good} at each of {until:,} positions, whichever way: {names}")
    else:
        for divergence in found:
            output.lines(_differs(divergence, output))
        output.line(
            "Where only the tables differ, mend them: draft-journal rebuild. "
            "Anything else is a mistake in a projection."
        )
    return 1 if found else 0


def _differs(divergence: Divergence, output: Output) -> Iterator[str]:
    yield f"{output.styled(divergence.view, 'bad')} is another {divergence.way}"
    if divergence.entry is not None:
        yield f"  {told(divergence.entry, output)}"
    if divergence.path:
        yield f"  {wording.harmless(divergence.path)}"
        yield f"    entry by entry  {_shown(divergence.expected)}"
        yield f"    that way        {_shown(divergence.found)}"


def _shown(value: object) -> str:
    return wording.harmless(repr(value))


def _divergence(found: Divergence) -> dict[str, Any]:
    return {
        "view": found.view,
        "way": found.way,
        "entry": entry_object(found.entry),
        "path": found.path,
        "expected": json_value(found.expected),
        "found": json_value(found.found),
        "expected_row": json_value(found.expected_row),
        "found_row": json_value(found.found_row),
    }


def json_value(value: Any) -> Any:  # noqa: ANN401  JSON
    """Return a value of a view as JSON: bytes in hexadecimal, and null where there is nothing."""
    match value:
        case dict():
            return {key: json_value(inner) for key, inner in value.items()}
        case list():
            return list(map(json_value, value))
        case bytes():
            return value.hex()
        case None | str() | int() | float():
            return value
        case _:
            return None


# --- the bisection ---------------------------------------------------------------------------


def bisect(
    setting: Setting,
    journal: Journal,
    expectation: Expectation,
    between: range,
    own: Own,
) -> int:
    """Find the first event after which an expectation fails, and return the exit code."""
    from projections.bisecting import first_failure

    after, until = between.start, between.stop
    with bar(setting, "looking") as move:
        found = first_failure(
            journal,
            expectation,
            after=after,
            until=until,
            views=own.projections,
            folds=own.folds(journal),
            progress=move,
        )
    output = setting.output
    text = wording.harmless(expectation.text)
    if found is None:
        if setting.is_json:
            output.object({"expectation": expectation.text, "holds": True, "position": until})
        else:
            output.line(f"{output.styled('holds', 'good')} at position {until:,}: {text}")
        return 0
    before, now = _heard(found.before), _heard(found.after)
    if setting.is_json:
        output.object(
            {
                "expectation": expectation.text,
                "holds": False,
                "entry": entry_object(found.entry),
                "path": found.comparison.text,
                "before": before,
                "after": now,
                "looks": found.looks,
            }
        )
    else:
        output.line(f"{output.styled('fails', 'bad')} after event {found.entry.position:,}: {text}")
        output.line(f"  {told(found.entry, output)}")
        path = wording.harmless(found.comparison.text)
        output.line(f"  {path} was {wording.value(before)}, and is {wording.value(now)}")
        output.line(output.styled(f"found in {found.looks} looks", "faint"))
    return 1


def _heard(value: Any) -> Any:  # noqa: ANN401  JSON
    from projections.expectation import UNHEARD

    return None if value is UNHEARD else value
