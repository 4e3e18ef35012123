"""A day in the field, end to end: what `make run` shows.

A technician's changes are journaled while the record service is down, the service comes up,
the drafts are sent to it in order, and what it has at the end is compared with the local state.
Everything is done by the real command line, in processes of its own, on a real socket; the exit
code is 0 only if every draft was acknowledged, both sides are equal and the log is verified.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE: Final = Path(__file__).parent
STILL_PENDING: Final = 3


def main(kind: type[Day]) -> int:
    """Run a day in a temporary folder; return the exit code."""
    with tempfile.TemporaryDirectory(prefix="draft-journal-") as folder:
        day = kind(Path(folder))
        day.offline()
        with day.service():
            day.online()
            day.compare()
        day.look_back()
    say("The day is done: every draft acknowledged, both sides equal, the log verified.")
    return 0


class Day:
    """One journal, one record service, and what happens between them."""

    changes = HERE / "day.jsonl"
    settings = HERE / "record-service.toml"
    placeholder = "http://127.0.0.1:8765"
    module = "journal.testing.service"

    def __init__(self, folder: Path) -> None:
        """Keep all in a folder, and agree on a port for the service."""
        self.url = f"http://127.0.0.1:{free_port()}"
        self.profile = folder / self.settings.name
        text = self.settings.read_text(encoding="utf-8")
        self.profile.write_text(text.replace(self.placeholder, self.url), encoding="utf-8")
        self.journal = folder / "field.db"

    def offline(self) -> None:
        """Journal the day's changes while the service is down."""
        say("The service is down. The day's changes are journaled all the same:")
        self.run("import", str(self.changes))
        say("The queue of pending drafts:")
        self.run("drafts")
        say("A push finds nobody there, and loses nothing:")
        self.run("push", "--remote", str(self.profile), "--attempts", "2", expect=STILL_PENDING)

    def online(self) -> None:
        """Send everything, now that the service is up."""
        say("The record service is up. The drafts are sent in the order in which they were made:")
        self.run("push", "--remote", str(self.profile))
        self.run("drafts")

    def compare(self) -> None:
        """Compare the service's records with the local state, field by field."""
        remote = self.fetch("/-/effects")
        types = sorted({effect["path"].split("/")[1] for effect in remote})
        ours = {t: self.local(t) for t in types}
        theirs = {t: {r["id"]: r["fields"] for r in self.fetch(f"/{t}")["records"]} for t in types}
        if ours != theirs:
            sys.exit(f"The service and the journal differ:\n{ours}\n{theirs}")
        records = sum(map(len, ours.values()))
        say(f"The service has the same {records} records as the journal, field by field.")

    def look_back(self) -> None:
        """Show the history of one record, and verify the log."""
        say("Who changed the first visit, from what to what, and how it was acknowledged:")
        self.run("history", "Visit:v-0901")
        say("And the log, checked entry by entry:")
        self.run("verify")

    def run(self, *arguments: str, expect: int = 0) -> None:
        """Run the command line where its output can be seen; stop unless it exits as expected."""
        sys.stdout.flush()
        found = subprocess.run(self.command(*arguments), check=False).returncode
        if found != expect:
            sys.exit(f"draft-journal {arguments[0]} exited with {found}, not with {expect}")

    def command(self, *arguments: str) -> list[str]:
        """Return the command line for this journal."""
        return [sys.executable, "-m", "journal", "--journal", str(self.journal), *arguments]

    def local(self, record_type: str) -> dict[str, Any]:
        """Return the local records of a type, with references as the ids that the service has."""
        records = map(json.loads, self.output("--json", "list", record_type).splitlines())
        return {record["id"]: plain(record) for record in records}

    def output(self, *arguments: str) -> str:
        """Return what the command line says."""
        command = self.command(*arguments)
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    @contextmanager
    def service(self) -> Iterator[None]:
        """Run the record service in a process of its own."""
        port = self.url.rpartition(":")[2]
        command = [sys.executable, "-m", self.module, "--port", port]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            if process.stdout is None or "listening" not in process.stdout.readline():
                sys.exit("the record service did not start")
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)

    def fetch(self, path: str) -> Any:  # noqa: ANN401  JSON
        """Return what the service answers."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as answer:  # noqa: S310
            return json.load(answer)


def plain(record: dict[str, Any]) -> dict[str, Any]:
    """Return the fields with the id of the record where another record is referred to."""
    fields: dict[str, Any] = record["fields"]
    for name, target in record.get("references", {}).items():
        fields[name] = target.partition(":")[2]
    return {name: value for name, value in fields.items() if value is not None}


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def say(text: str) -> None:
    """Print a line of the story, apart from the output of the commands."""
    bold, plain_again = ("\033[1m", "\033[0m") if may_colour() else ("", "")
    print(f"\n{bold}{text}{plain_again}", flush=True)


def may_colour() -> bool:
    """Whether the terminal shows bold text and wants to."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


if __name__ == "__main__":
    sys.exit(main(Day))
