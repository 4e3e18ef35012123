"""The conformance suite: good services and remotes pass it, and each bad one is found out."""

from __future__ import annotations

import json
import subprocess
import sys
from http import HTTPStatus
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import pytest

from journal.errors import ProfileError
from journal.outcomes import Acknowledged, NotSent, Refused, Unknown, Wait
from journal.remotes import HttpRemote, Profile, Request, Response
from journal.remotes.profiles import toml_of
from journal.testing.collecting import collected
from journal.testing.conformance import CHECKS, NonconformingError, NotToldError, Subject
from journal.testing.loopback import Reply
from journal.testing.service import RecordService
from tests.integration.receiver.notes import Notes, serving
from tests.integration.receiver.sender import remote_at
from tests.integration.services.stand_ins import Rpc
from tests.pages import DOCS, ROOT

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Mapping
    from pathlib import Path

    from journal import Ref
    from journal.outcomes import Outcome
    from journal.remotes import Answer, Push

FIELDS: Final = {"title": "a", "n": 1, "body": "text"}


def failed(subject: Subject, names: Collection[str] | None = None) -> dict[str, str]:
    """Return the checks that a subject fails, each with what it says; of these, or of all."""
    found = {}
    for check in CHECKS:
        if names is not None and check.name not in names:
            continue
        try:
            check.run(subject)
        except NonconformingError as error:
            found[check.name] = str(error)
        except NotToldError:
            continue
    return found


def untold(subject: Subject, but: Collection[str] = ()) -> set[str]:
    """Return the checks, but these, of which a subject does not tell the answer."""
    found = set()
    for check in (check for check in CHECKS if check.name not in but):
        try:
            check.run(subject)
        except NotToldError:
            found.add(check.name)
    return found


# --- who passes --------------------------------------------------------------------------

NEVER_TOLD: Final = {"authenticated", "list of changes", "list from a checkpoint"}
"""What profiles without credentials and lists do not tell."""


def test_model_service() -> None:
    """The model service passes, by its address alone, and nothing is left there."""
    with RecordService() as service:
        assert untold(Subject.of_profile(Profile.of({"url": service.url}))) == NEVER_TOLD
        assert service.records == {}


def test_receiver(tmp_path: Path) -> None:
    """A service behind the receiver passes, by the profile file that speaks to it."""
    notes = Notes(tmp_path / "notes.db", needs_number=True)
    with serving(notes.receiver) as url:
        subject = Subject.of_profile(remote_at(url).profile, fields=FIELDS)
        assert untold(subject) == NEVER_TOLD
    assert notes.records == {}
    notes.close()


def test_post_only_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """So does one to which everything is a POST, whose ids are its own."""
    service = Rpc()
    for name, secret in service.environ.items():
        monkeypatch.setenv(name, secret)
    content = toml_of(DOCS / "how-to" / "profiles" / "rpc.toml")
    del content["changes"]  # the stand-in lists none
    with service.running():
        subject = Subject.of_profile(Profile.of({**content, "url": service.url}), fields=FIELDS)
        assert failed(subject) == {}


class Wrapped:
    """A remote of a host's own: any object that speaks the protocol."""

    def __init__(self, url: str) -> None:
        self._remote = HttpRemote(Profile.of({"url": url}))

    @property
    def url(self) -> str:
        """Where the remote is."""
        return self._remote.url

    def headers(self) -> Mapping[str, str]:
        """Return the headers of every request."""
        return self._remote.headers()

    def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
        """Send a draft."""
        return self._remote.push(push)


def test_remote_of_ones_own() -> None:
    """A remote without a profile is asked all that needs none."""
    with RecordService() as service:

        def reads(ref: Ref) -> Mapping[str, object] | None:
            return service.records.get((ref.type, ref.id))

        subject = Subject(Wrapped(service.url), "Note", FIELDS, reads=reads)
        assert failed(subject) == {}
        assert len(CHECKS) - len(untold(subject)) > 35
        assert service.records == {}


# --- services that are found out ---------------------------------------------------------


class Heedless(RecordService):
    """Heeds no condition."""

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer as if there were none."""
        kept = {k: v for k, v in headers.items() if k not in {"If-Match", "If-None-Match"}}
        return super().answer(method, target, kept, body)


class Forgetful(RecordService):
    """Says that an update was done, and does nothing."""

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer an update as a read."""
        return super().answer("GET" if method == "PATCH" else method, target, headers, body)


