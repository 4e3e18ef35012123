"""Where the answers of a service show what, for one record type."""

from __future__ import annotations

from typing import Any

from journal.remotes import Profile
from journal.remotes.places import places_of
from journal.remotes.selection import selector

BASE: dict[str, Any] = {
    "url": "https://a.example",
    "create": {"method": "POST", "path": "/{type}", "body": '{"key": "{key}", "is": "{fields}"}'},
    "find": {"path": "/{type}?key={key}"},
}
WORDS = {"type": "Account", "type.one": "account"}


def test_each_place_knows_what_the_service_calls_the_type() -> None:
    """A placeholder of the type stands for its words wherever a place is said."""
    answer: dict[str, Any] = {
        name: f"/{{type.one}}/{name}" for name in ("record", "fields", "id", "key", "version")
    }
    profile = Profile.of({**BASE, "answer": {**answer, "own": ["/{type}"]}})

    found = places_of(profile, "read", WORDS)

    assert [getattr(found, name) for name in answer] == [
        selector(f"/account/{name}", {}) for name in answer
    ]
    assert ("Account",) in found.own


def test_parts_of_a_version_know_it_too() -> None:
    """A version that is composed of several has a place for each."""
    version = {"a": "/{type.one}/a", "b": "/b"}
    profile = Profile.of({**BASE, "answer": {"key": "/key", "version": version}})

    found = places_of(profile, "read", WORDS)

    assert found.version == {"a": selector("/account/a", {}), "b": selector("/b", {})}
    assert set(found.own) == {("key",), ("account", "a"), ("b",)}


def test_what_the_service_keeps_within_the_fields_is_no_field() -> None:
    """The id, the key and the version are told from the fields that they stand among."""
    answer = {"fields": "/data", "id": "/data/id", "key": "/key", "version": "/data/rev"}
    profile = Profile.of({**BASE, "answer": {**answer, "own": ["/meta"]}})

    assert set(places_of(profile, "read", {}).own) == {("meta",), ("id",), ("rev",)}


def test_what_is_nowhere_is_no_place() -> None:
    """Where the answers to one kind of request show no record, there is no place of one."""
    nowhere = {"record": "none", "fields": "none", "version": "none"}
    profile = Profile.of({"url": "https://a.example", "delete": {"answer": nowhere}})

    found = places_of(profile, "delete", {})

    assert (found.record, found.fields, found.id, found.key) == (None, None, (), ())
    assert (found.version, found.own) == ((), ())
