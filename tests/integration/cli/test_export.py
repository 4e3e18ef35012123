"""export."""

from __future__ import annotations

import json
import os
from errno import ENOSPC
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from journal import Journal
from journal.cli.export import _replacing, exported
from journal.log import Row
from tests.integration.cli.conftest import Cli, Done, in_process
from tests.integration.cli.test_log import damage

if TYPE_CHECKING:
    from pathlib import Path


def filled(file: Path) -> None:
    """Make a journal with some entries."""
    with Journal(file, actor="Łukasz") as journal:
        acme = journal.create("Account", {"Name": 'Acme "Łódź"\n\x1b', "No": 1.0}, id="acme")
        journal.create("Visit", {"Account": acme}, reason="because\nof \\ it")
        journal.update(acme, {"Name": "}", "Emoji": "🚲"})


def verified(lines: list[bytes]) -> str:
    """Check the chain of an export as a third party would; return the last hash."""
    previous = ""
    for line in lines:
        entry = json.loads(line)
        journal_id = entry.pop("journal_id")
        previous = previous or sha256(f"draft-journal:{journal_id}".encode()).hexdigest()
        start = line.index(b',"data":') + len(b',"data":')
        entry["data"] = line[start : line.rindex(b"}")]
        assert entry["previous_hash"] == previous
        leaf = b""
        for name in sorted(set(entry) - {"hash"}):
            value = entry[name]
            if value is not None:
                content = value if isinstance(value, bytes) else str(value).encode()
                leaf += b"%b:%d:%b\n" % (name.encode(), len(content), content)
        previous = sha256(leaf).hexdigest()
        assert entry["hash"] == previous
    return previous


class TestExport:
    """The log as a file."""

    def test_hashes_can_be_checked_from_the_lines_alone(self, file: Path, cli: Cli) -> None:
        """Every line has the stored columns, and the stored bytes as its last key."""
        filled(file)

        lines = in_process(file, "export").out.encode().splitlines()

        with Journal(file) as journal:
            rows = journal.log.rows()
            found = journal.log.verify()
        assert [list(json.loads(line))[-1] for line in lines] == ["data"] * 3
        assert [line[line.index(b',"data":') + 8 : -1] for line in lines] == [r.data for r in rows]
        assert verified(lines) == found.head_hash
        assert {json.loads(line)["journal_id"] for line in lines} == {found.journal_id}
        columns = [name for name in Row._fields if name != "data"]
        assert [list(json.loads(line)) for line in lines] == [["journal_id", *columns, "data"]] * 3
        assert cli("verify", "--json").objects[0]["journal_id"] == found.journal_id

    def test_to_a_file(self, file: Path, cli: Cli, tmp_path: Path) -> None:
        """The file is that of standard output, for its user alone, with nothing beside it."""
        filled(file)
        target = tmp_path / "out" / "log.jsonl"
        target.parent.mkdir()

        done = cli("export", str(target))

        assert done == Done(0, f"3 entries exported to {target}\n", "")
        assert target.stat().st_mode & 0o777 == 0o600
        assert os.listdir(target.parent) == ["log.jsonl"]  # noqa: PTH208
        assert target.read_text(encoding="utf-8") == cli("export", "-").out

    def test_as_json(self, file: Path, cli: Cli, tmp_path: Path) -> None:
        """Where the entries go to a file, the report is an object."""
        filled(file)
        target = tmp_path / "log.jsonl"

        assert cli("export", str(target), "--json", "--after", "2").objects == [
            {"file": str(target), "entries": 1}
        ]

    def test_an_older_file_is_replaced_whole(self, file: Path, cli: Cli, tmp_path: Path) -> None:
        """A file that is there is replaced; one that is not writable is named."""
        filled(file)
        target = tmp_path / "log.jsonl"
        target.write_text("old " * 10_000, encoding="utf-8")

        cli("export", str(target))

        assert len(target.read_text(encoding="utf-8").splitlines()) == 3

    def test_a_full_disk_is_told_with_the_file(self, tmp_path: Path) -> None:
        """What could not be written is named, and nothing of it is left."""
        target = tmp_path / "out.jsonl"

        with (
            pytest.raises(OSError, match=r"No space left on device: '.*out\.jsonl'"),
            _replacing(target),
        ):
            raise OSError(ENOSPC, os.strerror(ENOSPC))

        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("end", ["", "-wal", "-shm", "-lock"])
    def test_the_journal_is_never_overwritten(self, file: Path, cli: Cli, end: str) -> None:
        """An export onto the journal, or a file beside it that belongs to it, is refused."""
        filled(file)

        done = cli("export", f"{file}{end}")

        assert done.code == 2
        assert "is the journal itself" in done.err
        assert cli("verify").code == 0

    def test_nor_by_another_name(self, file: Path, cli: Cli, tmp_path: Path) -> None:
        """A link to the journal is the journal."""
        filled(file)
        (tmp_path / "soft").symlink_to(file)
        (tmp_path / "hard").hardlink_to(file)

        assert cli("export", str(tmp_path / "soft")).code == 2
        assert cli("export", str(tmp_path / "hard")).code == 2

    def test_what_is_no_file_is_not_replaced(self, file: Path, cli: Cli, tmp_path: Path) -> None:
        """A device or a folder is not replaced, and a folder that is not there is named."""
        filled(file)

        assert "is no ordinary file" in cli("export", "/dev/null").err
        assert "is no ordinary file" in cli("export", str(tmp_path)).err
        assert "there is no folder" in cli("export", str(tmp_path / "a" / "b")).err

    def test_a_damaged_log_can_be_exported(self, file: Path, cli: Cli) -> None:
        """Data that is no line of JSON is written in hexadecimal, so that nothing is lost."""
        filled(file)
        damage(file, "UPDATE entries SET data = X'7B0AFF' WHERE position = 2")

        found = cli("export").objects

        assert [entry.get("data_hex") for entry in found] == [None, "7b0aff", None]

    def test_json_over_two_lines_stays_one_line(self, file: Path, cli: Cli) -> None:
        """Stored bytes with a line feed in them, which JSON allows, do not break a line."""
        filled(file)
        damage(file, "UPDATE entries SET data = X'7B0A7D' WHERE position = 1")

        assert cli("export").objects[0]["data_hex"] == "7b0a7d"
        with Journal(file) as journal:
            assert exported(journal.log.rows()[0], journal.log.journal_id).count(b"\n") == 1


