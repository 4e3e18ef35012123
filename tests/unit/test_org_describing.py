"""The profiles that the settings of an org become, and the pages of its rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from journal.errors import RemoteError
from journal.remotes import Response
from journal.remotes.remote import Request, Sighting
from journal.remotes.salesforce.describing import described
from journal.remotes.salesforce.rows import (
    MOST_PATH,
    Listing,
    Rows,
    asked,
    is_short,
    rows,
    sighting,
)
from journal.remotes.salesforce.settings import Settings

if TYPE_CHECKING:
    from journal.remotes.salesforce.settings import How

URL: Final = "https://acme.my.salesforce.com"
SAID: Final = {"answer": {"id": "/id", "fields": "none", "key": "none", "version": "none"}}
BY_KEY: Final = "/sobjects/{type}/{type.key}/{key}"
CREATES: Final[dict[How, dict[str, Any]]] = {
    "upsert": {"method": "PATCH", "path": BY_KEY, "media_type": "application/json"},
    "insert": {
        "method": "POST",
        "path": "/sobjects/{type}",
        "body": '{"...": "{fields}", "{type.key}": "{key}"}',
    },
    "ui": {
        "method": "POST",
        "path": "/ui-api/records",
        "headers": {"Idempotency-Key": "{draft.uuid}"},
        "body": '{"apiName": "{type}", "fields": "{fields}"}',
        "is_repeatable": True,
        "remembered_s": 29 * 86_400.0,
    },
    "post": {"method": "POST", "path": "/sobjects/{type}", "on_doubt": "hold"},
}


def org(**said: Any) -> Settings:  # noqa: ANN401  any key
    """Return the settings of an org."""
    return Settings.of({"url": URL, **said})


def told(section: Any) -> dict[str, Any]:  # noqa: ANN401  any section
    """Return what a section says that is not as usual."""
    content: dict[str, Any] = section.model_dump(exclude_defaults=True)
    return content


class TestProfiles:
    """How an org is spoken to."""

    @pytest.mark.parametrize("how", CREATES)
    def test_how_a_record_is_created(self, how: How) -> None:
        """By our key where there is a field for it; else so that it is never made twice."""
        found = described(org(key="Key__c"), how)

        assert told(found.create) == {**CREATES[how], **SAID}

    @pytest.mark.parametrize("how", CREATES)
    def test_how_it_is_found(self, how: How) -> None:
        """By the id that the org gave it; and by our key where it was created by it."""
        found = described(org(key="Key__c"), how)

        is_keyed = how in {"upsert", "insert"}
        by_key = {"key_path": BY_KEY} if is_keyed else {}
        assert told(found.read) == {
            "path": "/sobjects/{type}/{id}?fields=Id,LastModifiedDate,{names.joined}",
            "after_writes": True,
            **by_key,
        }
        shown = {"key": "/{type.key}"} if is_keyed else {}
        assert told(found.answer) == {
            "id": "/Id",
            "id_type": "salesforce",
            "compare": "lenient",
            "version": "/LastModifiedDate",
            "own": ("/attributes",),
            **shown,
        }
        assert found.key.pattern == ("[A-Za-z0-9_-]{1,255}" if is_keyed else ".+")

    def test_how_it_is_changed(self) -> None:
        """By its id, with the time of its last change as the condition of an update."""
        found = described(org(), "ui")

        assert (found.update.method, found.update.path, found.update.media_type) == (
            *("PATCH", "/sobjects/{type}/{id}", "application/json"),
        )
        assert told(found.update)["answer"] == SAID["answer"]
        assert found.update.answer == found.delete.answer == described(org(), "post").create.answer
        assert (found.delete.path, found.delete.method) == ("/sobjects/{type}/{id}", "DELETE")
        assert told(found.version) == {
            "condition": "If-Unmodified-Since",
            "on": ("update",),
            "form": "http-date",
            "is_weak": True,
        }

    def test_what_the_settings_say(self) -> None:
        """The address with the version, the limits, the policies, and whether it is read back."""
        said = org(
            api_version="66.0",
            timeout_s=5.0,
            max_bytes=1000,
            reads_back=False,
            auth={"bearer": "{env:T}"},
            conflicts={"default": "ours"},
        )
        found = described(said, "ui")

        assert found.url == f"{URL}/services/data/v66.0"
        assert (found.timeout_s, found.max_bytes, found.allow_insecure) == (5.0, 1000, False)
        assert found.auth == said.auth
        assert found.conflicts == said.conflicts
        assert found.read.after_writes is False
        plain = Settings.of({"url": "http://localhost:8000", "allow_insecure": True})
        assert described(plain, "ui").allow_insecure is True

    def test_types(self) -> None:
        """What the org calls a type, its field for our key, and the forms of its fields."""
        types = {
            "Visit": {"object": "Visit__c", "fields": {"Done": {"name": "Done__c"}}},
            "Note": {"key": ""},
        }
        found = described(org(key="Key__c", types=types), "upsert")

        assert found.words("Visit") == {"type": "Visit__c", "type.key": "Key__c"}
        assert found.words("Note") == {"type": "Note", "type.key": "none"}
        assert found.words("Other") == {"type": "Other", "type.key": "Key__c"}
        assert found.forms("Visit").name("Done") == "Done__c"
        assert described(org(), "ui").words("Other") == {"type": "Other", "type.key": "none"}


def page(**content: Any) -> Response:  # noqa: ANN401
    """Return an answer to a query."""
    return Response(200, {}, json.dumps(content).encode())


class TestRows:
    """F1, F2: what a page shows, and where the next one is."""

    ROW: Final = {"Id": "001xx0000000001AAA", "Name": "a"}

    def test_the_last_page(self) -> None:
        """It has nothing after it, whatever it says of that."""
        answer = page(records=[self.ROW], done=True, nextRecordsUrl="/x/y")

        assert rows(answer) == Rows([self.ROW], "")

    @pytest.mark.parametrize(
        ("where", "locator"),
        [
            ("/services/data/v67.0/query/01gxx-2000", "01gxx-2000"),
            ("https://evil.example/query/01g", "01g"),
            ("01g", "01g"),
        ],
    )
    def test_the_next_page(self, where: str, locator: str) -> None:
        """Only its name is taken: it is one of the same query, at the same org."""
        answer = page(records=[self.ROW], done=False, nextRecordsUrl=where)

        assert rows(answer) == Rows([self.ROW], locator)

    @pytest.mark.parametrize(
        "content",
        [
            {"records": [], "done": False},
            {"records": [], "done": False, "nextRecordsUrl": 5},
            {"records": [], "done": False, "nextRecordsUrl": "/query/"},
            {"records": [], "done": False, "nextRecordsUrl": "/query/a?b"},
            {"records": [], "done": False, "nextRecordsUrl": "/query/ä"},
            {"records": [], "done": "yes"},
            {"records": {}, "done": True},
            {"done": True},
            {"records": [], "other": True},
            {"records": [{"Name": "a"}], "done": True},
            {"records": [{"Id": ""}], "done": True},
            {"records": [{"Id": "x" * 19}], "done": True},
            {"records": [{"Id": 5}], "done": True},
            {"records": ["a"], "done": True},
        ],
    )
    def test_what_is_no_page(self, content: dict[str, Any]) -> None:
        """All of it can be read, or it shows nothing."""
        assert rows(page(**content)) is None

    def test_an_id_is_short(self) -> None:
        """Many are asked for in one address."""
        assert [is_short(text) for text in ("", "x", "x" * 18, "x" * 19, 5)] == [
            *(False, True, True, False, False),
        ]

    def test_a_row(self) -> None:
        """Our key, the id, the version and the fields, without what the org keeps itself."""
        row = {
            "attributes": {"type": "A"},
            "Id": "001",
            "LastModifiedDate": "2026",
            "SystemModstamp": "2027",
            "Key__c": "k1",
            "Name": "a",
        }

        assert sighting(row, "Key__c", dict) == Sighting(
            "k1", "001", {"Name": "a"}, "2026", is_partial=True
        )
        assert sighting(row, "", dict) == Sighting(
            None, "001", {"Key__c": "k1", "Name": "a"}, "2026", is_partial=True
        )
        odd = {"Id": "001", "Key__c": "", "LastModifiedDate": 5}
        assert sighting(odd, "Key__c", dict) == Sighting(None, "001", {}, None, is_partial=True)
        number = {"Id": "001", "Key__c": 5}
        assert sighting(number, "Key__c", dict).key is None

    def test_how_a_page_is_asked_for(self) -> None:
        """By the query, or by the name of the page; an address has an end."""
        assert asked("SELECT a/b") == Request("GET", "/query/?q=SELECT%20a%2Fb")
        assert asked("SELECT a", "01g-2000") == Request("GET", "/query/01g-2000")
        longest = MOST_PATH - len("/query/?q=")
        assert len(asked("x" * longest).path) == MOST_PATH
        with pytest.raises(RemoteError) as caught:
            asked("x" * (longest + 1))
        assert str(caught.value) == (
            "the query has 15,001 characters as an address, and the org takes no more than "
            "15,000; name fewer fields: pull = { fields = [...] } of the type"
        )

    def test_which_columns(self) -> None:
        """What tells records apart is asked for, each once; by id, without the stamp."""
        listing = Listing("Account", "Key__c", ("Name", "Id"))

        assert listing.columns == ("Id", "LastModifiedDate", "SystemModstamp", "Key__c", "Name")
        assert listing._replace(key="", is_by_id=True).columns == ("Id", "LastModifiedDate", "Name")
