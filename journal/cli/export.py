"""The command that writes the log as a file: export.

Every line is an entry with the names and values of its stored columns, hashes in hexadecimal;
its last key is ``data``, which holds the stored bytes to the letter. Its first key is the id of
the journal, which is no column and under no hash of its own, but from which the chain begins. So
whoever has an export can check the whole chain without the journal and without this library.

Of a damaged entry, what is no text stands as bytes in hexadecimal, under a name that ends in
``_hex``.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import click

from journal.cli import wording
from journal.cli.output import encoded
from journal.cli.progress import bar
from journal.cli.setting import Setting, common_options, pass_setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from journal.log import Log, Row

_OWN_FILES: Final = ("", "-wal", "-shm", "-lock", "-journal", "-sender")


@click.command()
@click.argument("file", metavar="[FILE|-]", default="-")
@click.option(
    "--after",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Begin after this position.",
)
@common_options
@pass_setting
def export(setting: Setting, file: str, after: int) -> None:
    """Write the log as JSON lines.

    Every line is an entry, exactly as it is stored, to a file or to standard output.
    The file is readable for you alone, and is complete or not there at all. Of a damaged log,
    everything is written that can be read; where that is not all, the exit code is 1.
    """
    target = None if file == "-" else _checked(Path(file), setting.path)
    with setting.journal() as journal, bar(setting, "exporting") as move:
        unreadable: list[int] = []
        lines = _lines(journal.log, after, move, unreadable)
        if target is None:
            for line in lines:
                setting.output.raw(line)
            _check_all(unreadable)
            return
        count = 0
        with _replacing(target) as stream:
            for line in lines:
                stream.write(line)
                count += 1
        _check_all(unreadable)
    if setting.is_json:
        setting.output.object({"file": str(target), "entries": count})
    else:
        exported = wording.counted(count, "entry", "entries")
        setting.output.line(
            f"{setting.output.styled(exported, 'good')} exported to {wording.harmless(str(target))}"
        )


def _check_all(unreadable: list[int]) -> None:
    """Refuse to call it done where entries could not be read.

    Raises:
        LogCorruptError: they could not; all others were written.
    """
    if not unreadable:
        return
    from journal.errors import LogCorruptError

    entries = wording.counted(len(unreadable), "entry", "entries")
    raise LogCorruptError(
        unreadable[0],
        f"{entries} could not be read, the first of them here; all others were exported",
        hint="what is in their place says why; restore the file from a backup",
    )


def exported(row: Row, journal_id: str) -> bytes:
    """Return the line of a row of the journal with that id."""
    columns: dict[str, object] = {"journal_id": journal_id}
    for name, value in row._asdict().items():
        if name == "data":
            continue
        is_damaged = isinstance(value, bytes) and not name.endswith("hash")
        shown = value.hex() if isinstance(value, bytes) else value
        columns[f"{name}_hex" if is_damaged else name] = shown
    data: object = row.data
    if not isinstance(data, bytes):
        return encoded({**columns, "data_hex": str(data).encode().hex()})
    if not _is_one_line_of_json(row.data):
        return encoded({**columns, "data_hex": row.data.hex()})
    return encoded(columns)[:-2] + b',"data":' + row.data + b"}\n"


def _is_one_line_of_json(data: bytes) -> bool:
    """Say whether the bytes can stand in a line; those of a damaged log may not."""
    try:
        json.loads(data.decode())
    except ValueError:
        return False
    return b"\n" not in data and b"\r" not in data


def _lines(
    log: Log, after: int, move: Callable[[int, int], None], unreadable: list[int]
) -> Iterator[bytes]:
    """Yield the lines up to what is the last entry now; note those that cannot be read."""
    from journal.log import Unreadable

    head = log.head()
    for page in log.salvaged(after):
        for row in page:
            after = row.position
            if isinstance(row, Unreadable):
                unreadable.append(after)
                problem = {"position": after, "unreadable": row.problem}
                yield encoded({"journal_id": log.journal_id, **problem})
            else:
                yield exported(row, log.journal_id)
        move(after, max(after, head))


def _checked(target: Path, journal: Path) -> Path:
    """Return the file to write to, which must be none that would be harmed by it."""
    target = target.resolve()
    own = {Path(f"{journal.resolve()}{end}") for end in _OWN_FILES}
    if target in own or (target.exists() and journal.exists() and target.samefile(journal)):
        raise click.UsageError(f"{target} is the journal itself: name another file")
    if target.exists() and not target.is_file():
        raise click.UsageError(f"{target} is no ordinary file: export to - and redirect it there")
    if not target.parent.is_dir():
        raise click.UsageError(f"there is no folder {target.parent}")
    return target


@contextmanager
def _replacing(target: Path) -> Iterator[BinaryIO]:
    """Write a new file, put in place, durably, when the block ends without an error."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with open(descriptor, "wb") as stream:  # noqa: PTH123  a descriptor, not a path
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(target)
    except BaseException as error:
        with suppress(OSError):
            Path(name).unlink()
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(target)  # a full disk does not say which file was to be written
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
