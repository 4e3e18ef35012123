"""The profile of a record service: its defaults, its errors, its secrets."""

from __future__ import annotations

import json
import tomllib
import traceback
from typing import TYPE_CHECKING, Any, Final

import pytest

from journal.errors import ProfileError
from journal.remotes import HttpRemote, Profile
from tests.pages import DOCS

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://records.example.com/api"
CANARY = "s3cr3t-c4n4ry"
PROFILES = sorted((*DOCS.glob("how-to/profiles/*.toml"), DOCS / "tutorial/record-service.toml"))

OTHERS = """\
url = "https://other.example.com"
timeout_s = 5
max_bytes = 1000
headers = { X-Client = "field" }

[auth]
bearer = "{env:RECORDS_TOKEN}"
headers = { X-Key = "{env:RECORDS_KEY}" }
query = { key = "{env:RECORDS_KEY}" }

[answer]
record = ["/data", "/item"]
fields = "/attributes"
id = "/id"
key = "/ref"
version = { seq = "/_seq", term = ["/_term", "header:X-Term"] }
own = ["/meta", "/@odata*"]
id_type = "number"
compare = "text"

[create]
method = "POST"
path = "/records?kind={type}"
headers = { Idempotency-Key = '"{draft}"' }
media_type = "application/vnd.api+json"
body = '{"ref": "{key}", "...": "{fields}"}'
unset = "omit"
only_new = true
is_repeatable = true
on_doubt = "hold"
answer = { fields = "none" }

[find]
method = "POST"
path = "/search"
body = '{"ref": "{key}"}'
items = "/hits"
record = "/data"
lists_all = true

[update]
method = "POST"
path = "/records/{id}/fields?seq={version.seq}&term={version.term}"
media_type = "application/json"
body = '{"do": "{operations}"}'
set = '{"set": "{name}", "to": "{value}"}'
unset = '{"clear": "{pointer}"}'

[delete]
method = "POST"
path = "/records/{id}/deletion"
body = "{}"
answer = { record = "none", id = "none", key = "none", version = "none" }

[read]
path = "/records/{id}.json"

[version]
condition = "X-If-Version"
is_required = true

[key]
pattern = "[a-z]+"

[changes]
path = "/changes?since={since}&page={page}"
items = "/items"
deleted = "/deleted"
next_since = "/cursor"
page = "/next"
first = "0"
overlap_s = 1.5

[[meaning]]
on = ["read"]
status = 400
means = "absent"

[[meaning]]
at = "/error"
means = "refused"

[types.Account]
name = "accounts"
words = { one = "account" }

[types.Account.fields]
Name = { name = "name", compare = "text", write = '{"raw": "{value}"}', read = "/raw" }
"""


