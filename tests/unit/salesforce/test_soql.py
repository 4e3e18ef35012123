"""SOQL: what is read of it, what it finds, and what it says of what it does not understand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from journal.testing.salesforce import Org, RefusedError
from journal.testing.salesforce.soql.finding import Finder, Found
from journal.testing.salesforce.soql.reading import read_query

if TYPE_CHECKING:
    from collections.abc import Callable

    Ask = Callable[..., Found]

NOW = datetime(2026, 4, 15, 12, 30, tzinfo=UTC)


@pytest.fixture
def org() -> Org:
    """Accounts and contacts of a month."""
    times = iter(datetime(2026, 4, day, 9, tzinfo=UTC) for day in (1, 1, 1, 10, 14, 15, 15))
    now = [NOW]
    org = Org(clock=lambda: now[0])
    rows: list[dict[str, Any]] = [
        {"Name": "Acme", "Rating": "Hot", "NumberOfEmployees": 5, "AnnualRevenue": 10},
        {"Name": "acorn", "Rating": "Cold", "NumberOfEmployees": 50},
        {"Name": "100% Ltd", "Phone": "O'Hara_1"},
    ]
    ids = []
    for row in rows:
        now[0] = next(times)
        ids.append(org.create("Account", row))
    for last, account in (("Zoe", ids[0]), ("Abe", ids[0]), ("Max", ids[1]), ("Lone", None)):
        now[0] = next(times)
        born = {"Birthdate": "1990-04-15"} if last == "Zoe" else {}
        org.create("Contact", {"LastName": last, "AccountId": account, **born})
    return org


@pytest.fixture
def ask(org: Org) -> Ask:
    """Ask that org."""

    def _ask(text: str, *, with_deleted: bool = False) -> Found:
        database = org._state.database
        finder = Finder(database, lambda _: True, 67, with_deleted=with_deleted)
        return finder.find(read_query(text, NOW))

    return _ask


def names(found: Found) -> list[str]:
    """Return what was found, by name."""
    return [record["Name"] for record in found.records]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("Name = 'ACME'", ["Acme"]),
        ("Name != 'acme'", ["acorn", "100% Ltd"]),
        ("Name <> 'acme'", ["acorn", "100% Ltd"]),
        ("Name LIKE 'ac%'", ["Acme", "acorn"]),
        ("Name LIKE 'ac_e'", ["Acme"]),
        (r"Name LIKE '100\% %'", ["100% Ltd"]),
        (r"Name LIKE 'A\%'", []),
        (r"Phone = 'O\'Hara_1'", ["100% Ltd"]),
        (r"Phone LIKE '%\_1'", ["100% Ltd"]),
        ("NumberOfEmployees > 5", ["acorn"]),
        ("NumberOfEmployees >= 5", ["Acme", "acorn"]),
        ("NumberOfEmployees < 50", ["Acme"]),
        ("NumberOfEmployees <= 50", ["Acme", "acorn"]),
        ("NumberOfEmployees = null", ["100% Ltd"]),
        ("NumberOfEmployees != null", ["Acme", "acorn"]),
        ("AnnualRevenue = 10.0", ["Acme"]),
        ("Rating IN ('Hot', 'Warm')", ["Acme"]),
        ("Rating NOT IN ('Hot')", ["acorn", "100% Ltd"]),
        ("NOT Rating = 'Hot'", ["acorn", "100% Ltd"]),
        ("(NOT Name LIKE 'a%')", ["100% Ltd"]),
        ("Rating = 'Hot' OR Rating = 'Cold'", ["Acme", "acorn"]),
        ("Name LIKE 'a%' AND (Rating = 'Cold' OR Rating = 'Warm')", ["acorn"]),
        ("IsDeleted = false", ["Acme", "acorn", "100% Ltd"]),
        ("CreatedDate = THIS_MONTH", ["Acme", "acorn", "100% Ltd"]),
        ("CreatedDate < 2026-04-01T09:00:00Z", []),
        ("CreatedDate >= 2026-04-01T11:00:00+02:00", ["Acme", "acorn", "100% Ltd"]),
        ("Account.Name = 'Acme'", ["Acme"]),
        ("Id IN (SELECT AccountId FROM Contact WHERE LastName = 'Max')", ["acorn"]),
        ("Id NOT IN (SELECT AccountId FROM Contact)", ["100% Ltd"]),
        ("Name = ''", []),
    ],
)
def test_where(ask: Ask, where: str, expected: list[str]) -> None:
    """A condition holds for the records for which Salesforce says so."""
    assert names(ask(f"SELECT Name FROM Account WHERE {where}")) == expected  # noqa: S608


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("CreatedDate = TODAY", ["Max", "Lone"]),
        ("CreatedDate = YESTERDAY", ["Abe"]),
        ("CreatedDate < TODAY", ["Zoe", "Abe"]),
        ("CreatedDate >= LAST_N_DAYS:1", ["Abe", "Max", "Lone"]),
        ("CreatedDate > YESTERDAY", ["Max", "Lone"]),
        ("CreatedDate <= YESTERDAY", ["Zoe", "Abe"]),
        ("CreatedDate != TODAY", ["Zoe", "Abe"]),
        ("CreatedDate = TOMORROW", []),
        ("CreatedDate = NEXT_N_DAYS:2", []),
        ("CreatedDate = LAST_MONTH", []),
        ("CreatedDate = THIS_YEAR", ["Zoe", "Abe", "Max", "Lone"]),
        ("Birthdate < TODAY", ["Zoe"]),
        ("Birthdate = 1990-04-15", ["Zoe"]),
        ("Birthdate != TODAY", ["Zoe", "Abe", "Max", "Lone"]),
        ("Account.Name = 'acme'", ["Zoe", "Abe"]),
        ("Account.Owner.Username LIKE 'admin%'", ["Zoe", "Abe", "Max"]),
    ],
)
def test_where_of_contacts(ask: Ask, where: str, expected: list[str]) -> None:
    """Days and spans of time are compared, and so are the fields of parents."""
    assert names(ask(f"select Name from contact where {where}")) == expected  # noqa: S608


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("ORDER BY Name", ["100% Ltd", "Acme", "acorn"]),
        ("ORDER BY Name DESC", ["acorn", "Acme", "100% Ltd"]),
        ("ORDER BY NumberOfEmployees", ["100% Ltd", "Acme", "acorn"]),
        ("ORDER BY NumberOfEmployees NULLS LAST", ["Acme", "acorn", "100% Ltd"]),
        ("ORDER BY NumberOfEmployees DESC NULLS FIRST", ["100% Ltd", "acorn", "Acme"]),
        ("ORDER BY CreatedDate DESC, Name ASC", ["100% Ltd", "Acme", "acorn"]),
        ("ORDER BY Rating, Name", ["100% Ltd", "acorn", "Acme"]),
        ("ORDER BY Name LIMIT 2", ["100% Ltd", "Acme"]),
        ("ORDER BY Name LIMIT 2 OFFSET 1", ["Acme", "acorn"]),
        ("LIMIT 0", []),
    ],
)
def test_order_and_limit(ask: Ask, rest: str, expected: list[str]) -> None:
    """Rows are sorted, without regard to case, and cut."""
    assert names(ask(f"SELECT Name FROM Account {rest}")) == expected  # noqa: S608


def test_parents_are_nested(ask: Ask) -> None:
    """A field of a parent stands in the parent; a parent that is not there is null."""
    query = "SELECT LastName, Account.Name, account.owner.username FROM Contact ORDER BY LastName"
    first, second, *_ = ask(query).records

    assert first["Account"]["Name"] == "Acme"
    assert first["Account"]["attributes"]["type"] == "Account"
    assert first["Account"]["Owner"]["Username"] == "admin@stand-in.example"
    assert second == {"attributes": second["attributes"], "LastName": "Lone", "Account": None}


def test_children_are_nested(ask: Ask) -> None:
    """A query within the columns finds the children of each record; none are null."""
    query = "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName LIMIT 1) FROM Account"
    first, _, third = ask(query).records

    assert [each["LastName"] for each in first["Contacts"]["records"]] == ["Abe"]
    assert (first["Contacts"]["totalSize"], first["Contacts"]["done"]) == (1, True)
    assert third["Contacts"] is None


def test_counting(ask: Ask) -> None:
    """COUNT() counts rows, the functions of a column count and compare its values."""
    assert ask("SELECT COUNT() FROM Contact").total == 4
    [record] = ask(
        "SELECT COUNT(AccountId) some, MAX(CreatedDate), MIN(LastName) first FROM Contact"
    ).records

    assert (record["some"], record["first"]) == (3, "Abe")
    assert record["expr1"] == "2026-04-15T09:00:00.000+0000"
    assert (
        ask("SELECT MAX(Birthdate) d FROM Contact WHERE LastName = 'Abe'").records[0]["d"] is None
    )


def test_all_fields(ask: Ask, org: Org) -> None:
    """FIELDS() stands for all, for those of Salesforce, and for those of the org."""
    [record] = ask("SELECT FIELDS(ALL) FROM Account LIMIT 1").records
    fields = {field.name for field in org._state.schema.object("Account").all_fields}
    assert set(record) == {"attributes", *fields}

    [custom] = ask("SELECT FIELDS(CUSTOM) FROM Account LIMIT 1").records
    [standard] = ask("SELECT FIELDS(STANDARD) FROM Account LIMIT 1").records
    assert set(custom) | set(standard) == set(record)
    assert "Name" not in custom


def test_the_bin(ask: Ask, org: Org) -> None:
    """What is in the bin is found by who asks for it."""
    org.delete(org.records("Account")[2]["Id"])

    assert ask("SELECT COUNT() FROM Account").total == 2
    assert ask("SELECT COUNT() FROM Account", with_deleted=True).total == 3
    assert ask("SELECT COUNT() FROM Account ALL ROWS").total == 3
    assert names(ask("SELECT Name FROM Account WHERE IsDeleted = TRUE", with_deleted=True)) == [
        "100% Ltd"
    ]


def test_ids_of_both_lengths(ask: Ask, org: Org) -> None:
    """An id is compared in 15 characters as in 18."""
    record_id = org.records("Account")[0]["Id"]

    for text in (record_id, record_id[:15]):
        assert names(ask(f"SELECT Name FROM Account WHERE Id = '{text}'")) == ["Acme"]  # noqa: S608
        assert ask(f"SELECT COUNT() FROM Contact WHERE AccountId IN ('{text}')").total == 2  # noqa: S608


def test_what_may_be_of_several_objects(ask: Ask, org: Org) -> None:
    """A field of a parent that may be of several objects is taken from the one that it is."""
    account = org.records("Account")[0]["Id"]
    visit = org.create("Visit__c", {"Name": "V", "Account__c": account})
    for what in (account, visit, None):
        org.create("Task", {"Subject": "Call", "WhatId": what})

    found = ask("SELECT What.Name FROM Task").records
    assert [each["What"] and each["What"]["Name"] for each in found] == ["Acme", "V", None]
    assert ask("SELECT COUNT() FROM Task WHERE What.Name = 'V'").total == 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "MALFORMED_QUERY"),
        ("SELECT", "MALFORMED_QUERY"),
        ("SELECT FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id, FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id Account", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name 'a'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = 'a", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name IN ()", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name IN ('a'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE CreatedDate IN (TODAY)", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE CreatedDate > 2026-13-01", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE CreatedDate > 2026-02-01T99:00:00Z", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = Nobody", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Id IN (SELECT Id, Name FROM Account)", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account ORDER Name", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account ORDER BY Name NULLS", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account LIMIT x", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account LIMIT 1 GROUP BY Id", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account a", "MALFORMED_QUERY"),
        ("SELECT Id, COUNT(Name) FROM Account", "MALFORMED_QUERY"),
        ("SELECT FORMAT(Name) FROM Account", "MALFORMED_QUERY"),
        ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY"),
        ("SELECT * FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
        ("SELECT Id FROM Nothing", "INVALID_TYPE"),
        ("SELECT Id, (SELECT Id FROM Nothings) FROM Account", "INVALID_TYPE"),
        ("SELECT Nothing FROM Account", "INVALID_FIELD"),
        ("SELECT Nothing.Name FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Owner.Nothing = 'a'", "INVALID_FIELD"),
        ("SELECT Id FROM Account ORDER BY Nothing", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Description = 'a'", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Name LIKE 5", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE NumberOfEmployees = '5'", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE IsDeleted = 'true'", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE CreatedDate = '2026-04-01T09:00:00Z'", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE CreatedDate = 2026-04-01", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Id = 5", "INVALID_FIELD"),
    ],
)
def test_refused(ask: Ask, query: str, code: str) -> None:
    """What is not understood, or not there, is refused with the code of the cause."""
    with pytest.raises(RefusedError) as refused:
        ask(query)

    assert refused.value.status == 400
    assert [each.code for each in refused.value.complaints] == [code]


def test_where_it_went_wrong() -> None:
    """A refusal points at the place."""
    with pytest.raises(RefusedError, match=r"\^\nERROR at Row:1:Column:8"):
        read_query("SELECT FROM Account", NOW)