class TestDamage:
    """Of a damaged log, all that can be read is exported."""

    def test_text_that_is_none(self, file: Path, cli: Cli) -> None:
        """A text that is no UTF-8 stands as bytes, in its place, and nothing behind it is lost."""
        filled(file)
        damage(file, "UPDATE entries SET reason = CAST(x'ff41' AS TEXT) WHERE position = 2")

        found = cli("export")

        assert (found.code, found.err) == (0, "")
        assert [line["position"] for line in found.objects] == [1, 2, 3]
        assert found.objects[1]["reason_hex"] == "ff41"
        assert "reason" not in found.objects[1]
        assert found.objects[1]["data"] == {"references": ["/fields/Account"]} | {
            "fields": {"Account": "Account:acme"}
        }

    def test_page_that_cannot_be_read(self, file: Path, cli: Cli, tmp_path: Path) -> None:
        """What cannot be read is said in its place, and in the end; the rest is there."""
        with Journal(file) as journal:
            for n in range(40):
                journal.create("A", {"text": "x" * 2500}, id=str(n))
        content = bytearray(file.read_bytes())
        pages = [
            place
            for place in range(0, len(content), 4096)
            if content[place] == 13 and b"RecordCreated" in content[place : place + 4096]
        ]
        content[pages[10]] = 77
        file.write_bytes(content)
        target = tmp_path / "rescued.jsonl"

        done = cli("export", str(target))

        lines = [json.loads(line) for line in target.read_bytes().splitlines()]
        lost = [line["position"] for line in lines if "unreadable" in line]
        assert done.code == 1
        assert "could not be read, the first of them here; all others were exported" in done.err
        assert [line["position"] for line in lines] == [*range(1, 41)]
        assert 1 <= len(lost) <= 5
        assert [json.loads(line) for line in cli("export").out.splitlines()] == lines
