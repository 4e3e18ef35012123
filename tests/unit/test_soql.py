"""Queries to an org: those of a person, and our own."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given

from journal.errors import QueryError
from journal.remotes.salesforce.soql import (
    all_of,
    among,
    changed,
    clock,
    is_condition,
    known_time,
    moment,
    named,
    quoted,
    read,
    time_of,
)
from tests.strategies import texts

OWN = "name the fields of the record itself: SELECT Name, Phone FROM Account WHERE …"
WANTED = ("Id", "LastModifiedDate", "Key__c")


class TestRead:
    """A query of a person."""

    @pytest.mark.parametrize(
        ("query", "completed"),
        [
            (
                "SELECT Name FROM Account",
                "SELECT Name, Id, LastModifiedDate, Key__c FROM Account",
            ),
            (
                " select id ,name\nfrom Account where Name = 'a, (FROM) b' ; ",
                (
                    "select id ,name, LastModifiedDate, Key__c\nfrom Account "
                    "where Name = 'a, (FROM) b'"
                ),
            ),
            (
                "SELECT Id, LASTMODIFIEDDATE, key__C FROM Visit__c ORDER BY Name LIMIT 10",
                "SELECT Id, LASTMODIFIEDDATE, key__C FROM Visit__c ORDER BY Name LIMIT 10",
            ),
            (
                "SELECT FIELDS(STANDARD) FROM Account",
                "SELECT FIELDS(STANDARD), Key__c FROM Account",
            ),
            (
                "SELECT fields ( custom ), Name FROM Account",
                "SELECT fields ( custom ), Name, Id, LastModifiedDate FROM Account",
            ),
            (
                "SELECT FIELDS(ALL) FROM Account LIMIT 200",
                "SELECT FIELDS(ALL) FROM Account LIMIT 200",
            ),
            (
                (
                    r"SELECT Id FROM Case WHERE Subject LIKE '%it\'s%' AND OwnerId IN "
                    "(SELECT Id FROM User GROUP BY Id) FOR VIEW"
                ),
                (
                    r"SELECT Id, LastModifiedDate, Key__c FROM Case WHERE Subject LIKE '%it\'s%' "
                    "AND OwnerId IN (SELECT Id FROM User GROUP BY Id) FOR VIEW"
                ),
            ),
        ],
    )
    def test_it_is_completed(self, query: str, completed: str) -> None:
        """What tells records apart is asked for, too, and nothing else is changed."""
        assert read(query).with_fields(WANTED) == completed
        assert read(completed).with_fields(WANTED) == completed

    def test_the_object(self) -> None:
        """It is called as the query calls it."""
        assert read("SELECT Name FROM visit__c v WHERE v.Name = 'x'").object == "visit__c"

    @pytest.mark.parametrize(
        ("query", "why"),
        [
            ("", "does not begin with SELECT"),
            ("DELETE FROM Account", "does not begin with SELECT"),
            ("SELECT", "does not say FROM which object"),
            ("SELECT Name", "does not say FROM which object"),
            ("SELECT Name FROM", "does not say FROM which object"),
            ("SELECT Name FROM 'Account'", "does not say FROM which object"),
            ("SELECT Name, FROM Account", "a comma too many"),
            ("SELECT COUNT() FROM Account", r"COUNT\(\) is no field, but computed"),
            ("SELECT toLabel(Status) s FROM Case", "no field, but computed"),
            ("SELECT FIELDS(SOME) FROM Case", "no field, but computed"),
            ("SELECT TYPEOF What WHEN Account THEN Phone END FROM Event", "but computed"),
            ("SELECT Owner.Name FROM Account", "a field of another record"),
            ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "about other records"),
            ("SELECT Name n FROM Account", "Name n is no field"),
            ("SELECT Id FROM Account, Contact", "several objects"),
            ("SELECT Name FROM Account GROUP BY Name", "lists groups"),
            ("SELECT Id FROM Account ALL ROWS", "records that are deleted"),
            ("SELECT Id FROM Account FOR UPDATE", "would lock"),
            ("SELECT Id FROM Account WHERE (Name = 'x'", "parentheses that do not match"),
            ("SELECT Id FROM Account WHERE Name = 'x", "a quote that is not closed"),
        ],
    )
    def test_what_lists_no_whole_records_is_refused(self, query: str, why: str) -> None:
        """It is said what is wrong with it (Q1)."""
        with pytest.raises(QueryError, match=why) as caught:
            read(query)

        assert caught.value.query == query.strip()

    @pytest.mark.parametrize(
        ("query", "problem", "hint"),
        [
            ("DELETE FROM A", "does not begin with SELECT", OWN),
            ("SELECT Name", "does not say FROM which object", OWN),
            ("SELECT Name FROM", "does not say FROM which object", OWN),
            ("SELECT a FROM 'A'", "does not say FROM which object", OWN),
            ("SELECT a, FROM A", " is nothing: there is a comma too many", OWN),
            ("SELECT a+b FROM A", "a+b is no field", OWN),
            (
                "SELECT Owner.Name FROM A",
                "a field of another record: prime that by a query of its own",
                OWN,
            ),
            (
                "SELECT (SELECT Id FROM B) FROM A",
                "about other records: prime them by a query of their own",
                OWN,
            ),
            (
                "SELECT ((a), b) FROM A",
                "((a), b) is about other records: prime them by a query of their own",
                OWN,
            ),
            ("SELECT typeof x FROM A", "typeof x is no field, but computed", OWN),
            ("SELECT Id FROM A, B", "lists several objects", "use a query for each"),
            ("SELECT Id FROM A GROUP BY Id", "lists groups, and no records", OWN),
            ("SELECT Id FROM A HAVING x", "lists groups, and no records", OWN),
            ("SELECT Id FROM A ALL ROWS", "lists records that are deleted, too", "leave out ALL"),
            ("SELECT Id FROM A FOR UPDATE", "would lock the records", "leave out FOR UPDATE"),
            ("SELECT Id FROM A WHERE (a = 1", "has parentheses that do not match", ""),
            ("SELECT Id FROM A WHERE a = 1)", "has parentheses that do not match", ""),
            ("SELECT Id FROM A WHERE a = 'x", "has a quote that is not closed", ""),
        ],
    )
    def test_what_to_do_instead(self, query: str, problem: str, hint: str) -> None:
        """Each refusal says what is wrong, and how it is asked for."""
        with pytest.raises(QueryError) as caught:
            read(query)

        assert caught.value.problem.endswith(problem)
        assert caught.value.hint.startswith(hint)
        assert bool(caught.value.hint) == bool(hint)

    @pytest.mark.parametrize(
        "query",
        [
            "SELECT Id FROM A WHERE x IN (SELECT Id FROM B GROUP BY Id HAVING COUNT(Id) > 1)",
            "SELECT Id FROM A WHERE (x = 'ALL ROWS') FOR REFERENCE",
            "SELECT Id FROM A WHERE All = 1 AND Rows = 2",
            "  select id from A ;  ",
            "SELECT FIELDS( all ), Name FROM A",
        ],
    )
    def test_what_is_within_is_its_own(self, query: str) -> None:
        """What stands in parentheses, or in a text, says nothing of what the query lists."""
        assert read(query).object == "A"

    def test_what_a_query_is_made_of(self) -> None:
        """Its object, the fields that it names, the groups that it asks for, and where they end."""
        found = read("SELECT Name, FIELDS( Custom ), x__c  FROM Visit__c;")

        assert (found.object, found.names, found.groups) == (
            *("Visit__c", ("Name", "x__c"), frozenset({"CUSTOM"})),
        )
        assert found.text[: found.end] == "SELECT Name, FIELDS( Custom ), x__c"
        assert found.with_fields(["NAME", "y__c", "Phone"]) == (
            "SELECT Name, FIELDS( Custom ), x__c, Phone  FROM Visit__c"
        )


class TestOurs:
    """Our own queries."""

    def test_what_has_changed(self) -> None:
        """Oldest first; with a condition of the settings beside it."""
        assert (
            changed("Account", ["Id", "Name"], None, "")
            == "SELECT Id, Name FROM Account ORDER BY SystemModstamp, Id"
        )
        assert changed("Account", ["Id"], "2026-04-01T09:00:00.000Z", "A = 1 OR B = 2") == (
            "SELECT Id FROM Account WHERE (A = 1 OR B = 2) AND SystemModstamp >= "
            "2026-04-01T09:00:00.000Z ORDER BY SystemModstamp, Id"
        )

    def test_in_whatever_order(self) -> None:
        """All records; and what time it is at the org."""
        assert all_of("Account", ["Id"], "") == "SELECT Id FROM Account"
        assert all_of("Account", ["Id", "B"], "") == "SELECT Id, B FROM Account"
        assert all_of("Account", ["Id"], "A = 1") == "SELECT Id FROM Account WHERE A = 1"
        assert clock("Account") == "SELECT Id FROM Account LIMIT 1"

    def test_by_id(self) -> None:
        """Ids are texts."""
        assert among("Account", ["Id"], ["1", "2'"]) == (
            r"SELECT Id FROM Account WHERE Id IN ('1', '2\'')"
        )
        assert among("Account", ["Id"], ["1"], "A = 1").endswith("IN ('1') AND (A = 1)")
        assert among("Account", ["Id", "B"], ["1"]) == (
            "SELECT Id, B FROM Account WHERE Id IN ('1')"
        )

    def test_by_id_or_key(self) -> None:
        """Either of the two lists may be empty."""
        assert named("A", ["Id", "K"], ["1"], "K", ["a", "b"]) == (
            "SELECT Id, K FROM A WHERE Id IN ('1') OR K IN ('a', 'b')"
        )
        assert named("A", ["Id"], ["1", "2"], "K", []) == (
            "SELECT Id FROM A WHERE Id IN ('1', '2')"
        )
        assert named("A", ["Id"], [], "K", ["a"]) == "SELECT Id FROM A WHERE K IN ('a')"
        assert named("A", ["Id"], ["1"], "K", []) == "SELECT Id FROM A WHERE Id IN ('1')"

    def test_a_text_in_quotes(self) -> None:
        """Quotes, backslashes and what ends a line are escaped."""
        assert quoted("a'b\\c\n\r\td") == "'a\\'b\\\\c\\n\\r\\td'"

    @given(texts)
    def test_a_text_stays_within_its_quotes(self, text: str) -> None:
        """Whatever it holds (Q2)."""
        query = f"SELECT Id FROM Account WHERE Name = {quoted(text)} AND Active = true"  # noqa: S608  SOQL

        assert read(query).text == query
        assert is_condition(f"Name = {quoted(text)}")

    @pytest.mark.parametrize(
        ("text", "is_one"),
        [
            ("", True),
            ("OwnerId = '005'", True),
            ("Name LIKE 'ORDER %' AND (A = 1 OR B IN (SELECT Id FROM C WHERE D = 1))", True),
            ("A = 1) OR (B = 2", False),
            ("A = 1 ORDER BY Name", False),
            ("A = 1 LIMIT 5", False),
            ("A = 1; DROP", False),
            ("A = 'x", False),
            ("(A = 1", False),
        ],
    )
    def test_conditions(self, text: str, is_one: bool) -> None:  # noqa: FBT001
        """What the settings say stays a condition beside ours."""
        assert is_condition(text) is is_one


class TestTimes:
    """Times, as the org writes and reads them."""

    def test_a_moment(self) -> None:
        """In UTC, to the millisecond below."""
        at = datetime(2026, 4, 1, 11, 30, 0, 123999, tzinfo=timezone(timedelta(hours=2)))

        assert moment(at) == "2026-04-01T09:30:00.123Z"
        assert moment(at.replace(microsecond=500_000)) == "2026-04-01T09:30:00.500Z"
        assert moment(at.replace(tzinfo=None)) == "2026-04-01T11:30:00.123Z"

    def test_whatever_the_zone_of_this_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is sent is in UTC, wherever it is sent from."""
        at = datetime(2026, 4, 1, 9, 30, tzinfo=UTC)
        try:
            monkeypatch.setenv("TZ", "Asia/Kolkata")
            time.tzset()
            assert moment(at) == moment(at.replace(tzinfo=None)) == "2026-04-01T09:30:00.000Z"
            assert time_of("2026-04-01T09:30:00") == at
            assert known_time(at.astimezone()) == at
            found = known_time(at)
            assert found is not None
            assert found.utcoffset() == timedelta()
        finally:
            monkeypatch.undo()
            time.tzset()

    def test_a_time(self) -> None:
        """As the REST interface writes it; without a zone it is in UTC."""
        at = datetime(2026, 4, 1, 9, 30, tzinfo=UTC)

        assert time_of("2026-04-01T09:30:00.000+0000") == at
        assert time_of("2026-04-01T09:30:00") == at
        assert time_of("2026-04-01T11:30:00+02:00") == at
        assert time_of("1699-12-31T23:59:59Z") is None
        assert time_of("1700-01-01T00:00:00Z") is not None
        assert time_of("4000-12-31T23:59:59Z") is not None
        assert time_of("4001-01-01T00:00:00Z") is None
        assert time_of("0001-01-01T00:00:00+01:00") is None
        assert time_of("soon") is None
        assert time_of(None) is None
