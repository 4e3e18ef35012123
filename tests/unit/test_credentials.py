"""Who we say we are: what is added to requests, how it is renewed, and that nobody sees it."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.errors import ProfileError, RemoteError
from journal.events import FieldMessage
from journal.outcomes import (
    Acknowledged,
    NotSent,
    Refused,
    Seen,
    Unauthorized,
    Unknown,
    Wait,
)
from journal.remotes import NoAnswer, Profile, Request, Response
from journal.remotes.auth import Auth
from journal.remotes.credentials import Credentials, authorised
from journal.remotes.exchange import sent_as
from journal.remotes.masking import Secrets

if TYPE_CHECKING:
    from collections.abc import Generator

    from journal.remotes import Answer
    from journal.remotes.remote import Cause

URL: Final = "https://records.example.com/api"
TOKEN_URL: Final = "https://login.example.com/token"  # noqa: S105  no secret
CANARY: Final = "s3cr3t/c4n4ry+x"
GET: Final = Request("GET", "/Account/1")
PUT: Final = Request("PUT", "/Account/1", {}, b"{}")
OK: Final = Response(200, {}, b"{}")
NO: Final = Response(401, {}, b'{"error": "invalid_token"}')

Exchange: TypeAlias = "Generator[Request, Answer, list[Answer]]"


def credentials(auth: dict[str, Any], **environ: str) -> Credentials:
    """Return the credentials of a profile with that section."""
    return Credentials(Profile.of({"url": URL, "auth": auth}).auth, environ)


def oauth(save: Any = None, **changes: Any) -> Credentials:  # noqa: ANN401
    """Return credentials by OAuth, with these keys changed."""
    section = {
        "token_url": TOKEN_URL,
        "client_id": "app",
        "client_secret": "{env:SECRET}",
        "refresh_token": "{env:REFRESH}",
        **changes,
    }
    there = {key: value for key, value in section.items() if value is not None}
    auth = Profile.of({"url": URL, "auth": {"oauth": there}}).auth
    return Credentials(auth, {"SECRET": "client-secret", "REFRESH": "refresh-1"}, save=save)


def asking(*requests: Request) -> Exchange:
    """Send requests, one after another, and return their answers."""
    answers: list[Answer] = []
    for request in requests:
        answer = yield request
        answers.append(answer)
    return answers


def given_by(token: str, **others: Any) -> Response:  # noqa: ANN401
    """Return the answer of a token endpoint that gives a token."""
    return Response(200, {}, json.dumps({"access_token": token, **others}).encode())


class Script:
    """Drives an exchange; every answer is written in the test."""

    def __init__(self, known: Credentials, *requests: Request) -> None:
        """Drive these requests with those credentials."""
        self.known = known
        self.seen: list[tuple[str, str]] = []
        self._requests = requests

    def run(self, *answers: Answer) -> list[Answer]:
        """Answer each request in order, and return what the exchange received."""
        left = list(answers)
        steps = authorised(asking(*self._requests), self.known)
        answer: Any = None
        while True:
            try:
                request = steps.send(answer)
            except StopIteration as ended:
                assert left == []
                received: list[Answer] = ended.value
                return received
            token = self.known.headers().get("Authorization", "")
            self.seen.append((request.to, token.removeprefix("Bearer ")))
            answer = left.pop(0)


class TestWays:
    """What authorises a request."""

    def test_nothing(self) -> None:
        """Who needs not say who they are adds nothing."""
        known = credentials({})

        assert (known.headers(), known.query(), known.token_url) == ({}, {}, None)
        assert Script(known, GET).run(NO) == [NO]

    def test_basic(self) -> None:
        """A user and a password go into the Basic header, in UTF-8."""
        known = credentials(
            {"basic": {"user": "{env:USER}", "password": "{env:WORD}"}}, USER="jörg", WORD=":pass"
        )

        pair = known.headers()["Authorization"].removeprefix("Basic ")
        assert b64decode(pair).decode() == "jörg::pass"

    def test_basic_without_a_password(self) -> None:
        """An API key may be a user that has no password."""
        known = credentials({"basic": {"user": "{env:KEY}"}}, KEY=CANARY)

        pair = known.headers()["Authorization"].removeprefix("Basic ")
        assert b64decode(pair).decode() == f"{CANARY}:"
        assert known.secrets.masked(f"{pair} {CANARY}") == "[secret] [secret]"

    def test_headers_and_query(self) -> None:
        """Keys go into headers and query parameters, beside another way or alone."""
        known = credentials(
            {
                "bearer": "{env:FIRST}",
                "headers": {"X-Api-Key": "key {env:KEY}"},
                "query": {"api key": "{env:KEY}"},
            },
            KEY=CANARY,
            FIRST="t0ken",
        )

        assert known.headers() == {"X-Api-Key": f"key {CANARY}", "Authorization": "Bearer t0ken"}
        assert known.query() == {"api key": CANARY}

    def test_the_environment_is_read_anew(self) -> None:
        """A secret that was changed in the environment is used from the next request on."""
        environ = {"TOKEN": "one"}
        known = Credentials(Auth(bearer="{env:TOKEN}"), environ)
        environ |= {"TOKEN": "two"}

        assert known.headers() == {"Authorization": "Bearer two"}

    @pytest.mark.parametrize(
        ("auth", "environ", "key"),
        [
            ({"bearer": "{env:A}"}, {}, "auth.bearer"),
            ({"bearer": "{env:A}"}, {"A": "two words"}, "auth.bearer"),
            ({"headers": {"X-Key": "{env:A}"}}, {}, "auth.headers.X-Key"),
            ({"headers": {"X-Key": "{env:A}"}}, {"A": "x\r\nY: z"}, "auth.headers.X-Key"),
            ({"headers": {"X-Key": "{env:A}"}}, {"A": " x"}, "auth.headers.X-Key"),
            ({"query": {"key": "{env:A}"}}, {}, "auth.query.key"),
            ({"basic": {"user": "u", "password": "{env:A}"}}, {}, "auth.basic.password"),
            ({"basic": {"user": "{env:A}"}}, {"A": "a:b"}, "auth.basic.user"),
            (
                {"oauth": {"token_url": TOKEN_URL, "client_id": "i", "client_secret": "{env:A}"}},
                {},
                "auth.oauth.client_secret",
            ),
        ],
    )
    def test_what_is_not_set_is_named(
        self, auth: dict[str, Any], environ: dict[str, str], key: str
    ) -> None:
        """A secret that is missing, or cannot be sent, is named by its key, and not shown."""
        with pytest.raises(ProfileError) as caught:
            credentials(auth, **environ)

        assert caught.value.key == key
        assert all(secret not in str(caught.value) for secret in environ.values())

    def test_a_callback_beside_another_way(self) -> None:
        """There is one way to say who we are."""
        with pytest.raises(ProfileError, match="a callback gives the token as well"):
            Credentials(Auth(bearer="{env:A}"), {"A": "token"}, bearer=lambda: "other")


WRONG: Final[list[tuple[dict[str, Any], str]]] = [
    ({"bearer": "a-literal"}, "auth.bearer"),
    ({"bearer": "{env:}"}, "auth.bearer"),
    ({"bearer": "{env:A}{env:9}"}, "auth.bearer"),
    ({"basic": {"user": "u", "password": "literal"}}, "auth.basic"),
    ({"basic": {"user": "a:b", "password": "{env:A}"}}, "auth.basic"),
    ({"basic": {"password": "{env:A}"}}, "auth.basic.user"),
    ({"headers": {"X-Key": "literal"}}, "auth.headers.X-Key"),
    ({"headers": {"Host": "{env:A}"}}, "auth.headers"),
    ({"headers": {"X Key": "{env:A}"}}, "auth.headers.X Key"),
    ({"query": {"": "{env:A}"}}, "auth.query."),
    ({"bearer": "{env:A}", "basic": {"user": "{env:A}"}}, "auth"),
    ({"bearer": "{env:A}", "headers": {"authorization": "{env:A}"}}, "auth"),
    ({"oauth": {"token_url": TOKEN_URL, "client_id": "i"}}, "auth.oauth"),
    *(
        ({"oauth": {"token_url": url, "client_id": "i", "client_secret": "{env:A}"}}, key)
        for url, key in [
            ("http://login.example.com/token", "auth.oauth.token_url"),
            ("ftp://login.example.com/token", "auth.oauth.token_url"),
            ("https://u:p@login.example.com/token", "auth.oauth.token_url"),
            ("https://login.example.com/token#x", "auth.oauth.token_url"),
            ("https://login.example.com/a b", "auth.oauth.token_url"),
            ("token", "auth.oauth.token_url"),
        ]
    ),
]


@pytest.mark.parametrize(("auth", "key"), WRONG, ids=[str(auth) for auth, _ in WRONG])
def test_what_a_section_must_not_say(auth: dict[str, Any], key: str) -> None:
    """A section that is not safe, or not clear, is refused by the key that is wrong."""
    with pytest.raises(ProfileError) as caught:
        Profile.of({"url": URL, "auth": auth})

    assert caught.value.key == key


def test_a_token_url_on_loopback_may_be_plain() -> None:
    """On this machine nobody is on the way."""
    for host in ("127.0.0.1:1", "localhost:1", "[::1]:1"):
        assert oauth(token_url=f"http://{host}/token").token_url == f"http://{host}/token"


class TestRenewal:
    """How a token is renewed (A2, A3, A4)."""

    def test_a_token_is_had_first(self) -> None:
        """Without a token, one is asked for before the first request, and kept."""
        script = Script(oauth(), GET, GET)

        assert script.run(given_by("one"), OK, OK) == [OK, OK]
        assert script.seen == [("token", ""), ("remote", "one"), ("remote", "one")]

    def test_once_for_each_401(self) -> None:
        """A 401 renews the token once, and the same request is sent once more."""
        script = Script(oauth(), PUT, GET)

        received = script.run(given_by("one"), NO, given_by("two"), OK, NO, given_by("three"), NO)

        assert received == [OK, NO]
        assert script.seen == [
            *[("token", ""), ("remote", "one"), ("token", "one"), ("remote", "two")],
            *[("remote", "two"), ("token", "two"), ("remote", "three")],
        ]

    def test_whoever_was_quicker(self) -> None:
        """Where another request has renewed the token meanwhile, it is used without asking."""
        known = oauth()
        first, second = (authorised(asking(GET), known) for _ in range(2))
        assert next(first).to == "token"
        assert first.send(given_by("one")) == GET
        assert next(second) == GET

        assert first.send(NO).to == "token"
        assert first.send(given_by("two")) == GET
        assert second.send(NO) == GET

        assert known.headers() == {"Authorization": "Bearer two"}

    def test_one_renewal_at_a_time(self) -> None:
        """Who finds a renewal under way has to wait for the turn, and no second one is made."""
        known = oauth()
        first = authorised(asking(GET), known)
        assert next(first).to == "token"

        (refused,) = Script(known, GET).run()
        first.close()

        said = "another request is renewing the access token"
        assert refused == NoAnswer(was_sent=False, problem=said, cause="turn")
        assert Script(known, GET).run(given_by("one"), OK) == [OK]

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (
                Response(400, {}, b'{"error": "invalid_grant", "error_description": "expired"}'),
                "the token endpoint answered 400: expired (invalid_grant)",
            ),
            (Response(500), "the token endpoint answered 500, and nothing that is a token"),
            (
                Response(302, {"location": "https://evil.example"}),
                "the token endpoint answered 302, a redirect, which is never followed",
            ),
            (
                Response(200, {}, b"<html>"),
                "the token endpoint answered 200, and nothing that is a token",
            ),
            (
                Response(200, {}, b'{"access_token": 1}'),
                "the token endpoint answered 200, and nothing that is a token",
            ),
            (
                given_by("x", token_type="mac"),  # noqa: S106  no secret
                "the token endpoint gave one of another type than Bearer",
            ),
            (given_by("a\nb"), "the token endpoint gave one that no header can carry"),
            (
                Response(400, {}, b"I do not know client-secret, nor refresh-1"),
                "the token endpoint answered 400: I do not know [secret], nor [secret]",
            ),
        ],
    )
    def test_a_renewal_that_fails(self, answer: Answer, words: str) -> None:
        """Whatever comes instead of a token: the request has not left, and the words say why."""
        (received,) = Script(oauth(), GET).run(answer)

        said = f"there is no access token: {words}"
        assert received == NoAnswer(was_sent=False, problem=said, cause="credentials")

    @pytest.mark.parametrize("cause", ["link", "configuration"])
    @pytest.mark.parametrize("was_sent", [True, False])
    def test_a_token_endpoint_that_cannot_be_reached(self, cause: Cause, *, was_sent: bool) -> None:
        """Whoever is offline is told so, and not that the credentials are wrong."""
        (received,) = Script(oauth(), GET).run(NoAnswer(was_sent, "no route, client-secret", cause))

        said = "there is no access token: no route, [secret]"
        assert received == NoAnswer(was_sent=False, problem=said, cause=cause)

    def test_a_renewal_that_fails_later(self) -> None:
        """A refused token is not tried again where there is no other."""
        script = Script(oauth(), PUT)

        (received,) = script.run(given_by("one"), NO, Response(503))

        assert isinstance(received, NoAnswer)
        assert received.cause == "credentials"

    def test_a_rotated_refresh_token_is_saved_first(self) -> None:
        """A4: the new refresh token is saved before anything is done with it."""
        saved: list[tuple[str, dict[str, str]]] = []
        known: Credentials = oauth(lambda token: saved.append((token, known.headers())))

        Script(known, GET).run(given_by("one", refresh_token="refresh-2"), OK)  # noqa: S106
        Script(known, GET).run(NO, given_by("two", refresh_token="refresh-2"), OK)  # noqa: S106

        assert saved == [("refresh-2", {})]
        assert parse_qs(known.token_request().body.decode())["refresh_token"] == ["refresh-2"]

    def test_a_refresh_token_that_cannot_be_saved(self) -> None:
        """A4: it is not used, and not lost: saving it is tried again, without a request."""
        saved: list[str] = []
        faults: list[Exception] = [OSError(f"no space for {CANARY}")]

        def save(token: str) -> None:
            if faults:
                raise faults.pop()
            saved.append(token)

        known = oauth(save)
        (received,) = Script(known, GET).run(given_by("one", refresh_token=CANARY))

        said = "there is no access token: the new refresh token could not be saved: OSError"
        assert received == NoAnswer(was_sent=False, problem=said, cause="credentials")
        assert known.headers() == {}
        assert CANARY not in repr(known._tokens._unsaved)
        assert Script(known, GET).run(OK) == [OK]
        assert saved == [CANARY]
        assert known.headers() == {"Authorization": "Bearer one"}

    def test_a_refresh_token_that_nobody_saves(self, caplog: pytest.LogCaptureFixture) -> None:
        """It is used, and somebody is told that it will be lost."""
        known = oauth()

        Script(known, GET).run(given_by("one", refresh_token=CANARY), OK)

        assert "nothing saves the new one" in caplog.text
        assert CANARY not in caplog.text
        assert parse_qs(known.token_request().body.decode())["refresh_token"] == [CANARY]

    def test_other_words_for_401(self) -> None:
        """What refuses the credentials is for the remote to say."""
        known = oauth()
        steps = authorised(asking(GET), known, lambda answer: answer == Response(403))

        assert next(steps).to == "token"
        assert steps.send(given_by("one")) == GET
        assert steps.send(Response(403)).to == "token"

    def test_an_error_is_for_the_exchange_to_judge(self) -> None:
        """What the wire raises is raised where the request was made."""

        def careful() -> Generator[Request, Answer, str]:
            try:
                yield GET
            except RemoteError as error:
                answer = yield PUT
                return f"{error} {answer}"
            raise AssertionError

        steps = authorised(careful(), credentials({}))
        assert next(steps) == GET
        assert steps.throw(RemoteError("no")) == PUT
        with pytest.raises(StopIteration) as ended:
            steps.send(NO)
        assert ended.value.value == f"no {NO}"

    def test_an_exchange_that_is_given_up(self) -> None:
        """An exchange that is not driven to its end is closed."""
        ended = []

        def exchange() -> Generator[Request, Answer, None]:
            try:
                yield GET
            finally:
                ended.append(True)

        steps = authorised(exchange(), credentials({}))
        next(steps)
        steps.close()

        assert ended == [True]


class TestCallback:
    """A token that a callback gives."""

    def test_is_asked_when_there_is_none_and_when_it_is_refused(self) -> None:
        """The callback is asked once, and again for a 401."""
        tokens = ["one", "two"]
        known = Credentials(Auth(), {}, bearer=lambda: tokens.pop(0))
        script = Script(known, GET, GET)

        assert script.run(OK, NO, OK) == [OK, OK]
        assert script.seen == [("remote", "one"), ("remote", "one"), ("remote", "two")]

    def test_has_no_other(self) -> None:
        """Where the callback gives the same token again, the 401 is the answer."""
        known = Credentials(Auth(), {}, bearer=lambda: "same")

        assert Script(known, GET).run(NO) == [NO]

    def test_fails(self) -> None:
        """What the callback raises is told by its kind: its words could hold a secret."""

        def ask() -> str:
            raise ValueError(CANARY)

        (received,) = Script(Credentials(Auth(), {}, bearer=ask), GET).run()

        said = "there is no access token: the callback failed: ValueError"
        assert received == NoAnswer(was_sent=False, problem=said, cause="credentials")

    def test_gives_none(self) -> None:
        """What cannot be a token is not sent."""
        known = Credentials(Auth(), {}, bearer=lambda: "a\r\nX: b")

        (received,) = Script(known, GET).run()

        assert isinstance(received, NoAnswer)
        assert "that of the callback is none" in received.problem

    def test_an_environment_that_changed(self) -> None:
        """A 401 to a secret that was changed meanwhile is answered with the new one."""
        environ = {"TOKEN": "one"}
        steps = authorised(asking(GET), Credentials(Auth(bearer="{env:TOKEN}"), environ))
        assert next(steps) == GET
        environ |= {"TOKEN": "two"}

        assert steps.send(NO) == GET


class _Remote:
    """A remote with credentials."""

    url = URL

    def __init__(self, known: Credentials) -> None:
        self.credentials = known

    def headers(self) -> dict[str, str]:
        """Return the headers of every request."""
        return {"Accept": "*/*", **self.credentials.headers()}

    def push(self, push: object) -> Generator[Request, Answer, Any]:
        """Send nothing."""
        raise NotImplementedError(push)
        yield


class _Plain:
    """A remote that knows of no credentials."""

    url = URL

    def headers(self) -> dict[str, str]:
        """Return no headers."""
        return {}

    def push(self, push: object) -> Generator[Request, Answer, Any]:
        """Send nothing."""
        raise NotImplementedError(push)
        yield


class TestWhereItGoes:
    """Who sees what (A1)."""

    def test_to_the_remote(self) -> None:
        """The remote sees what authorises a request, and nothing of the token endpoint."""
        known = oauth()
        Script(known, GET).run(given_by("one"), OK)

        sent = sent_as(_Remote(known), PUT)

        assert sent.url == f"{URL}/Account/1"
        assert (b"Authorization", b"Bearer one") in sent.headers
        assert not any(secret in repr(sent) for secret in ("client-secret", "refresh-1"))

    @pytest.mark.parametrize(
        ("changes", "fields", "pair"),
        [
            (
                {},
                {"grant_type": ["refresh_token"], "refresh_token": ["refresh-1"]},
                "app:client-secret",
            ),
            (
                {"client_auth": "body", "scope": "a b", "audience": "c"},
                {
                    "grant_type": ["refresh_token"],
                    "refresh_token": ["refresh-1"],
                    "client_id": ["app"],
                    "client_secret": ["client-secret"],
                    "scope": ["a b"],
                    "audience": ["c"],
                },
                None,
            ),
            (
                {"refresh_token": None, "client_id": "a:b"},
                {"grant_type": ["client_credentials"]},
                "a%3Ab:client-secret",
            ),
            (
                {"client_secret": None},
                {
                    "grant_type": ["refresh_token"],
                    "refresh_token": ["refresh-1"],
                    "client_id": ["app"],
                },
                None,
            ),
        ],
    )
    def test_to_the_token_endpoint(
        self, changes: dict[str, Any], fields: dict[str, list[str]], pair: str | None
    ) -> None:
        """The token endpoint sees the client and the refresh token, and never an access token."""
        known = oauth(**changes)
        Script(known, GET).run(given_by("access-1"), OK)

        sent = sent_as(_Remote(known), Request("POST", "", to="token"))

        assert sent.url == TOKEN_URL
        assert parse_qs((sent.body or b"").decode()) == fields
        authorization = dict(sent.headers).get(b"Authorization")
        assert authorization == (None if pair is None else b"Basic " + b64encode(pair.encode()))
        assert "access-1" not in repr(sent)

    def test_query_parameters(self) -> None:
        """Query parameters are added to every path, quoted."""
        remote = _Remote(credentials({"query": {"k y": "{env:KEY}"}}, KEY="a&b=c/d"))

        assert sent_as(remote, GET).url == f"{URL}/Account/1?k%20y=a%26b%3Dc%2Fd"
        path = GET._replace(path="/Account?x=1")
        assert sent_as(remote, path).url == f"{URL}/Account?x=1&k%20y=a%26b%3Dc%2Fd"

    def test_no_token_endpoint(self) -> None:
        """A remote that has none cannot be asked for a token."""
        with pytest.raises(ProfileError, match="a token was to be asked for"):
            sent_as(_Remote(credentials({})), Request("POST", "", to="token"))
        with pytest.raises(RemoteError, match="the remote has no credentials"):
            sent_as(_Plain(), Request("POST", "", to="token"))

    def test_a_remote_without_credentials(self) -> None:
        """A remote of a host's own needs none."""
        assert sent_as(_Plain(), GET).url == f"{URL}/Account/1"


