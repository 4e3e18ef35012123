"""The list of changes of a service: what its pages show, and where the next one is."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from journal.errors import ProfileError
from journal.outcomes import Refused, Unknown
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

    def test_it_may_be_called_as_its_type_is(self) -> None:
        """Words for the type stand in its place as in others."""
        items = [{"note": "n1", "note_at": 1, "at": 2}]

        assert shown(feed(since="/{type.one}_at"), {"items": items}).since == (
            '["/{type}?since={since}",1]'
        )

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
            ({"at": "/data", "is_empty": True}, {"data": None}, True),
            ({"at": "/data", "is_empty": True}, {}, False),
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
        assert shown(notes, content).next is None
        assert shown(notes, content, **{"x-more": "yes"}).next == (
            '["/{type}?since={since}",{"since":1}]'
        )

    def test_an_answer_without_content_says_nothing_of_more(self) -> None:
        """Not even that it is not the last one."""
        notes = feed(more={"at": "/last", "is_not": True}, next="header:Link")
        link = {"link": f'<{URL}/notes?p=2>; rel="next"'}
        content = {"items": [{"note": "n1", "at": 1}]}

        empty = notes.page(Request("GET", "/notes"), Response(204, link), None, None)

        assert isinstance(empty, Page)
        assert empty.next is None
        assert shown(notes, content, **link).next is not None


class TestRequests:
    """Which page is asked for."""

    def test_a_checkpoint_of_another_list_is_none(self) -> None:
        """What was kept for another path says nothing of where this list begins (F1)."""
        delta = feed(path="/{type}/delta", since="none", next_list="/delta")

        assert delta.request('["/{type}/delta","/notes/delta?t=1"]', None).path == (
            "/notes/delta?t=1"
        )
        assert delta.request('["/other","/notes/delta?t=1"]', None).path == "/notes/delta"
        assert feed(first="0").request('["/other",7]', None).path == "/notes?since=0"
        assert feed().request('["/{type}?since={since}",7]', None).path == "/notes?since=7"

    def test_the_index_goes_on_where_it_was(self) -> None:
        """By the items of each page, or by pages, from the first one on."""
        path = "/{type}?since={since}&i={index}"
        by_items = feed(path=path, index_from=0)
        by_pages = feed(path=path, index_from=1, index_counts="pages")
        items = [{"note": "n1", "at": 1}, {"note": "n2", "at": 2}]

        assert by_items.request(None, None).path == "/notes?i=0"
        second = shown(by_items, {"items": items}).next
        assert by_items.request(None, second).path == "/notes?i=2"
        response = Response(200, {}, json.dumps({"items": items}).encode())
        third = by_items.page(Request("GET", "/notes"), response, None, second)
        assert isinstance(third, Page)
        assert by_items.request(None, third.next).path == "/notes?i=4"
        assert by_pages.request(None, shown(by_pages, {"items": items}).next).path == "/notes?i=2"
        assert shown(by_items, {"items": []}).next is None

    def test_all_pages_of_a_list_begin_where_the_first_did(self) -> None:
        """What stands for {since} is the same in each."""
        notes = feed(path="/{type}?since={since}&p={page}", page="/next")
        since = '["/{type}?since={since}&p={page}",7]'
        content = {"items": [{"note": "n1", "at": 9}], "next": "p2"}
        response = Response(200, {}, json.dumps(content).encode())

        page = notes.page(Request("GET", "/notes"), response, since, None)

        assert isinstance(page, Page)
        assert notes.request(since, page.next).path == "/notes?since=7&p=p2"

    def test_a_token_of_the_next_page_may_be_a_header(self) -> None:
        """It is what stands for {page} then."""
        notes = feed(path="/{type}?since={since}&p={page}", page="header:X-Page")

        found = shown(notes, {"items": [{"note": "n1", "at": 1}]}, **{"x-page": "p2"})

        assert notes.request(None, found.next).path == "/notes?p=p2"

    @pytest.mark.parametrize(
        ("said", "key", "problem", "hint"),
        [
            (
                {"overlap_s": 1.0},
                "changes.overlap_s",
                "moves a checkpoint back, and 'soon' is no time",
                "leave it out, or let changes.since be a time",
            ),
            (
                {"since_as": "seconds"},
                "changes.since_as",
                "is for checkpoints that are times, and ",
                "leave it out, or let changes.since and changes.first be times",
            ),
        ],
    )
    def test_a_checkpoint_that_is_no_time(
        self, said: dict[str, Any], key: str, problem: str, hint: str
    ) -> None:
        """Where the profile takes it for one, its key is told, and what to say instead."""
        with pytest.raises(ProfileError) as caught:
            feed(**said).request('["/{type}?since={since}","soon"]', None)

        assert (caught.value.key, caught.value.hint) == (key, hint)
        assert caught.value.problem.startswith(f"profile key {key}: {problem}")

    def test_a_profile_that_does_not_say(self) -> None:
        """It is told what to add."""
        with pytest.raises(ProfileError) as caught:
            Feed(Dialect(Profile.of({"url": URL})), "Note")

        assert caught.value.problem == (
            "profile key changes: is needed to pull: how the service lists what has changed"
        )
        assert caught.value.hint == (
            "add [changes] with a path that holds {since}, and since or next_since"
        )


class TestPages:
    """F1: a page is a page only if all of it can be read."""

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (
                {"items": {}},
                "the changes were asked for, and the answer is no list of changes",
            ),
            (
                {"items": [{"at": 1}]},
                "a change shows neither our key nor an id (answer.key, answer.id)",
            ),
            ({"items": [{"note": "n1"}]}, "the list of changes shows no checkpoint"),
        ],
    )
    def test_what_is_none(self, content: object, problem: str) -> None:
        """It shows nothing, and it is said why."""
        response = Response(200, {}, json.dumps(content).encode())

        assert feed().page(Request("GET", "/notes"), response, None, None) == Unknown(problem)

    def test_a_change_without_its_record(self) -> None:
        """It says that its record is gone, or it is none."""
        notes = feed(record="/is", deleted="/gone")
        odd = Response(200, {}, json.dumps({"items": [{"note": "n1", "at": 1}]}).encode())

        assert notes.page(Request("GET", "/notes"), odd, None, None) == Unknown(
            "a change shows no fields, and does not say that its record was deleted"
        )

    def test_a_page_beyond_the_service_is_a_refusal(self) -> None:
        """A person has to look at the profile, or at the service."""
        content = {"items": [{"note": "n1", "at": 1}], "next": "https://b.example/"}
        response = Response(200, {}, json.dumps(content).encode())

        found = feed(next="/next").page(Request("GET", "/notes"), response, None, None)

        assert isinstance(found, Refused)
        assert (found.classification, found.status, len(found.messages)) == ("rejected", 200, 1)

    def test_fields_are_told_under_our_names(self) -> None:
        """As the profile says of the type."""
        types = {"Note": {"words": {"one": "note"}, "fields": {"Text": {"name": "text"}}}}
        content = {"url": URL, "answer": {"key": "/note", "version": "none"}, "types": types}
        notes = Feed(Dialect(Profile.of({**content, "changes": LIST})), "Note")

        (found,) = shown(notes, {"items": [{"note": "n1", "at": 1, "text": "a"}]}).sightings

        assert (found.key, found.remote_id) == ("n1", "n1")
        assert found.fields is not None
        assert found.fields["Text"] == "a"