class Immortal(RecordService):
    """Says that a delete was done, and does nothing."""

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer a delete at once."""
        if method == "DELETE":
            return Reply(HTTPStatus.NO_CONTENT)
        return super().answer(method, target, headers, body)


@pytest.mark.parametrize(
    ("service", "found"),
    [
        (Heedless(), {"stale change", "late copy"}),
        (Forgetful(), {"receipt of update", "update", "update arrives", "unset"}),
        (Immortal(), {"delete", "delete arrives", "nothing left behind"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_bad_service(service: RecordService, found: set[str]) -> None:
    """A service that does not do what it says is found out, by what it does not do."""
    with service:
        subject = Subject.of_profile(Profile.of({"url": service.url}), "Note", FIELDS)
        bad = failed(subject, {*found, "create arrives"})

    assert bad.keys() == found


# --- remotes that are found out ----------------------------------------------------------


class Bad(Wrapped):
    """A remote with a mistake."""

    def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
        """Send a draft, and make the mistake."""
        exchange = super().push(push)
        request = next(exchange)
        while True:
            answer = yield request
            try:
                request = exchange.send(answer)
            except StopIteration as ended:
                outcome: Outcome = ended.value
                return outcome


class Credulous(Bad):
    """Believes every success."""

    def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
        """Send a draft, and believe."""
        answer = yield next(super().push(push))
        is_done = isinstance(answer, Response) and answer.status < 300
        return Acknowledged("answer", push.ref.id) if is_done else Unknown("not known")


class Careless(Bad):
    """Says that nothing has left, whatever has."""

    def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
        """Send a draft, and take every trouble for none."""
        answer = yield next(super().push(push._replace(is_maybe_applied=False)))
        if isinstance(answer, Response) and answer.status < 300:
            etag = answer.headers.get("etag")
            return Acknowledged("answer", push.ref.id, etag)
        return Refused("rejected") if isinstance(answer, Response) else NotSent("nothing has left")


class Impatient(Bad):
    """Hears of no patience."""

    def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
        """Send a draft, and forget for how long it is to wait."""
        outcome = yield from super().push(push)
        return outcome._replace(retry_after_s=None) if isinstance(outcome, Wait) else outcome


class Endless(Bad):
    """Tries again by itself, for ever."""

    def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
        """Send a draft until it is done."""
        while True:
            outcome = yield from super().push(push)
            if isinstance(outcome, Acknowledged):
                return outcome


class Talkative(Bad):
    """Writes its secret into every request."""

    def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
        """Send a draft, with a secret."""
        exchange = super().push(push)
        answer = None
        while True:
            try:
                request = next(exchange) if answer is None else exchange.send(answer)
            except StopIteration as ended:
                outcome: Outcome = ended.value
                return outcome
            headers = {**request.headers, "Authorization": "Bearer secret"}
            answer = yield request._replace(headers=headers)


class Fickle(Bad):
    """Says something else each time."""

    _times = 0

    def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
        """Send a draft, with a count."""
        self._times += 1
        exchange = super().push(push)
        answer = yield next(exchange)._replace(headers={"X-Times": str(self._times)})
        while True:
            try:
                answer = yield exchange.send(answer)
            except StopIteration as ended:
                outcome: Outcome = ended.value
                return outcome


class Clinging(Bad):
    """Does not let go."""

    def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
        """Send a draft, and go on when it is left."""
        request = next(super().push(push))
        try:
            yield request
        except GeneratorExit:
            yield request
        return Unknown("not known")


class Wordless(Bad):
    """Returns no outcome."""

    def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
        """Send a draft, and say nothing of it."""
        yield from super().push(push)
        return None  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        (Credulous, {"not believed: a page", "create: captive portal"}),
        (Careless, {"create: lost answer", "patience", "credentials"}),
        (Impatient, {"patience"}),
        (Endless, {"not believed: a failure", "nobody there", "patience"}),
        (Talkative, {"plain requests"}),
        (Fickle, {"same words"}),
        (Clinging, {"left alone"}),
        (Wordless, {"nobody there", "create arrives"}),
    ],
)
def test_bad_remote(bad: type[Bad], found: set[str]) -> None:
    """A remote that would lose, double or hold drafts is found out."""
    with RecordService() as service:

        def reads(ref: Ref) -> Mapping[str, object] | None:
            return service.records.get((ref.type, ref.id))

        wrong = failed(Subject(bad(service.url), "Note", FIELDS, reads=reads, timeout_s=1.0), found)

    assert wrong.keys() == found


# --- with pytest -------------------------------------------------------------------------


def run_by_pytest(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest with the suite."""
    plugin = ("-p", "journal.testing.plugin")
    command = [sys.executable, "-m", "pytest", "-q", "-rs", *plugin, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_as_tests(tmp_path: Path) -> None:
    """With a remote named, each check is a test; what cannot be told is skipped, and says why."""
    (tmp_path / "test_none.py").touch()
    with RecordService() as service:
        done = run_by_pytest(
            str(tmp_path), "--journal-remote", service.url, "--journal-type", "Visit"
        )

    assert done.returncode == 0, done.stdout
    assert f"{len(CHECKS) - len(NEVER_TOLD)} passed, {len(NEVER_TOLD)} skipped" in done.stdout
    assert "the profile has no credentials" in done.stdout


def test_as_tests_that_fail(tmp_path: Path) -> None:
    """What is not as it should be fails a test, which says what was asked, and what was found."""
    (tmp_path / "test_none.py").touch()
    with Heedless() as service:
        profile = tmp_path / "bad.toml"
        profile.write_text(f'url = "{service.url}"\n[types.Note]\n', encoding="utf-8")
        fields = json.dumps(FIELDS)
        named = ("--journal-profile", str(profile), "--journal-fields", fields)
        done = run_by_pytest(str(tmp_path), *named, "-k", "late or stale")

    assert done.returncode == 1
    assert "a late copy of an update does not undo a later one\n  but: " in done.stdout
    assert "2 failed" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--journal-remote", "nowhere"), "profile key url"),
        (("--journal-profile", "missing.toml"), "cannot be read"),
        (("--journal-remote", "http://127.0.0.1:1", "--journal-fields", "{"), "no JSON"),
        (
            ("--journal-remote", "http://127.0.0.1:1", "--journal-fields", "{}"),
            "there are 0 fields",
        ),
        (
            ("--journal-remote", "http://127.0.0.1:1", "--journal-fields", '{"A": 1}'),
            "not two: one",
        ),
        (
            ("--journal-remote", "http://127.0.0.1:1", "--journal-fields", '{"A": 1e999, "B": 1}'),
            "no record can be written to try it: Note:.* /A: ",
        ),
        (
            ("--journal-remote", "http://127.0.0.1:1", "--journal-type", "a type!"),
            "no record can be written to try it: record type 'a type!' is not allowed",
        ),
        (("--journal-type", "Note"), "--journal-type says how .* add --journal-remote URL"),
        (("--journal-fields", "{}"), "--journal-fields says how .* add --journal-remote URL"),
        (
            ("--journal-profile", "docs/how-to/profiles/rpc.toml", "--journal-fields", "[]"),
            "object",
        ),
    ],
)
def test_what_cannot_be_asked(arguments: tuple[str, ...], said: str) -> None:
    """A remote that is named wrongly is a mistake of usage."""
    named = ("--journal-remote", "--journal-profile", "--journal-type", "--journal-fields")
    options = dict.fromkeys(named) | dict(zip(arguments[::2], arguments[1::2], strict=True))
    session: Any = SimpleNamespace(config=SimpleNamespace(getoption=options.get))
    with pytest.raises(pytest.UsageError, match=said):
        collected(session)


def test_nobody_there() -> None:
    """Where nobody answers, that fails, and nothing else is asked."""
    subject = Subject.of_profile(Profile.of({"url": "http://127.0.0.1:1"}))

    assert failed(subject).keys() == {"reachable"}
    assert len(untold(subject, {"reachable"})) == len(CHECKS) - 1


def test_nobody_named() -> None:
    """Where no remote is named, nothing is collected."""
    session: Any = SimpleNamespace(config=SimpleNamespace(getoption=lambda _: None))

    assert collected(session) == []


def test_which_type() -> None:
    """Where a profile names several types, one is to be said."""
    content = {"url": "http://127.0.0.1:1", "types": {"A": {}, "B": {}, "*": {}}}

    with pytest.raises(ProfileError, match="say which one"):
        Subject.of_profile(Profile.of(content))
    assert Subject.of_profile(Profile.of(content), "B").record_type == "B"
