"""Selectors, and what answers mean by the rules of a profile."""

from __future__ import annotations

import json
from re import escape
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.errors import RemoteError
from journal.outcomes import NotSent, Unauthorized, Unknown, Wait
from journal.remotes.classify import Doubt, Success
from journal.remotes.meanings import Done, is_bare, meaning
from journal.remotes.pointers import MISSING
from journal.remotes.remote import NoAnswer, Response
from journal.remotes.sections import Rule
from journal.remotes.selection import (
    Header,
    Text,
    check_selector,
    inner_steps,
    pointers_in,
    select,
    selector,
)
from tests.strategies import json_values, texts

if TYPE_CHECKING:
    from journal.remotes.selection import Selector

CONTENT = {
    "data": {"id": 7, "rev": "3-x", "none": None},
    "notes": {"n": 1},
    "links": [{"rel": "self", "url": "/1"}, 5, {"rel": "next", "no": 2, "url": "/2"}],
    "a=b": 8,
    "none": [],
}
HEADERS = {"etag": '"1"'}


class TestSelectors:
    """Where something stands."""

    @pytest.mark.parametrize(
        ("source", "found"),
        [
            ("", CONTENT),
            ("/data/id", 7),
            ("/data/none", MISSING),
            ("/nowhere", MISSING),
            ("none", MISSING),
            ("header:ETag", '"1"'),
            ("header:X-None", MISSING),
            ('"{/data/id}"', '"7"'),
            ("{/data/id}-{/data/rev}", "7-3-x"),
            ("v{header:ETag}", 'v"1"'),
            ("v{/nowhere}", MISSING),
            (["/nowhere", "header:ETag", "/data/id"], '"1"'),
            (["/data/none", "/data/id"], 7),
            ("/{type}/n", 1),
            ("/{type.one}/id", 7),
            ("/links/rel=next/url", "/2"),
            ("/links/no=2/url", "/2"),
            ("/links/rel=last/url", MISSING),
            ("/links/rel/url", MISSING),
            ("/links/-1/url", "/2"),
            ("/none/-1", MISSING),
            ("/links/-2/url", MISSING),
            ("/a=b", 8),
        ],
    )
    def test_selects(self, source: Any, found: object) -> None:  # noqa: ANN401  a source
        """The first alternative that is there is what is selected; null is no value."""
        words = {"type": "notes", "type.one": "data"}

        where = selector(check_selector(source), words)

        assert select(where, CONTENT, HEADERS) == found

    @pytest.mark.parametrize(
        ("source", "problem"),
        [
            ("id", "must begin with / or header:, or hold a pointer in braces, or be none"),
            ("{id}", "has the unknown placeholder {id}; in a pointer only {type} can be"),
            ("/{id}", "has the unknown placeholder {id}; in a pointer only {type} can be"),
            ("x{/a}{id}", "has the unknown placeholder {id}; in a pointer only {type} can be"),
            ("header:", "must name a header, as header:ETag does"),
            ("header:A B", "must name a header, as header:ETag does"),
            ("x{header:A B}", "must name a header, as header:ETag does"),
            ("/a~2", "must write ~ as ~0, and / within a name as ~1"),
            (7, "must be a text such as /data/id, or a list of such texts"),
            ([], "must be a text such as /data/id, or a list of such texts"),
            ([1], "must be a text such as /data/id, or a list of such texts"),
            (["/a", 1], "must be a text such as /data/id, or a list of such texts"),
            ({}, "must be a text such as /data/id, or a list of such texts"),
            (["/a", "b"], "must begin with / or header:, or hold a pointer in braces, or be none"),
        ],
    )
    def test_what_is_none(self, source: object, problem: str) -> None:
        """A selector that could never select anything is refused."""
        with pytest.raises(ValueError, match=f"^{escape(problem)}$"):
            check_selector(source)

    @pytest.mark.parametrize(
        ("source", "where"),
        [
            ("", ((),)),
            ("none", ()),
            ("/a/b", (("a", "b"),)),
            ("header:X-Id", (Header("x-id"),)),
            ("x{/a}-{header:E}", (Text(("x", ("a",), "-", Header("e"))),)),
            (("/a", "header:B", "none"), (("a",), Header("b"))),
            ("/{type}/{type.one}s", (("notes", "notes"),)),
            (["/a", "/{type}"], (("a",), ("notes",))),
        ],
    )
    def test_what_it_is(self, source: Any, where: Selector) -> None:  # noqa: ANN401  a source
        """Places, in the order in which they are tried."""
        assert selector(source, {"type": "notes", "type.one": "note"}) == where

    @pytest.mark.parametrize("source", ["/{type.one}/id", ["/a", "header:B"], "none"])
    def test_what_is_one(self, source: object) -> None:
        """The words of a type may stand in it; a list is kept as it cannot change."""
        assert check_selector(source) == (tuple(source) if isinstance(source, list) else source)

    @pytest.mark.parametrize(
        ("source", "followed"),
        [
            ("/a/b", (("a", "b"),)),
            ("x{/a}-{header:E}{/c}", (("a",), ("c",))),
            ("header:E", ()),
            ("none", ()),
            (["/a", "{/b}", "header:E"], (("a",), ("b",))),
        ],
    )
    def test_the_pointers_that_it_follows(self, source: Any, followed: object) -> None:  # noqa: ANN401
        """Those into the content, in whatever way."""
        assert inner_steps(source) == followed
        assert tuple(pointers_in(selector(source, {}))) == followed

    def test_null_is_no_value(self) -> None:
        """Unless it is asked for; a text with a place that has none is none."""
        where = selector(("/none", "/id"), {})

        assert select(where, {"none": None, "id": 1}, {}) == 1
        assert select(where, {"none": None, "id": 1}, {}, takes_null=True) is None
        assert select(selector("{/none}", {}), {"none": None}, {}, takes_null=True) is MISSING
        assert select(selector("header:X", {}), {}, {}, takes_null=True) is MISSING

    @pytest.mark.parametrize("source", ["header:ETag", '"{/a}"', "a", ["/a", "header:ETag"]])
    def test_a_record_is_in_the_content(self, source: object) -> None:
        """A record is selected by a pointer, for no header holds one."""
        with pytest.raises(ValueError, match="must begin with a slash"):
            check_selector(source, is_pointer=True)

    def test_a_word_that_is_not_said(self) -> None:
        """A word of a type that the profile does not say is named."""
        with pytest.raises(RemoteError) as caught:
            selector("/{type.one}", {"type": "notes"})

        assert str(caught.value) == (
            "the profile does not say what stands for {type.one}; "
            "add it: [types.TYPE] words = { one = … }"
        )

    @given(json_values(st.nothing()), st.dictionaries(texts, texts), texts)
    def test_never_raises(self, content: object, headers: dict[str, str], text: str) -> None:
        """Whatever is answered, a selector finds something or nothing."""
        for source in ("/a/0", "header:ETag", "x{/a}y", ["/0", "/a"]):
            select(selector(check_selector(source), {"type": text}), content, headers)

    @given(texts)
    def test_a_word_is_one_step(self, word: str) -> None:
        """What stands for the type is one step, whatever slashes it has."""
        where = selector("/{type}/id", {"type": word})

        assert select(where, {word: {"id": 1}}, {}) == 1


