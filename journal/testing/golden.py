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
from typing import TYPE_CHECKING, Any

from journal import Journal
from projections.replaying import VIEWS, divergences_in_tables

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from projections import Projection

__all__ = ["golden_journal", "record_golden"]


def record_golden(path: str | os.PathLike[str], *views: type[Projection]) -> Path:
    """Record what a journal is now, beside its file; once, by whoever makes the golden journal.

    Args:
        path: of the file, which nobody has open.
        *views: projections whose digests are recorded beside those of this library.

    Returns:
        Where it was written.

    Raises:
        FileExistsError: it was recorded before; delete that by hand, if it must be.
        AssertionError: the journal is not whole.
    """
    where = Path(path).with_suffix(".json")
    with _copied(path) as journal:
        reading = _reading(journal, (*VIEWS, *views))
    with where.open("x", encoding="utf-8") as file:
        file.write(json.dumps(reading, indent=1) + "\n")
    return where


@contextmanager
def golden_journal(path: str | os.PathLike[str], *views: type[Projection]) -> Iterator[Journal]:
    """Open a copy of a golden journal that is what it was, and yield it.

    It verifies, has the entries and the hash of its day, and folds to the digests of its day, in
    one go and entry by entry. A view that has another version since is passed over: it may look
    otherwise, and is compared with its own replay only.

    Args:
        path: of the file.
        *views: projections beside those of this library.

    Raises:
        AssertionError: it is not what it was.
        FileNotFoundError: it was never recorded.
    """
    __tracebackhide__ = True
    expected = json.loads(Path(path).with_suffix(".json").read_text("utf-8"))
    kinds = (*VIEWS, *views)
    with _copied(path) as journal:
        found = _reading(journal, kinds)
        for name, recorded in expected["views"].items():
            now = found["views"].get(name)
            if now is not None and now["version"] == recorded["version"] and now != recorded:
                raise AssertionError(
                    f"{path}: the view {name} of version {now['version']} was another when it was "
                    "recorded; where that is meant, raise its version"
                )
        for fact in ("journal_id", "entries", "head_hash"):
            if found[fact] != expected[fact]:
                raise AssertionError(
                    f"{path}: its {fact} is {found[fact]}, and was {expected[fact]}"
                )
        for divergence in divergences_in_tables(journal, kinds):
            raise AssertionError(f"{path}: {divergence.sentence}")
        yield journal


@contextmanager
def _copied(path: str | os.PathLike[str]) -> Iterator[Journal]:
    """Open a copy of a file, with what belongs to it, and forget it afterwards."""
    source = Path(path)
    with TemporaryDirectory(prefix="draft-journal-") as folder:
        copy = Path(folder) / source.name
        shutil.copyfile(source, copy)
        wal = source.with_name(f"{source.name}-wal")
        if wal.exists():
            shutil.copyfile(wal, copy.with_name(wal.name))
        with Journal(copy, create=False, actor="reader", origin="a golden journal") as journal:
            yield journal


def _reading(journal: Journal, views: tuple[type[Projection], ...]) -> dict[str, Any]:
    """Return what is recorded of a journal."""
    found = journal.log.verify()
    if not found.is_intact:
        raise AssertionError(f"the log is not whole: {found.problems[0].text}")
    return {
        "journal_id": found.journal_id,
        "entries": found.entries,
        "head_hash": found.head_hash,
        "views": {
            view.name: {"version": view.version, "digest": view(journal).digest()} for view in views
        },
    }
