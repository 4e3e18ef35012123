"""The list of changes of a service: what its pages show, and where the next one is."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from journal.outcomes import Refused
from journal.remotes import Profile, Request, Response
from journal.remotes.changes import Feed
from journal.remotes.dialect import Dialect
from journal.remotes.remote import Page

URL: Final = "https://a.example/v1"
LIST: Final = {"path": "/{type}?since={since}", "items": "/items", "since": "/at"}


def feed(url: str = URL, auth: dict[str, Any] | None = None, **changes: Any) -> Feed:  # noqa: ANN401
    """Return the changes of the notes, listed as that says."""
    answer = {"key": "/{type.one}", "version": "none"}
    types = {"Note": {"name": "notes", "words": {"one": "note"}}}
    content = {"url": url, "answer": answer, "types": types, "changes": {**LIST, **changes}}
    return Feed(Dialect(Profile.of({**content, "auth": auth or {}})), "Note")


def shown(feed: Feed, content: object, **headers: str) -> Page:
    """Return the page that an answer with this content is."""
    response = Response(200, headers, json.dumps(content).encode())
    page = feed.page(Request("GET", "/notes"), response, None, None)
    assert isinstance(page, Page)
    return page


def followed(address: str, url: str = URL, auth: dict[str, Any] | None = None) -> str:
    """Return the path of the next page where an answer says its address; or why it has none."""
    notes = feed(url, auth, next="/next")
    content = {"items": [{"note": "n1", "at": 1}], "next": address}
    response = Response(200, {}, json.dumps(content).encode())
    page = notes.page(Request("GET", "/notes?x=1"), response, None, None)
    if isinstance(page, Refused):
        return page.messages[0].message
    assert isinstance(page, Page)
    assert page.next is not None
    return notes.request(page.since, page.next).path


class TestTheNextPage:
    """F2: it is below the address of the service, or it is not asked for."""

    @pytest.mark.parametrize(
        ("address", "path"),
        [
            ("https://a.example/v1/notes?page=2", "/notes?page=2"),
            ("https://a.example:443/v1/notes", "/notes"),
            ("HTTPS://A.example/v1/notes", "/notes"),
            ("/v1/more?a=b&c=d", "/more?a=b&c=d"),
            ("?page=2", "/notes?page=2"),
            ("more", "/more"),
            ("/v1/a b/%2F?q=ä&r=%20", "/a%20b/%2F?q=%C3%A4&r=%20"),
            ("/v1/x#part", "/x"),
        ],
    )
    def test_below_the_address_of_the_service(self, address: str, path: str) -> None:
        """Whole, or relative to the page that says it, its path and its query are kept."""
        assert followed(address) == path

    @pytest.mark.parametrize(
        ("address", "where"),
        [
            ("https://b.example/v1/notes", "https://b.example"),
            ("http://a.example/v1/notes", "http://a.example"),
            ("https://a.example:8443/v1/notes", "https://a.example"),
            ("https://ann@a.example/v1/notes", "https://a.example"),
            ("https://:pw@a.example/v1/notes", "https://a.example"),
            ("https://a.example/v2/notes", "https://a.example"),
            ("https://a.example/v1", "https://a.example"),
            ("https://a.example/v1/%2e%2E/v2", "https://a.example"),
            ("https://a.example/v1/%2e/notes", "https://a.example"),
            ("//b.example/v1/notes", "https://b.example"),
            ("https://[::1/v1/notes", "https://a.example"),
        ],
    )
    def test_beyond_it(self, address: str, where: str) -> None:
        """Another origin, a user, another path or a way out of it is said, and not asked for."""
        assert followed(address) == (
            f"the next page is at {where}, beyond {URL}, and is not asked for"
        )

    @pytest.mark.parametrize(
        ("url", "address", "path"),
        [
            ("https://a.example:8443/v1", "https://a.example:8443/v1/x", "/x"),
            ("http://localhost/v1", "http://localhost:80/v1/x", "/x"),
            ("https://a.example", "https://a.example/x", "/x"),
        ],
    )
    def test_ports(self, url: str, address: str, path: str) -> None:
        """A port that is meant without being said is the same as one that is said."""
        assert followed(address, url) == path

    def test_secrets_of_the_query_are_not_kept(self) -> None:
        """The wire adds them to every request: in a page they would be in the journal."""
        auth = {"query": {"api_key": "{env:KEY}"}}

        assert followed("/v1/notes?a=1&api_key=s3cr3t&b", auth=auth) == "/notes?a=1&b"
        assert followed("/v1/notes?api%5Fkey=s3cr3t=", auth=auth) == "/notes"


class TestCheckpoints:
    """Where the next list begins."""

    NOTE: Final = {"note": "n1", "at": "2026-04-01T09:30:00Z"}
    EARLY: Final = "Wed, 01 Apr 2026 09:00:00 GMT"

    def test_the_last_change_says_it(self) -> None:
        """The last that says one: the changes after it say none."""
        items = [{"note": "n1", "at": 1}, {"note": "n2", "at": 2}, {"note": "n3"}]

        assert shown(feed(), {"items": items}).since == '["/{type}?since={since}",2]'

    def test_the_answer_may_say_it(self) -> None:
        """In its content, or in a header."""
        content = {"items": [self.NOTE], "to": 7}

        assert shown(feed(next_since="/to"), content).since == '["/{type}?since={since}",7]'
        found = shown(feed(next_since="header:X-To"), content, **{"x-to": "8"})
        assert found.since == '["/{type}?since={since}","8"]'

    def test_it_is_not_after_the_answer_where_lists_overlap(self) -> None:
        """Only a checkpoint that is moved back is known to be a time."""
        content = {"items": [self.NOTE]}

        found = shown(feed(overlap_s=1.0), content, date=self.EARLY)
        assert found.since == '["/{type}?since={since}","2026-04-01T09:00:00Z"]'
        found = shown(feed(), content, date=self.EARLY)
        assert found.since == '["/{type}?since={since}","2026-04-01T09:30:00Z"]'

    def test_the_next_list_may_have_an_address(self) -> None:
        """It is in the content or in a header; a page without it says nothing of it."""
        delta: dict[str, Any] = {"path": "/{type}/delta", "since": "none", "next": "/next"}
        items = {"items": [self.NOTE]}

        by_header = feed(next_list="header:X-Delta", **delta)
        found = shown(by_header, items, **{"x-delta": f"{URL}/notes/delta?t=1"})
        assert found.since == '["/{type}/delta","/notes/delta?t=1"]'
        found = shown(feed(next_list="/delta", **delta), {**items, "next": "/v1/more"})
        assert (found.since, found.next) == (None, '["/{type}/delta",{"path":"/more"}]')


class TestConditions:
    """What a list says of a change, and of more pages."""

    @pytest.mark.parametrize(
        ("deleted", "change", "is_gone"),
        [
            ({"at": "/{type.one}_state", "is": "gone"}, {"note_state": "gone"}, True),
            ({"at": "/{type.one}_state", "is": "gone"}, {"note_state": "there"}, False),
            ({"at": "/gone", "is_not": None}, {"gone": None}, False),
            ({"at": "/gone", "is_not": None}, {"gone": "2026"}, True),
        ],
    )
    def test_a_change_that_deletes(
        self,
        deleted: dict[str, Any],
        change: dict[str, Any],
        is_gone: bool,  # noqa: FBT001
    ) -> None:
        """It is told by a place of the change, where null is a value like another."""
        content = {"items": [{"note": "n1", "at": 1, "text": "a", **change}]}

        (found,) = shown(feed(deleted=deleted), content).sightings

        assert (found.fields is None) == is_gone

    def test_more_pages_by_a_header(self) -> None:
        """What says that more follows may be a header of the answer."""
        notes = feed(more={"at": "header:X-More", "is": "yes"})
        content = {"items": [{"note": "n1", "at": 1}]}

        assert shown(notes, content, **{"x-more": "no"}).next is None
        assert shown(notes, content, **{"x-more": "yes"}).next == (
            '["/{type}?since={since}",{"since":1}]'
        )