def rule(**said: Any) -> Rule:  # noqa: ANN401  any key of a rule
    """Return a rule of a profile."""
    return Rule.model_validate({"means": "wait", **said})


def answered(content: object, status: int = 200) -> Response:
    """Return an answer with this content."""
    return Response(status, {"x-code": "busy"}, json.dumps(content).encode())


class TestMeanings:
    """What an answer means."""

    @pytest.mark.parametrize(
        ("said", "content", "fits"),
        [
            ({"at": "/e", "is": "busy"}, {"e": "busy"}, True),
            ({"at": "/e", "is": "busy"}, {"e": "other"}, False),
            ({"at": "/e", "is": "busy"}, {}, False),
            ({"at": "/e", "is": False}, {"e": 0}, False),
            ({"at": "/e", "is": []}, {"e": []}, True),
            ({"at": "/ok", "is_not": True}, {"ok": False}, True),
            ({"at": "/ok", "is_not": True}, {"ok": True}, False),
            ({"at": "/ok", "is_not": True}, {}, True),
            ({"at": "/e"}, {"e": {"code": 1}}, True),
            ({"at": "/e"}, {"e": None}, False),
            ({"at": "/e"}, {"e": 0}, False),
            ({"at": "/e"}, {}, False),
            ({"at": "/e", "is_empty": True}, {"e": None}, True),
            ({"at": "/e", "is_empty": True}, {"e": []}, True),
            ({"at": "/e", "is_empty": True}, {"e": [1]}, False),
            ({"at": "/e", "is_empty": True}, {}, False),
            ({"at": "/e", "has": "no such"}, {"e": "no such record: 7"}, True),
            ({"at": "/e", "has": "no such"}, {"e": "No such record"}, False),
            ({"at": "/e", "has": "no such"}, {"e": ["no such"]}, False),
            ({"at": "/e", "has": "no such"}, {}, False),
            ({"at": "header:X-Code", "is": "busy"}, {}, True),
            ({"status": 200}, {}, True),
            ({"status": [201, 409]}, {}, False),
            ({"on": ["read"], "status": 200}, {}, False),
            ({"on": ["create"], "status": 200}, {}, True),
        ],
    )
    def test_a_rule_fits(self, said: dict[str, Any], content: object, fits: bool) -> None:  # noqa: FBT001
        """A rule fits by verb, status, and by what is at its place."""
        found = meaning([rule(**said)], "create", answered(content))

        assert isinstance(found, Wait if fits else Success)

    @pytest.mark.parametrize(
        "said", [{"is": 1}, {"is_not": 1}, {"has": "e"}, {"is_empty": True}, {}]
    )
    def test_no_json_fits_no_rule(self, said: dict[str, Any]) -> None:
        """A page of a captive portal has nothing at any place."""
        found = meaning([rule(at="/e", **said)], "read", Response(200, {}, b"welcome"))

        assert isinstance(found, Success)

    @pytest.mark.parametrize(
        ("means", "kind"),
        [
            ("done", Done),
            ("wait", Wait),
            ("unauthorized", Unauthorized),
            ("unknown", Unknown),
        ],
    )
    def test_means(self, means: str, kind: type) -> None:
        """A rule says what an answer means, whatever its status."""
        for status in (200, 400, 500):
            answer = answered({}, status)
            found = meaning([rule(status=status, means=means)], "read", answer)
            assert isinstance(found, kind)
            if isinstance(found, Wait | Unauthorized | Unknown):
                said = f"the remote answered {status}, which means {means!r} by the profile"
                assert found.problem == said
            else:
                assert found == Done(answer)

    def test_a_wait_is_as_long_as_is_asked(self) -> None:
        """Where the profile says that an answer asks for patience, it says for how long."""
        found = meaning([rule(status=200)], "read", Response(200, {"retry-after": "7"}, b"{}"))

        assert isinstance(found, Wait)
        assert found.retry_after_s == 7.0

    @pytest.mark.parametrize(
        ("means", "held_as"),
        [("absent", "gone"), ("conflict", "conflict"), ("refused", "rejected")],
    )
    def test_means_a_refusal(self, means: str, held_as: str) -> None:
        """A refusal in a 2xx is one like any other, with what the remote says."""
        answer = answered({"detail": "no"})
        found = meaning([rule(status=200, means=means)], "read", answer)

        assert isinstance(found, Doubt)
        assert found.response == answer
        assert found.refusal.classification == held_as
        assert found.refusal.messages[0].message == "no"
        assert found.refusal.status == 200

    @pytest.mark.parametrize("means", ["absent", "conflict", "refused", None])
    def test_a_refusal_is_about_our_fields(self, means: str | None) -> None:
        """What is said of a field of the draft is told of it, by a rule or by the table."""
        rules = [rule(status=200, means=means)] if means else []
        answer = answered({"detail": "Name is taken"}, 200 if means else 422)

        found = meaning(rules, "update", answer, ["Name"])

        assert isinstance(found, Doubt)
        assert [(each.field, each.message) for each in found.refusal.messages] == [
            ("Name", "Name is taken")
        ]

    def test_refused_is_for_2xx(self) -> None:
        """A rule that means refused hides no 404: the table knows better what that is."""
        found = meaning(
            [rule(at="/ok", means="refused", is_empty=True)], "read", answered({"ok": False}, 404)
        )

        assert isinstance(found, Doubt)
        assert found.refusal.classification == "gone"

    def test_the_first_rule_wins(self) -> None:
        """Rules are asked in order."""
        rules = [rule(at="/e", is_empty=True), rule(status=200, means="unknown")]

        assert isinstance(meaning(rules, "read", answered({"e": None})), Wait)
        assert isinstance(meaning(rules, "read", answered({})), Unknown)

    def test_a_place_may_name_the_type(self) -> None:
        """What stands for the record type stands for it in the place of a rule, too."""
        rules = [rule(at="/{type}/e")]

        found = meaning(rules, "read", answered({"notes": {"e": 1}}), words={"type": "notes"})

        assert isinstance(found, Wait)

    def test_a_content_of_none_fits_no_rule(self) -> None:
        """JSON has no infinity: what says so has nothing at any place."""
        found = meaning([rule(at="/e")], "read", Response(200, {}, b'{"e": Infinity}'))

        assert isinstance(found, Success)

    @pytest.mark.parametrize(
        ("status", "body", "is_it"),
        [(204, b"", True), (304, b"", True), (200, b"", False), (204, b"[]", False)],
    )
    def test_a_bare_answer(self, status: int, body: bytes, is_it: bool) -> None:  # noqa: FBT001
        """An answer lists nothing where its status says so and it has no content."""
        assert is_bare(Response(status, {}, body)) is is_it

    def test_no_answer(self) -> None:
        """Where there was no answer, no rule is asked."""
        found = meaning([rule(status=200)], "read", NoAnswer(was_sent=False, problem="refused"))

        assert found == NotSent("refused")
