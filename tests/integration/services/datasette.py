"""Datasette: POST only, no versions and no conditions, values in SQLite's own forms."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

import httpx
from itsdangerous import URLSafeSerializer

from tests.integration.services.process import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACTOR: Final = "field"
_SECRET: Final = "only-for-tests"  # noqa: S105  of a service on loopback that ends with the test
_SCHEMA: Final = """
PRAGMA journal_mode=WAL;
CREATE TABLE notes (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL CHECK (length(title) <= 40),
    n INTEGER,
    body TEXT,
    done INTEGER,
    modified TEXT NOT NULL DEFAULT ''
);
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY,
    key TEXT UNIQUE,
    title TEXT NOT NULL,
    n INTEGER,
    body TEXT,
    parent INTEGER REFERENCES tasks(id)
);
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    action TEXT NOT NULL,
    key TEXT NOT NULL
);
CREATE TRIGGER notes_insert AFTER INSERT ON notes BEGIN
    INSERT INTO audit (action, key) VALUES ('create', new.id);
    UPDATE notes SET modified = strftime('%Y-%m-%dT%H:%M:%fZ') WHERE id = new.id;
END;
CREATE TRIGGER notes_update AFTER UPDATE OF title, n, body, done ON notes BEGIN
    INSERT INTO audit (action, key) VALUES ('update', new.id);
    UPDATE notes SET modified = strftime('%Y-%m-%dT%H:%M:%fZ') WHERE id = new.id;
END;
CREATE TRIGGER notes_delete AFTER DELETE ON notes BEGIN
    INSERT INTO audit (action, key) VALUES ('delete', old.id);
END;
CREATE TRIGGER tasks_insert AFTER INSERT ON tasks BEGIN
    INSERT INTO audit (action, key) VALUES ('create', new.key);
END;
CREATE TRIGGER tasks_update AFTER UPDATE ON tasks BEGIN
    INSERT INTO audit (action, key) VALUES ('update', new.key);
END;
CREATE TRIGGER tasks_delete AFTER DELETE ON tasks BEGIN
    INSERT INTO audit (action, key) VALUES ('delete', old.key);
END;
"""
_WRITES: Final = ("insert-row", "update-row", "delete-row")
_SETTINGS: Final = {
    "databases": {
        "field": {
            "allow": {"id": ACTOR},
            "permissions": {write: {"id": ACTOR} for write in _WRITES},
        }
    }
}


class Datasette:
    """A Datasette that runs, with a table whose ids are ours, and one whose ids are its own."""

    def __init__(self, root: str, database: Path) -> None:
        """Speak to the Datasette there, and read that file of its."""
        self.url = f"{root}/field"
        self._database = database
        token = URLSafeSerializer(_SECRET, "token").dumps({"a": ACTOR, "t": int(time.time())})
        self.environ = {"DATASETTE_TOKEN": f"dstok_{token}"}

    def _post(self, path: str, content: dict[str, Any]) -> None:
        headers = {"Authorization": f"Bearer {self.environ['DATASETTE_TOKEN']}"}
        with httpx.Client(trust_env=False, headers=headers) as client:
            client.post(f"{self.url}{path}", json=content).raise_for_status()

    def _row(self, key: str, table: str) -> dict[str, Any] | None:
        column = "id" if table == "notes" else "key"
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            row = connection.execute(
                f"SELECT * FROM {table} WHERE {column} = ?",  # noqa: S608  names of our own
                (key,),
            ).fetchone()
        return None if row is None else dict(row)

    def create(self, key: str, fields: dict[str, Any], table: str = "notes") -> None:
        """Create a row behind the journal's back."""
        column = "id" if table == "notes" else "key"
        self._post(f"/{table}/-/insert", {"row": {column: key, **fields}})

    def edit(self, key: str, fields: dict[str, Any], table: str = "notes") -> None:
        """Edit a row behind the journal's back."""
        self._post(f"/{table}/{self._id(key, table)}/-/update", {"update": fields})

    def delete(self, key: str, table: str = "notes") -> None:
        """Delete a row behind the journal's back."""
        self._post(f"/{table}/{self._id(key, table)}/-/delete", {})

    def _id(self, key: str, table: str) -> str:
        row = self._row(key, table)
        assert row is not None
        return str(row["id"])

    def fields(self, key: str, table: str = "notes") -> dict[str, Any] | None:
        """Return what the service has, without what it keeps itself, or has no value for."""
        row = self._row(key, table)
        if row is None:
            return None
        own = {"id", "key", "modified"}
        return {n: value for n, value in row.items() if n not in own and value is not None}

    def history(self, key: str) -> list[str]:
        """Return each change that was applied to a row, oldest first: its triggers' word."""
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as connection:
            rows = connection.execute(
                "SELECT action FROM audit WHERE key = ? ORDER BY seq", (key,)
            ).fetchall()
        return [action for (action,) in rows]


@contextmanager
def datasette(folder: Path) -> Iterator[Datasette]:
    """Run a Datasette on a file of its own."""
    database, settings = folder / "field.db", folder / "datasette.json"
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(_SCHEMA)
    settings.write_text(json.dumps(_SETTINGS), encoding="utf-8")
    start = ["-m", "datasette", "serve", str(database), "--host", "127.0.0.1"]
    start += ["--secret", _SECRET, "--config", str(settings), "--port"]
    with running(
        lambda port: [*start, str(port)], "/-/versions.json", folder / "datasette.log"
    ) as url:
        yield Datasette(url, database)