class TestContent:
    """What a profile says."""

    def test_defaults(self) -> None:
        """Only the url must be there: the rest fits a plain JSON service."""
        profile = Profile.of({"url": URL})

        lines = [(verb, r.method, r.path, r.body) for verb, r in profile.requests()]
        assert lines == [
            ("create", "PUT", "/{type}/{id}", '"{fields}"'),
            ("update", "PATCH", "/{type}/{id}", '"{fields}"'),
            ("delete", "DELETE", "/{type}/{id}", None),
            ("read", "GET", "/{type}/{id}", None),
        ]
        assert profile.answer.version == "header:ETag"
        assert profile.version.condition == "If-Match"
        assert profile.notes == ()

    def test_every_key_can_be_said(self, tmp_path: Path) -> None:
        """A TOML file with every key is read as it is written, and so is the same as an object."""
        path = tmp_path / "profile.toml"
        path.write_text(OTHERS, encoding="utf-8")

        profile = Profile.load(path)

        said = tomllib.loads(OTHERS)
        dumped = profile.model_dump(exclude_defaults=True, by_alias=True)
        found = json.loads(json.dumps(dumped))
        said["meaning"][0]["status"] = [400]
        said["changes"]["deleted"] = {"at": "/deleted"}
        assert found == said
        assert Profile.load(str(path)) == Profile.of(tomllib.loads(OTHERS)) == profile

    @pytest.mark.parametrize("url", ["https://x.example/", "https://x.example//"])
    def test_a_slash_at_the_end_is_dropped(self, url: str) -> None:
        """Paths are put behind the url, which therefore ends without a slash."""
        assert Profile.of({"url": url}).url == "https://x.example"

    def test_what_its_author_should_know(self) -> None:
        """What a profile may say, but not without a word, is noted."""
        whole = {"update": {"method": "PUT", "body": '"{record}"'}, "answer": {"version": "none"}}
        kept = {"version": {"condition": "none"}, "create": {"on_doubt": "hold"}}
        sent = {**kept, "update": {"path": "/{id}?v={version}"}}

        assert [note.partition(":")[0] for note in Profile.of({"url": URL, **whole}).notes] == [
            "answer.version is none",
            "update.body sends the whole record without a version",
        ]
        dated = {"answer": {"version": "header:Last-Modified"}}
        assert "within the same second" in " ".join(Profile.of({"url": URL, **dated}).notes)
        assert [note.partition(":")[0] for note in Profile.of({"url": URL, **sent}).notes] == [
            "delete has no {version}",
            "create.on_doubt is hold",
        ]

    @pytest.mark.parametrize(
        ("body", "is_noted"),
        [('"{record}"', True), ('{"rev": "{version}", "...": "{fields}"}', True), (None, False)],
    )
    def test_a_key_for_bodies_that_differ(self, body: str | None, *, is_noted: bool) -> None:
        """I15: a request that is sent again has the body of the first, where a key is sent."""
        update = {"headers": {"Idempotency-Key": "{draft}"}} | ({"body": body} if body else {})

        said = {"url": URL, "update": update, "version": {"condition": "If-Match"}}
        notes = Profile.of(said).notes

        assert any("update sends {draft}" in note for note in notes) is is_noted

    @pytest.mark.parametrize(
        ("said", "noted"),
        [
            ({"status": 400}, True),
            ({"status": [404, 403]}, True),
            ({"status": [404, 410]}, False),
            ({"status": 400, "at": "/error", "has": "no such"}, False),
        ],
    )
    def test_absence_by_a_status_alone_is_told(self, said: dict[str, Any], noted: bool) -> None:  # noqa: FBT001
        """A status that may mean anything else would prove that a record is gone."""
        rule = {"on": ["read"], "means": "absent", **said}

        notes = Profile.of({"url": URL, "meaning": [{"status": 429, "means": "wait"}, rule]}).notes

        assert [note.startswith("meaning.1 ") for note in notes] == [True] * noted

    @pytest.mark.parametrize("path", PROFILES, ids=lambda path: str(path.name))
    def test_the_examples_of_the_documentation(self, path: Path) -> None:
        """Every profile of the documentation is one."""
        assert Profile.load(path).url

    def test_a_type_has_a_name(self) -> None:
        """A type is called as the profile says, or as it is called here."""
        profile = Profile.of({"url": URL, "types": {"Account": {"name": "accounts"}, "Visit": {}}})

        assert profile.type_name("Account") == "accounts"
        assert profile.type_name("Visit") == "Visit"
        assert profile.type_name("Order") == "Order"


