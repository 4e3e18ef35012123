"""Who we are to an org: the ways to a token, its end, its moves, and that no secret is anywhere."""

from __future__ import annotations

import json
import logging
import stat
from typing import TYPE_CHECKING, Any, Final

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from journal import Journal
from journal.cli.program import run
from journal.errors import ProfileError
from journal.remotes import Salesforce
from journal.remotes.salesforce.keeping import TokenFile
from journal.sync import Subscriber
from journal.testing.salesforce import ConnectedApp, Org, Settings
from tests.integration.salesforce.sending import ENVIRON, KEY, SOON, content, remote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from journal.sync import Report

USER: Final = "integration@stand-in.example"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal in a file, with three drafts."""
    with Journal(tmp_path / "field.db", actor="ann", origin="van-7") as journal:
        for number in range(3):
            journal.create("Account", {"Name": f"n{number}"})
        yield journal


def drained(journal: Journal, org: Salesforce) -> Report:
    """Send all drafts; return the report."""
    with Subscriber(journal, org, backoff=SOON, attempts=3) as subscriber:
        return subscriber.drain(60)


def pem(key: rsa.RSAPrivateKey) -> tuple[str, str]:
    """Return a private key and its public one."""
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


PRIVATE, PUBLIC = pem(rsa.generate_private_key(65537, 2048))


def by_key(url: str, private_key: str = PRIVATE) -> Salesforce:
    """Return an org to which we are told by a signed assertion."""
    oauth = {"client_id": "app", "subject": USER, "private_key": "{env:PEM}"}
    return Salesforce.of(content(url, auth={"oauth": oauth}), environ={"PEM": private_key})


def by_refresh(url: str, token: str, path: Path | None, **given: Any) -> Salesforce:  # noqa: ANN401
    """Return an org to which we are told by a refresh token, kept in that file."""
    oauth = {
        "client_id": "stand-in-client",
        "client_secret": "{env:SECRET}",
        "refresh_token": "{env:REFRESH}",
    }
    kept = {} if path is None else {"refresh_token_file": str(path)}
    settings = content(url, auth={"oauth": oauth}, **kept)
    return Salesforce.of(settings, environ={**ENVIRON, "REFRESH": token}, **given)


class TestWays:
    """How a token is got."""

    def test_client_credentials(self, journal: Journal, org: Org, url: str) -> None:
        """From the endpoint of the My Domain, with the secret in the body."""
        report = drained(journal, remote(url))

        assert report.acknowledged == 3
        assert org.requests[0].path == "/services/oauth2/token"

    def test_a_signed_assertion(self, journal: Journal) -> None:
        """RS256, checked by the org with our public key."""
        org = Org(apps=(ConnectedApp("app", username=USER, public_key=PUBLIC),))

        with org.serve() as url:
            report = drained(journal, by_key(url))

        assert report.acknowledged == 3

    def test_a_key_that_the_org_does_not_know(self, journal: Journal) -> None:
        """The run ends, the drafts stay, and it is said what the org says."""
        org = Org(apps=(ConnectedApp("app", username=USER, public_key=PUBLIC),))
        other, _ = pem(rsa.generate_private_key(65537, 2048))

        with org.serve() as url:
            report = drained(journal, by_key(url, other))

        assert (report.stopped_by, report.pending) == ("unauthorized", 3)
        assert "invalid_grant" in report.problem

    @pytest.mark.parametrize("text", ["no key", PUBLIC, PRIVATE[:300]])
    def test_what_is_no_key_is_told_at_once(self, text: str) -> None:
        """Without a word of it."""
        with pytest.raises(ProfileError, match=r"auth\.oauth\.private_key") as caught:
            by_key("https://acme.my.salesforce.com", text)

        assert text not in str(caught.value)
        assert caught.value.__cause__ is None

    def test_a_callback(self, journal: Journal, org: Org, url: str) -> None:
        """It is asked when there is none, and for each that the org refuses."""
        tokens = ["wrong", org.access_token()]
        settings = content(url)
        del settings["auth"]

        report = drained(journal, Salesforce.of(settings, bearer=lambda: tokens.pop(0)))

        assert (report.acknowledged, tokens) == (3, [])

    def test_the_environment_alone(self, journal: Journal, org: Org, url: str) -> None:
        """All that has to be said, in variables."""
        environ = {
            "SALESFORCE_URL": url,
            "SALESFORCE_KEY_FIELD": KEY,
            "SALESFORCE_CLIENT_ID": "stand-in-client",
            "SALESFORCE_CLIENT_SECRET": "stand-in-secret",
        }

        report = drained(journal, Salesforce.from_env(environ))

        assert report.acknowledged == 3
        assert all(record[KEY] for record in org.records("Account"))


class TestSessions:
    """Sessions that end."""

    def test_a_session_that_ends_is_renewed(self, journal: Journal, org: Org, url: str) -> None:
        """Once for each 401, in the middle of the drafts; none is held."""
        org.faults.expire_session(skip=2)

        report = drained(journal, remote(url))

        assert (report.acknowledged, report.held) == (3, 0)
        assert [r.path for r in org.requests].count("/services/oauth2/token") == 2

    def test_a_session_that_never_lasts_ends_the_run(
        self, journal: Journal, org: Org, url: str
    ) -> None:
        """The drafts stay as they are."""
        org.faults.expire_session(times=100)

        report = drained(journal, remote(url))

        assert (report.stopped_by, report.pending, report.held) == ("unauthorized", 3, 0)
        assert len(org.requests) == 4


class TestRotation:
    """Refresh tokens that work once."""

    @pytest.fixture
    def org(self) -> Org:
        """An org that replaces a refresh token whenever it is used."""
        return Org(settings=Settings(rotates_refresh_tokens=True))

    def test_the_new_token_outlives_the_process(
        self, journal: Journal, org: Org, url: str, tmp_path: Path
    ) -> None:
        """It is in the file before it is used, for nobody else to read; the next process has it."""
        path, token = tmp_path / "refresh.json", org.refresh_token()

        first = drained(journal, by_refresh(url, token, path))
        journal.create("Account", {"Name": "after a restart"})
        second = drained(journal, by_refresh(url, token, path))

        assert (first.acknowledged, second.acknowledged) == (3, 1)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert token not in path.read_text(encoding="utf-8")

    def test_a_token_of_a_person_wins(
        self, journal: Journal, org: Org, url: str, tmp_path: Path
    ) -> None:
        """Who has logged in again has put another into the environment."""
        path = tmp_path / "refresh.json"
        drained(journal, by_refresh(url, org.refresh_token(), path))
        kept = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**kept, "refresh_token": "revoked"}), encoding="utf-8")
        journal.create("Account", {"Name": "after a login"})

        report = drained(journal, by_refresh(url, org.refresh_token(), path))

        assert report.acknowledged == 1

    def test_a_token_that_cannot_be_kept_is_not_used(
        self, journal: Journal, org: Org, url: str, tmp_path: Path
    ) -> None:
        """It would be lost with the process: the run ends before a draft is sent."""
        path = tmp_path / "missing" / "refresh.json"
        token = org.refresh_token()

        report = drained(journal, by_refresh(url, token, path))

        assert (report.stopped_by, report.pending) == ("unauthorized", 3)
        assert "could not be saved" in report.problem
        assert org.requests == []

        path.parent.mkdir()
        assert drained(journal, by_refresh(url, token, path)).acknowledged == 3

    def test_two_processes_have_one_token(
        self, journal: Journal, org: Org, url: str, tmp_path: Path
    ) -> None:
        """One that goes on after another has asked for a token does so by the newest one (T3)."""
        path, token = tmp_path / "refresh.json", org.refresh_token()
        sender, other = (by_refresh(url, token, path) for _ in range(2))
        drained(journal, sender)

        for next_one in (other, sender, other):
            journal.create("Account", {"Name": "another"})
            org.expire_sessions()
            assert drained(journal, next_one).acknowledged == 1

    def test_a_token_that_was_replaced_is_still_a_secret(
        self, journal: Journal, org: Org, url: str, tmp_path: Path
    ) -> None:
        """Who would use it would have all others revoked."""
        path, token = tmp_path / "refresh.json", org.refresh_token()
        drained(journal, by_refresh(url, token, path))

        known = by_refresh(url, token, path).credentials.secrets

        assert known.masked(f"not {token}") == "not [secret]"

    def test_one_process_asks_at_a_time(
        self, journal: Journal, org: Org, url: str, tmp_path: Path
    ) -> None:
        """The others wait: who used a token twice would have all of them revoked (T3)."""
        path = tmp_path / "refresh.json"
        remote, turn = by_refresh(url, org.refresh_token(), path), TokenFile(path, "R").turn()
        assert turn.acquire()

        waiting = drained(journal, remote)
        turn.release()

        assert (waiting.stopped_by, waiting.pending, org.requests) == ("unreachable", 3, [])
        assert drained(journal, remote).acknowledged == 3
        assert stat.S_IMODE(path.with_name("refresh.json.lock").stat().st_mode) == 0o600

    def test_a_file_that_is_none_is_told(self, url: str, tmp_path: Path) -> None:
        """By its key."""
        path = tmp_path / "refresh.json"
        path.write_text("[]", encoding="utf-8")

        with pytest.raises(ProfileError, match="refresh_token_file"):
            by_refresh(url, "token", path)

    def test_a_host_may_keep_it(self, journal: Journal, org: Org, url: str) -> None:
        """In a place of its own."""
        saved: list[str] = []

        report = drained(journal, by_refresh(url, org.refresh_token(), None, save=saved.append))

        assert (report.acknowledged, len(saved)) == (3, 1)


class TestMoves:
    """Orgs that move to another instance."""

    def settings(self, url: str, hosts: list[str]) -> dict[str, Any]:
        """Return settings by which a token may lead to these hosts."""
        found = content(url)
        found["auth"]["oauth"] = {**found["auth"]["oauth"], "instance_hosts": tuple(hosts)}
        return found

    def test_a_token_leads_to_the_new_host(self, journal: Journal, org: Org) -> None:
        """A page that says 404 is no answer of the org: a new token says where it is now."""
        with org.serve() as old, org.serve() as new:
            settings = self.settings(old, ["127.0.0.1"])
            known = Salesforce.of(settings, environ=ENVIRON)
            assert drained(journal, known).acknowledged == 3
            journal.create("Account", {"Name": "after the move"})
            org.move(new)

            report = drained(journal, known)

        assert (report.acknowledged, report.held) == (1, 0)
        assert len(org.records("Account")) == 4

    def test_no_token_leads_elsewhere(self, journal: Journal, org: Org, url: str) -> None:
        """A host that is not allowed never sees a token of ours."""
        org.settings.instance_url = "https://evil.example"

        report = drained(
            journal, Salesforce.of(self.settings(url, ["salesforce.com"]), environ=ENVIRON)
        )

        assert (report.stopped_by, report.pending) == ("unauthorized", 3)
        assert "host that is not allowed" in report.problem
        assert {r.path for r in org.requests} == {"/services/oauth2/token"}

    def test_an_org_behind_a_gateway_stays_there(
        self, journal: Journal, org: Org, url: str
    ) -> None:
        """Where the address is none of Salesforce, no token leads away from it."""
        org.settings.instance_url = "https://acme.my.salesforce.com"

        assert drained(journal, remote(url)).acknowledged == 3


@pytest.mark.parametrize("way", ["secret", "key", "refresh", "callback"])
def test_no_secret_is_anywhere(tmp_path: Path, way: str, caplog: pytest.LogCaptureFixture) -> None:
    """I19: neither file, log, report, repr nor error holds a secret or a token."""
    caplog.set_level(logging.DEBUG)
    app = ConnectedApp("app", "c4n4ry-s3cret", USER, PUBLIC)
    org = Org(apps=(app,), settings=Settings(rotates_refresh_tokens=True))
    folder = tmp_path / "journal"
    folder.mkdir()
    with org.serve() as url, Journal(folder / "field.db", actor="ann") as journal:
        refresh = org.refresh_token()
        tokens = [org.access_token() for _ in range(6)]
        issued = [*tokens, refresh]
        environ = {"S": "c4n4ry-s3cret", "P": PRIVATE, "R": refresh}
        base: dict[str, Any] = {"client_id": "app"}
        oauth = {
            "secret": {**base, "client_secret": "{env:S}"},
            "key": {**base, "private_key": "{env:P}", "subject": USER},
            "refresh": {**base, "client_secret": "{env:S}", "refresh_token": "{env:R}"},
            "callback": None,
        }[way]
        settings = content(url, auth={} if oauth is None else {"oauth": oauth})
        bearer = (lambda: tokens.pop(0)) if oauth is None else None
        known = Salesforce.of(settings, environ=environ, bearer=bearer, save=issued.append)
        journal.create("Account", {"Name": "a"})
        journal.create("Account", {"Name": ""})
        org.faults.expire_session(skip=1)
        org.faults.status(500, skip=2)
        report = drained(journal, known)
        org.faults.status(400, path="token")
        org.expire_sessions()
        journal.create("Account", {"Name": "b"})
        reports = repr((report, drained(journal, known), known, known.credentials, known.settings))
        kept = b"".join(file.read_bytes() for file in folder.iterdir()).decode("latin-1")
        issued += _accesses(org)

    assert report.acknowledged == 1
    logged = [m for m in caplog.messages if not m.startswith("receive_response_headers.complete")]
    lines = [line for line in PRIVATE.splitlines() if "-----" not in line]
    for text in (kept, reports, "".join(logged)):
        assert [s for s in ("c4n4ry-s3cret", *lines, *issued) if s in text] == []


def _accesses(org: Org) -> list[str]:
    return list(org._state.tokens._sessions)


def test_the_command_line_sends_to_an_org(
    tmp_path: Path, org: Org, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that says that the service is Salesforce is all that it takes."""
    profile = tmp_path / "org.toml"
    profile.write_text(
        f"""
        service = "salesforce"
        url = "{url}"
        key = "{KEY}"

        [auth.oauth]
        client_id = "stand-in-client"
        client_secret = "{{env:SECRET}}"

        [types.Visit]
        object = "Visit__c"
        """,
        encoding="utf-8",
    )
    path = tmp_path / "field.db"
    with Journal(path, actor="ann") as journal:
        journal.create("Visit", {"Name": "v"})

    monkeypatch.setenv("SECRET", ENVIRON["SECRET"])

    code = run(["push", "--journal", str(path), "--remote", str(profile)])

    assert code == 0
    assert [record["Name"] for record in org.records("Visit__c")] == ["v"]


