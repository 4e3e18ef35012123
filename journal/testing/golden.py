"""Golden journals: files of an earlier release that must be read the same for ever.

Beside the file ``old.db`` stands ``old.json``: what it was when it was recorded. A golden
journal is never written to: a copy of it is opened.
"""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final
from warnings import warn

from journal import Journal
from journal.errors import LogError
from journal.testing.handed import check_views
from projections.replay import Replay
from projections.replaying import VIEWS, divergences_in_tables
from projections.states import difference

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from projections import Projection

__all__ = ["golden_journal", "record_golden"]

_OF_LOG: Final = ("journal_id", "entries", "head_hash")
_FACTS: Final = frozenset({*_OF_LOG, "views"})
_ROWS_MOST: Final = 1_000
"""Of how many rows of a view a golden journal is recorded with them; otherwise with a digest."""


def record_golden(
    path: str | os.PathLike[str], *views: type[Projection], renew: bool = False
) -> Path:
    """Record what a journal is now, beside its file; once, by whoever makes the golden journal.

    Args:
        path: of the file, which nobody has open.
        *views: projections that are recorded beside those of this library, with their rows.
        renew: whether it was recorded before, and views of another version, or new ones, are
            recorded anew; nothing else may have changed.

    Returns:
        Where it was written.

    Raises:
        FileExistsError: it was recorded before.
        FileNotFoundError: there is no such file.
        AssertionError: the journal is not whole; or something has changed that is not renewed.
        TypeError: a view is no class of a projection.
        ValueError: the path is the one of what is recorded.
    """
    _check_arguments(path, views)
    where = Path(path).with_suffix(".json")
    if where.exists() and not renew:
        said = f"{where} was recorded before: renew=True records views of another version anew"
        raise FileExistsError(said)
    if not Path(path).exists():
        raise FileNotFoundError(f"{path} is not there: make the journal first, and close it")
    kinds = (*VIEWS, *views)
    with _copied(path) as journal:
        reading = _reading(path, journal, kinds)
        if renew:
            expected = _expected(path)
            _check_same(path, reading, expected)
            reading["views"] = {**expected["views"], **reading["views"]}
    where.write_text(json.dumps(reading, indent=1) + "\n", encoding="utf-8")
    return where


def golden_journal(
    path: str | os.PathLike[str], *views: type[Projection]
) -> AbstractContextManager[Journal]:
    """Assert that a golden journal is what it was, and return what opens a copy of it.

    It verifies, has the entries and the hash of its day, and folds to the digests of its day, in
    one go and entry by entry. A view that has another version since is passed over: it may look
    otherwise, and is compared with its own replay only, which a warning says of those in `views`;
    and another, of each that was recorded and is not among them.

    Args:
        path: of the file.
        *views: projections beside those of this library.

    Returns:
        A context manager, of which the value is the copy.

    Raises:
        AssertionError: it is not what it was.
        FileNotFoundError: it was never recorded.
        TypeError: a view is no class of a projection.
        ValueError: the path is the one of what was recorded.
    """
    __tracebackhide__ = True
    _check_arguments(path, views)
    expected = _expected(path)
    kinds = (*VIEWS, *views)
    with _copied(path) as journal:
        _check_same(path, _reading(path, journal, kinds), expected)
        for divergence in divergences_in_tables(journal, kinds):
            raise AssertionError(f"{path}: {divergence.sentence}")
    for view in views:
        recorded = expected["views"].get(view.name, {"version": None})["version"]
        if recorded != view.version:
            was = "was never recorded" if recorded is None else f"was recorded as {recorded}"
            warn(
                f"{path}: the view {view.name} of version {view.version} {was}, so nothing is "
                f"known of it: record_golden({str(path)!r}, {view.__name__}, renew=True)",
                stacklevel=2,
            )
    for name in expected["views"].keys() - {view.name for view in kinds}:
        warn(
            f"{path}: the view {name} was recorded, and is not compared: name its projection, "
            f"golden_journal({str(path)!r}, …), also where it has another name now",
            stacklevel=2,
        )
    return _copied(path)


def _check_arguments(path: str | os.PathLike[str], views: Sequence[object]) -> None:
    """Refuse what cannot be meant.

    Raises:
        TypeError: a view is no class of a projection.
        ValueError: the path is the one of what is recorded.
    """
    check_views(views)
    if Path(path).suffix == ".json":
        raise ValueError(f"{path} is what record_golden() writes; name the journal beside it")


