"""A day of `simple-salesforce`, a client that nobody here wrote, against the stand-in org."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from requests import Session
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

from journal.testing.salesforce import (
    ConnectedApp,
    Field,
    Org,
    Settings,
    ValidationRule,
    default_schema,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from requests import PreparedRequest, Response

    from tests.integration.salesforce.hands import Hands

HOST: Final = "stand-in.my"
KEY: Final = "Journal_Key__c"
Client: TypeAlias = Any
"""A `Salesforce`: its types do not know the objects of an org."""


class _Loopback(HTTPAdapter):
    """The way to the host of the org: its name is known here, and its TLS ends here."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401
        parts = urlsplit(request.url or "")
        assert parts.netloc == f"{HOST}.salesforce.com"
        request.headers["Host"] = str(parts.netloc)
        request.url = f"{self._url}{parts.path}?{parts.query}"
        return super().send(request, *args, **kwargs)


@pytest.fixture
def org(clock: Hands) -> Org:
    """An org at the host that the client asks for."""
    schema = default_schema()
    unsure = schema.object("Contact").with_fields(Field("Legacy__c", is_external_id=True))
    settings = Settings(instance_url=f"https://{HOST}.salesforce.com", page_size=200)
    return Org(schema.having(unsure), settings=settings, clock=clock)


@pytest.fixture
def session(url: str) -> Iterator[Session]:
    """A session whose requests arrive at the org."""
    with Session() as session:
        session.trust_env = False
        session.mount("https://", _Loopback(url))
        yield session


@pytest.fixture
def sf(session: Session) -> Client:
    """The client, logged in by client credentials."""
    return Salesforce(
        consumer_key="stand-in-client",
        consumer_secret="stand-in-secret",  # noqa: S106  of the stand-in
        domain=HOST,
        session=session,
        version="67.0",
    )


def refusal(content: Any) -> str:  # noqa: ANN401  JSON
    """Return the code of what an exception carries."""
    [error] = content
    found: str = error["errorCode"]
    return found


def test_log_in(org: Org, sf: Client, session: Session) -> None:
    """Client credentials give a session; wrong ones an exception of the right class."""
    assert sf.sf_instance == f"{HOST}.salesforce.com"
    assert sf.query("SELECT COUNT() FROM Account")["totalSize"] == 0

    with pytest.raises(SalesforceAuthenticationFailed, match="invalid client credentials"):
        Salesforce(consumer_key="stand-in-client", consumer_secret="", domain=HOST, session=session)
    assert org.effects == []


def test_log_in_by_assertion(tmp_path: Path) -> None:
    """A signed assertion of the client, by the clock of the machine, gives a session."""
    made = generate_private_key(65537, 2048)
    key = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "app.key").write_bytes(key)
    public = made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    app = ConnectedApp("jwt-app", username="field@stand-in.example", public_key=public.decode())
    org = Org(apps=(app,), settings=Settings(instance_url=f"https://{HOST}.salesforce.com"))
    with org.serve() as url, Session() as session:
        session.trust_env = False
        session.mount("https://", _Loopback(url))
        sf: Client = Salesforce(
            username="field@stand-in.example",
            consumer_key="jwt-app",
            privatekey_file=str(tmp_path / "app.key"),
            domain=HOST,
            session=session,
        )
        made_id = sf.Account.create({"Name": "Acme"})["id"]

    assert [effect.by for effect in org.effects] == [org.user_id("field@stand-in.example")]
    assert org.effects[0].id == made_id


def test_a_record_lives(org: Org, sf: Client) -> None:
    """A record is made, read, changed and deleted, each once."""
    made = sf.Account.create({"Name": "Acme", "Phone": "1"})
    assert made["success"] is True
    assert sf.Account.update(made["id"], {"Phone": "2"}) == 204
    read = sf.Account.get(made["id"])
    assert (read["Name"], read["Phone"], read["attributes"]["type"]) == ("Acme", "2", "Account")
    assert sf.Account.delete(made["id"]) == 204

    with pytest.raises(SalesforceResourceNotFound) as gone:
        sf.Account.update(made["id"], {"Phone": "3"})
    assert refusal(gone.value.content) == "ENTITY_IS_DELETED"
    assert [effect.operation for effect in org.effects] == ["create", "update", "delete"]


