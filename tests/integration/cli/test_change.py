"""A change as a line of JSON (`journal.cli.change`)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from journal.cli.change import Change, Create, Delete, Facts, Update, parse
from journal.errors import InvalidChangeError
from journal.values import Ref

NOBODY = Facts()


def line(**document: Any) -> str:  # noqa: ANN401  JSON
    """Return a line of JSON."""
    return json.dumps(document)


class TestChanges:
    """Lines that are changes."""

    @pytest.mark.parametrize(
        ("text", "change"),
        [
            (
                line(change="create", type="Account", id="acme", fields={"Name": "A", "No": 1}),
                Create("Account", "acme", {"Name": "A", "No": 1}, NOBODY),
            ),
            (line(change="create", type="Account"), Create("Account", None, {}, NOBODY)),
            (
                line(change="create", type="Visit", references={"Owner": "User:7"}),
                Create("Visit", None, {"Owner": Ref("User:7")}, NOBODY),
            ),
            (
                line(change="update", record="Account:acme", fields={"Name": None}, actor="ann"),
                Update(Ref("Account:acme"), {"Name": None}, Facts(actor="ann")),
            ),
            (
                line(change="delete", record="Account:a:b", reason="left", correlation_id="r-1"),
                Delete(Ref("Account:a:b"), Facts(None, "left", "r-1")),
            ),
        ],
    )
    def test_kinds(self, text: str, change: Change) -> None:
        """A line is a create, an update or a delete, with who, why and what it belongs to."""
        parsed = parse(text, 1)

        assert parsed == change
        assert type(parsed) is type(change)

    def test_a_reference_has_its_type(self) -> None:
        """A field that stands in references is a reference; a text that looks like one is not."""
        text = line(
            change="create", type="Visit", fields={"Note": "User:7"}, references={"Owner": "User:7"}
        )

        change = parse(text.encode(), 1)

        assert isinstance(change, Create)
        assert {name: type(value) for name, value in change.fields.items()} == {
            "Note": str,
            "Owner": Ref,
        }

    def test_a_reference_within_a_field(self) -> None:
        """A reference within a field stands under the JSON pointer to its text."""
        lines = [{"product/~1": "Product:1", "count": 2}, {"product/~1": "Product:1"}]
        text = line(
            change="create",
            type="Order",
            fields={"Lines": lines},
            references={"/Lines/1/product~1~01": "Product:1"},
        )

        change = parse(text, 1)

        assert isinstance(change, Create)
        first, second = change.fields["Lines"]
        assert (type(first["product/~1"]), type(second["product/~1"])) == (str, Ref)


class TestRefusals:
    """Lines that are no changes."""

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "it is not JSON"),
            ("{", "it is not JSON"),
            (b"\xff{}", "it is not UTF-8 at byte 1"),
            ("\ufeff{}", "it begins with an invisible byte order mark"),
            ("[]", "it is not a JSON object"),
            ("null", "it is not a JSON object"),
            ("{}", '"change" is missing'),
            (line(change="upsert"), "\"change\" is 'upsert'"),
            (line(change=["create"]), '"change" is'),
            (line(change="create"), '"type" is missing'),
            (line(change="create", type=7), '"type" is not a text'),
            (line(change="create", type="a b"), "record type 'a b' is not allowed"),
            (line(change="create", type="A", id=7), '"id" is not a text'),
            (line(change="create", type="A", id=""), "record id '' is not allowed"),
            (line(change="create", type="A", colour="red"), "a create has no key 'colour'"),
            (line(change="update", record="A:1", id="1"), "an update has no key 'id'"),
            (line(change="delete", record="A:1", fields={}), "a delete has no key 'fields'"),
            (line(change="update", fields={"a": 1}), '"record" is missing'),
            (line(change="update", record="A"), "\"record\": reference 'A' is not allowed"),
            (line(change="update", record="A:1"), "the update sets no field"),
            (line(change="update", record="A:1", fields={}), "the update sets no field"),
            (line(change="update", record="A:1", fields=[1]), '"fields" is not an object'),
            (line(change="create", type="A", references=["B:1"]), '"references" is not an object'),
            (line(change="create", type="A", references={"b": 1}), '"references.b" is not a text'),
            (line(change="create", type="A", references={"b": "x"}), '"references.b": reference'),
            (
                line(change="create", type="A", fields={"b": 1}, references={"b": "B:1"}),
                "'b' is both in",
            ),
            (line(change="delete", record="A:1", actor=7), '"actor" is not a text'),
            (line(change="delete", record="A:1", reason=[]), '"reason" is not a text'),
            ('{"change":"delete","change":"delete"}', 'the key "change" stands twice'),
            (
                '{"change":"create","type":"A","fields":{"a":NaN}}',
                "NaN is not a JSON number",
            ),
            (
                '{"change":"create","type":"A","fields":{"a":{"b":1,"b":2}}}',
                'the key "b" stands twice',
            ),
        ],
    )
    def test_the_error_says_what(self, text: str | bytes, said: str) -> None:
        """What is wrong with a line is said, with its number."""
        with pytest.raises(InvalidChangeError) as refused:
            parse(text, 12)

        assert refused.value.line == 12
        assert refused.value.problem.startswith("line 12: ")
        assert said in refused.value.problem

    @pytest.mark.parametrize(
        "pointer", ["/b", "/a/0", "/a/-1", "/a/9", "/a/01", "/a/x", "/a/1/x", "/", "//", "/c/0"]
    )
    def test_pointers_lead_to_the_same_text(self, pointer: str) -> None:
        """A pointer that leads to no such text within a field is refused."""
        text = line(
            change="create",
            type="A",
            fields={"a": ["x", "y"], "b": "B:1", "c": "B:1"},
            references={pointer: "B:1"},
        )

        with pytest.raises(InvalidChangeError, match="does not lead to the text 'B:1'"):
            parse(text, 1)
