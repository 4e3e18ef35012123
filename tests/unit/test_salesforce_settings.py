"""What is said of an org: mistakes by their keys, what goes without saying, and its allowance."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

import pytest
from pydantic_core import PydanticUndefined

from journal.errors import ProfileError
from journal.remotes import Salesforce
from journal.remotes.addresses import followed, moved
from journal.remotes.assertions import Assertion, signed
from journal.remotes.auth import Auth
from journal.remotes.forms import agrees_as, is_same_id
from journal.remotes.placeholders import uuid_of
from journal.remotes.profiles import Profile
from journal.remotes.remote import Response
from journal.remotes.salesforce.answers import complaints, is_key_refusal, is_moved
from journal.remotes.salesforce.describing import described
from journal.remotes.salesforce.keeping import TokenFile
from journal.remotes.salesforce.limits import Usage, pause_s, usage_of
from journal.remotes.salesforce.settings import (
    HOSTS,
    Capture,
    LimitSettings,
    PullSettings,
    Settings,
    TypeSettings,
)
from journal.remotes.times import http_date, is_later
from tests.pages import ROOT

if TYPE_CHECKING:
    from pathlib import Path

URL: Final = "https://acme.my.salesforce.com"
THEN: Final = "2026-04-01T09:30:00.000+0000"


def settings(**said: Any) -> Settings:  # noqa: ANN401  any key
    """Return settings with these keys."""
    return Settings.of({"url": URL, **said})


class TestMistakes:
    """Settings that are wrong."""

    @pytest.mark.parametrize(
        ("said", "key", "problem"),
        [
            ({"url": "http://acme.my.salesforce.com"}, "url", "plain http"),
            ({"url": f"{URL}/services"}, "url", "that of the org alone"),
            ({"url": "https://test.salesforce.com"}, "url", "use the My Domain"),
            ({"url": "acme"}, "url", "must be an http or https URL"),
            ({"api_version": "45.0"}, "api_version", "must be 46.0 or later"),
            ({"api_version": "v67"}, "api_version", "should match pattern"),
            ({"api_version": 67.0}, "api_version", "valid string"),
            ({"service": "other"}, "service", "should be 'salesforce'"),
            ({"key": "No Key"}, "key", "should match pattern"),
            ({"types": {"A": {"create": "upsert"}}}, "types.A.key", "needed to create by upsert"),
            ({"types": {"A": {"parents": {"B": "C"}}}}, "types.A.parents.B", "must name a rel"),
            ({"types": {"A": {"parents": {"B": "C.K"}}}}, "types.A.parents", "the UI API"),
            (
                {"key": "K__c", "capture": {"actor": "K__c"}, "types": {"A": {}}},
                "types.A.capture",
                "holds our key",
            ),
            ({"limits": {"slow_from": 0.99}}, "limits.slow_from", "below limits.stop_at"),
            ({"refresh_token_file": "x"}, "refresh_token_file", "and there is none"),
            ({"on_not_found": "drop"}, "on_not_found", "should be 'done' or 'hold'"),
        ],
    )
    def test_are_told_by_key(self, said: dict[str, Any], key: str, problem: str) -> None:
        """A mistake names its key, and says what is wrong."""
        with pytest.raises(ProfileError) as caught:
            settings(**said)

        assert caught.value.key == key
        assert problem in caught.value.problem

    @pytest.mark.parametrize(
        ("said", "problem", "hint"),
        [
            (
                {"url": "http://acme.my.salesforce.com"},
                "url: plain http would send the records and the credentials readable by all",
                "use https, or set allow_insecure = true",
            ),
            (
                {"url": f"{URL}/services"},
                "url: must be that of the org alone, such as https://acme.my.salesforce.com",
                "",
            ),
            (
                {"url": "https://login.salesforce.com"},
                "url: is where people log in: use the My Domain of the org",
                "",
            ),
            (
                {"api_version": "45.0"},
                "api_version: must be 46.0 or later: before, an upsert may answer without the id",
                "",
            ),
            (
                {"types": {"A": {"pull": {"where": "A = 1 LIMIT 5"}}}},
                (
                    "types.A.pull.where: must be what stands after WHERE, and nothing else: "
                    "OwnerId = '005…'"
                ),
                "",
            ),
            *[
                (
                    {"key": "K__c", "types": {"A": {"parents": {"B": parent}}}},
                    (
                        "types.A.parents.B: must name a relationship and the key of the parent: "
                        "Account.Journal_Key__c"
                    ),
                    "",
                )
                for parent in ("C", "C.", ".K", "C.D.K", "")
            ],
            (
                {"limits": {"slow_from": 0.98}},
                "limits.slow_from: must be below limits.stop_at",
                "",
            ),
            (
                {"refresh_token_file": "x"},
                "refresh_token_file: keeps what replaces a refresh token, and there is none",
                "set auth.oauth.refresh_token = '{env:NAME}', that alone, or leave it out",
            ),
            (
                {"types": {"A": {"create": "insert"}}},
                "types.A.key: is needed to create by insert",
                "name the External ID, as key = 'Journal_Key__c'",
            ),
            (
                {"key": "K__c", "capture": {"reason": "K__c"}, "types": {"A": {}}},
                "types.A.capture: writes to K__c, which holds our key",
                "",
            ),
            (
                {"types": {"A": {"parents": {"B": "C.K"}}}},
                "types.A.parents: are sent by key, which the UI API does not take",
                "name a key, or leave them out",
            ),
        ],
    )
    def test_say_what_to_do(self, said: dict[str, Any], problem: str, hint: str) -> None:
        """A mistake says why it is one, and what to write instead."""
        with pytest.raises(ProfileError) as caught:
            settings(**said)

        assert caught.value.problem == f"profile key {problem}"
        assert caught.value.hint == hint

    @pytest.mark.parametrize(
        ("token", "variable"),
        [("{env:TOKEN}", "TOKEN"), ("x{env:TOKEN}", None), ("{env:A}{env:B}", None)],
    )
    def test_where_a_refresh_token_is(self, token: str, variable: str | None) -> None:
        """Only where a variable holds all of it, it can be kept in its place."""
        auth = {"oauth": {"client_id": "c", "refresh_token": token}}

        assert settings(auth=auth).refresh_variable == variable
        assert settings().refresh_variable is None

    def test_each_type_is_judged_by_what_is_said_of_it(self) -> None:
        """Its own key, its own capture fields, and its own way to be created."""
        parents = {"parents": {"B": "C.K"}}

        assert settings(api_version="46.0").api_version == "46.0"
        settings(types={"A": {"key": "K__c", **parents}})
        settings(key="K__c", types={"A": {"key": "L__c", "capture": {"actor": "K__c"}}})
        for said in ({"key": "", **parents}, {"capture": {"actor": "K__c"}}):
            with pytest.raises(ProfileError):
                settings(key="K__c", types={"A": said})

    def test_are_told_all_at_once(self) -> None:
        """Also what is only wrong together, with the key that was meant."""
        with pytest.raises(ProfileError) as caught:
            settings(api_verson="67.0", types={"A": {"kye": "K__c"}}, url="https://x/y")

        said = str(caught.value)
        assert all(part in said for part in ("did you mean api_version?", "did you mean key?"))
        assert "that of the org alone" in said

    def test_what_is_no_table(self) -> None:
        """Whatever was given, it is told by key."""
        for auth in ("x", {"oauth": "x"}):
            with pytest.raises(ProfileError, match="auth"):
                settings(auth=auth)
        with pytest.raises(ProfileError, match="url"):
            Settings.of({"auth": {"oauth": {"client_id": "x"}}})
        with pytest.raises(ProfileError, match="url"):
            settings(url="https://[", auth={"oauth": {"client_id": "x"}})


class TestUsual:
    """What goes without saying."""

    def test_of_the_token_endpoint(self) -> None:
        """It is that of the My Domain, and a token may lead to other hosts of Salesforce."""
        said = {"oauth": {"client_id": "c", "client_secret": "{env:S}"}}

        oauth = settings(auth=said).auth.oauth

        assert oauth is not None
        assert (oauth.token_url, oauth.client_auth) == (f"{URL}/services/oauth2/token", "body")
        assert (oauth.instance_hosts, oauth.audience) == (HOSTS, None)

    @pytest.mark.parametrize(
        ("url", "audience"),
        [
            (URL, "https://login.salesforce.com"),
            ("https://acme--uat.sandbox.my.salesforce.com", "https://test.salesforce.com"),
        ],
    )
    def test_of_an_assertion(self, url: str, audience: str) -> None:
        """A sandbox is told by its address."""
        said = {"oauth": {"client_id": "c", "private_key": "{env:K}", "subject": "u"}}

        oauth = settings(url=url, auth=said).auth.oauth

        assert oauth is not None
        assert oauth.audience == audience

    def test_of_another_address(self) -> None:
        """From a gateway no token leads away."""
        said = {"oauth": {"client_id": "c", "client_secret": "{env:S}"}}

        oauth = settings(url="https://sf.corp.example", auth=said).auth.oauth

        assert oauth is not None
        assert oauth.instance_hosts == ()

    def test_of_a_type(self) -> None:
        """What a type says wins; an empty key is none."""
        said = settings(
            key="K__c",
            capture={"actor": "A__c"},
            types={
                "A": {"object": "A__c", "capture": {}},
                "B": {"key": ""},
                "C": {"create": "post"},
            },
        )

        assert [said.object_of(name) for name in "AB"] == ["A__c", "B"]
        assert [said.key_of(name) for name in "ABX"] == ["K__c", "", "K__c"]
        assert [said.how(name) for name in "ABCX"] == ["upsert", "ui", "post", "upsert"]
        assert [said.capture_of(name).names for name in "AB"] == [[], ["A__c"]]
        assert settings().how("X") == "ui"
        assert said.capture_of("X").names == ["A__c"]
        assert said.pull_of("A") == said.pull_of("X") == PullSettings()
        pulled = settings(types={"A": {"pull": {"where": "B = 1", "by": "updated"}}}).pull_of("A")
        assert (pulled.where, pulled.by) == ("B = 1", "updated")

    def test_of_an_address_with_a_slash(self) -> None:
        """The token endpoint stands below it all the same; what is said wins."""
        said = {"oauth": {"client_id": "c", "client_secret": "{env:S}", "client_auth": "header"}}

        oauth = settings(url=f"{URL}/", auth=said).auth.oauth

        assert oauth is not None
        assert (oauth.token_url, oauth.client_auth) == (f"{URL}/services/oauth2/token", "header")
        other = "https://acme.example.MX"
        kept = settings(url=f"{other}/", auth=said).auth.oauth
        assert kept is not None
        assert kept.token_url == f"{other}/services/oauth2/token"

    def test_how_all_are_created_that_have_a_key(self) -> None:
        """A type may say otherwise; what has no key cannot be inserted by it."""
        said = settings(
            key="Journal_Key__c",
            create="insert",
            types={"A": {"create": "upsert"}, "B": {"key": ""}},
        )

        assert [said.how(name) for name in "ABX"] == ["upsert", "ui", "insert"]
        assert settings(create="insert").how("X") == "ui"

    @pytest.mark.parametrize("how", ["upsert", "insert", "ui", "post"])
    @pytest.mark.parametrize("key", ["", "K__c"])
    def test_becomes_profiles(self, how: Any, key: str) -> None:  # noqa: ANN401  a literal
        """Each way is a profile that is safe, with the same words for each type."""
        said = settings(key=key, types={"A": {"object": "A__c"}, "B": {"key": "Other__c"}})

        profile = described(said, how)

        assert profile.url == f"{URL}/services/data/v67.0"
        assert profile.words("A")["type"] == "A__c"
        assert profile.words("B")["type.key"] == "Other__c"


class TestEnvironment:
    """Settings from variables."""

    def test_of_each_way(self) -> None:
        """What is there says which way it is; secrets stay where they are."""
        base = {"SALESFORCE_URL": URL, "SALESFORCE_CLIENT_ID": "c"}
        more = {
            "oauth": {"SALESFORCE_CLIENT_SECRET": "s3cr3t"},
            "bearer": {"SALESFORCE_ACCESS_TOKEN": "s3cr3t"},
        }
        for way, said in more.items():
            org = Salesforce.from_env({**base, **said, "SALESFORCE_API_VERSION": "60.0"})
            assert org.settings.auth.ways == [way]
            assert org.url.endswith("/v60.0")
            assert "s3cr3t" not in repr(org.settings)

    def test_without_an_address(self) -> None:
        """The one thing that nobody can guess."""
        with pytest.raises(ProfileError, match="has no SALESFORCE_URL"):
            Salesforce.from_env({})

    def test_a_secret_of_nobody(self) -> None:
        """Who has set variables is told which one is missing, and not which key."""
        environ = {"SALESFORCE_URL": URL, "SALESFORCE_CLIENT_SECRET": "s3cr3t"}
        with pytest.raises(ProfileError, match="has no SALESFORCE_CLIENT_ID"):
            Salesforce.from_env(environ)

    def test_with_a_key(self) -> None:
        """A key signs for a user."""
        environ = {
            "SALESFORCE_URL": URL,
            "SALESFORCE_CLIENT_ID": "c",
            "SALESFORCE_USERNAME": "u",
            "SALESFORCE_PRIVATE_KEY": "no key",
        }
        with pytest.raises(ProfileError, match=r"auth\.oauth\.private_key"):
            Salesforce.from_env(environ)

    def test_from_a_file(self, tmp_path: Path) -> None:
        """A file that it names is looked for beside it."""
        path = tmp_path / "org.toml"
        path.write_text(
            f'url = "{URL}"\nrefresh_token_file = "kept.json"\n'
            '[auth.oauth]\nclient_id = "c"\nrefresh_token = "{env:R}"\n[types.A]\n',
            encoding="utf-8",
        )

        org = Salesforce.load(path, environ={"R": "token"})

        assert org.settings.refresh_token_file == str(tmp_path / "kept.json")
        assert org.record_types == ("A",)
        assert repr(org) == f"Salesforce({URL!r})"


class TestAllowance:
    """The calls of a day."""

    @pytest.mark.parametrize(
        ("text", "usage"),
        [
            ("api-usage=10018/100000", Usage(10018, 100_000)),
            ("api-usage=25/5000; per-app-api-usage=17/250(appName=x)", Usage(25, 5000)),
            ("per-app-api-usage=17/250(appName=x)", None),
            ("api-usage=1/0", None),
            ("", None),
        ],
    )
    def test_is_read(self, text: str, usage: Usage | None) -> None:
        """That of the org, and not that of an app."""
        assert usage_of(text) == usage

    def test_is_spared(self) -> None:
        """No wait, then ever longer ones, then the long one."""
        limits = LimitSettings()
        waits = [pause_s(Usage(used, 1000), limits) for used in (0, 799, 850, 900, 979, 980, 2000)]

        assert waits[:2] == [0, 0]
        assert waits == sorted(waits)
        assert 0 < waits[2] < waits[4] <= 30
        assert waits[5:] == [900, 900]


class TestPage:
    """The page about the settings."""

    PAGE: Final = (ROOT / "docs/reference/salesforce.md").read_text(encoding="utf-8")

    def test_has_every_key(self) -> None:
        """With its default, where it has one."""
        rows = dict(re.findall(r"^\| `([\w.]+)`[^|]*\| ([^|]*) \|", self.PAGE, re.MULTILINE))
        top = {name: f.default for name, f in Settings.model_fields.items()}
        limits = {f"limits.{n}": f.default for n, f in LimitSettings.model_fields.items()}
        types = {f"types.TYPE.{n}": f.default for n, f in TypeSettings.model_fields.items()}
        for gone in ("types", "limits"):
            del top[gone]
        del types["types.TYPE.fields"]
        shown = {
            name: "-" if default in {None, PydanticUndefined} else json.dumps(default)
            for name, default in {**top, **limits, **types}.items()
            if isinstance(default, (str, int, float, type(None))) or default is PydanticUndefined
        }

        assert {name: rows.get(name, "missing").strip("`") for name in shown} == shown
        assert {"auth", "capture", "conflicts", "types.TYPE.parents"} <= rows.keys()
        assert all(f"`capture.{name}`" in self.PAGE for name in Capture.model_fields)

    def test_has_a_complete_file(self) -> None:
        """The file at its end has every key there is."""
        [text] = re.findall(r"```toml\n(.*?)```", self.PAGE, re.DOTALL)
        content = tomllib.loads(text)

        assert content.keys() == Settings.model_fields.keys()
        said = {key for section in content["types"].values() for key in section}
        assert said == TypeSettings.model_fields.keys()
        assert content["limits"].keys() == LimitSettings.model_fields.keys()


class TestWords:
    """Small things that an org says in its own way."""

    def test_ids(self) -> None:
        """With 15 characters or with 18, an id is the same; of others it is all of it."""
        long = "001000000000001AAA"
        assert is_same_id("salesforce", long, long[:15])
        assert not is_same_id("salesforce", long, "001000000000002")
        assert not is_same_id("salesforce", long, "001000000000001AAB")
        assert not is_same_id("text", long, long[:15])

    @pytest.mark.parametrize(
        ("received", "wanted", "is_so"),
        [
            (None, "", True),
            (None, "  ", True),
            ("a", " a ", True),
            ("2026-04-01T09:30:00.000+0000", "2026-04-01T11:30:00+02:00", True),
            ("2026-04-01T09:30:00.000+0000", "2026-04-01T09:30:01Z", False),
            ("2026-04-01T09:30:07.000+0000", "2026-04-01T09:30:07.612Z", True),
            ("2026-04-01T09:30:07.000+0000", "2026-04-01T09:30:08.001Z", False),
            ("2026-04-01T09:30:07.100+0000", "2026-04-01T09:30:07.612Z", False),
            ("T09:30:07.000", "T09:30:07", False),
            ("a\r\nb\r\n", "a\nb", True),
            ("a\rb", "a\nb", True),
            ("a\nb", "a b", False),
            (10.0, 10, True),
            ("10", 10, False),
            (None, False, False),
        ],
    )
    def test_values(self, received: object, wanted: object, *, is_so: bool) -> None:
        """Spaces around a text and how its lines end mean nothing, times are instants.

        An org keeps whole seconds, and shows them with zeros.
        """
        assert agrees_as("lenient", received, wanted) is is_so

    def test_dates(self) -> None:
        """To the second below; what is no time is no date."""
        assert http_date("2026-04-01T09:30:00.900+0000") == "Wed, 01 Apr 2026 09:30:00 GMT"
        assert http_date("2026-04-01T11:30:00+02:00", 1) == "Wed, 01 Apr 2026 09:30:01 GMT"
        assert http_date("2026-04-01T09:30:00") == "Wed, 01 Apr 2026 09:30:00 GMT"
        assert http_date("yesterday") is None
        assert http_date("9999-12-31T23:59:59", 1) is None

    def test_which_is_later(self) -> None:
        """As instants; what is no time is later, unless it is the same."""
        assert is_later("2026-04-01T09:30:01Z", THEN)
        assert not is_later("2026-04-01T09:30:00", THEN)
        assert (is_later("x", "y"), is_later("x", "x")) == (True, False)

    def test_uuids(self) -> None:
        """Of version 4, always the same for the same text."""
        assert uuid_of("a") == uuid_of("a") != uuid_of("a-1")
        assert (uuid_of("a")[14], uuid_of("a")[19] in "89ab") == ("4", True)

    @pytest.mark.parametrize(
        ("instance", "origin"),
        [
            ("https://acme.my.salesforce.com", "https://acme.my.salesforce.com"),
            ("https://na1.salesforce.com:8443/x?y", "https://na1.salesforce.com:8443"),
            ("https://salesforce.com.evil.example", None),
            ("https://evilsalesforce.com", None),
            ("http://acme.my.salesforce.com", None),
            ("https://u:p@acme.my.salesforce.com", None),
            ("https://acme.my.salesforce.com:99999", None),
            ("javascript:alert(1)", None),
        ],
    )
    def test_instances(self, instance: str, origin: str | None) -> None:
        """A token leads to hosts of Salesforce only, and never by plain http."""
        assert followed(instance, HOSTS) == origin

    def test_moves(self) -> None:
        """The path stays, the origin changes."""
        assert moved(f"{URL}/services/data", "https://b.salesforce.com") == (
            "https://b.salesforce.com/services/data"
        )

    def test_complaints(self) -> None:
        """In each of the shapes; what is none says nothing."""
        in_ui = (
            b'{"output": {"errors": [{"errorCode": "A", "message": "a", "field": null}],'
            b' "fieldErrors": {"F": [{"errorCode": "B", "message": "b", "field": "F"}]}}}'
        )
        assert [c.code for c in complaints(in_ui)] == ["A", "B"]
        assert complaints(b'{"output": {"errors": [], "fieldErrors": 1}}') == ()
        assert complaints(b'[{"errorCode": "A", "fields": ["F", 1]}, 3]') == (("A", "", ("F",)),)
        assert complaints(b"<html>") == ()

    def test_a_refusal_of_keys(self) -> None:
        """Told by its words, and by its status."""
        said = complaints(b'[{"errorCode": "X", "message": "Idempotency-Key is not supported"}]')
        assert is_key_refusal(400, said)
        assert not is_key_refusal(500, said)
        other = complaints(b'[{"errorCode": "INVALID_IDEMPOTENCY_KEY", "message": "no UUID"}]')
        assert not is_key_refusal(400, other)

    def test_a_host_that_was_left(self) -> None:
        """By a page, or a redirect; JSON is the org."""
        assert is_moved(Response(404, {}, b"<html></html>"))
        assert is_moved(Response(301))
        assert not is_moved(Response(404, {}, b"[]"))


class TestHooks:
    """What a profile can say since, for whichever service."""

    BASE: Final[dict[str, Any]] = {
        "url": "https://x.example",
        "answer": {"id": "/id", "key": "/ref"},
        "create": {
            "method": "POST",
            "path": "/{type}",
            "body": '{"ref": "{key}", "...": "{fields}"}',
        },
    }

    @pytest.mark.parametrize(
        ("read", "problem"),
        [
            ({"key_path": "/{type}/all"}, "must hold {key}"),
            ({"key_path": "/{type}/{key}/{id}"}, "unknown placeholder {id}"),
            ({"key_path": "{key}"}, "must begin with one slash"),
            ({}, "is needed: after a create"),
        ],
    )
    def test_a_read_by_our_key_is_one(self, read: dict[str, Any], problem: str) -> None:
        """It holds our key, and not the id that is looked for; without it, there is no look."""
        with pytest.raises(ProfileError) as caught:
            Profile.of({**self.BASE, "read": read})

        assert problem in str(caught.value)

    def test_a_read_by_our_key_is_enough(self) -> None:
        """No list of hits is needed then."""
        profile = Profile.of({**self.BASE, "read": {"key_path": "/{type}/by-key/{key}"}})

        assert profile.find is None

    def test_what_is_said_of_all_types(self) -> None:
        """A type that is named says it for itself."""
        types = {"*": {"words": {"w": "all"}}, "A": {"words": {"w": "a"}}}
        profile = Profile.of({"url": "https://x.example", "types": types})

        assert [profile.words(name)["type.w"] for name in "AB"] == ["a", "all"]
        assert profile.type_name("B") == "B"

    def test_a_weak_version_is_no_note(self) -> None:
        """What is compared by its values as well is not overwritten unseen."""
        said = {"url": "https://x.example", "answer": {"version": "header:Last-Modified"}}
        weak = Profile.of({**said, "version": {"is_weak": True}})

        assert any("within the same second" in note for note in Profile.of(said).notes)
        assert not any("within the same second" in note for note in weak.notes)


class TestAssertions:
    """What signs for a token."""

    def test_settings_of_a_key(self) -> None:
        """It needs to say for whom and of whom, and is the only way."""
        url = "https://x.example/token"
        key = {"token_url": url, "client_id": "c", "private_key": "{env:K}"}
        for wrong, problem in (
            (key, "subject and an audience"),
            ({**key, "subject": "s", "audience": "a", "client_secret": "{env:S}"}, "beside"),
            ({**key, "private_key": None, "subject": "s", "client_secret": "{env:S}"}, "signs"),
            ({"token_url": url, "client_id": "c"}, "or a private_key"),
        ):
            with pytest.raises(ProfileError, match=problem):
                Profile.of({"url": "https://x.example", "auth": {"oauth": wrong}})
        assert Auth().ways == []

    def test_without_the_library(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is said what to install."""
        monkeypatch.setitem(__import__("sys").modules, "cryptography.hazmat.primitives", None)

        with pytest.raises(ProfileError, match="a library that signs") as caught:
            signed(Assertion("c", "u", "a", 0), "key")

        assert caught.value.hint == "install draft-journal[salesforce]"