def test_upsert(org: Org, sf: Client) -> None:
    """An upsert makes a record, then changes it, and is read by its key."""
    assert sf.Visit__c.upsert(f"{KEY}/k-1", {"Status__c": "open"}) == 201
    assert sf.Visit__c.upsert(f"{KEY}/k-1", {"Status__c": "done"}) == 200
    assert sf.Visit__c.get_by_custom_id(KEY, "k-1")["Status__c"] == "done"
    assert [effect.operation for effect in org.effects] == ["create", "update"]

    with pytest.raises(SalesforceResourceNotFound):
        sf.Visit__c.get_by_custom_id(KEY, "k-2")
    for name in ("A", "B"):
        sf.Contact.create({"LastName": name, "Legacy__c": "same"})
    with pytest.raises(SalesforceMoreThanOneRecord):
        sf.Contact.upsert("Legacy__c/same", {"LastName": "C"})


def test_queries_and_pages(sf: Client) -> None:
    """Queries find records with their parents, page by page; `query_all` gets all of them."""
    acme = sf.Account.create({"Name": "Acme"})["id"]
    records = [
        {"attributes": {"type": "Contact"}, "LastName": f"{n:03}", "AccountId": acme}
        for n in range(200)
    ]
    sf.restful("composite/sobjects", method="POST", data=json.dumps({"records": records}))
    records = [{**each, "LastName": f"X{each['LastName']}"} for each in records]
    sf.restful("composite/sobjects", method="POST", data=json.dumps({"records": records}))
    query = "SELECT Id, LastName, Account.Name FROM Contact ORDER BY LastName"

    first = sf.query(query)
    assert (first["totalSize"], first["done"], len(first["records"])) == (400, False, 200)
    second = sf.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    assert (second["done"], second["records"][0]["LastName"]) == (True, "X000")
    whole = sf.query_all(query)
    assert [len(whole["records"]), whole["records"][0]["Account"]["Name"]] == [400, "Acme"]
    assert len(list(sf.query_all_iter(query))) == 400

    sf.Contact.delete(whole["records"][0]["Id"])
    assert sf.query("SELECT COUNT() FROM Contact")["totalSize"] == 399
    assert sf.query("SELECT COUNT() FROM Contact", include_deleted=True)["totalSize"] == 400


def test_changes(org: Org, sf: Client, clock: Hands) -> None:
    """What was changed and what was deleted is listed for a span of time."""
    kept, gone = org.create("Account", {"Name": "A"}), org.create("Account", {"Name": "B"})
    begin = clock.now
    org.delete(gone)
    clock.move(minutes=2)

    updated = sf.Account.updated(begin, begin + timedelta(minutes=2))
    assert updated["ids"] == [kept]
    deleted = sf.Account.deleted(begin, begin + timedelta(minutes=2))
    assert [each["id"] for each in deleted["deletedRecords"]] == [gone]
    assert updated["latestDateCovered"] == "2026-04-01T09:02:00.000+0000"


def test_describe(sf: Client) -> None:
    """The objects and their fields are described."""
    everything = sf.describe()
    assert "Visit__c" in [each["name"] for each in everything["sobjects"]]
    fields = {each["name"]: each for each in sf.Visit__c.describe()["fields"]}
    assert fields[KEY]["externalId"]
    assert fields[KEY]["unique"]
    assert fields["Account__c"]["referenceTo"] == ["Account"]
    assert fields["Account__c"]["relationshipName"] == "Account__r"
    assert fields["Status__c"]["picklistValues"][0]["value"] == "open"
    assert sf.Visit__c.metadata()["objectDescribe"]["keyPrefix"] == "a01"


