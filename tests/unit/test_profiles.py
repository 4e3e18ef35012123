"""The profile of a record service: its defaults, its errors, its secrets."""

from __future__ import annotations

import tomllib
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from journal.errors import ProfileError
from journal.remotes import HttpRemote, Profile

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://records.example.com/api"
CANARY = "s3cr3t-c4n4ry"

DEFAULTS: dict[str, Any] = {
    "url": URL,
    "allow_insecure": False,
    "timeout_s": 30.0,
    "max_bytes": 16_777_216,
    "headers": {},
    "create": {
        "method": "PUT",
        "path": "/{type}/{id}",
        "media_type": "application/json",
        "only_new": True,
    },
    "update": {
        "method": "PATCH",
        "path": "/{type}/{id}",
        "media_type": "application/merge-patch+json",
    },
    "delete": {"method": "DELETE", "path": "/{type}/{id}", "media_type": "application/json"},
    "read": {"method": "GET", "path": "/{type}/{id}", "media_type": "application/json"},
    "version": {"header": "ETag", "condition": "If-Match"},
    "auth": {"basic": None, "bearer": None, "oauth": None, "headers": {}, "query": {}},
    "types": {},
}

OTHERS = """\
url = "https://other.example.com"
timeout_s = 5
max_bytes = 1000
headers = { X-Client = "field" }

[create]
method = "POST"
path = "/records/{id}"
media_type = "application/vnd.api+json"
only_new = false

[update]
method = "POST"
path = "/records/{id}/fields?type={type}"
media_type = "application/json"

[delete]
method = "POST"
path = "/records/{id}/deletion"

[read]
path = "/records/{id}.json"

[version]
header = "X-Version"
condition = "X-If-Version"

[auth]
bearer = "{env:RECORDS_TOKEN}"
headers = { X-Key = "{env:RECORDS_KEY}" }
query = { key = "{env:RECORDS_KEY}" }

[types.Account]
name = "accounts"
"""