class TestNothingIsShown:
    """That secrets are in no text of ours (K1, K2)."""

    def test_in_reprs(self) -> None:
        """No repr of anything here holds a secret."""
        known = oauth()
        Script(known, GET).run(given_by(CANARY), OK)

        shown = repr((known, known.secrets, known.token_request(), known._tokens))
        assert not any(text in shown for text in (CANARY, "client-secret", "refresh-1"))
        assert TOKEN_URL in shown

    @pytest.mark.parametrize(
        "text",
        [
            f"Bearer {CANARY}",
            "https://e.example/?key=s3cr3t%2Fc4n4ry%2Bx",
            "https://e.example/?key=s3cr3t%2fc4n4ry%2bx",
            "https://e.example/s3cr3t/c4n4ry%2Bx",
            '{"token": "s3cr3t\\/c4n4ry+x"}',
            "the field s3cr3t.c4n4ry+x",
        ],
    )
    def test_in_any_form(self, text: str) -> None:
        """A secret is found as it is, quoted for a URL, and escaped in JSON."""
        secrets = Secrets()
        secrets.add([CANARY])

        assert "c4n4ry" not in secrets.masked(text)
        assert "[secret]" in secrets.masked(text)

    def test_in_a_basic_header(self) -> None:
        """The pair of user and password is a secret too."""
        known = credentials({"basic": {"user": "ann", "password": "{env:WORD}"}}, WORD=CANARY)
        pair = b64encode(f"ann:{CANARY}".encode()).decode()

        assert known.headers() == {"Authorization": f"Basic {pair}"}
        assert known.secrets.masked(f"no {pair}, {CANARY}, ann") == "no [secret], [secret], ann"

    def test_in_outcomes(self) -> None:
        """Whatever came of a draft, no part of the outcome holds a secret."""
        secrets = Secrets()
        secrets.add([CANARY])
        fields = {"a": [{"b": f"x{CANARY}"}], CANARY: 1, "n": None}
        clear = {"a": [{"b": "x[secret]"}], "[secret]": 1, "n": None}

        assert secrets.cleared(
            Acknowledged("answer", CANARY, f'"{CANARY}"', 200, CANARY, fields)
        ) == Acknowledged("answer", "[secret]", None, 200, "[secret]", clear)
        for plain in (Acknowledged("answer", "a", '"1"'), Acknowledged("read", fields={"a": 1})):
            assert secrets.cleared(plain) == plain
        message = FieldMessage(field=CANARY, message=CANARY, code=CANARY)
        refused = Refused("conflict", (message,), 409, CANARY, Seen(fields, CANARY, CANARY))
        masked = FieldMessage(field="[secret]", message="[secret]", code="[secret]")
        assert secrets.cleared(refused) == Refused(
            "conflict", (masked,), 409, "[secret]", Seen(clear, "[secret]", None)
        )
        assert secrets.cleared(refused._replace(seen=None)).seen is None  # type: ignore[union-attr]
        assert secrets.cleared(refused._replace(seen=Seen(None))).seen == Seen(None)  # type: ignore[union-attr]
        assert secrets.cleared(Unknown(CANARY, is_offline=True)) == Unknown("[secret]", True)  # noqa: FBT003
        assert secrets.cleared(NotSent(CANARY)) == NotSent("[secret]")
        assert secrets.cleared(Wait(CANARY, 3.0)) == Wait("[secret]", 3.0)
        assert secrets.cleared(Unauthorized(CANARY)) == Unauthorized("[secret]")

    def test_before_a_text_is_cut(self) -> None:
        """K2: half a secret at the end of a long text is none of it."""
        secrets = Secrets()
        secrets.add([CANARY])

        problem = secrets.cleared(Unknown("x" * 995 + CANARY)).problem  # type: ignore[union-attr]

        assert problem == "x" * 995 + "[secr"

    def test_what_the_journal_knows_is_no_secret(self) -> None:
        """A password that is a word of a record is left where that record has it."""
        secrets = Secrets()
        secrets.add(["password", CANARY])
        fields = {"title": "a password", "other": CANARY}

        cleared = secrets.cleared(
            Acknowledged("answer", fields=fields), [{"title": "my password"}, {}]
        )

        assert cleared == Acknowledged(
            "answer", fields={"title": "a password", "other": "[secret]"}
        )

    def test_short_and_old_ones(self) -> None:
        """What is too short to be one is not looked for, and what is old is forgotten."""
        secrets = Secrets()
        assert secrets.masked("abc") == "abc"
        secrets.add(["abc", ""])
        secrets.add(f"token-{number:04}" for number in range(200))

        assert secrets.masked("abc token-0000 token-0199") == "abc token-0000 [secret]"

    @given(st.text(min_size=4, max_size=20), st.text(max_size=20), st.text(max_size=20))
    def test_whatever_the_secret(self, secret: str, before: str, after: str) -> None:
        """K1: no text holds a secret, wherever it stands."""
        secrets = Secrets()
        secrets.add([secret])

        masked = secrets.masked(f"{before}{secret}{after}")
        assert secret not in masked.replace("[secret]", "\0")
