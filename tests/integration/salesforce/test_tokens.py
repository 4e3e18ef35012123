"""Tokens: how one logs in, and how long one is."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from journal.testing.salesforce import ConnectedApp, Org, Settings
from tests.integration.salesforce.hands import code, logged_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.salesforce.hands import Hands

CLIENT = {"client_id": "stand-in-client", "client_secret": "stand-in-secret"}
JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
USER = "field@stand-in.example"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key to sign with, and its certificate beside it."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a key with")
    folder = tmp_path_factory.mktemp("key")
    for name in "ours", "theirs":
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=App"]
        files = ["-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem", "-days", "30"]
        subprocess.run([*command, *files], check=True, capture_output=True)
    return folder / "ours.key"


@pytest.fixture
def org(request: pytest.FixtureRequest, clock: Hands) -> Org:
    """An org with an app; it has the certificate where the test has a key."""
    public = None
    if "key" in request.fixturenames:
        public = request.getfixturevalue("key").with_suffix(".pem").read_text()
    return Org(apps=(ConnectedApp(public_key=public, username=USER),), clock=clock)


@pytest.fixture
def door(url: str) -> Iterator[httpx.Client]:
    """A client that is not logged in."""
    with httpx.Client(base_url=url, trust_env=False, timeout=10) as client:
        yield client


def token(door: httpx.Client, **form: str) -> httpx.Response:
    """Ask for a token."""
    return door.post("/services/oauth2/token", data=form)


def error(response: httpx.Response) -> str:
    """Return why a token is refused."""
    assert response.status_code == 400
    assert set(response.json()) == {"error", "error_description"}
    found: str = response.json()["error"]
    return found


def works(url: str, access_token: str) -> bool:
    """Say whether a token lets one in."""
    with logged_in(url, access_token) as client:
        return client.get("limits").status_code == 200


def signed(key: Path, algorithm: str = "RS256", **claims: object) -> str:
    """Return claims as a signed assertion."""

    def _part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).decode().rstrip("=")

    head = _part(json.dumps({"alg": algorithm}).encode()) + "." + _part(json.dumps(claims).encode())
    command = ["openssl", "dgst", "-sha256", "-sign", str(key)]
    done = subprocess.run(command, input=head.encode(), check=True, capture_output=True)
    return f"{head}.{_part(done.stdout)}"


def claims(org: Org, clock: Hands, **other: object) -> dict[str, Any]:
    """Return claims that are right, but for some."""
    org.user_id(USER)
    ends = int(clock.now.timestamp()) + 180
    right = {"iss": CLIENT["client_id"], "sub": USER, "aud": "https://login.salesforce.com"}
    return {**right, "exp": ends, **other}


def test_client_credentials(door: httpx.Client, org: Org, url: str) -> None:
    """An app gets a token as the user that it runs as, by its form or by its head."""
    by_form = token(door, grant_type="client_credentials", **CLIENT).json()
    basic = ("stand-in-client", "stand-in-secret")
    by_head = door.post(
        "/services/oauth2/token", data={"grant_type": "client_credentials"}, auth=basic
    ).json()

    assert by_form["access_token"] != by_head["access_token"]
    assert (by_form["token_type"], by_form["instance_url"]) == ("Bearer", url)
    assert by_form["id"].endswith(org.user_id(USER))
    assert "refresh_token" not in by_form
    assert "expires_in" not in by_form
    assert works(url, by_form["access_token"])
    assert works(url, by_head["access_token"])


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"grant_type": "client_credentials", **CLIENT, "client_id": "x"}, "invalid_client_id"),
        ({"grant_type": "client_credentials", **CLIENT, "client_secret": "x"}, "invalid_client"),
        ({"grant_type": "client_credentials"}, "invalid_client_id"),
        ({"grant_type": "password", **CLIENT}, "unsupported_grant_type"),
        ({}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", **CLIENT, "refresh_token": "x"}, "invalid_grant"),
        ({"grant_type": "refresh_token", **CLIENT}, "invalid_grant"),
        ({"grant_type": JWT, "assertion": "x.y.z"}, "invalid_grant"),
        ({"grant_type": JWT, "assertion": ""}, "invalid_grant"),
    ],
)
def test_refusals(door: httpx.Client, form: dict[str, str], expected: str) -> None:
    """A token is refused with an object that says why."""
    assert error(token(door, **form)) == expected


def test_a_head_that_is_none(door: httpx.Client) -> None:
    """A head that cannot be read is refused like wrong credentials."""
    headers = {"Authorization": "Basic ???"}
    response = door.post(
        "/services/oauth2/token", data={"grant_type": "client_credentials"}, headers=headers
    )

    assert error(response) == "invalid_client"


def test_refresh_tokens(door: httpx.Client, org: Org, url: str) -> None:
    """A refresh token gives access tokens, one after another."""
    form = {"grant_type": "refresh_token", **CLIENT, "refresh_token": org.refresh_token()}

    for _ in range(2):
        answer = token(door, **form).json()
        assert works(url, answer["access_token"])
        assert "refresh_token" not in answer


def test_refresh_tokens_that_rotate(door: httpx.Client, org: Org) -> None:
    """With rotation a refresh token works once, and brings the next one."""
    org.settings.rotates_refresh_tokens = True
    form = {"grant_type": "refresh_token", **CLIENT}
    first = org.refresh_token()
    second = token(door, **form, refresh_token=first).json()["refresh_token"]

    assert token(door, **form, refresh_token=second).json()["refresh_token"] not in {first, second}


def test_a_refresh_token_that_is_used_again(door: httpx.Client, org: Org, url: str) -> None:
    """It may have been stolen: what has replaced it is revoked, and so are the sessions."""
    org.settings.rotates_refresh_tokens = True
    form = {"grant_type": "refresh_token", **CLIENT}
    first, other = org.refresh_token(), org.refresh_token("bob@stand-in.example")
    kept = token(door, **form, refresh_token=other).json()
    second = token(door, **form, refresh_token=first).json()
    third = token(door, **form, refresh_token=second["refresh_token"]).json()

    assert error(token(door, **form, refresh_token=first)) == "invalid_grant"
    assert error(token(door, **form, refresh_token=third["refresh_token"])) == "invalid_grant"
    assert not works(url, third["access_token"])
    assert works(url, kept["access_token"])
    assert "refresh_token" in token(door, **form, refresh_token=kept["refresh_token"]).json()


def test_a_refresh_token_is_for_its_app(door: httpx.Client, org: Org) -> None:
    """A refresh token that was taken back is dead."""
    refresh = org.refresh_token()
    assert door.post("/services/oauth2/revoke", data={"token": refresh}).status_code == 200

    assert (
        error(token(door, grant_type="refresh_token", **CLIENT, refresh_token=refresh))
        == "invalid_grant"
    )


def test_an_assertion(door: httpx.Client, org: Org, clock: Hands, url: str, key: Path) -> None:
    """A signed assertion gives a token, as the user that it names, and no refresh token."""
    answer = token(door, grant_type=JWT, assertion=signed(key, **claims(org, clock))).json()

    assert works(url, answer["access_token"])
    assert "refresh_token" not in answer


@pytest.mark.parametrize(
    "other",
    [
        {"iss": "x"},
        {"sub": "nobody@stand-in.example"},
        {"aud": "https://elsewhere.example"},
        {"exp": 1775033999},
        {"exp": 1775034000 + 301},
        {"exp": "soon"},
        {"algorithm": "none"},
    ],
)
def test_assertions_that_are_wrong(
    door: httpx.Client, org: Org, clock: Hands, key: Path, other: dict[str, Any]
) -> None:
    """Who it is for, whom it names and until when: each is checked."""
    assertion = signed(key, **claims(org, clock, **other))

    expected = "invalid_client_id" if "iss" in other else "invalid_grant"
    assert error(token(door, grant_type=JWT, assertion=assertion)) == expected


def test_a_signature_is_checked(door: httpx.Client, org: Org, clock: Hands, key: Path) -> None:
    """What another has signed, or what was changed afterwards, is refused."""
    pytest.importorskip("cryptography")
    theirs = signed(key.with_name("theirs.key"), **claims(org, clock))
    head, _, signature = signed(key, **claims(org, clock)).split(".")
    changed = f"{head}.{theirs.split('.')[1]}x.{signature}"

    for assertion in theirs, changed:
        assert error(token(door, grant_type=JWT, assertion=assertion)) == "invalid_grant"


def test_an_app_without_a_key(door: httpx.Client, org: Org, clock: Hands, tmp_path: Path) -> None:
    """An app that has no key may assert nothing."""
    del tmp_path
    head = base64.urlsafe_b64encode(b'{"alg":"RS256"}').decode().rstrip("=")
    said = base64.urlsafe_b64encode(json.dumps(claims(org, clock)).encode()).decode().rstrip("=")

    assert error(token(door, grant_type=JWT, assertion=f"{head}.{said}.AAAA")) == "invalid_grant"


def test_sessions_end(org: Org, url: str, clock: Hands) -> None:
    """A session lasts as long as the org says, and ends earlier when somebody ends it."""
    first = org.access_token()
    clock.move(seconds=7199)
    assert works(url, first)
    clock.move(seconds=1)
    with logged_in(url, first) as client:
        response = client.get("limits")
        assert (response.status_code, code(response)) == (401, "INVALID_SESSION_ID")
        assert response.json()[0]["message"] == "Session expired or invalid"
    second = org.access_token()
    assert works(url, second)
    org.expire_sessions()
    assert not works(url, second)


def test_nobody(door: httpx.Client) -> None:
    """Without a token, or with one of another kind, nobody comes in."""
    path = "/services/data/v67.0/limits"
    nothing, basic = door.get(path), door.get(path, auth=("a", "b"))

    assert (nothing.status_code, code(nothing)) == (401, "INVALID_AUTH_HEADER")
    assert (basic.status_code, code(basic)) == (401, "INVALID_SESSION_ID")


def test_who_one_is(client: httpx.Client, org: Org, url: str) -> None:
    """A session says whose it is."""
    for path in "/services/oauth2/userinfo", "/id/x/y":
        said = client.get(httpx.URL(url + path)).json()
        assert (said["username"], said["user_id"]) == (USER, org.user_id(USER))


def test_secrets_are_not_kept(door: httpx.Client, org: Org) -> None:
    """What was sent to get a token is not remembered, and a secret is not shown."""
    token(door, grant_type="client_credentials", **CLIENT)

    door.post("/services/oauth2/revoke?token=secret")
    assert [request.body for request in org.requests] == [None, None]
    assert org.requests[1].path == "/services/oauth2/revoke"
    assert "authorization" not in org.requests[0].headers
    assert "stand-in-secret" not in repr(org.apps)


def test_an_org_says_where_it_is(clock: Hands) -> None:
    """The URL of the org need not be the one at which it was asked."""
    org = Org(settings=Settings(instance_url="https://org.example"), clock=clock)
    with org.serve() as url, httpx.Client(base_url=url, trust_env=False) as door:
        answer = token(door, grant_type="client_credentials", **CLIENT).json()

    assert answer["instance_url"] == "https://org.example"