BY_KEY: Final = {"answer": {"key": "/id"}}
NUMBERED: Final = {"path": "/?s={since}&p={index}", "since": "/at", "index_from": 1, **BY_KEY}
LINKED: Final = {"path": "/{type}/delta", "next_list": "/delta", **BY_KEY}
REPEATABLE: Final = {
    "method": "POST",
    "path": "/{type}",
    "headers": {"Idempotency-Key": "{draft}"},
    "is_repeatable": True,
}
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
    ({"headers": {"If-Match": "*"}}, "headers"),
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
    ({"update": {"path": "/{id:99}"}}, "update.path"),
    ({"update": {"path": "/{id.__class__}"}}, "update.path"),
    ({"update": {"headers": {"If-Match": "{vers}"}}}, "update.headers.If-Match"),
    ({"update": {"headers": {"Authorization": "x"}}}, "update.headers"),
    ({"update": {"body": "{fields}"}}, "update.body"),
    ({"update": {"body": '{"a": 1}'}}, "update.body"),
    ({"update": {"body": '"{feilds}"'}}, "update.body"),
    ({"update": {"body": '{"a": "{env:TOKEN}", "b": "{fields}"}'}}, "update.body"),
    ({"update": {"body": '"{operations}"'}}, "update.set"),
    ({"update": {"set": '{"op": "set"}'}}, "update.body"),
    ({"update": {"body": '"{operations}"', "set": "{}"}}, "update.unset"),
    ({"update": {"unset": "omit"}}, "update.unset"),
    ({"update": {"unset": "nil"}}, "update.unset"),
    ({"update": {"unset": '"{name}"'}}, "update.unset"),
    ({"create": {"unset": '"{name}"'}}, "create.unset"),
    ({"create": {"body": '{"a": 1}'}}, "create.body"),
    ({"create": {"path": "/{type}"}}, "create.body"),
    ({"create": {"is_repeatable": True}}, "create.is_repeatable"),
    ({"create": {"on_doubt": "guess"}}, "create.on_doubt"),
    ({"answer": {"id": "/id"}}, "create.path"),
    ({"answer": {"id": "/id"}, "create": {"path": "/{key}"}}, "find"),
    ({"find": {"path": "/{type}?q={key}"}}, "answer.key"),
    ({"find": {"path": "/{type}"}, "answer": {"key": "/k"}}, "find.path"),
    ({"answer": {"record": "data"}}, "answer.record"),
    ({"answer": {"record": "header:X"}}, "answer.record"),
    ({"answer": {"id": "id"}}, "answer.id"),
    ({"answer": {"version": ""}, "version": {"condition": "none"}}, "version.condition"),
    ({"answer": {"version": {}}}, "answer.version"),
    ({"answer": {"version": {"seq": "seq"}}}, "answer.version"),
    ({"answer": {"version": 7}}, "answer.version"),
    ({"answer": {"own": ["id"]}}, "answer.own.0"),
    ({"answer": {"compare": "loosely"}}, "answer.compare"),
    ({"answer": {"version": "none"}, "version": {"is_required": True}}, "version.is_required"),
    ({"answer": {"version": "none"}, "delete": {"path": "/{id}?v={version}"}}, "delete.path"),
    ({"answer": {"version": "none"}, "delete": {"body": '["{version}"]'}}, "delete.body"),
    ({"update": {"path": "/{id}?v={version.seq}"}}, "answer.version"),
    ({"update": {"path": "/{id}?v={version}"}}, "version.condition"),
    ({"read": {"answer": {"fields": "none"}}}, "read.answer"),
    ({"read": {"path": "/{type}"}}, "read.path"),
    ({"headers": {"X-Key": "{env:KEY}"}}, "headers.X-Key"),
    ({"headers": {"X-Draft": "{draft}"}}, "headers.X-Draft"),
    ({"key": {"pattern": "["}}, "key.pattern"),
    ({"changes": {"path": "/{type}?s={since}"}}, "changes.since"),
    ({"changes": {"since": "/at"}}, "changes.path"),
    ({"changes": {"path": "/?s={since}&p={page}", "since": "/at"}}, "changes.page"),
    ({"changes": {"path": "/?s={since}", "since": "/at", "index_from": 1}}, "changes.index_from"),
    ({"changes": LINKED | {"since": "/at"}}, "changes.since"),
    ({"changes": LINKED | {"overlap_s": 1.0}}, "changes.overlap_s"),
    ({"changes": LINKED | {"since_as": "seconds"}}, "changes.since_as"),
    ({"changes": NUMBERED | {"since_as": "minutes"}}, "changes.since_as"),
    ({"changes": NUMBERED | {"deleted": {"at": "none"}}}, "changes.deleted.at"),
    ({"changes": NUMBERED | {"deleted": {"at": "/s", "is": 1, "is_not": 2}}}, "changes.deleted"),
    ({"changes": NUMBERED | {"more": {"is": True}}}, "changes.more.at"),
    ({"changes": NUMBERED | {"answer": {"fields": "none"}}}, "changes.answer"),
    ({"changes": NUMBERED | {"items": "/{kind}"}}, "changes.items"),
    ({"changes": NUMBERED | {"items": "/{type.many}"}, "types": {"A": {}}}, "types.A.words"),
    ({"changes": {"path": "/?s={since}", "lists_all": True}}, "changes.path"),
    ({"changes": {"since": "/at", "lists_all": True}}, "changes.since"),
    ({"changes": {"more": "/more", "lists_all": True}}, "changes.more"),
    ({"changes": {"overlap_s": 5.0, "lists_all": True}}, "changes.overlap_s"),
    ({"changes": {"first": "0", "lists_all": True}}, "changes.first"),
    ({"meaning": [{"means": "wait"}]}, "meaning.0"),
    ({"meaning": [{"at": "/{type.one}", "means": "wait"}], "types": {"A": {}}}, "types.A.words"),
    ({"meaning": [{"status": 429, "means": "patience"}]}, "meaning.0.means"),
    ({"meaning": [{"status": 404, "means": "refused"}]}, "meaning.0"),
    ({"meaning": [{"status": 7, "means": "wait"}]}, "meaning.0.status"),
    ({"meaning": [{"status": 200, "is": 1, "means": "wait"}]}, "meaning.0.at"),
    ({"meaning": [{"at": "none", "means": "wait"}]}, "meaning.0.at"),
    ({"meaning": [{"at": "/a", "is": 1, "is_not": 2, "means": "wait"}]}, "meaning.0"),
    ({"meaning": [{"at": "/a", "is": 1, "has": "a", "means": "wait"}]}, "meaning.0"),
    ({"meaning": [{"status": 200, "has": "a", "means": "wait"}]}, "meaning.0.at"),
    ({"meaning": [{"at": "/a", "has": "", "means": "wait"}]}, "meaning.0.has"),
    ({"meaning": [{"on": ["write"], "at": "/a", "means": "wait"}]}, "meaning.0.on.0"),
    ({"types": {"A": {"fields": {"x": {"name": "y"}, "y": {}}}}}, "types.A.fields.y.name"),
    ({"types": {"A": {"fields": {"x": {"shown_as": "y"}, "y": {}}}}}, "types.A.fields.y.name"),
    ({"types": {"A": {"fields": {"x": {"write": '"{v}"'}}}}}, "types.A.fields.x.write"),
    ({"types": {"A": {"fields": {"x": {"unset": '"{value}"'}}}}}, "types.A.fields.x.unset"),
    ({"create": {"looks_first": True, "on_doubt": "hold"}}, "create.looks_first"),
    (
        {
            "answer": {"id": "/id"},
            "create": {**REPEATABLE, "looks_first": True},
        },
        "create.looks_first",
    ),
    ({"types": {"A": {}}, "answer": {"record": "/{type.one}"}}, "types.A.words"),
    ({"types": {"A": {}}, "read": {"path": "/{type.many}/{id}"}}, "types.A.words"),
    ({"delete": {"path": "/../{id}"}}, "delete.path"),
    ({"delete": {"path": "/a/./{id}"}}, "delete.path"),
    ({"delete": {"path": "/a\\{id}"}}, "delete.path"),
    ({"read": {"path": "/a#{id}"}}, "read.path"),
    ({"answer": {"version": "header:E Tag"}}, "answer.version"),
    ({"version": {"condition": ""}}, "version.condition"),
    ({"auth": {"bearer": ""}}, "auth.bearer"),
    ({"auth": {"bearer": "eyJ.abc-def"}}, "auth.bearer"),
    ({"auth": {"token": "x"}}, "auth.token"),
    ({"types": {"Account": "accounts"}}, "types.Account"),
    ({"conflicts": "theirs"}, "conflicts"),
    ({"conflicts": {"Account": "mine"}}, "conflicts.Account"),
    ({"conflicts": {"Account": {"Phone": 7}}}, "conflicts.Account.Phone"),
    ({"types": {"Account": {"name": ""}}}, "types.Account.name"),
]