class TestContent:
    """What a profile says."""

    def test_defaults(self) -> None:
        """Only the url must be there; every other key has its default."""
        assert Profile.of({"url": URL}).model_dump() == DEFAULTS

    def test_every_key_can_be_said(self, tmp_path: Path) -> None:
        """A TOML file with every key is read as it is written."""
        path = tmp_path / "profile.toml"
        path.write_text(OTHERS, encoding="utf-8")

        profile = Profile.load(path)

        said = tomllib.loads(OTHERS)
        found = profile.model_dump(exclude_defaults=True)
        for key, value in said.items():
            assert found[key] == value
        assert found.keys() == said.keys()
        assert Profile.load(str(path)) == profile

    @pytest.mark.parametrize("url", ["https://x.example/", "https://x.example//"])
    def test_a_slash_at_the_end_is_dropped(self, url: str) -> None:
        """Paths are put behind the url, which therefore ends without a slash."""
        assert Profile.of({"url": url}).url == "https://x.example"

    def test_a_type_has_a_name(self) -> None:
        """A type is called as the profile says, or as it is called here."""
        profile = Profile.of({"url": URL, "types": {"Account": {"name": "accounts"}, "Visit": {}}})

        assert profile.type_name("Account") == "accounts"
        assert profile.type_name("Visit") == "Visit"
        assert profile.type_name("Order") == "Order"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"url": 7}, "url"),
    ({"url": "ftp://x"}, "url"),
    ({"url": "https://"}, "url"),
    ({"url": "records.example.com"}, "url"),
    ({"url": "https://ann:pw@x.example"}, "url"),
    ({"url": "https://@x.example"}, "url"),
    ({"url": "https://x.example?a=1"}, "url"),
    ({"url": "https://x.example/?"}, "url"),
    ({"url": "https://x.example/#"}, "url"),
    ({"url": "https://x.example:99999"}, "url"),
    ({"url": "https://x.example:0"}, "url"),
    ({"url": "https://x..example"}, "url"),
    ({"url": f"https://{'x' * 64}.example"}, "url"),
    ({"url": "https://x.example/a b"}, "url"),
    ({"url": "https://x.example\n"}, "url"),
    ({"url": "https://x.example\\@evil.example"}, "url"),
    ({"colour": "red"}, "colour"),
    ({"allow_insecure": "yes"}, "allow_insecure"),
    ({"timeout_s": 0}, "timeout_s"),
    ({"timeout_s": 3601}, "timeout_s"),
    ({"timeout_s": float("nan")}, "timeout_s"),
    ({"timeout_s": "30"}, "timeout_s"),
    ({"max_bytes": 0}, "max_bytes"),
    ({"max_bytes": 1.5}, "max_bytes"),
    ({"headers": {"A B": "x"}}, "headers.A B"),
    ({"headers": {"X-A": "a\r\nX-B: b"}}, "headers.X-A"),
    ({"headers": {"X-A": "a\n"}}, "headers.X-A"),
    ({"headers": {"X-A": "ä"}}, "headers.X-A"),
    ({"headers": {"X-A": " a"}}, "headers.X-A"),
    ({"headers": {"authorization": "Bearer x"}}, "headers"),
    ({"headers": {"Cookie": "a=b"}}, "headers"),
    ({"headers": {"Host": "evil.example"}}, "headers"),
    ({"headers": {"Content-Length": "0"}}, "headers"),
    ({"create": {"colour": "red"}}, "create.colour"),
    ({"create": {"method": "P UT"}}, "create.method"),
    ({"create": {"only_new": 1}}, "create.only_new"),
    ({"update": {"media_type": "a\r\nb"}}, "update.media_type"),
    ({"update": {"path": "{type}/{id}"}}, "update.path"),
    ({"update": {"path": "//evil.example/{id}"}}, "update.path"),
    ({"update": {"path": "/{type}"}}, "update.path"),
    ({"update": {"path": "/{type}/{ID}/{id}"}}, "update.path"),
    ({"update": {"path": "/{}/{id}"}}, "update.path"),
    ({"update": {"path": "/{type/{id}"}}, "update.path"),
    ({"update": {"path": "/{id!r}"}}, "update.path"),
    ({"update": {"path": "/{id:>99}"}}, "update.path"),
    ({"update": {"path": "/{id.__class__}"}}, "update.path"),
    ({"delete": {"path": "/../{id}"}}, "delete.path"),
    ({"delete": {"path": "/a/./{id}"}}, "delete.path"),
    ({"delete": {"path": "/a b/{id}"}}, "delete.path"),
    ({"delete": {"path": "/a\\{id}"}}, "delete.path"),
    ({"read": {"path": "/ä/{id}"}}, "read.path"),
    ({"read": {"path": "/a#{id}"}}, "read.path"),
    ({"version": {"header": "E Tag"}}, "version.header"),
    ({"version": {"condition": ""}}, "version.condition"),
    ({"auth": {"bearer": ""}}, "auth.bearer"),
    ({"auth": {"bearer": "eyJ.abc-def"}}, "auth.bearer"),
    ({"auth": {"token": "x"}}, "auth.token"),
    ({"types": {"Account": "accounts"}}, "types.Account"),
    ({"types": {"Account": {"name": ""}}}, "types.Account.name"),
]


class TestErrors:
    """What a profile must not say."""

    @pytest.mark.parametrize(("wrong", "key"), WRONG, ids=lambda part: str(part)[:60])
    def test_names_its_key(self, wrong: dict[str, Any], key: str) -> None:
        """A wrong key is refused by its name."""
        with pytest.raises(ProfileError) as caught:
            Profile.of({"url": URL, **wrong})

        assert caught.value.key == key
        assert str(caught.value).startswith(f"profile key {key}")

    def test_the_url_must_be_there(self) -> None:
        """Without a url there is no service."""
        with pytest.raises(ProfileError) as caught:
            Profile.of({})

        assert caught.value.key == "url"

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        """A file that cannot be read is named."""
        with pytest.raises(
            ProfileError, match=r"none\.toml cannot be read: No such file"
        ) as caught:
            Profile.load(tmp_path / "none.toml")

        assert caught.value.key == "file"

    @pytest.mark.parametrize("content", [b"url = ", b"\xff\xfe", b"[url"])
    def test_a_file_that_is_no_toml(self, tmp_path: Path, content: bytes) -> None:
        """A file that is no TOML is named."""
        path = tmp_path / "broken.toml"
        path.write_bytes(content)

        with pytest.raises(ProfileError, match=r"broken\.toml is not TOML") as caught:
            Profile.load(path)

        assert caught.value.key == "file"