class TestTokenFile:
    """Where a refresh token is kept."""

    def test_without_a_token_in_the_environment(self, tmp_path: Path) -> None:
        """The file alone is enough."""
        path = tmp_path / "kept.json"
        first = TokenFile(path, "R")
        first.laid_over({"R": "one"})
        first.save("two")
        second = TokenFile(path, "R")

        assert second.laid_over({})["R"] == "two"
        second.save("three")
        assert TokenFile(path, "R").laid_over({"R": "one"})["R"] == "three"
        assert repr(first) == f"TokenFile({str(path)!r})"

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"refresh_token": "a"}'])
    def test_what_is_no_such_file(self, tmp_path: Path, text: str) -> None:
        """It is told by its key, and without what stands there."""
        path = tmp_path / "kept.json"
        path.write_text(text, encoding="utf-8")

        with pytest.raises(ProfileError, match="refresh_token_file"):
            TokenFile(path, "R").laid_over({})

    def test_a_token_that_was_put_there_since(self, tmp_path: Path) -> None:
        """It wins over what is kept."""
        path = tmp_path / "kept.json"
        first = TokenFile(path, "R")
        first.laid_over({"R": "one"})
        first.save("two")

        assert TokenFile(path, "R").laid_over({"R": "new"}) == {"R": "new"}

    def test_what_was_left_behind(self, tmp_path: Path) -> None:
        """Half a file of a process that died is no hindrance."""
        path = tmp_path / "kept.json"
        (tmp_path / "kept.json.new").write_text("half", encoding="utf-8")

        TokenFile(path, "R").save("two")

        assert TokenFile(path, "R").laid_over({})["R"] == "two"
