"""Templates: what they become, what is left out, and that no value leaves its place."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.errors import RemoteError
from journal.remotes.paths import check_path, fill_path
from journal.remotes.pointers import MISSING, at, fits, steps_of, without
from journal.remotes.templates import (
    as_form,
    fill,
    fill_json,
    header,
    holes_in,
    json_of,
    texts_in,
)
from journal.values import pointer
from tests.strategies import json_values, texts

VALUES: dict[str, Any] = {
    "key": "k 1",
    "n": 3,
    "none": None,
    "fields": {"a": 1, "id": "theirs"},
    "list": [{"op": 1}, 2],
    "version.seq": 7,
    "empty": {},
}


class TestText:
    """Texts with placeholders."""

    @pytest.mark.parametrize(
        ("text", "filled"),
        [
            ("", ""),
            ("plain", "plain"),
            ("{key}", "k 1"),
            ("{n}", 3),
            ("{none}", None),
            ("{fields}", VALUES["fields"]),
            ("{version.seq}", 7),
            ("a {key}-{n} z", "a k 1-3 z"),
            ('"{n}"', '"3"'),
            ("{missing}", MISSING),
            ("a {missing}", MISSING),
            ("{ key } {} {a b} {1}", "{ key } {} {a b} {1}"),
            ("query { note(id: 1) { n } }", "query { note(id: 1) { n } }"),
        ],
    )
    def test_is_filled_in(self, text: str, filled: object) -> None:
        """One placeholder keeps the type of its value; in a longer text it is text."""
        assert fill(text, VALUES) == filled

    @given(st.dictionaries(st.sampled_from(["a", "b"]), texts, min_size=2))
    def test_a_value_is_no_template(self, values: dict[str, str]) -> None:
        """What is filled in is never filled in again, whatever braces it has (T1)."""
        looped = {name: f"{{b}}{value}{{a}}" for name, value in values.items()}

        assert fill("<{a}|{b}>", looped) == f"<{looped['a']}|{looped['b']}>"

    def test_placeholders(self) -> None:
        """A placeholder is a name in braces, without a space."""
        assert holes_in("{a}{b.c}{ d }{e f}{env:X}") == {"a", "b.c", "env:X"}


class TestHeaders:
    """What goes into headers."""

    @pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "\x00", " a", "a ", "€"])
    def test_a_value_that_would_end_it(self, value: str) -> None:
        """A value with a line break, or beyond what a header can carry, is refused."""
        words = "the header X-Key cannot be sent in one; let the profile send it in the body or the"
        with pytest.raises(RemoteError, match=words):
            header("X-Key", "{key}", {"key": value})

    def test_nothing(self) -> None:
        """A header without a value is left out."""
        assert header("X", "{key}", {}) is None
        assert header("X", '"{key}"', {"key": 3}) == '"3"'


class TestJson:
    """Bodies."""

    @pytest.mark.parametrize(
        ("template", "filled"),
        [
            ('"{fields}"', VALUES["fields"]),
            ('{"a": "{n}", "b": "{missing}"}', {"a": 3}),
            ('{"a": {"b": "{missing}"}, "c": 1}', {"c": 1}),
            ('{"a": {}, "c": [{}]}', {"a": {}, "c": [{}]}),
            ('{"a": "{missing}"}', MISSING),
            ('["{missing}", "{n}", null, true]', [3, None, True]),
            ('{"id": "ours", "...": "{fields}"}', {"a": 1, "id": "ours"}),
            ('{"...": "{fields}", "id": "ours"}', {"a": 1, "id": "ours"}),
            ('{"...": "{missing}", "id": "ours"}', {"id": "ours"}),
            ('{"...": "{missing}"}', MISSING),
            ('{"a": "{missing}", "...": "{empty}"}', MISSING),
            ('{"...": "{empty}"}', {}),
            ('[0, {"...": "{list}"}]', [0, {"op": 1}, 2]),
            ('[0, {"...": "{missing}"}]', [0]),
            ('{"{key}": 1, "{missing}": 2}', {"k 1": 1}),
        ],
    )
    def test_is_filled_in(self, template: str, filled: object) -> None:
        """What has no value is left out, and what spreads never replaces what is said (T2)."""
        before = deepcopy(VALUES)

        assert fill_json(json_of(template), VALUES) == filled
        assert before == VALUES

    def test_members_stay_in_their_order(self) -> None:
        """What is spread stands where it is spread."""
        filled = fill_json(json_of('{"z": 1, "...": "{fields}", "b": 2}'), VALUES)

        assert list(filled) == ["z", "a", "id", "b"]

    def test_every_text(self) -> None:
        """The texts of a template are its names and its values, at any depth."""
        template = json_of('{"a": ["b", {"c": "d"}, 1, null], "e": {"f": true}}')

        assert list(texts_in(template)) == ["a", "b", "c", "d", "e", "f"]

    @pytest.mark.parametrize(
        ("template", "problem"),
        [
            ('{"a": }', "line 1, column 7"),
            ('{"a": 1,\n "b": {key}}', "line 2, column 8.*placeholders stand in quotes"),
            ('{"a": 1, "a": 2}', "^has a member twice in one object$"),
            ('{"b": {"a": 1, "c": 1, "a": 1}}', "^has a member twice in one object$"),
            ("[NaN]", "^has a number that JSON does not know$"),
            ("", "line 1, column 1"),
        ],
    )
    def test_a_mistake_is_located(self, template: str, problem: str) -> None:
        """A template that is no JSON is refused with the place."""
        with pytest.raises(ValueError, match=problem):
            json_of(template)

    @given(json_values(st.nothing()))
    def test_a_value_goes_in_as_it_is(self, value: object) -> None:
        """Whatever a value holds, it stands in the body as it is, and no other member appears."""
        template = json_of('{"record": {"v": "{value}"}, "other": [1, "{value}"]}')

        filled = fill_json(template, {"value": value})

        assert json.loads(json.dumps(filled)) == {"record": {"v": value}, "other": [1, value]}

    def test_a_form(self) -> None:
        """A form has nested members in brackets, and nothing where there is null."""
        content = {"a": 1, "b": {"c d": "x&y", "e": None}, "f": [True, "ä"]}

        assert parse_qsl(as_form(content).decode(), keep_blank_values=True) == [
            ("a", "1"),
            ("b[c d]", "x&y"),
            ("b[e]", ""),
            ("f[]", "true"),
            ("f[]", "ä"),
        ]


class TestPaths:
    """Paths and queries."""

    @pytest.mark.parametrize(
        ("path", "filled"),
        [
            ("/a/{key}", "/a/k%201"),
            ("/a/{key}/", "/a/k%201/"),
            ("/a({n})/x y", "/a(3)/x%20y"),
            ("/a%2Fb/ä", "/a%2Fb/%C3%A4"),
            ("/a?x={key}&y={missing}&z", "/a?x=k%201&z"),
            ("/a?x={missing}", "/a"),
            ("/a?q=m={list}", "/a?q=m=%5B%7B%22op%22%3A1%7D%2C2%5D"),
            ("/a?q=id eq 'x' and n ge {n}", "/a?q=id%20eq%20'x'%20and%20n%20ge%203"),
            ("/a?q=%22{n}%22&p=a+b", "/a?q=%223%22&p=a+b"),
            ('/a?where={"key": "{key}"}', "/a?where=%7B%22key%22:%20%22k%201%22%7D"),
            ("/a?m={list}", "/a?m=%7B%22op%22%3A1%7D&m=2"),
            ("/a?page[size]=2&$filter=1", "/a?page%5Bsize%5D=2&$filter=1"),
        ],
    )
    def test_is_filled_in(self, path: str, filled: str) -> None:
        """Segments and parameters are quoted; one without a value is left out, a list repeats."""
        check_path(path)

        assert fill_path(path, VALUES) == filled

    @given(texts.filter(bool), texts)
    def test_a_value_stays_in_its_place(self, key: str, other: str) -> None:
        """No value adds a segment, a parameter or a fragment, and each comes back whole (T3)."""
        values = {"key": key, "other": other}
        if key in {".", ".."}:
            with pytest.raises(RemoteError, match="cannot stand in a path"):
                fill_path("/a/{key}", values)
            return

        path = fill_path("/a/{key}/z?x={other}&y=<{key}>", values)

        assert path.isascii()
        assert path.isprintable()
        parts = urlsplit(f"https://x.example{path}")
        assert [unquote(step) for step in parts.path.split("/")] == ["", "a", key, "z"]
        pairs = parse_qsl(parts.query.replace("+", "%2B"), keep_blank_values=True)
        assert pairs == [("x", other), ("y", f"<{key}>")]
        assert not parts.fragment

    @pytest.mark.parametrize("value", ["a'b", 'a"b', "a\\", "'", '" or "1"="1'])
    @pytest.mark.parametrize(
        "path", ["/a?q=id eq '{key}'", '/a?q=id eq "{key}"', "/a('{key}')", "/a?q=%27{key}%27"]
    )
    def test_a_value_that_would_end_its_quotes(self, path: str, value: str) -> None:
        """A value with a quote or a backslash is refused where it stands in quotes."""
        with pytest.raises(RemoteError) as caught:
            fill_path(path, {"key": value})

        assert str(caught.value) == (
            f"the key {value!r} has a quote or a backslash, and stands in quotes; "
            "use ids without them, or let the profile send it elsewhere"
        )

    def test_after_quotes_it_is_free(self) -> None:
        """Behind closed quotes, a quote is a character like any other."""
        assert fill_path("/a?q='x'&y={key}", {"key": "a'b"}) == "/a?q='x'&y=a%27b"
        assert fill_path("/a?q='x\"{n}'{key}", {"key": "a'b", "n": 1}) == "/a?q='x%221'a%27b"

    def test_the_other_quotes_end_nothing(self) -> None:
        """Within quotes of one kind, those of the other are characters."""
        with pytest.raises(RemoteError, match="stands in quotes"):
            fill_path("/a?q='\"{key}'", {"key": "a'b"})

    def test_a_slash_is_quoted(self) -> None:
        """It would be another segment, and in a query it is no sign either."""
        values = {"key": "a/b", "list": ["c/d"]}

        assert fill_path("/x-{key}?y=<{key}>&z={key}&l={list}", values) == (
            "/x-a%2Fb?y=%3Ca%2Fb%3E&z=a%2Fb&l=c%2Fd"
        )
        assert fill_path("/x?y=z={key}", values) == "/x?y=z=a%2Fb"

    def test_a_parameter_has_a_name(self) -> None:
        """A name may be filled in as well, and without a value there is no parameter."""
        assert fill_path("/a?{key}=1&{missing}=2&b", {"key": "k&"}) == "/a?k%26=1&b"
        assert fill_path("/a?x={list}", {"list": []}) == "/a"

    @pytest.mark.parametrize("value", ["", ".", ".."])
    def test_a_value_that_leads_elsewhere(self, value: str) -> None:
        """A segment that is empty, or a dot, would be another record, or all."""
        with pytest.raises(RemoteError) as caught:
            fill_path("/a/{key}", {"key": value})

        assert str(caught.value) == (
            f"{value!r} cannot stand in a path: it would lead to another record; "
            "give the record or the type another name at the remote"
        )

    def test_a_segment_needs_a_value(self) -> None:
        """A segment is never left out: the path would be another."""
        words = (
            r"^the path needs \{key\}, which is not known; acknowledge or observe the record first"
        )
        with pytest.raises(RemoteError, match=words):
            fill_path("/{other}/{id}-{key}", {"id": 1, "other": "o"})

    @pytest.mark.parametrize(
        ("path", "problem"),
        [
            ("", "must begin with one slash"),
            ("a", "must begin with one slash"),
            ("//a", "must begin with one slash"),
            ("/../a", "must not contain . or .. as a segment"),
            ("/%2e%2E/a", "must not contain . or .. as a segment"),
            ("/a/.", "must not contain . or .. as a segment"),
            ("/a#b", "must be printable, without backslashes and #"),
            ("/a\\b", "must be printable, without backslashes and #"),
            ("/a\n", "must be printable, without backslashes and #"),
            ("/{a b}", "has a brace that is no placeholder"),
            ("/{a", "has a brace that is no placeholder"),
            ("/a}", "has a brace that is no placeholder"),
        ],
    )
    def test_what_is_no_path(self, path: str, problem: str) -> None:
        """What leads away from the service, or is ambiguous, is refused."""
        with pytest.raises(ValueError, match=f"^{problem}"):
            check_path(path)

    @pytest.mark.parametrize("path", ["/", "/a/b?x=..", "/a?x=/../", "/a?{b c}", "/a...b/..."])
    def test_what_is_one(self, path: str) -> None:
        """Dots and braces of a query lead nowhere; more than two dots are a name."""
        check_path(path)


class TestPointers:
    """Places in JSON."""

    @given(st.lists(texts, max_size=4))
    def test_round_trip(self, steps: list[str]) -> None:
        """A pointer leads where its steps do, whatever characters they have."""
        assert steps_of(pointer(tuple(steps))) == tuple(steps)

    @given(json_values(st.nothing()), st.lists(texts | st.sampled_from(["0", "1"]), max_size=3))
    def test_always_finds_something_or_nothing(self, value: object, steps: list[str]) -> None:
        """No value and no pointer raises."""
        at(value, tuple(steps))
        without(value, (tuple(steps),))

    @pytest.mark.parametrize(
        ("where", "found"),
        [
            ("", {"a/b": [1, {"~": None}]}),
            ("/a~1b/0", 1),
            ("/a~1b/1/~0", None),
            ("/a~1b/2", MISSING),
            ("/a~1b/-1", {"~": None}),
            ("/a~1b/99999999999", MISSING),
            ("/a", MISSING),
            ("/a~1b/0/x", MISSING),
        ],
    )
    def test_finds(self, where: str, found: object) -> None:
        """Members by name, items by number, the last one by -1; nothing else is there."""
        assert at({"a/b": [1, {"~": None}]}, steps_of(where)) == found

    @pytest.mark.parametrize(
        ("where", "found"),
        [
            ("/name=b", {"name": "b", "n": 1}),
            ("/n=1", {"name": "b", "n": 1}),
            ("/on=true/name", "c=d"),
            ("/name=c=d/on", True),
            ("/name=", {"name": "", "on": None}),
            ("/on=null/name", ""),
            ("/n=01", MISSING),
            ("/name=x", MISSING),
            ("/other=b", MISSING),
            ("/name", MISSING),
            ("/0", 5),
            ("/00", 5),
            ("/5", MISSING),
            ("/4", {"name": "b", "n": 2}),
            ("/²", MISSING),
            ("/-2", MISSING),
        ],
    )
    def test_finds_an_item_by_what_it_says(self, where: str, found: object) -> None:
        """The first that has a member with that text, or with what its JSON says."""
        items = [
            5,
            {"name": "", "on": None},
            {"name": "b", "n": 1},
            {"name": "c=d", "on": True},
            {"name": "b", "n": 2},
        ]

        assert at(items, steps_of(where)) == found

    def test_an_empty_list_has_no_last(self) -> None:
        """There is nothing in it."""
        assert at([], ("-1",)) is MISSING
        assert at([], ("0",)) is MISSING
        assert not MISSING

    @pytest.mark.parametrize(
        ("where", "problem"),
        [
            ("a", "must begin with a slash, as /data/id does"),
            ("a/b", "must begin with a slash, as /data/id does"),
            ("/a~2", "must write ~ as ~0, and / within a name as ~1"),
            ("/a~", "must write ~ as ~0, and / within a name as ~1"),
        ],
    )
    def test_what_is_no_pointer(self, where: str, problem: str) -> None:
        """A pointer begins with a slash, and escapes as it should."""
        with pytest.raises(ValueError, match=f"^{problem}$"):
            steps_of(where)

    @pytest.mark.parametrize(
        ("step", "name", "is_one"),
        [
            ("a", "a", True),
            ("a", "ab", False),
            ("a*", "a", True),
            ("a*", "ab", True),
            ("*b", "ab", True),
            ("a*b", "ab", True),
            ("a*b", "axxb", True),
            ("a*b", "axxbx", False),
            ("a*a", "a", False),
            ("*", "", True),
            ("a*", "ba", False),
            ("*b", "bc", False),
            ("a*b", "a*b", True),
            ("a*b*", "axb*", True),
            ("a*b*", "axby", False),
        ],
    )
    def test_a_star_is_any_text(self, step: str, name: str, is_one: bool) -> None:  # noqa: FBT001
        """What stands before and after it does not overlap."""
        assert fits(step, name) == is_one

    def test_without(self) -> None:
        """Members are taken out at every depth, by the beginning of their name with a star."""
        value = {"id": 1, "@odata.etag": 2, "@odata.id": 3, "meta": {"by": 1, "at": 2}, "n": 5}
        places = tuple(map(steps_of, ["/id", "/@odata*", "/meta/at", "/none/x"]))

        assert without(value, places) == {"meta": {"by": 1}, "n": 5}
        assert without([1], places) == [1]