class TestSecurity:
    """What would be readable by all."""

    @pytest.mark.parametrize(
        "url",
        ["http://127.0.0.1:8080", "http://127.8.8.8", "http://[::1]:1", "http://localhost/api"],
    )
    def test_plain_http_on_loopback(self, url: str) -> None:
        """On loopback nobody is on the way."""
        assert Profile.of({"url": url}).is_secure

    @pytest.mark.parametrize(
        "url", ["http://records.example.com", "http://127.0.0.1.evil.example", "http://10.0.0.1"]
    )
    def test_plain_http_beyond_loopback(self, url: str) -> None:
        """Beyond loopback plain http is refused, unless it is allowed."""
        with pytest.raises(ProfileError, match="plain http") as caught:
            Profile.of({"url": url})

        assert caught.value.key == "url"
        assert not Profile.of({"url": url, "allow_insecure": True}).is_secure

    def test_a_remote_checks_too(self) -> None:
        """A profile that came into being without `of` is refused by the remote."""
        with pytest.raises(ProfileError, match="plain http"):
            HttpRemote(Profile(url="http://records.example.com"))

    @pytest.mark.parametrize(
        "content",
        [
            {"url": f"https://ann:{CANARY}@x.example"},
            {"url": f"https://x.example?key={CANARY}"},
            {"url": URL, "headers": {"Authorization": CANARY}},
            {"url": URL, "headers": {"X-Key": f"{CANARY}\n"}},
            {"url": URL, "auth": {"bearer": CANARY}},
            {"url": URL, "auth": {"token": CANARY}},
        ],
        ids=str,
    )
    def test_a_misplaced_secret_is_not_repeated(self, content: dict[str, Any]) -> None:
        """The error about a secret in the wrong place does not show it, nor does its cause."""
        with pytest.raises(ProfileError) as caught:
            Profile.of(content)

        assert CANARY not in "".join(traceback.format_exception(caught.value))
        assert CANARY not in repr(caught.value)


class TestToken:
    """The secret, which only the environment knows."""

    def remote(self, environ: dict[str, str]) -> HttpRemote:
        """Return a remote whose token is in the variable TOKEN."""
        return HttpRemote(
            Profile.of({"url": URL, "auth": {"bearer": "{env:TOKEN}"}}), environ=environ
        )

    def test_is_read_for_every_request(self) -> None:
        """A token that was renewed is used from the next request on."""
        environ = {"TOKEN": CANARY}
        remote = self.remote(environ)
        assert remote.headers() == {
            "Accept": "application/json",
            "Authorization": f"Bearer {CANARY}",
        }

        environ |= {"TOKEN": "other"}

        assert remote.headers()["Authorization"] == "Bearer other"

    def test_is_not_shown(self) -> None:
        """No text about the remote or its profile holds the token."""
        remote = self.remote({"TOKEN": CANARY})

        assert repr(remote) == f"HttpRemote('{URL}')"
        assert CANARY not in f"{remote} {remote.profile!r} {remote.profile.model_dump_json()}"

    def test_must_be_set(self) -> None:
        """A variable that is not set, or empty, is named before anything is sent."""
        for environ in ({}, {"TOKEN": ""}):
            with pytest.raises(ProfileError, match="the environment has no TOKEN; set it"):
                self.remote(environ)

    @pytest.mark.parametrize("end", ["\n", " ", "\r\nX-Evil: 1", "é", "\x00"])
    def test_must_be_one(self, end: str) -> None:
        """What cannot be a token is refused without being shown."""
        with pytest.raises(ProfileError, match="what is there is no token") as caught:
            self.remote({"TOKEN": f"{CANARY}{end}"})

        assert CANARY not in "".join(traceback.format_exception(caught.value))
