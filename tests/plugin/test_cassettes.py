"""Cassettes: recorded once, played back in order, without a secret on them."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from journal import Journal
from journal.remotes import HttpRemote, Profile
from journal.sync import Subscriber
from journal.testing import Cassette
from journal.testing.cassettes import CassetteError
from journal.testing.service import RecordService
from journal.testing.sources import SeededSources

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plugin.conftest import Run

BEARER = "a-token-that-nobody-may-see"


def changes(journal: Journal, *names: str) -> None:
    """Make an account of each name, and change it."""
    for name in names:
        ref = journal.create("Account", {"Name": name}, id=name)
        journal.update(ref, {"Size": 1})


def sent(cassette: Cassette, url: str, *names: str) -> Any:  # noqa: ANN401  a report
    """Send changes of these names by a cassette, and end it."""
    content = {"url": url, "auth": {"bearer": "{env:TOKEN}"}}
    remote = HttpRemote(Profile.of(content), environ={"TOKEN": BEARER})
    with Journal(actor="test", origin="test", sources=SeededSources()) as journal:
        changes(journal, *names)
        with Subscriber(journal, remote, client=cassette.client) as subscriber:
            report = subscriber.drain(timeout_s=10)
    cassette.close()
    return report


@pytest.fixture
def recorded(tmp_path: Path) -> tuple[Path, str]:
    """A cassette of a day with two accounts, and the URL of the service, which is gone."""
    path = tmp_path / "cassettes" / "day.jsonl"
    with RecordService() as service:
        url = service.url
        report = sent(Cassette(path, record=True), url, "a", "b")
        assert len(service.effects) == 4
    assert (report.acknowledged, report.pending) == (4, 0)
    return path, url


def test_it_is_played_back(recorded: tuple[Path, str]) -> None:
    """The same requests get the same answers, without a service."""
    path, url = recorded

    report = sent(Cassette(path), url, "a", "b")

    assert (report.acknowledged, report.pending) == (4, 0)


def test_no_secret_is_on_it(recorded: tuple[Path, str]) -> None:
    """Headers are recorded only where they are on the list: no credentials."""
    text = recorded[0].read_text("utf-8")

    assert BEARER not in text
    assert "authorization" not in text.lower()
    first = json.loads(text.splitlines()[0])
    assert first["request"]["target"] == "/Account/a"
    assert json.loads(first["request"]["body"]) == {"Name": "a"}


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (("a", "b", "c"), "one request too many: PUT /Account/c"),
        (("a",), "2 requests were never made, the first of them PUT /Account/b"),
        (("b", "a"), "request 1 is PUT /Account/b, which is number 3 there"),
        (
            ("A",),
            "request 1 is PUT /Account/A, and there it is PUT /Account/a: target '/Account/A'",
        ),
    ],
)
def test_what_is_not_on_it(
    recorded: tuple[Path, str], names: tuple[str, ...], problem: str
) -> None:
    """A request too many, one too few, another order and another request all fail."""
    path, url = recorded
    cassette = Cassette(path)

    with pytest.raises(CassetteError, match=r"cassette day\.jsonl: ") as caught:
        sent(cassette, url, *names)

    assert problem in str(caught.value)
    assert "--journal-record" in str(caught.value)


def test_a_request_that_nobody_heard_fail(recorded: tuple[Path, str]) -> None:
    """Where the failure was swallowed, as in a thread, it fails at the end."""
    cassette = Cassette(recorded[0])

    def ask() -> None:
        with suppress(CassetteError):
            cassette.client.get("https://there.invalid/elsewhere")

    thread = Thread(target=ask)
    thread.start()
    thread.join()

    with pytest.raises(CassetteError, match="request 1 is GET /elsewhere"):
        cassette.close()


class _Echo(httpx.BaseTransport):
    """Answers with what it is told to."""

    def __init__(self, content: bytes, **headers: str) -> None:
        self.answer = httpx.Response(200, content=content, headers=headers)

    def handle_request(self, _request: httpx.Request) -> httpx.Response:
        return self.answer


JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        ({"params": {"api_key": "S3CRET-S3CRET"}}, b"{}"),
        ({"data": {"client_secret": "S3CRET-S3CRET", "grant_type": "x"}}, b"{}"),
        ({"json": {"password": "S3CRET-S3CRET"}}, b"{}"),
        ({"json": {"in": [{"note": f"use {JWT}"}]}}, b"{}"),
        ({"content": b"Bearer S3CRET-S3CRET"}, b"{}"),
        ({}, b'{"access_token": "S3CRET-S3CRET", "n": 1}'),
        ({}, b'{"id": "00D000000000001!S3CRETS3CRET"}'),
        ({}, f'["{JWT}"]'.encode()),
        ({}, b"-----BEGIN RSA PRIVATE KEY-----\nS3CRET\n-----END RSA PRIVATE KEY-----"),
        ({"content": b"it is mine: known-S3CRET"}, b"known-S3CRET"),
        ({"params": {"key": "S3CRET-S3CRET", "sig": "S3CRET"}}, b"{}"),
        ({"data": {"code": "S3CRET-S3CRET", "code_verifier": "S3CRET"}}, b"{}"),
        ({"json": {"authToken": "S3CRET", "passphrase": "S3CRET"}}, b"{}"),
        ({"json": {"credentials": {"user": "S3CRET", "in": ["S3CRET"]}}}, b"{}"),
        ({"content": b'{"password": "S3CRET"}\n{"n": 1}'}, b"password: S3CRET"),
        ({"content": b"<a><x:sessionId>S3CRET</x:sessionId></a>"}, b"<pwd>S3CRET</pwd>"),
        ({"files": {"a": b"b"}, "data": {"password": "S3CRET\nS3CRET"}}, b"{}"),
        ({}, b'<input name="csrf_token" value="S3CRET">'),
        ({}, b'{"next": "https://there.invalid/?access_token=S3CRET&page=2"}'),
        ({}, b'{"next": "https://me:S3CRET@there.invalid/"}'),
        ({"headers": {"Authorization": "Bearer S3CRETS3CRET"}}, b"you said S3CRETS3CRET"),
        ({"auth": ("me", "S3CRETS3CRET")}, b"\xff you said S3CRETS3CRET"),
        ({"headers": {"Cookie": "n=1; s=S3CRETS3CRET"}}, b'{"s": "S3CRETS3CRET"}'),
        ({"data": {"client_secret": "S3CRETS3CRET"}}, b'{"mine": "S3CRETS3CRET"}'),
        ({"headers": {"X-Auth": "S3CRETS3CRET"}}, b'{"mine": "S3CRETS3CRET"}'),
        ({"headers": {"Ocp-Apim-Subscription-Key": "S3CRETS3CRET"}}, b"of S3CRETS3CRET"),
        ({"content": b"<login password = 'S3CRET' />"}, b'<a sessionId="S3CRET">b</a>'),
        ({"content": b"<pwd><![CDATA[S3CRET<b>]]>S3CRET</pwd>"}, b"{}"),
        ({"json": {"in": json.dumps({"in": json.dumps({"pwd": "S3CRET"})})}}, b"[1]"),
        (
            {"json": {"otp": "S3CRET", "totpCode": "S3CRET", "mfa_code": "S3CRET"}},
            b'{"PIN":"S3CRET"}',
        ),
        ({"data": {"one_time_code": "S3CRET", "cvv": "S3CRET"}}, b"<otp>S3CRET</otp>"),
        ({"json": {"userPin": "S3CRET", "verificationCode": "S3CRET"}}, b"otp: S3CRET"),
        ({"json": {"note": "Your PIN is S3CRET, your password: S3CRET"}}, b"{}"),
        ({"json": {"apiKeys": {"S3CRET-1": {"scope": "all"}, "S3CRET-2": {}}}}, b"{}"),
        ({"json": {"open": {f"{JWT}S3CRET": 1, "known-S3CRET": 2}}}, b'{"known-S3CRET": 1}'),
        ({"json": {"note": "xKf93jdL0pQz-S3CRET-27bQ"}}, b"it is xKf93jdL0pQz7S3CRET27bQ."),
        ({"json": {"xKf93jdL0pQz7S3CRET27bQ": 1}}, b'["wJalr9UtnFEMI/S3CRET/bPxRfiCY2XAMP"]'),
        ({"json": [{"name": "otp", "value": "S3CRET"}]}, b'{"key": "pin", "content": ["S3CRET"]}'),
        ({"json": {"headers": [["X-Api-Key", "S3CRET"], ["Accept", "a"]]}}, b"{}"),
        ({"json": {"query": '{ login(otp: "S3CRET", password: "S3CRET!") }'}}, b"{}"),
        ({"content": b"<name>password</name><value>S3CRET</value>"}, b"<pin value='S3CRET'/>"),
        ({"json": {"note": "Your verification code: S3CRET1"}}, b'["the code is 481516"]'),
        ({"content": b'{"password": "S3CRET", "password": null}'}, b'{"pw": "S3CRET"}'),
        ({}, b'{"next": "/sessions/xKf93jdL0pQz7S3CRET27bQ/rows?page=2"}'),
    ],
)
def test_what_looks_like_a_secret_is_masked(
    tmp_path: Path, sent: dict[str, Any], answer: bytes
) -> None:
    """In an address, a form, JSON or a text, asked or answered: it is masked, and played back."""
    path = tmp_path / "c.jsonl"
    location = f"https://me:S3CRET@there.invalid/?token={JWT}#access_token=S3CRET"
    link = '<https://there.invalid/?token=S3CRET&page=2>; rel="next"'
    echo = _Echo(answer, **{"Set-Cookie": "S3CRET", "Location": location, "Link": link})

    for record in (True, False):
        cassette = Cassette(path, record=record, secrets=["known-S3CRET"], transport=echo)
        cassette.client.post("https://there.invalid/a", **sent)
        cassette.close()

    text = path.read_text("utf-8")
    assert "S3CRET" not in text
    assert b"S3CRET" not in b"".join(map(b64decode, re.findall('"base64": "(.*?)"', text)))
    assert JWT not in text
    assert "***" in text


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/sessions/00D000000000001!AQEAQS3CRET.S3CRET/rows", "/sessions/***/rows"),
        ("/sessions/00D000000000001%21AQEAQS3CRET.S3CRET", "/sessions/***"),
        (f"/verify/{JWT}", "/verify/***"),
        ("/a/xKf93jdL0pQz7S3CRET27bQ/b", "/a/masked-ed2225/b"),
        ("/reset/3f2c9a0e-5d41-4c8e-9b7a-0123456789ab", "/reset/masked-f4ff51"),
        ("/sign-in/otp/481516", "/sign-in/otp/***"),
        ("/Account/1;jsessionid=S3CRET?a=1", "/Account/1;jsessionid=***?a=1"),
        ("/confirm/481516", "/confirm/***"),
        ("/login/481516", "/login/***"),
        ("/token/S3CRET", "/token/***"),
        ("/oauth2/v1/token/revoke", "/oauth2/v1/token/revoke"),
        ("/Session/42", "/Session/42"),
        (
            "/Account/3f2c9a0e-5d41-4c8e-9b7a-0123456789ab",
            "/Account/3f2c9a0e-5d41-4c8e-9b7a-0123456789ab",
        ),
        (
            "/services/data/v62.0/sobjects/Visit__c/001xx000003DGb2AAG",
            "/services/data/v62.0/sobjects/Visit__c/001xx000003DGb2AAG",
        ),
        ("/a%20b/caf%C3%A9", "/a%20b/caf%C3%A9"),
        ("/a/***", "/a/***"),
        ("/a/%2A%2A%2A", "/a/***"),
    ],
)
def test_what_lets_in_by_an_address(tmp_path: Path, path: str, kept: str) -> None:
    """A token, and a code, in the path is masked; the id of a record and a word are not."""
    file = tmp_path / "c.jsonl"
    for record in (True, False):
        cassette = Cassette(file, record=record, transport=_Echo(b"{}"))
        cassette.client.get(f"https://there.invalid{path}")
        cassette.close()

    assert json.loads(file.read_text("utf-8"))["request"]["target"] == kept


ORDINARY = {
    "Name": "Acme GmbH & Co KG, Hauptstraße 12/4",
    "Kind": "AccountNumberOfTheCustomer",
    "At": ["2026-11-24T02:21:41.000+0000", "20261124T022141Z", "2026-11-24T022141.123Z"],
    "Number": ["INV-2024-0000123-REV2", "ORD0000001234567", "+436641234567890", "1.25e-07"],
    "Sizes": {
        "48.208174123456789": 48.2,
        "1.2345678901234567e-07": 1e-07,
        "big": 12345678901234567,
    },
    "Mail": "firstname.lastname@company-name.co.at",
    "Web": "https://d111111abcdef8.example.net/services/data/v62.0/report-2024-final.pdf",
    "Ids": [
        "018f3c5e-7b1a-7c3d-9e2f-0123456789ab",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "001xx000003DGb2AAG",
    ],
    "Text": "第1234号合同2024年度第1234号合同2024年度, the quick (brown) fox... over/the/lazy/dog",
    "Shipping": "Opinion 12345",
    "Author": "A. Pinter",
    "StatusCode": 12345,
    "PostalCode": "8010",
}


def test_what_is_ordinary_can_be_read(tmp_path: Path) -> None:
    """Names, numbers, times, ids and prose are on the cassette as they are."""
    lines = "\n".join(json.dumps({key: value}) for key, value in ORDINARY.items()).encode()
    file = tmp_path / "c.jsonl"
    cassette = Cassette(file, record=True, transport=_Echo(lines))
    cassette.client.put("https://there.invalid/Account/1", json=ORDINARY)
    cassette.close()

    exchange = json.loads(file.read_text("utf-8"))
    assert json.loads(exchange["request"]["body"]) == ORDINARY
    assert exchange["answer"]["body"] == lines.decode()


def test_what_is_unknown_is_told_apart(tmp_path: Path) -> None:
    """Of a long unbroken text, a fingerprint is kept: another one is another request."""
    file, one, other = tmp_path / "c.jsonl", "xKf93jdL0pQz7S3CRET27bQ", "xKf93jdL0pQz7S3CRET27bR"
    url = "https://there.invalid/Account"
    echo = _Echo(json.dumps({"id": one, "Rows": {one: other}}).encode(), Location=f"/Account/{one}")
    cassette = Cassette(file, record=True, transport=echo)
    made = cassette.client.post(url, json={"Note": other}).json()
    cassette.client.get(f"{url}/{made['id']}", headers={"If-Match": f'"{one}"'})
    cassette.close()
    assert not {one, other} & set(re.findall(r"\w+", file.read_text("utf-8")))

    played = Cassette(file)
    again = played.client.post(url, json={"Note": other})
    assert again.json()["Rows"] == {again.json()["id"]: other}
    assert again.headers["Location"] == f"/Account/{again.json()['id']}" != f"/Account/{one}"
    tag = f'"{again.json()["id"]}"'
    last = played.client.get(f"{url}/{again.json()['id']}", headers={"If-Match": tag})
    assert last.json() == again.json()
    played.close()
    with pytest.raises(CassetteError, match="body "):
        Cassette(file).client.post(url, json={"Note": one})


def test_what_is_said_to_be_harmless(tmp_path: Path) -> None:
    """What somebody names as harmless is on the cassette: by the name, or by the form of a text."""
    file, vehicle = tmp_path / "c.jsonl", "WBA3A5C50CF256985"
    body = {"pincode": "781001", "Vehicle": vehicle, "otp": 1, "in": f"{vehicle} of us", vehicle: 1}
    harmless = ["pincode", "otp", "[A-HJ-NPR-Z0-9]{17}"]
    for record in (True, False):
        cassette = Cassette(file, record=record, harmless=harmless, transport=_Echo(b"{}"))
        cassette.client.put(f"https://there.invalid/token/{vehicle}?pincode=781001", json=body)
        cassette.close()

    request = json.loads(file.read_text("utf-8"))["request"]
    assert request["target"] == f"/token/{vehicle}?pincode=781001"
    assert json.loads(request["body"]) == body


def test_json_within_json_comes_back_as_it_was_sent(tmp_path: Path) -> None:
    """A sender compares what a service shows with what it has sent: to the letter."""
    kept = {"token": "S3CRET", "of": [1]}
    sent = {"Data": json.dumps(kept, indent=1), "List": "[1,2", "Plain": "[ 1,2 ]"}
    for record in (True, False):
        echo = _Echo(json.dumps(sent).encode())
        cassette = Cassette(tmp_path / "c.jsonl", record=record, transport=echo)
        assert cassette.client.put("https://there.invalid/a", json=sent).json() == sent
        cassette.close()

    assert "S3CRET" not in (tmp_path / "c.jsonl").read_text("utf-8")


def test_a_long_text_is_searched_once(tmp_path: Path) -> None:
    """Texts of any length and form are masked, also where they nearly look like a secret."""
    texts = (
        *(b"aB1/" * 9_000, b"aB1." * 9_000, b"otp is " * 5_000),
        *(b"a" * 100_000, b"token" * 20_000, b'name="password' * 4_000, b"<token" * 20_000),
        *(b"<token>" + b"<![CDATA[" * 20_000, b"token=" * 20_000, b"token" + b" " * 100_000),
    )
    for content in texts:
        cassette = Cassette(tmp_path / "c.jsonl", record=True, transport=_Echo(content))
        assert cassette.client.get("https://there.invalid/a").content == content
        cassette.close()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"secrets": "S3CRETS3CRET"}, "secrets is a list of texts, and was handed one text"),
        ({"secrets": [None]}, "secrets has NoneType in it, and takes texts; is one not set?"),
        ({"secrets": ["abc"]}, "a secret has 3 characters, and is found from 4 on"),
        ({"harmless": "[A-Z]+"}, "harmless is a list of texts, and was handed one text"),
        ({"harmless": ["[A-Z"]}, r"harmless has '\[A-Z' in it, which is no pattern: unterminated"),
    ],
)
def test_what_would_mask_nothing(tmp_path: Path, arguments: Any, problem: str) -> None:  # noqa: ANN401
    """What is no secret, and no pattern, is refused: nothing that was named is not masked."""
    with pytest.raises((TypeError, ValueError), match=problem):
        Cassette(tmp_path / "c.jsonl", **arguments)
    Cassette(tmp_path / "c.jsonl", secrets=[""])


@pytest.mark.parametrize(
    "line", ["{", "[]", "1", '{"request": {}}', '{"request": {"method": "GET"}, "answer": {}}', ""]
)
def test_a_file_that_was_not_recorded(recorded: tuple[Path, str], line: str) -> None:
    """A line that is damaged is named, with how to mend it."""
    path, _ = recorded
    first, *rest = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([first, line, *rest]), encoding="utf-8")

    with pytest.raises(CassetteError, match=r"day\.jsonl: line 2 is no .*pytest --journal-record"):
        Cassette(path)


def test_one_by_which_nothing_is_asked(run: Run, here: Path) -> None:
    """Where nothing is sent by its client it fails, whether it is played back or recorded."""
    source = "def test_it(journal_cassette): pass"

    missing, recorded = run(source), run(source, "--journal-record")

    missing.assert_outcomes(passed=1, errors=1)
    missing.stdout.fnmatch_lines(["*it was never recorded; record it anew*"])
    recorded.assert_outcomes(passed=1, errors=1)
    recorded.stdout.fnmatch_lines(["*no request was made by its client*client=cassette.client)"])
    assert not (here / "cassettes").exists()


def test_each_test_has_its_own(run: Run, here: Path) -> None:
    """Tests of one name in two classes, and parameters that look alike in a name, share none."""
    source = """
    import pytest

    def ask(cassette, path):
        assert cassette.client.get("%s/A/" + path).status_code == 404

    class TestOne:
        def test_it(self, journal_cassette):
            ask(journal_cassette, "one")

    class TestOther:
        def test_it(self, journal_cassette):
            ask(journal_cassette, "other")

    @pytest.mark.parametrize("path", ["a/b", "a b", "c" * 300])
    def test_it(journal_cassette, path):
        ask(journal_cassette, path.replace("/", "-"))
    """
    with RecordService() as service:
        run(source % service.url, "--journal-record").assert_outcomes(passed=5)
    run(source % service.url).assert_outcomes(passed=5)

    names = {file.name for file in (here / "cassettes").iterdir()}
    assert len(names) == 5
    assert "test_each_test_has_its_own.TestOne.test_it.jsonl" in names


def test_it_ends_with_its_block(recorded: tuple[Path, str]) -> None:
    """As a context manager, it fails where requests were never made, unless the block has."""
    with pytest.raises(CassetteError, match="4 requests were never made"), Cassette(recorded[0]):
        pass
    with pytest.raises(KeyError), Cassette(recorded[0]):
        raise KeyError


def test_one_that_fails_is_not_recorded(run: Run, here: Path) -> None:
    """What a test has recorded that failed is half of it: the cassette stays what it was."""
    source = """
    def test_it(journal_cassette):
        assert journal_cassette.client.get("%s").status_code == 200
        assert {}
    """
    with RecordService() as service:
        run(source % service.url, "--journal-record").assert_outcomes(failed=1)
        assert not (here / "cassettes").exists()


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    """A body that is no text comes back to the byte."""
    path = tmp_path / "c.jsonl"
    for record in (True, False):
        cassette = Cassette(path, record=record, transport=_Echo(b"\xff\x00\xfe"))
        assert cassette.client.get("https://there.invalid/a").content == b"\xff\x00\xfe"
        cassette.close()


def test_the_fixture(run: Run, here: Path) -> None:
    """Beside the test, played back unless recording is asked for; without one it says how."""
    source = """
    import pytest
    from journal.remotes import HttpRemote, Profile
    from journal.sync import Subscriber

    @pytest.mark.journal_cassette(secrets=["hidden-number"])
    def test_it(journal, journal_cassette):
        ref = journal.create("Account", {"Name": "Acme", "Number": "hidden-number"})
        journal.update(ref, {"Signature": {"by": "Ann", "at": [7]}})
        remote = HttpRemote(Profile.of({"url": "%s"}))
        with Subscriber(journal, remote, client=journal_cassette.client) as subscriber:
            assert subscriber.drain(timeout_s=10).pending == 0
    """
    with RecordService() as service:
        missing = run(source % service.url)
        recorded = run(source % service.url, "--journal-record")
    played = run(source % service.url)

    missing.assert_outcomes(failed=1)
    missing.stdout.fnmatch_lines(
        ["*it was never recorded; record it anew: pytest --journal-record"]
    )
    recorded.assert_outcomes(passed=1)
    played.assert_outcomes(passed=1)
    [file] = (here / "cassettes").iterdir()
    assert file.name == "test_the_fixture.test_it.jsonl"
    assert "hidden-number" not in file.read_text("utf-8")