def test_the_command_line_names_every_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By their keys, all at once."""
    profile = tmp_path / "org.toml"
    profile.write_text(
        'service = "salesforce"\nurl = "https://login.salesforce.com"\napi_version = "45.0"\n'
        '[types.Account]\nkye = "K__c"\n',
        encoding="utf-8",
    )

    code = run(["push", "--journal", str(tmp_path / "f.db"), "--remote", str(profile)])

    said = capsys.readouterr().err
    assert code != 0
    for part in ("url", "My Domain", "api_version", "46.0 or later", "types.Account.kye", "key?"):
        assert part in said


@pytest.mark.parametrize("writes", [[], ["--write", "--yes", "Name=x", "Phone=1"]])
def test_the_command_line_tries_an_org(
    tmp_path: Path, org: Org, url: str, monkeypatch: pytest.MonkeyPatch, writes: list[str]
) -> None:
    """What the settings say is what the org does; nothing is left there."""
    profile = tmp_path / "org.toml"
    profile.write_text(
        f'service = "salesforce"\nurl = "{url}"\nkey = "{KEY}"\n[auth.oauth]\n'
        'client_id = "stand-in-client"\nclient_secret = "{env:SECRET}"\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("SECRET", ENVIRON["SECRET"])

    code = run(["remote", "check", str(profile), "--type", "Account", *writes])

    assert code == 0
    assert org.records("Account") == []
