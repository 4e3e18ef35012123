"""Whatever is sent, an org answers, and a refusal has changed nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from journal.testing.salesforce import Org
from journal.testing.salesforce.service import Sent

if TYPE_CHECKING:
    from journal.testing.salesforce.refusal import Answer

ORG: Final = Org()
TOKEN: Final = ORG.access_token()
ACCOUNT: Final = ORG.create("Account", {"Name": "A", "Journal_Key__c": "k"})
CONTACT: Final = ORG.create("Contact", {"LastName": "B", "AccountId": ACCOUNT})

_NAMES: Final = st.sampled_from(
    [
        "Name",
        "LastName",
        "Id",
        "id",
        "attributes",
        "type",
        "Account",
        "Account__r",
        "What",
        "WhatId",
        "AccountId",
        "Journal_Key__c",
        "NumberOfEmployees",
        "AnnualRevenue",
        "CreatedDate",
        "Email",
        "fields",
        "apiName",
        "records",
        "allOrNone",
        "ids",
        "compositeRequest",
        "batchRequests",
        "method",
        "url",
        "referenceId",
        "body",
        "richInput",
        "httpHeaders",
        "haltOnError",
        "",
        "x",
    ]
)
_TEXTS: Final = st.sampled_from(
    [
        "",
        "a",
        "k",
        "A" * 300,
        "2026-04-01",
        "2026-04-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "@{r.id}",
        "@{r.x[99999999999999999999].y}",
        "\x00",
        "٣",
        ACCOUNT,
        CONTACT,
        ACCOUNT[:15],
        "POST",
        "PATCH",
        "DELETE",
        "GET",
        "Account",
        "r",
        "/services/data/v67.0/sobjects/Account",
        f"v67.0/sobjects/Account/{ACCOUNT}",
        "/services/data/v67.0/query?q=SELECT Id FROM Account",
    ]
)
_CONTENTS: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)
_SEGMENTS: Final = st.sampled_from(
    [
        "sobjects",
        "Account",
        "Contact",
        "Task",
        "describe",
        "updated",
        "deleted",
        "query",
        "queryAll",
        "composite",
        "batch",
        "ui-api",
        "records",
        "limits",
        "Journal_Key__c",
        "Id",
        "k",
        "%2F",
        "%00",
        "%ff",
        "nonsense",
        "01g-5",
        ACCOUNT,
        CONTACT,
    ]
)
_WORDS: Final = st.sampled_from(
    [
        "SELECT",
        "Id",
        "Name",
        ",",
        "FROM",
        "Account",
        "Contact",
        "WHERE",
        "=",
        "!=",
        "<",
        "LIKE",
        "IN",
        "NOT",
        "(",
        ")",
        "'a'",
        "'%'",
        "5",
        "null",
        "true",
        "2026-01-01",
        "2026-01-01T00:00:00Z",
        "TODAY",
        "LAST_N_DAYS:99999999999",
        "ORDER",
        "BY",
        "LIMIT",
        "OFFSET",
        "COUNT()",
        "FIELDS(ALL)",
        "Owner.Name",
        "Account.Name",
        "MAX(Name)",
        "AND",
        "OR",
        "ALL",
        "ROWS",
        "DESC",
        "'\\",
    ]
)


def answered(method: str, path: str, content: Any) -> Answer:  # noqa: ANN401  JSON
    """Send a request; see that it is answered, and that a refusal has no effect."""
    headers = {"authorization": f"Bearer {TOKEN}", "host": "org.example"}
    body = b"" if content is None else json.dumps(content).encode()
    before = len(ORG.effects)
    answer = ORG._service.deliver(
        Sent(method, f"/services/data/v67.0/{path}", headers, body)
    ).answer
    json.dumps(answer.document)
    assert answer.status != 500
    if answer.status >= 400:
        assert len(ORG.effects) == before
    for record_id in ACCOUNT, CONTACT:
        record = ORG.get(record_id)
        assert record is not None
        if record["IsDeleted"]:
            ORG.undelete(record_id)
    return answer


@given(
    st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT"]),
    st.lists(_SEGMENTS, max_size=5),
    _CONTENTS,
)
def test_any_content_at_any_path(method: str, segments: list[str], content: object) -> None:
    """Anything at any path is answered."""
    answered(method, "/".join(segments), content)


@given(
    st.sampled_from(
        [
            ("POST", "sobjects/Account"),
            ("POST", "sobjects/Task"),
            ("PATCH", f"sobjects/Account/{ACCOUNT}"),
            ("PATCH", "sobjects/Account/Journal_Key__c/k"),
            ("POST", "composite/sobjects"),
            ("PATCH", "composite/sobjects/Account/Journal_Key__c"),
            ("POST", "ui-api/records"),
            ("PATCH", f"ui-api/records/{CONTACT}"),
        ]
    ),
    st.dictionaries(_NAMES, _CONTENTS, max_size=4),
)
@settings(max_examples=300)
def test_any_fields(target: tuple[str, str], fields: dict[str, object]) -> None:
    """Any fields are taken or refused."""
    method, path = target
    for content in fields, {"apiName": "Account", "fields": fields}, {"records": [fields]}:
        answered(method, path, content)


@given(st.lists(st.dictionaries(_NAMES, _CONTENTS, max_size=5), max_size=3), _CONTENTS)
def test_any_parts(parts: list[dict[str, object]], option: object) -> None:
    """Any parts of a composite request, or of a batch, are run or refused."""
    answered("POST", "composite", {"compositeRequest": parts, "allOrNone": option})
    answered("POST", "composite/batch", {"batchRequests": parts, "haltOnError": option})
    answered("POST", "composite/graph", {"graphs": [{"graphId": "g", "compositeRequest": parts}]})
    works = [{"type": kind, "records": parts} for kind in ("Create", "Update")]
    answered("POST", "ui-api/records/batch", {"operations": works, "allOrNone": option})


@given(st.lists(_WORDS, max_size=12))
@settings(max_examples=300)
def test_any_query(words: list[str]) -> None:
    """Any words are a query, or are refused as none."""
    text = "%20".join(words)
    for query in text, f"SELECT%20Id%20FROM%20Account%20WHERE%20{text}":
        assert answered("GET", f"query?q={query}", None).status in {200, 400}
