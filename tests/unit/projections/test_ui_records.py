"""Records in the shape of the UI API."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from journal import Journal, Ref
from journal.descriptions import Choice, FieldDescription, TypeDescription
from journal.values import references, same
from projections import RecordDrafts, Records, RecordView, as_ui_record
from tests.strategies import fields

VISIT = Ref("Visit:1")
SYSTEM = {
    "LastModifiedById": "005A",
    "LastModifiedDate": "2020-05-28T14:00:50.000Z",
    "RecordTypeId": "012A",
    "SystemModstamp": "2020-05-28T14:00:51.000Z",
}

views = st.builds(
    RecordView,
    st.just(VISIT),
    st.integers(1, 9),
    fields(),
    st.none() | st.just("a01"),
    st.none() | st.just("v1"),
    st.builds(
        RecordDrafts,
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.none() | fields(),
        st.lists(st.uuids().map(str), max_size=3).map(tuple),
    ),
)


def seen(fields: dict[str, Any], **remote: str) -> Journal:
    """Return a journal in which a visit was seen."""
    journal = Journal(actor="ann", origin="van-7")
    journal.observe(VISIT, fields, **remote)  # type: ignore[arg-type]
    return journal


class TestShape:
    """Where each fact stands."""

    def test_a_record_as_the_remote_has_it(self) -> None:
        """There is no section of drafts where there are none (U2)."""
        journal = seen({"Name": "V-1", **SYSTEM}, remote_id="a01", remote_version="v7")

        assert as_ui_record(Records(journal).get(VISIT)) == {
            "apiName": "Visit",
            "childRelationships": {},
            "eTag": "v7",
            "fields": {
                name: {"displayValue": None, "value": value}
                for name, value in {"Name": "V-1", **SYSTEM}.items()
            },
            "id": "a01",
            "lastModifiedById": "005A",
            "lastModifiedDate": "2020-05-28T14:00:50.000Z",
            "recordTypeId": "012A",
            "recordTypeInfo": None,
            "systemModstamp": "2020-05-28T14:00:51.000Z",
            "weakEtag": 1590674451000,
        }

    def test_an_edited_record(self) -> None:
        """What the remote last said stands beside it, once, however often it was edited."""
        journal = seen({"Name": "V-1", "Status": "Open", "Old": 1}, remote_id="a01")
        first = journal.update(VISIT, {"Status": "Late", "Note": "x"})
        last = journal.update(VISIT, {"Status": "Done", "Old": None})

        shown = as_ui_record(Records(journal).get(VISIT))

        assert shown["fields"]["Status"]["value"] == "Done"
        assert shown["drafts"] == {
            "created": False,
            "edited": True,
            "deleted": False,
            "serverValues": {
                "Status": {"displayValue": None, "value": "Open"},
                "Old": {"displayValue": None, "value": 1},
                "Note": {"displayValue": None, "value": None},
            },
            "draftActionIds": [first, last],
            "latestDraftActionId": last,
        }

    def test_a_created_record(self) -> None:
        """The remote knows nothing of it: no version, and no values of its own."""
        journal = Journal(actor="ann", origin="van-7")
        journal.create("Visit", {"Name": "V-1"}, id="1")
        journal.delete(VISIT)

        shown = as_ui_record(Records(journal).get(VISIT))

        assert (shown["id"], shown["eTag"], shown["weakEtag"]) == ("1", "", -1)
        drafts = shown["drafts"]
        assert (drafts["created"], drafts["deleted"], drafts["serverValues"]) == (True, True, {})

    def test_what_a_person_reads(self) -> None:
        """A choice has a label; a record that is referred to has the id that the host says."""
        journal = seen({"Status": "open", "Colour": "red", "Account": Ref("Account:7")})
        choices = (Choice("open", "Offen"), Choice("done"))
        described = TypeDescription("Visit", (FieldDescription("Status", choices=choices),))

        shown = as_ui_record(
            Records(journal).get(VISIT), described=described, id_of=lambda ref: f"001{ref.id}"
        )

        assert shown["fields"] == {
            "Status": {"displayValue": "Offen", "value": "open"},
            "Colour": {"displayValue": None, "value": "red"},
            "Account": {"displayValue": None, "value": "0017"},
        }

    @pytest.mark.parametrize(
        ("said", "milliseconds"),
        [
            ({}, -1),
            ({"SystemModstamp": "soon"}, -1),
            ({"SystemModstamp": 17}, -1),
            ({"LastModifiedDate": "1970-01-01T00:00:01"}, 1000),
            ({"LastModifiedDate": "1970-01-01T01:00:01.5+0100"}, 1500),
        ],
    )
    def test_when_it_was_changed_there(self, said: dict[str, Any], milliseconds: int) -> None:
        """What is no time says nothing."""
        assert as_ui_record(Records(seen(said)).get(VISIT))["weakEtag"] == milliseconds

    @pytest.mark.parametrize(
        ("version", "modified", "milliseconds"),
        [
            ("2026-04-01T09:30:00.000+0000", "2026-04-01T09:30:00.000Z", 1775035800000),
            ("2026-04-01T11:30:00+02:00", "2026-04-01T09:30:00.000Z", 1775035800000),
            ("1969-04-01T09:30:00Z", None, -1),
            ("2026-04-31T09:30:00Z", None, -1),
            ("20260401", None, -1),
            ("7", None, -1),
        ],
    )
    def test_a_version_that_is_a_time(
        self, version: str, modified: str | None, milliseconds: int
    ) -> None:
        """An org's version of a record is when it was changed; a counter is no time."""
        journal = Journal(actor="ann", origin="van-7")
        journal.observe(VISIT, {"Name": "V-1"}, remote_version=version)

        shown = as_ui_record(Records(journal).get(VISIT))

        assert shown["eTag"] == version
        assert (shown["lastModifiedDate"], shown["weakEtag"]) == (modified, milliseconds)


NULLED: Final = RecordDrafts(
    created=False, edited=True, deleted=False, server={"Phone": None}, ids=("d",)
)
"""What is pending for a record in which the remote has a null, and we have nothing."""


class TestRules:
    """What holds for every record."""

    @given(views)
    def test_it_is_plain_json(self, view: RecordView) -> None:
        """It can be sent as it is, and no reference is left in it."""
        shown = as_ui_record(view)

        assert json.loads(json.dumps(shown)) == shown
        assert not list(references(dict(shown)))

    @given(views)
    @example(RecordView(Ref("Visit:1"), 1, {}, None, None, NULLED))
    def test_server_values_lead_back_to_the_server(self, view: RecordView) -> None:
        """Laid over the fields, they are what the remote last said; null is none at all (U1)."""
        shown = as_ui_record(view, id_of=str)
        assert ("drafts" in shown) == bool(view.drafts.ids)
        if "drafts" not in shown or view.drafts.created:
            return
        laid = {**shown["fields"], **shown["drafts"]["serverValues"]}
        plain = as_ui_record(view._replace(fields=view.drafts.server or {}), id_of=str)["fields"]
        for name, value in laid.items():
            assert same(value["value"], plain.get(name, {"value": None})["value"])
        unlaid = plain.keys() - laid.keys()
        assert {name for name in unlaid if plain[name]["value"] is not None} == set()

    @given(views)
    def test_it_shares_nothing_with_the_view(self, view: RecordView) -> None:
        """What a page does to it changes nothing else."""
        before = json.dumps([view.fields, view.drafts.server])
        for value in as_ui_record(view)["fields"].values():
            if isinstance(value["value"], list | dict):
                value["value"].clear()

        assert json.dumps([view.fields, view.drafts.server]) == before
