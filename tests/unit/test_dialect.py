"""A profile in use: what its templates make, and what its selectors find, one rule at a time."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from journal.errors import RemoteError
from journal.remotes import Profile, Response
from journal.remotes.dialect import JSON, MERGE_PATCH, Dialect, Shown
from journal.remotes.pointers import MISSING

VALUES: Final = {"id": "k1", "key": "k1", "fields": {"n": 1}}
VERSION: Final = {**VALUES, "version": "2026-01-02T03:04:05"}
POST: Final = {"method": "POST", "path": "/{type}", "body": '{"k": "{key}", "...": "{fields}"}'}
FIND: Final = {"path": "/{type}?key={key}"}


def dialect(**profile: Any) -> Dialect:  # noqa: ANN401  any key of a profile
    """Return a profile with these keys in use."""
    return Dialect(Profile.of({"url": "https://records.example.com", **profile}))


def answer(content: object = MISSING, **headers: str) -> Response:
    """Return an answer with that content, or with none."""
    body = b"" if content is MISSING else json.dumps(content).encode()
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(200, {"content-type": "application/json", **named}, body)


class TestConditions:
    """With which conditions a write goes."""

    @pytest.mark.parametrize(
        ("create", "is_said"),
        [
            ({}, True),
            (POST, False),
            ({**POST, "only_new": True}, True),
            ({"only_new": False}, False),
        ],
        ids=["put", "post", "a post that makes new ones", "a put that does not"],
    )
    def test_a_create_makes_a_new_record(self, create: dict[str, Any], *, is_said: bool) -> None:
        """A PUT by itself; otherwise as the profile says."""
        own = dialect(create=create, answer={"key": "/k"}, find=FIND)
        headers = own.request("create", "Note", VALUES).headers

        assert headers.get("If-None-Match") == ("*" if is_said else None)

    def test_a_write_that_the_profile_names(self) -> None:
        """Where it names some, the others go without."""
        some = dialect(version={"condition": "If-Match", "on": ["update"]})

        assert some.is_conditional("update")
        assert not some.is_conditional("delete")
        assert some.request("update", "Note", VERSION).headers["If-Match"] == VERSION["version"]
        assert "If-Match" not in some.request("delete", "Note", VERSION).headers

    def test_what_is_no_write(self) -> None:
        """A read carries none."""
        assert "If-Match" not in dialect().request("read", "Note", VERSION).headers

    def test_where_no_version_is_known(self) -> None:
        """Nor does a write."""
        assert "If-Match" not in dialect().request("update", "Note", VALUES).headers

    def test_a_part_of_the_version_in_the_request(self) -> None:
        """It is a condition, too."""
        update = {"body": '{"rev": "{version.rev}", "...": "{fields}"}'}
        parts = dialect(
            version={"condition": "none"}, update=update, answer={"version": {"rev": "/rev"}}
        )

        assert parts.is_conditional("update")
        assert not parts.is_conditional("delete")

    def test_a_version_that_is_a_date(self) -> None:
        """It is written as headers have dates; two are the same however they are written."""
        dated = dialect(version={"condition": "If-Unmodified-Since", "form": "http-date"})
        same = ("2026-01-02T03:04:05Z", "2026-01-02T04:04:05+01:00")

        assert dated.request("update", "Note", VERSION).headers["If-Unmodified-Since"] == (
            "Fri, 02 Jan 2026 03:04:05 GMT"
        )
        assert dated.is_same_version(*same)
        assert not dialect().is_same_version(*same)
        assert dialect().is_same_version("1", "1")
        assert dated.is_unchanged("2026-01-02T03:04:04Z", "2026-01-02T03:04:05Z")
        assert not dated.is_unchanged("2026-01-02T03:04:06Z", "2026-01-02T03:04:05Z")

    @pytest.mark.parametrize("name", ["If-Match", "X-Who"])
    def test_what_no_header_can_hold(self, name: str) -> None:
        """The error names the header."""
        own = dialect(update={"headers": {"X-Who": "{key}"}})
        values = {**VALUES, **({"version": "a\nb"} if name == "If-Match" else {"key": "a\nb"})}

        with pytest.raises(RemoteError, match=f"the header {name} "):
            own.request("update", "Note", values)


class TestRequests:
    """What a request is made of."""

    def test_another_path(self) -> None:
        """It needs what it names, and not what the path of the profile does."""
        own = dialect()

        assert own.request("read", "Note", {}, "/by-key").path == "/by-key"
        with pytest.raises(RemoteError, match=r"needs \{key\}"):
            own.request("read", "Note", {"id": "7"}, "/by/{key}")

    def test_what_a_request_uses(self) -> None:
        """A request that the profile does not have uses nothing."""
        assert dialect().uses("read", "id")
        assert not dialect().uses("find", "key")

    @pytest.mark.parametrize(
        ("update", "media_type"),
        [
            ({}, MERGE_PATCH),
            ({"method": "PUT"}, JSON),
            ({"body": '{"data": "{fields}"}'}, JSON),
            ({"media_type": "application/vnd.api+json"}, "application/vnd.api+json"),
        ],
        ids=["patch", "put", "wrapped", "said"],
    )
    def test_the_media_type(self, update: dict[str, Any], media_type: str) -> None:
        """The fields alone, in a PATCH, are a merge patch."""
        own = dialect(update=update)

        assert own.request("update", "Note", VALUES).headers["Content-Type"] == media_type
        assert own.media_type("create") == JSON

    def test_a_form_with_a_character_set(self) -> None:
        """It is a form all the same."""
        media_type = "application/x-www-form-urlencoded; charset=utf-8"
        own = dialect(update={"media_type": media_type})

        assert own.request("update", "Note", VALUES).body == b"n=1"

    @pytest.mark.parametrize(
        ("id_type", "remote_id", "value"),
        [
            ("number", "7", 7),
            ("number", "x7", "x7"),
            ("number", "\u0667", "\u0667"),
            ("text", "7", "7"),
        ],
    )
    def test_an_id_in_a_body(self, id_type: str, remote_id: str, value: object) -> None:
        """It is a number where the service has numbers, and it is one."""
        assert dialect(answer={"id_type": id_type}).id_value(remote_id) == value


class TestAnswers:
    """What an answer shows."""

    def test_what_stands_in_headers(self) -> None:
        """The id, the key and the version may, whether there is content or not."""
        places = {"id": "header:X-Id", "key": "header:X-Key"}
        own = dialect(answer=places, create=POST, find={**FIND, "answer": {"key": "/k"}})
        headers = {"x_id": "7", "x_key": "k1", "etag": '"1"'}

        assert own.said("create", "Note", answer(**headers)) == Shown(None, "7", "k1", '"1"')
        assert own.shown("read", "Note", answer({"n": 1}, **headers)) == (
            Shown({"n": 1}, "7", "k1", '"1"')
        )

    def test_the_words_of_its_type(self) -> None:
        """An answer without content is read as one with it is: as one of its type."""
        own = dialect(answer={"key": "/{type.one}"}, types={"Note": {"words": {"one": "note"}}})

        assert own.said("update", "Note", answer(etag='"1"')).version == '"1"'

    def test_a_version_of_parts(self) -> None:
        """It is none where one of them is missing; a header may be one of them."""
        own = dialect(answer={"version": {"rev": "/rev", "tag": "header:ETag"}})

        whole = own.shown("read", "Note", answer({"rev": 3}, etag='"1"'))
        part = own.shown("read", "Note", answer({"rev": 3}))

        assert whole is not None
        assert json.loads(whole.version or "") == {"rev": 3, "tag": '"1"'}
        assert part is not None
        assert part.version is None

    def test_places_of_a_type(self) -> None:
        """Where a record stands may depend on its type."""
        own = dialect(
            answer={"record": "/{type}", "id": "/{type}-id", "key": "/k"},
            create=POST,
            find={**FIND, "record": "/{type}", "items": "/hits"},
        )

        shown = own.shown("read", "Note", answer({"Note": {"n": 1, "Note-id": "7"}}))
        listed = own.items("find", "Note", answer({"hits": [{"Note": {"Note-id": "7"}}]}))

        assert shown is not None
        assert shown.id == "7"
        assert listed is not None
        assert [item.shown.id for item in listed] == ["7"]
        assert own.shown("read", "Note", answer({"Task": {"n": 1}})) is None

    def test_null(self) -> None:
        """It is no value, unless it is asked for."""
        own = dialect()

        assert own.find("/a", "Note", {"a": None}, {}) is MISSING
        assert own.find("/a", "Note", {"a": None}, {}, takes_null=True) is None

    def test_a_change_that_shows_no_record(self) -> None:
        """In a list, nothing stands in headers: such a change has no version."""
        own = dialect(
            answer={"id": "/id", "key": "/k"},
            create=POST,
            find=FIND,
            changes={"path": "/{type}?since={since}", "record": "/doc", "since": "/at"},
        )

        items = own.items("changes", "Note", answer([{"id": "7", "at": 1}], etag='"1"'))

        assert items is not None
        assert [item.shown for item in items] == [Shown(None, "7", None, None)]