class TestConflicts:
    """The policies that a profile may name."""

    def test_are_part_of_it(self, tmp_path: Path) -> None:
        """A profile with a table of policies is a profile, wherever it is loaded."""
        path = tmp_path / "service.toml"
        path.write_text(
            f'url = "{URL}"\n[conflicts]\ndefault = "theirs"\nAccount.Phone = "ours"\n',
            encoding="utf-8",
        )

        policies = Profile.load(path).conflicts

        assert policies.of_type("Visit") == ("default", "theirs")
        assert policies.of_field("Account", "Phone") == ("Account.Phone", "ours")

    def test_merge_otherwise(self) -> None:
        """Without a table, what does not disagree is merged."""
        assert Profile.of({"url": URL}).conflicts.of_type("Account") == ("default", "merge")


class TestErrors:
    """What a profile must not say."""

    @pytest.mark.parametrize(("wrong", "key"), WRONG, ids=lambda part: str(part)[:60])
    def test_names_its_key(self, wrong: dict[str, Any], key: str) -> None:
        """A wrong key is refused by its name."""
        with pytest.raises(ProfileError) as caught:
            Profile.of({"url": URL, **wrong})

        assert caught.value.key == key
        assert str(caught.value).startswith(f"profile key {key}")

    def test_all_mistakes_at_once(self) -> None:
        """Every mistake is named, each in a line of its own, with what to write instead."""
        wrong = {"update": {"path": "/{type}/{idd}"}, "delete": {"path": "/all"}, "url": URL}

        with pytest.raises(ProfileError) as caught:
            Profile.of(wrong)

        assert caught.value.keys == ("update.path", "update.path", "delete.path")
        assert str(caught.value).splitlines()[0] == (
            "profile key update.path: has the unknown placeholder {idd}; did you mean {id}?"
        )
        assert len(str(caught.value).splitlines()) == 3

    @pytest.mark.parametrize(
        ("wrong", "hint"),
        [
            ({"creat": {}}, "did you mean create?"),
            ({"create": {"metod": "PUT"}}, "did you mean method?"),
            ({"answer": {"field": ""}}, "did you mean fields?"),
            ({"create": {"answer": {"ids": ""}}}, "did you mean id?"),
            ({"find": {"item": ""}}, "did you mean items?"),
            ({"types": {"A": {"fields": {"x": {"comparison": "any"}}}}}, "did you mean compare?"),
            ({"meaning": [{"mean": "wait", "status": 1}]}, "did you mean means?"),
            ({"version": {"zzz": 1}}, "known are condition, form, is_required"),
        ],
    )
    def test_an_unknown_key_is_told_the_nearest(self, wrong: dict[str, Any], hint: str) -> None:
        """A key that is not known is told the one that may have been meant."""
        with pytest.raises(ProfileError, match="is unknown") as caught:
            Profile.of({"url": URL, **wrong})

        assert f"is unknown; {hint}" in str(caught.value)

    def test_a_template_names_the_place(self) -> None:
        """A body that is no JSON is told with line and column."""
        wrong = {"url": URL, "update": {"body": '{"a": 1,\n  "b": {fields}}'}}

        with pytest.raises(ProfileError, match=r"line 2, column 9\); placeholders stand in quotes"):
            Profile.of(wrong)

    def test_a_verb_that_is_not_there(self) -> None:
        """Who asks for what the profile does not say is told what to add."""
        with pytest.raises(ProfileError, match=r"profile key changes: .* add \[changes\]"):
            Profile.of({"url": URL}).request("changes")

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

    @pytest.mark.parametrize("content", [b"\nurl = \n", b"\xff\xfe", b"\n[url\n"])
    def test_a_file_that_is_no_toml(self, tmp_path: Path, content: bytes) -> None:
        """A file that is no TOML is named, with the line."""
        path = tmp_path / "broken.toml"
        path.write_bytes(content)

        with pytest.raises(ProfileError, match=r"broken\.toml is not TOML: .*") as caught:
            Profile.load(path)

        assert caught.value.key == "file"
        assert ("line 2" in str(caught.value)) == content.startswith(b"\n")


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
            {"url": URL, "create": {"body": f'{{"key": {CANARY}}}'}},
            {"url": URL, "answer": {"id": CANARY}},
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
