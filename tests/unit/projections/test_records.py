"""Records: the local state of every record, read in every way at every moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal import Journal, Ref
from journal.errors import (
    InvalidNameError,
    InvalidValueError,
    RecordDeletedError,
    RecordMissingError,
    ViewError,
)
from journal.events import DraftAmended, DraftDiscarded
from journal.record import Record, Remote
from journal.values import references, same
from projections import RecordDrafts, Records, RecordView, records, rows
from projections import projection as projections
from tests.strategies import REFS, field_names, fields, histories, json_values, refs
from tests.unit.projections.folding import append, note, record_of, view_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.events import Entry
    from journal.values import Fields


@pytest.fixture
def journal() -> Iterator[Journal]:
    """An empty journal in memory."""
    with Journal(actor="ann", origin="van-7") as journal:
        yield journal


def got(views: Records, ref: Ref) -> RecordView | None:
    """Return the view of a record, or None where it is unknown or gone."""
    try:
        return views.get(ref)
    except (RecordMissingError, RecordDeletedError):
        return None


class TestGet:
    """One record."""

    def test_says_what_was_made_offline(self, journal: Journal) -> None:
        """A record that was created here shows its fields at once, and what is pending."""
        views = Records(journal)
        account = journal.create("Account", {"Name": "Acme"}, id="1")
        draft_id = journal.update(account, {"Name": "Acme Ltd", "Parent": account})

        view = views.get(account)

        first = journal.log.read(0, 1)[0].event_id
        assert view == RecordView(
            account,
            2,
            {"Name": "Acme Ltd", "Parent": account},
            None,
            None,
            RecordDrafts(
                created=True, edited=True, deleted=False, server=None, ids=(first, str(draft_id))
            ),
        )
        assert type(view.fields["Parent"]) is Ref

    def test_says_what_the_server_said(self, journal: Journal) -> None:
        """A record that was observed and edited shows both sides."""
        journal.observe(REFS[0], {"Name": "Acme", "Size": 1}, remote_id="r1", remote_version="v1")
        draft_id = journal.update(REFS[0], {"Name": "Acme Ltd"})

        view = Records(journal).get(REFS[0])

        assert view == RecordView(
            REFS[0],
            2,
            {"Name": "Acme Ltd", "Size": 1},
            "r1",
            "v1",
            RecordDrafts(
                created=False,
                edited=True,
                deleted=False,
                server={"Name": "Acme", "Size": 1},
                ids=(str(draft_id),),
            ),
        )

    def test_shares_nothing(self, journal: Journal) -> None:
        """Whatever a caller does to a view, the next one is not changed by it."""
        views = Records(journal)
        given_fields = {"Lines": [{"Count": 1}], "Address": {"City": "Graz"}}
        journal.observe(REFS[0], given_fields)
        journal.update(REFS[0], {"Name": "x"})
        views.list("Account")
        expected = views.get(REFS[0])

        for _ in range(2):
            view = views.get(REFS[0])
            assert view == expected
            for held in (view.fields, view.drafts.server or {}):
                held["Lines"][0]["Count"] = 2
                held["Lines"].append(3)
                held["Address"]["City"] = "Wien"
                held["Name"] = "y"

        assert Records(journal).get(REFS[0]) == expected

    def test_unknown_record_is_refused(self, journal: Journal) -> None:
        """A record that the journal has never heard of is missing, before and after others."""
        views = Records(journal)
        for _ in range(2):
            with pytest.raises(RecordMissingError) as caught:
                views.get(Ref("Account:9"))
            assert caught.value.record == "Account:9"
            assert Ref("Account:9") not in views
            journal.create("Account", {})

    def test_record_that_is_gone_is_refused(self, journal: Journal) -> None:
        """A record that is gone is deleted, however it is read."""
        views = Records(journal)
        journal.observe(REFS[0], {"Name": "Acme"})
        assert REFS[0] in views
        journal.observe(REFS[0], None)

        for reader in (views, Records(journal), views):
            with pytest.raises(RecordDeletedError):
                reader.get(REFS[0])
            assert REFS[0] not in reader

    def test_text_of_a_reference_will_do(self, journal: Journal) -> None:
        """A record may be named by the text of its reference, which is checked."""
        views = Records(journal)
        journal.create("Account", {"Name": "Acme"}, id="1")

        assert views.get("Account:1").fields == {"Name": "Acme"}
        assert "Account:1" in views
        with pytest.raises(InvalidNameError):
            views.get("Account")


class TestList:
    """The records of a type, all or some."""

    def test_shows_creates_and_deletes_at_once(self, journal: Journal) -> None:
        """Records created and deleted offline appear and disappear at once."""
        views = Records(journal)
        assert views.list("Account") == []
        first = journal.create("Account", {"Name": "a"}, id="1")
        second = journal.create("Account", {"Name": "b"}, id="2")
        assert [view.ref for view in views.list("Account")] == [first, second]
        assert views.types() == {"Account": 2}

        journal.delete(first)

        assert [view.ref for view in views.list("Account")] == [second]
        assert first not in views
        assert views.types() == {"Account": 1}
        listed = views.list("Account", include_deleted=True)
        assert [(view.ref, view.drafts.deleted) for view in listed] == [
            (first, True),
            (second, False),
        ]
        assert views.get(first) == listed[0]

    def test_is_of_one_type_in_order_of_ids(self, journal: Journal) -> None:
        """Records are listed by the order of their ids, those of the type alone."""
        for record_id in ("b", "a", "é", "B", "10", "9"):
            journal.create("Visit", {}, id=record_id)
        journal.create("Visit.Line", {}, id="1")
        journal.create("Visi", {}, id="1")

        listed = Records(journal).list("Visit")

        assert [view.ref.id for view in listed] == sorted(["b", "a", "é", "B", "10", "9"])

    @pytest.mark.parametrize("limit", [-1, 0, 1, 2, 3, 4, 5, 100, None])
    def test_limit_counts_what_is_found(
        self, journal: Journal, monkeypatch: pytest.MonkeyPatch, limit: int | None
    ) -> None:
        """A limit is of the records that are wanted, however many others lie between."""
        monkeypatch.setattr("projections.records.SIFTED_AT_ONCE", 2)
        account = journal.create("Account", {}, id="1")
        for at in range(12):
            owner: Any = account if at % 3 == 0 else str(account)
            journal.create("Visit", {"Owner": owner, "At": [at % 2]}, id=f"{at:02}")
        views = Records(journal)
        wanted = {"Owner": account}

        listed = views.list("Visit", wanted, limit=limit)

        most = 4 if limit is None else max(limit, 0)
        assert [view.ref.id for view in listed] == ["00", "03", "06", "09"][:most]
        assert (
            views.list("Visit", {"At": [1]}, limit=limit)
            == [view for view in views.list("Visit") if view.fields["At"] == [1]][
                : None if limit is None else max(limit, 0)
            ]
        )

    @pytest.mark.parametrize("limit", [0, 1, 2**64, None])
    def test_rare_object_is_found_in_few_reads(self, journal: Journal, limit: int | None) -> None:
        """A small limit does not make a read of each record that is looked at."""
        for at in range(60):
            journal.create("Visit", {"At": {"n": at}}, id=f"{at:02}")
        views = Records(journal)
        views.catch_up()
        kept: Any = journal.log.views
        statements: list[str] = []
        kept._connection.set_trace_callback(statements.append)

        listed = views.list("Visit", {"At": {"n": 59}}, limit=limit)

        assert [view.ref.id for view in listed] == ([] if limit == 0 else ["59"])
        assert sum("FROM records" in statement for statement in statements) <= 1

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            ("1", ["text"]),
            (1, ["one"]),
            (1.0, ["float"]),
            (True, ["true"]),
            (False, ["false"]),
            (0, ["zero"]),
            (0.0, ["float zero"]),
            (-0.0, ["minus zero"]),
            (None, ["absent", "null"]),
            ("", ["empty"]),
            ("null", ["text null"]),
            (Ref("Account:1"), ["reference"]),
            ("Account:1", ["text of a reference"]),
            ([], ["list"]),
            ([Ref("Account:1")], ["list of a reference"]),
            (["Account:1"], ["list of a text"]),
            ({"b": 1, "a": [True]}, ["object"]),
            ({"a": [1], "b": 1}, []),
            ("a\u0000b", ["control"]),
            ('"', ["quote"]),
        ],
    )
    def test_where_is_exact(self, journal: Journal, wanted: object, found: list[str]) -> None:
        """A filter finds the same JSON value, and none that Python or SQL takes for the same."""
        account = Ref("Account:1")
        journal.observe(account, {})
        values: dict[str, Any] = {
            "text": "1",
            "one": 1,
            "float": 1.0,
            "true": True,
            "false": False,
            "zero": 0,
            "float zero": 0.0,
            "minus zero": -0.0,
            "null": None,
            "empty": "",
            "text null": "null",
            "reference": account,
            "text of a reference": str(account),
            "list": [],
            "list of a reference": [account],
            "list of a text": [str(account)],
            "object": {"a": [True], "b": 1},
            "control": "a\u0000b",
            "quote": '"',
        }
        for name, value in values.items():
            journal.create("Visit", {"Value": value, "Other": 1}, id=name)
        journal.create("Visit", {"Other": "Value"}, id="absent")

        listed = Records(journal).list("Visit", {"Value": wanted})

        assert [view.ref.id for view in listed] == sorted(found)

    @pytest.mark.parametrize(
        "name",
        [
            "Ship to",
            "a.b",
            "$",
            "$.Name",
            "@id",
            "#",
            "x-y",
            "OR 1",
            "Größe",
            "a:b",
            "a/b",
            "a(b)?",
        ],
    )
    def test_name_of_a_field_is_no_language(self, journal: Journal, name: str) -> None:
        """Whatever a field is called, a filter on it is on that field."""
        journal.create("Visit", {name: 1, "Name": 2}, id="1")
        journal.create("Visit", {"Name": 1}, id="2")
        views = Records(journal)

        assert [view.ref.id for view in views.list("Visit", {name: 1})] == ["1"]
        assert [view.ref.id for view in views.list("Visit", {name: None})] == ["2"]

    @pytest.mark.parametrize("name", ['a"b', "a' OR '1'='1", "", "a--b", "$[0]", "a\\b"])
    def test_name_that_no_field_has_is_refused(self, journal: Journal, name: str) -> None:
        """A filter on what cannot be a field is a mistake, and is said to be one."""
        with pytest.raises(InvalidNameError):
            Records(journal).list("Visit", {name: 1})

    def test_value_that_is_not_json_is_refused(self, journal: Journal) -> None:
        """A filter with a value that no field can have is a mistake, and is said to be one."""
        with pytest.raises(InvalidValueError):
            Records(journal).list("Visit", {"Size": float("nan")})

    @given(
        st.lists(st.dictionaries(field_names, json_values(refs), max_size=3), max_size=6), st.data()
    )
    def test_finds_what_is_the_same(self, all_fields: list[Fields], data: st.DataObject) -> None:
        """A filter finds the records whose fields have the same values, for any JSON."""
        with Journal() as journal:
            for at, each in enumerate(all_fields):
                for _, target in references(each):
                    if journal.load(target).version == 0:
                        journal.observe(target, {})
                journal.create("Thing.of.the.test", each, id=str(at))
            pairs = [pair for each in all_fields for pair in each.items()]
            name, value = data.draw(st.sampled_from([*pairs, ("Name", None)]))

            listed = Records(journal).list("Thing.of.the.test", {name: value})

        found = [str(at) for at, f in enumerate(all_fields) if same(f.get(name), value)]
        assert [view.ref.id for view in listed] == found


class TestRows:
    """How fields and records are kept."""

    @given(fields())
    def test_fields_come_back_as_they_were(self, given_fields: Fields) -> None:
        """Fields that were packed come back the same, in order, references and all (W1)."""
        unpacked = rows.unpacked(*rows.packed(given_fields))

        assert same(unpacked, given_fields)
        assert list(unpacked) == list(given_fields)
        assert rows.packed(unpacked) == rows.packed(given_fields)

    @given(fields(), fields(), st.booleans())
    def test_server_is_kept_where_it_differs(
        self,
        local: Fields,
        server: Fields,
        both: bool,  # noqa: FBT001  drawn
    ) -> None:
        """What the remote said comes back in its own order, also where it is not kept twice."""
        said = dict(reversed(local.items())) if both else server
        record = Record(REFS[0], 3, Remote(True, said), (), local)  # noqa: FBT003

        row = rows.RecordRow(*rows.row_of(record))  # type: ignore[arg-type]

        assert rows.record_of(row, ()) == record
        assert list(row.server_fields()) == list(said)
        assert (row.server is None) == (rows.packed(said) == rows.packed(local))


Action = tuple[str, int, int]

ACTIONS = ("catch up", "catch up elsewhere", "get", "list", "rebuild elsewhere", "drop", "nothing")
actions: st.SearchStrategy[list[Action]] = st.lists(
    st.tuples(st.sampled_from(ACTIONS), st.integers(1, 6), st.integers(0, len(REFS) - 1)),
    max_size=40,
)
"""What is done to the views while a log grows, each after so many more entries."""


class Lives:
    """Views of a journal, which read, write and are disturbed while its log grows."""

    def __init__(self, journal: Journal) -> None:
        """Begin with an empty journal."""
        self.journal = journal
        self.views = Records(journal)
        self.others = Records(journal)

    def act(self, action: str, ref: Ref, entries: list[Entry]) -> None:
        """Do something to the views of these entries, and check what they say."""
        match action:
            case "catch up":
                self.views.catch_up()
            case "catch up elsewhere":
                self.others.catch_up()
            case "rebuild elsewhere":
                self.others.rebuild()
            case "drop":
                table = ("records", "record_changes", "view_checkpoints")[len(entries) % 3]
                with self.journal.log.views.write() as cursor:
                    cursor.execute(f"DROP TABLE IF EXISTS {table}")
            case "get":
                record = record_of(entries, ref)
                assert got(self.views, ref) == view_of(record)
                assert (ref in self.views) == (not record.is_deleted)
            case "list":
                listed = self.views.list(ref.type, include_deleted=True)
                folded = [record_of(entries, other) for other in REFS if other.type == ref.type]
                assert listed == [view for record in folded if (view := view_of(record))]
            case _:
                assert action == "nothing"


@pytest.mark.parametrize("is_forgetful", [False, True])
@given(history=histories, acted=actions)
def test_rows_are_the_same_however_they_came_about(
    is_forgetful: bool,  # noqa: FBT001  a parameter of the test
    history: list[Entry],
    acted: list[Action],
) -> None:
    """Rows have the same bytes for every split into batches, and say what the fold says (S1)."""
    with Journal() as journal, pytest.MonkeyPatch.context() as patch:
        if is_forgetful:
            patch.setattr(records, "KEPT_RECORDS", 1)
            patch.setattr(records, "MOST_AHEAD", 3)
            patch.setattr(records, "MANY_IDS", 1)
            patch.setattr(projections, "PAGE", 2)
            patch.setattr(projections, "BATCH", 3)
        lives = Lives(journal)
        done = 0
        for action, count, which in acted:
            append(journal, history[done : done + count])
            done = min(done + count, len(history))
            lives.act(action, REFS[which], history[:done])
        append(journal, history[done:])
        lived = lives.views.digest()

        for ref in REFS:
            lives.act("get", ref, history)
            lives.act("list", ref, history)
        lives.others.rebuild()
        assert lives.others.digest() == lived
    with Journal() as one_by_one:
        views = Records(one_by_one)
        for entry in history:
            append(one_by_one, [entry])
            views.catch_up()
        assert views.digest() == lived


def test_row_that_is_missed_is_said_to_be(journal: Journal) -> None:
    """A table that somebody has changed is not built on; a rebuild mends it."""
    account = journal.create("Account", {"Size": 1})
    Records(journal).catch_up()
    with journal.log.views.write() as cursor:
        cursor.execute("DELETE FROM records")
    journal.update(account, {"Size": 2})
    views = Records(journal)

    with pytest.raises(ViewError, match="rebuild the projection records"):
        views.get(account)

    views.rebuild()
    assert views.get(account).fields == {"Size": 2}


def test_amendment_of_no_draft_changes_nothing(journal: Journal) -> None:
    """An amendment of a draft that is not pending leaves the pending ones as they are."""
    account = journal.create("Account", {"Size": 1})
    views = Records(journal)
    before = views.get(account)
    amended = DraftAmended(draft_id="no such draft", revision=1, fields={"Size": 2})
    note(journal, account, amended)

    views.catch_up()

    assert Records(journal).get(account) == before._replace(version=2)


def test_ids_follow_the_drafts(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ids of many pending drafts are those of the fold, as drafts come and go."""
    monkeypatch.setattr(records, "MANY_IDS", 2)
    views = Records(journal)
    account = journal.create("Account", {"Size": -1})
    expected = [journal.log.read()[0].event_id]
    for size in range(40):
        if size % 4 == 3:
            discarded = DraftDiscarded(draft_id=expected.pop(size % 3))
            note(journal, account, discarded)
        expected.append(str(journal.update(account, {"Size": size})))
        if size % 7 == 0:
            views.list("Account")

        ids = views.get(account).drafts.ids

        assert ids == tuple(expected)


def test_nothing_is_written_for_a_record_that_is_known(journal: Journal) -> None:
    """A change followed by a read of its record leaves the tables alone, up to a bound (S3)."""
    views = Records(journal)
    account = journal.create("Account", {"Size": -1})
    views.catch_up()

    for size in range(records.MOST_AHEAD + 1):
        journal.update(account, {"Size": size})
        assert views.get(account).fields == {"Size": size}
        assert views.checkpoint() == (1 if size < records.MOST_AHEAD else size + 2)