def test_composite(org: Org, sf: Client) -> None:
    """A parent and its child are made in one call."""
    base = "/services/data/v67.0/sobjects"
    requests = [
        {"method": "POST", "url": f"{base}/Account", "referenceId": "a", "body": {"Name": "Acme"}},
        {
            "method": "POST",
            "url": f"{base}/Contact",
            "referenceId": "c",
            "body": {"LastName": "B", "AccountId": "@{a.id}"},
        },
    ]
    answer = sf.restful(
        "composite",
        method="POST",
        data=json.dumps({"allOrNone": True, "compositeRequest": requests}),
    )

    assert [each["httpStatusCode"] for each in answer["compositeResponse"]] == [201, 201]
    [account], [contact] = org.records("Account"), org.records("Contact")
    assert contact["AccountId"] == account["Id"]


def test_collections(org: Org, sf: Client) -> None:
    """Many records in one call, each with its result."""
    records = [{"attributes": {"type": "Account"}, "Name": name} for name in ("A", "", "C")]
    answer = sf.restful(
        "composite/sobjects",
        method="POST",
        data=json.dumps({"allOrNone": False, "records": records}),
    )

    assert [each["success"] for each in answer] == [True, False, True]
    assert answer[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert [each["Name"] for each in org.records("Account")] == ["A", "C"]


def test_limits(org: Org, sf: Client) -> None:
    """The calls of a day are told with each answer, and refused when they are used up."""
    sf.Account.create({"Name": "Acme"})
    limits = sf.limits()
    assert sf.api_usage["api-usage"].total == 100_000
    assert limits["DailyApiRequests"]["Max"] == 100_000

    org.spend_calls(100_000)
    with pytest.raises(SalesforceRefusedRequest) as refused:
        sf.Account.create({"Name": "Late"})
    assert refusal(refused.value.content) == "REQUEST_LIMIT_EXCEEDED"


def test_errors(org: Org, sf: Client) -> None:
    """What is refused comes as an exception of its class, with the code of its cause."""
    org.rules.validation.append(
        ValidationRule("Account", lambda row: row["Phone"] == "0", "no such phone", "Phone")
    )
    cases: dict[str, dict[str, Any]] = {
        "REQUIRED_FIELD_MISSING": {},
        "FIELD_CUSTOM_VALIDATION_EXCEPTION": {"Name": "A", "Phone": "0"},
        "INVALID_FIELD": {"Name": "A", "Nothing__c": 1},
        "STRING_TOO_LONG": {"Name": "A" * 256},
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": {"Name": "A", "Rating": "Mild"},
    }
    for code, fields in cases.items():
        with pytest.raises(SalesforceMalformedRequest) as malformed:
            sf.Account.create(fields)
        assert refusal(malformed.value.content) == code

    org.rules.denied.add(("Account", "create"))
    with pytest.raises(SalesforceRefusedRequest) as refused:
        sf.Account.create({"Name": "A"})
    assert refusal(refused.value.content) == "INSUFFICIENT_ACCESS_OR_READONLY"
    with pytest.raises(SalesforceMalformedRequest) as malformed:
        sf.query("SELECT Nothing__c FROM Account")
    assert refusal(malformed.value.content) == "INVALID_FIELD"
    assert org.effects == []


def test_a_session_ends(org: Org, session: Session) -> None:
    """A session that has ended is an exception of its own."""
    token = org.access_token()
    sf = Salesforce(instance=f"{HOST}.salesforce.com", session_id=token, session=session)
    sf.query("SELECT COUNT() FROM Account")
    org.expire_sessions()

    with pytest.raises(SalesforceExpiredSession) as expired:
        sf.query("SELECT COUNT() FROM Account")
    assert refusal(expired.value.content) == "INVALID_SESSION_ID"