def _expected(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what was recorded.

    Raises:
        FileNotFoundError: nothing was.
    """
    where = Path(path).with_suffix(".json")
    for file in (Path(path), where):
        if not file.exists():
            said = f"{file} is not there: make the journal, and call record_golden({str(path)!r})"
            raise FileNotFoundError(said)
    try:
        expected: Any = json.loads(where.read_text("utf-8"))
    except ValueError as error:
        raise AssertionError(f"{where} is not what record_golden() has written: {error}") from error
    is_one = isinstance(expected, dict) and expected.keys() >= _FACTS
    if not (is_one and _are_views(expected["views"])):
        raise AssertionError(f"{where} is not what record_golden() has written")
    facts: dict[str, Any] = expected
    return facts


def _are_views(found: object) -> bool:
    """Say whether that may be what was recorded of views."""
    return isinstance(found, dict) and all(
        isinstance(view, dict) and view.keys() >= {"version", "digest"} for view in found.values()
    )


def _check_same(
    path: str | os.PathLike[str], found: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Compare what was read with what was recorded, the log first: views follow from it."""
    __tracebackhide__ = True
    for fact in _OF_LOG:
        if found[fact] != expected[fact]:
            raise AssertionError(
                f"{path}: its {fact} is {found[fact]}, and was {expected[fact]}: its log is another"
            )
    for name, recorded in expected["views"].items():
        now = found["views"].get(name)
        if now is None or now["version"] != recorded["version"]:
            continue
        if now["digest"] != recorded["digest"]:
            raise AssertionError(
                f"{path}: the view {name} of version {now['version']} was another when it was "
                f"recorded{_where(now, recorded)}; where that is meant, raise its version, and "
                "record it anew: record_golden(…, renew=True)"
            )


def _where(now: dict[str, Any], recorded: dict[str, Any]) -> str:
    """Say where a view differs, as far as its rows were recorded."""
    if now["rows"] is None or recorded.get("rows") is None:
        return ""
    place = difference(recorded["rows"], now["rows"])
    if place is None:
        return ""
    return f": {place.path} is {place.found!r}, and was {place.expected!r}"


@contextmanager
def _copied(path: str | os.PathLike[str]) -> Iterator[Journal]:
    """Open a copy of a file, with what belongs to it, and forget it afterwards.

    Raises:
        AssertionError: it can be read no more.
    """
    __tracebackhide__ = True
    source = Path(path)
    with TemporaryDirectory(prefix="draft-journal-") as folder:
        copy = Path(folder) / source.name
        shutil.copyfile(source, copy)
        wal = source.with_name(f"{source.name}-wal")
        if wal.exists():
            shutil.copyfile(wal, copy.with_name(wal.name))
        try:
            journal = Journal(copy, create=False, actor="reader", origin="a golden journal")
        except LogError as error:
            raise AssertionError(_damage(source, copy, str(error))) from error
        with journal:
            yield journal


def _damage(source: Path, copy: Path, problem: str) -> str:
    """Say what is wrong with a file, as a copy of it tells, with how to mend it."""
    said = problem.replace(str(copy), str(source))
    where = "" if str(source) in said else f"{source}: "
    return f"{where}{said}; bring both files back as they were recorded, from your repository"


def _reading(
    path: str | os.PathLike[str], journal: Journal, views: tuple[type[Projection], ...]
) -> dict[str, Any]:
    """Return what is recorded of a journal, a copy of the one at that path."""
    __tracebackhide__ = True
    copy = Path(str(journal.log.path))
    try:
        found = journal.log.verify()
    except LogError as error:
        raise AssertionError(_damage(Path(path), copy, str(error))) from error
    if not found.is_intact:
        problem = f"the log is not whole: {found.problems[0].text}"
        raise AssertionError(_damage(Path(path), copy, problem))
    return {
        "journal_id": found.journal_id,
        "entries": found.entries,
        "head_hash": found.head_hash,
        "views": {view.name: _reading_of(journal, view) for view in views},
    }


def _reading_of(journal: Journal, view: type[Projection]) -> dict[str, Any]:
    """Return what is recorded of a view: of one of the host also its rows, unless they are many."""
    with Replay(journal, (view,)) as replay:
        replay.to(journal.log.head())
        state = replay.state(view)
    is_shown = view not in VIEWS and sum(map(len, state.values())) <= _ROWS_MOST
    rows = json.loads(json.dumps(state, default=_hex)) if is_shown else None
    return {"version": view.version, "digest": view(journal).digest(), "rows": rows}


def _hex(value: bytes) -> str:
    return value.hex()
