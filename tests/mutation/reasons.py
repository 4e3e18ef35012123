"""Why changes that no test notices need no test: by the module, and by what the change is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.mutation.trying import Result, Survivor

REASONS: dict[str, str] = {
    "unreachable": "No value reaches it: the type checker proves it, and coverage leaves it out",
    "words": (
        "The words of an error or a hint, which people read; the error is told by its type and"
        " attributes"
    ),
    "codec": "The name of a codec, or of a way to decode, in other letters",
    "absent": (
        "What stands for something that is missing, and comes to the same as any text that is"
        " no date, number or address"
    ),
    "shortcut": "A short cut: the longer way comes to the same, later",
    "unused": "A value that nobody reads on this path, or that is replaced before it is read",
    "bound": (
        "A bound between values that are never equal, or a few characters or bytes more or less"
        " of a limit"
    ),
    "same": "The same by another way, such as `None` for `False`, or a set that comes to nothing",
    "closed": (
        "A word of a closed set, where every word but the few that are asked for means the same;"
        " the type checker refuses any other"
    ),
    "import": "It is run while modules are imported, before a change can be made",
    "else": "What comes before it, or after it, sees to the same",
    "open": "Still open: no test of the module states this rule",
}
"""What is said of the survivors, by the name of the reason."""


class Rule(NamedTuple):
    """Which survivors have a reason; the first rule that fits says which."""

    reason: str
    change: str
    """A pattern for the change: what was removed, an arrow, and what was added."""
    module: str = r".*"
    function: str = r".*"


RULES: tuple[Rule, ...] = (
    Rule("unreachable", r"assert_never"),
    Rule("import", r"words\.split|no_info_plain_validator_function"),
    Rule("words", r"Unknown\(None\)|_written\(None\)|_no_number\(None\)|^hint="),
    Rule("same", r"safe=['\"]XXXX['\"]"),
    Rule("words", r"body, None\)", "remotes/classify", "_with"),
    Rule("same", r'"XX XX"\.join', "remotes/classify"),
    Rule("unused", r"item\.content, None\)", "remotes/changes"),
    Rule("else", r"text\.rpartition", "remotes/salesforce/settings", "_checked_version"),
    Rule("absent", r'host = "XXXX"', "remotes/salesforce/settings", "_usual"),
    Rule("unreachable", r"known\.at is None\) and|\"XXXX\" if known\.at", "remotes/.*/updated"),
    Rule("unreachable", r"start is None and end is None", "remotes/.*/updated"),
    Rule("unused", r"_part\(None, turn|forgotten\(None|page, None\)", "remotes/.*/updated"),
    Rule("bound", r"size < MOST_BYTES", "remotes/salesforce/bound"),
    Rule("unused", r'asked\((None|"XXXX"), turn', "remotes/salesforce/feed"),
    Rule("absent", r'"XXXX" if ', "remotes/salesforce/feed"),
    Rule("same", r"if \(key\) or True", "remotes/salesforce/rows"),
    Rule("else", r"islice\(found, None", "remotes/problems"),
    Rule("bound", r"5 \* MAX_MESSAGES|_steps >= |depth >= ", "remotes/problems"),
    Rule(
        "else",
        r"case _: |_steps > _MAX_STEPS and",
        "remotes/problems",
    ),
    Rule("unused", r"_Part\(None, steps|_Part\(said, None", "remotes/problems"),
    Rule("shortcut", r"is None\) and False", "remotes/salesforce/group", "_read_back|.*_requests"),
    Rule("absent", r'b"XXXX"\)\.count', "remotes/salesforce/group"),
    Rule("same", r"quote\(name, ", "remotes/salesforce/group"),
    Rule("same", r"is_said=None", "remotes/salesforce/(group|errands)"),
    Rule("unused", r"Response\((None|201), ", "remotes/salesforce/group"),
    Rule("absent", r"self\._apart = ", "remotes/salesforce/together"),
    Rule("unused", r"self\._sights = None", "remotes/salesforce/together"),
    Rule("same", r'"-INF"|is_possible = None', "remotes/salesforce/together"),
    Rule("bound", r"queries\(None\)", "remotes/salesforce/together", r"Together\._read"),
    Rule("unused", r"answer, None, ", "remotes/salesforce/together", r"Together\._meaning"),
    Rule("closed", r"", "remotes/salesforce/together", r"Together\._meaning"),
    Rule("unused", r"None, record\)|means\(None|plain, None\)", "remotes/salesforce/errands"),
    Rule("unused", r'\] = ""$', "remotes/salesforce/sights", "Search.add"),
    Rule("bound", r"row\.keys\(\) > ", "remotes/salesforce/sights"),
    Rule("same", r"record=None\), None, response", "remotes/dialect"),
    Rule("unreachable", r"isinstance\(described|and Shown\(\)", "remotes/dialect"),
    Rule("unused", r"content, None\)|record, None\)", "remotes/dialect"),
    Rule(
        "shortcut",
        r"known = (None|self\._places\.get\(None)|record is MISSING and",
        "remotes/dialect",
    ),
    Rule("closed", r'"time" if|"XXexactXX"|"EXACT"', "remotes/dialect"),
    Rule("codec", r"(?i)[\"'](utf-\d+|latin-1|ascii|idna|replace|backslashreplace)[\"']"),
    Rule("bound", r"remote\.receipt >=", "record"),
    Rule("shortcut", r"XXdeleteXX|DELETE|\(names\) or True", "record", "_laid_over|_rebased"),
    Rule("shortcut", r"is_as_laid_over", "record"),
    Rule("shortcut", r"entry\.event\.references", "drafts", "_begun"),
    Rule("unused", r"self\._row_begins = ", "drafts", r"Queue\.__init__"),
    Rule("unused", r"self\.(_of|has_asked|_is_old|_has_read|_seen)\b.* = ", "sync/doubts"),
    Rule("bound", r"age_s: float", "sync/doubts"),
    Rule("unused", r'"hold", "hold"', "conflicts"),
    Rule("unused", r"ObserveRecord\(None|\), None\)$", "resolutions|sync/sightings"),
    Rule("unused", r"decide\(record, observed, \{\}\)", "resolutions"),
    Rule("same", r"case _: return →", "remotes/classify"),
    Rule("same", r'said if _KEY\.search\(said\) else "XX', "remotes/classify"),
    Rule("shortcut", r"if \(?(same\(|all\(name in received)", "remotes/comparison"),
    Rule("shortcut", r"forms\.agrees\(None", "remotes/comparison", "holds"),
    Rule("unused", r"record=push\.ref", "remotes/comparison", "ours"),
    Rule("same", r'for tag in \("', "remotes/pages"),
    Rule("same", r'HOLE\.sub\("XXXX"|within = None', "remotes/paths"),
    Rule("shortcut", r'"(XXnullXX|NULL)"', "remotes/(constraints|placeholders)"),
    Rule("same", r"share <= limits\.slow_from", "remotes/salesforce/limits"),
    Rule("same", r"fields is None\) and False", "remotes/masking"),
    Rule("same", r"get_close_matches", "remotes/placeholders"),
    Rule("same", r"case _: return →", "remotes/salesforce/answers"),
    Rule("unused", r"lastgroup (and 0|or 1)|before = 0,", "remotes/salesforce/soql"),
    Rule("same", r"IGNORECASE|depth -= ", "remotes/salesforce/soql"),
    Rule("unused", r"ObserveRecord\(None|again, None\)", "sync/seen"),
    Rule("bound", r"remote\.receipt >=", "sync/seen", "_is_newer"),
    Rule("same", r'step\.lower\(\), ("", )?', "remotes/naming", r"Names\._known"),
    Rule("same", r"_paths\(None, inner", "remotes/naming", "_paths"),
    Rule("same", r"HEADER:|XXheader:XX|\) and False|XX_XX|XXXX", "remotes/selection"),
    Rule("unused", r"_pointer\(piece, None", "remotes/selection"),
    Rule("bound", r"budget\.spend\(.* [-+]? ?\d|self\.left|path\[:3\]|\), \d\) →", "values"),
    Rule("shortcut", r"type\(None\) is|part is None\) and False", "values"),
    Rule("same", r"case _: return None →", "remotes/salesforce/objects"),
    Rule("same", r"is_ours = (None|True)", "remotes/changes"),
    Rule("unused", r'"index", ', "remotes/changes", r"Feed\._next"),
    Rule("bound", r"len\(step\) < 8", "remotes/pointers"),
    Rule("shortcut", r'kind == "(XXexactXX|EXACT)"', "remotes/forms"),
    Rule("same", r"astimezone\(None\)", "remotes/forms"),
    Rule("closed", r'id_type: IdType = "', "remotes/forms"),
    Rule("same", r'pop\("kind"', "descriptions", "_field"),
    Rule("bound", r"else -2|begin >= 0|begin > 1", "remotes/pages", "_between"),
    Rule("words", r"error = DeclinedError", "receiver/headers"),
    Rule("bound", r"_begun\.(pop|get)", "sync/turns"),
    Rule("absent", r"\bor \"\"|\.get\(\"[\w-]+\", b?\"\"\)"),
    Rule("same", r"strip\('XX\"XX'\)", "remotes/times"),
    Rule("shortcut", r"type\(\w+\) is bool", "fitting", "_unfit_number"),
    Rule("shortcut", r'said != "null"', "remotes/contents"),
    Rule("unused", r"template\.get\(SPREAD", "remotes/templates"),
    Rule("unused", r"_pairs\(content, None\)", "remotes/templates"),
    Rule("closed", r'OnHeld = "|kind: Kind = "|choice\.policy or "'),
    Rule("bound", r"failures - 1, 33", "sync/backoff"),
    Rule("else", r'"Args:"\), None\)', "modelling", "parameters"),
    Rule("closed", r'"(XXreadXX|READ)"|rec\w+, None\)', "remotes/errand"),
    Rule("bound", r"latest = 1", "log/chain", "seal"),
    Rule("unused", r"__init__\(None\)", "log/mapper"),
    Rule("bound", r"event_type, 1\)|version <= current", "log/mapper", r"EntryMapper\._upcast"),
    Rule("same", r"include_url|include_input", "log/mapper", "_first_line"),
    Rule("same", r'"XXXX"\.join', "log/chain", "leaf"),
    Rule("same", r"strict=|ensure_ascii="),
)
"""The rules, in order."""
_TEXT = re.compile(r'"[^"]*[^\W\d],? [^\W\d][^"]*"')


def reason_of(module: str, survivor: Survivor) -> str:
    """Return the name of the reason for which a change needs no test."""
    removed, added = " ".join(survivor.removed), " ".join(survivor.added)
    change = f"{removed} → {added}"
    function = function_of(survivor)
    for rule in RULES:
        if (
            re.fullmatch(rule.module, module)
            and re.fullmatch(rule.function, function)
            and re.search(rule.change, change)
        ):
            return rule.reason
    return "words" if _is_of_words(removed, added) else "open"


def _is_of_words(removed: str, added: str) -> bool:
    """Say whether a change is one of a text that is read by people."""
    texts, others = _TEXT.findall(removed), _TEXT.findall(added)
    if _TEXT.sub("", removed) == _TEXT.sub("", added) and len(texts) == len(others):
        return texts != others
    if re.match(r"hint=", removed) and added in {"", "hint=None,"}:
        return True
    return bool(re.search(r"\b(problem|hint|message|text|said) = None$", added)) or (
        "raise " in removed and "None" in added
    )


def function_of(survivor: Survivor) -> str:
    """Return the function, or the method, that a change is in."""
    name = re.sub(r"__mutmut_\d+$", "", survivor.name)
    return name.replace("xǁ", "").replace("ǁ", ".").removeprefix("x_")


def report(results: Iterable[Result]) -> Iterator[str]:
    """Yield the lines of a page: a table of the modules, and the survivors by their reasons."""
    found = list(results)
    yield "# What mutation testing of the pure core has found\n"
    yield "Written by `python -m tests.mutation --last --report`; not by hand.\n"
    yield "| Module | Mutants | Killed | Timeouts | Survived | Others | Noticed, % |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for result in found:
        yield _row(f"`{result.module}`", [result])
    yield _row("all of these", found)
    by_reason: dict[str, list[str]] = {reason: [] for reason in REASONS}
    for result in found:
        for survivor in result.survivors:
            by_reason[reason_of(result.module, survivor)].append(_line(result.module, survivor))
    for reason, lines in by_reason.items():
        if lines:
            yield f"\n## {REASONS[reason]} ({len(lines)})\n"
            yield from lines


def _row(title: str, results: list[Result]) -> str:
    """Return a row of the table for some modules."""
    mutants = sum(result.mutants for result in results)
    killed = sum(result.killed for result in results)
    timeouts = sum(result.timeouts for result in results)
    survived = sum(len(result.survivors) for result in results)
    others = sum(len(result.others) for result in results)
    share = 100 * (killed + timeouts) / mutants if mutants else 100.0
    return f"| {title} | {mutants} | {killed} | {timeouts} | {survived} | {others} | {share:.1f} |"


def _line(module: str, survivor: Survivor) -> str:
    removed, added = " ".join(survivor.removed), " ".join(survivor.added) or "nothing"
    return f"- `{module}`, `{function_of(survivor)}`: ``{removed}`` → ``{added}``"
