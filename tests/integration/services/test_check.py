"""`remote check`: what it finds of real services, and of profiles that are wrong about them."""

from __future__ import annotations

import io
import json
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from journal.cli.program import run
from journal.testing.loopback import Reply
from journal.testing.service import RecordService
from tests.integration.services.desk import PROFILES
from tests.integration.services.stand_ins import Rpc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.services.kinto import Kinto

FIELDS: Final = ("title=a", "n:=1", "body=text")


class Checked(NamedTuple):
    """What a check has said."""

    code: int
    found: dict[str, dict[str, Any]]
    """By capability."""
    text: str

    @property
    def failed(self) -> dict[str, str]:
        """What does not work, with the key to look at."""
        bad = (item for item in self.found.values() if item["verdict"] == "does not")
        return {item["capability"]: item["key"] for item in bad}


def check(path: Path, *arguments: str) -> Checked:
    """Run the command, for a program to read."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with redirect_stdout(out), redirect_stderr(io.TextIOWrapper(io.BytesIO())):
        code = run(["remote", "check", str(path), "--json", *arguments])
        out.flush()
    text = out.buffer.getvalue().decode()
    lines = [json.loads(line) for line in text.splitlines()]
    return Checked(code, {item["capability"]: item for item in lines[1:]}, text)


def written(tmp_path: Path, service: Any, profile: str, *mended: tuple[str, str]) -> Path:  # noqa: ANN401
    """Write the profile of a service to a file, with texts in it put in the place of others."""
    text = (PROFILES / profile).read_text(encoding="utf-8")
    url = tomllib.loads(text)["url"]
    for old, new in ((url, service.url), *mended):
        assert old in text, old
        text = text.replace(old, new)
    path = tmp_path / profile
    path.write_text(text, encoding="utf-8")
    return path


SECRETS: Final = {"KINTO_PASSWORD", "DATASETTE_TOKEN"}
SERVICES: Final = {
    "kinto": ("kinto_service", "kinto.toml"),
    "datasette, our ids": ("datasette_service", "datasette.toml"),
    "datasette, its ids": ("datasette_service", "datasette-tasks.toml"),
    "post only": ("rpc_service", "rpc.toml"),
}


@pytest.mark.parametrize(("service", "profile"), SERVICES.values(), ids=list(SERVICES))
def test_right_profile(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    service: str,
    profile: str,
) -> None:
    """A profile that works is said to work, secrets are masked, and nothing is left behind."""
    running = request.getfixturevalue(service)
    for name, secret in running.environ.items():
        monkeypatch.setenv(name, secret)
    text = (PROFILES / profile).read_text(encoding="utf-8")
    path = written(tmp_path, running, profile)
    if service == "rpc_service":  # the stand-in lists no changes
        head, _, tail = text.replace("https://rpc.example.org/api", running.url).partition(
            "[changes]"
        )
        path.write_text(head + tail[tail.index("[[meaning]]") :], encoding="utf-8")

    found = check(path, "--write", "--yes", *FIELDS)

    assert (found.code, found.failed) == (0, {}), found.text
    works = {name for name, item in found.found.items() if item["verdict"] == "works"}
    assert {"reachable", "authenticated", "absent record", "create", "update", "unset"} <= works
    assert {"replayed create", "delete", "nothing left behind"} <= works
    assert ("stale change" in works) is ("datasette" not in profile)
    secrets = {name: text for name, text in running.environ.items() if name in SECRETS}
    assert not [name for name, secret in secrets.items() if secret in found.text]


def test_only_read(tmp_path: Path) -> None:
    """Without --write nothing is written."""
    path = tmp_path / "local.toml"
    with RecordService() as service:
        path.write_text(f'url = "{service.url}"\n', encoding="utf-8")

        found = check(path, "--type", "Visit")

        assert (found.code, found.failed) == (0, {})
        assert [*found.found] == ["reachable", "authenticated", "absent record"]
        assert service.effects == []


def test_plain_service(tmp_path: Path) -> None:
    """A plain service works by its address alone."""
    path = tmp_path / "local.toml"
    with RecordService() as service:
        path.write_text(f'url = "{service.url}"\n', encoding="utf-8")

        found = check(path, "--type", "Visit", "--write", "--yes")

        assert (found.code, found.failed) == (0, {}), found.text
        assert service.records == {}


@pytest.mark.parametrize("pattern", ["[a-v0-9]{5,1024}", "[0-9]+", "[A-F0-9]{32}", ".{1,12}"])
def test_a_service_that_takes_few_keys(tmp_path: Path, pattern: str) -> None:
    """The record that is written has a key of a form that the service takes."""
    path = tmp_path / "local.toml"
    with RecordService() as service:
        text = f'url = "{service.url}"\n[key]\npattern = "{pattern}"\n'
        path.write_text(text, encoding="utf-8")

        found = check(path, "--type", "Visit", "--write", "--yes")

        assert (found.code, found.failed) == (0, {}), found.text


def test_each_field_is_unset_in_its_way(tmp_path: Path) -> None:
    """What a profile says of single fields is told, too."""
    path = tmp_path / "local.toml"
    with RecordService() as service:
        text = f'url = "{service.url}"\n[types.Visit.fields]\nn = {{ unset = "[]" }}\n'
        path.write_text(text, encoding="utf-8")

        assert "The field n of Visit is unset by []." in check(path).text


def test_nobody_there(tmp_path: Path) -> None:
    """Where nobody answers, that is all that is said."""
    path = tmp_path / "nowhere.toml"
    path.write_text('url = "http://127.0.0.1:1"\n', encoding="utf-8")

    found = check(path, "--type", "Visit", "--write", "--yes")

    assert (found.code, found.failed) == (1, {"reachable": "url"})


def test_nobody_to_ask(tmp_path: Path) -> None:
    """Where nobody can be asked, and nobody said --yes, nothing is written."""
    path = tmp_path / "local.toml"
    with RecordService() as service:
        path.write_text(f'url = "{service.url}"\n', encoding="utf-8")

        assert check(path, "--type", "Visit", "--write").code == 2
        assert service.effects == []


class Lenient(Rpc):
    """Takes any key any number of times, and says nothing of what it has made."""

    def _create(self, content: Any) -> Reply:  # noqa: ANN401  JSON
        self._made += 1
        record = {"id": self._made, "ref": content["ref"], "rev": 1, "values": content["values"]}
        self._records[self._made] = record
        return Reply(HTTPStatus.OK, {"result": {}})

    def _on_record(self, verb: str, content: Any) -> Reply:  # noqa: ANN401  JSON
        if "ref" in content:  # it is read by our key
            refs = (number for number, r in self._records.items() if r["ref"] == content["ref"])
            content = {**content, "id": next(refs, 0)}
        return super()._on_record(verb, content)

    @property
    def left(self) -> int:
        """How many records it has."""
        return len(self._records)


SILENT: Final = 'answer = { record = "none", id = "none", key = "none", version = "none" }'


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lenient]:
    """A service that makes a second record of a second create."""
    service = Lenient()
    for variable, secret in service.environ.items():
        monkeypatch.setenv(variable, secret)
    with service.running():
        yield service


def without(path: Path, section: str, following: str) -> None:
    """Take a section out of a profile."""
    head, _, tail = path.read_text(encoding="utf-8").partition(section)
    path.write_text(head + tail[tail.index(following) :], encoding="utf-8")


def test_second_record(lenient: Lenient, tmp_path: Path) -> None:
    """A second record under our key is found by the look-up, and taken away; it is not denied."""
    path = written(tmp_path, lenient, "rpc.toml", ("\n[find]", f"{SILENT}\n\n[find]"))
    without(path, "[changes]", "[[meaning]]")

    found = check(path, "--write", "--yes", *FIELDS)

    assert found.found["receipt of create"]["verdict"] == "not told"
    assert found.failed == {"replayed create": "create.is_repeatable"}, found.text
    assert lenient.left == 0


def test_second_record_that_nobody_can_see(lenient: Lenient, tmp_path: Path) -> None:
    """Where nothing lists what is under our key, a second record is seen, and taken away, last."""
    by_key = (
        'record.get"\nbody = \'{"type": "{type}", "id": "{id}"}',
        'record.get"\nbody = \'{"type": "{type}", "ref": "{key}"}',
    )
    path = written(tmp_path, lenient, "rpc.toml", ("\n[find]", f"{SILENT}\n\n[find]"), by_key)
    without(path, "[changes]", "[[meaning]]")
    without(path, "[find]", "[read]")

    found = check(path, "--write", "--yes", *FIELDS)

    assert found.found["replayed create"]["verdict"] == "not told"
    assert found.failed == {"delete": "create.is_repeatable"}, found.text
    assert lenient.left == 0


WRONG: Final = {
    "where the record is": ('record = "/data"', 'record = "/item"', "create", "answer"),
    "where the fields are": (
        'record = "/data"',
        'record = ""\nfields = "/permissions"',
        "create",
        "answer",
    ),
    "where the version is": ("{/last_modified}\"'  ", "{/rev}\"'  ", "version", "answer.version"),
    "how an update goes": (
        'method = "PATCH"',
        'method = "PUT"',
        "update",
        "update.body",
    ),
    "how a version is sent": (
        "[changes]",
        '[version]\ncondition = "X-Version"\n\n[changes]',
        "stale change",
        "version.condition",
    ),
    "where changes are": (
        'items = "/data"',
        'items = "/items"',
        "list of changes",
        "changes.items",
    ),
    "what a checkpoint is": (
        "since = '\"{/last_modified}\"'",
        'overlap_s = 5.0\nsince = "/id"',
        "list from a checkpoint",
        "changes.overlap_s",
    ),
    "what goes on from a checkpoint": (
        "since = '\"{/last_modified}\"'",
        'since = "/id"',
        "list from a checkpoint",
        "changes.since",
    ),
    "where deletes go": (
        'method = "DELETE"\npath = "/collections/{type}/records/{id}"',
        'method = "DELETE"\npath = "/collections/{type}/record/{id}"',
        "delete",
        "delete",
    ),
    "who we are": ("{env:KINTO_USER}", "", "authenticated", "auth"),
}


@pytest.mark.parametrize("name", list(WRONG))
def test_wrong_profile(
    kinto_service: Kinto,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str,
) -> None:
    """Each mistake in a profile is found, the key is named at which to look, and nothing is left.

    Only where the mistake is in the delete itself, it is said what is left.
    """
    old, new, capability, key = WRONG[name]
    for variable, secret in kinto_service.environ.items():
        monkeypatch.setenv(variable, secret)
    path = written(tmp_path, kinto_service, "kinto.toml", (old, new))

    found = check(path, "--write", "--yes", *FIELDS)

    assert found.code == 1
    assert found.failed.get(capability) == key, found.text
    assert ("nothing left behind" in found.failed) is (capability == "delete")


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ('path = "/changes?since={since}"\nsince = "/n"\ndeleted = "/id"', "changes.deleted"),
        ('path = "/changes?since={since}"\nsince = "/position"', "changes"),
        ('path = "/changes/all?since={since}"\nsince = "/n"', "changes.path"),
    ],
)
def test_wrong_list(tmp_path: Path, changes: str, key: str) -> None:
    """A list that shows our record as deleted, or no checkpoint, is found before it is pulled."""
    answer = '{ fields = "/fields", key = "/id", version = "/etag" }'
    path = tmp_path / "local.toml"
    with RecordService() as service:
        text = changes.replace("/changes", "/{type}")
        path.write_text(
            f'url = "{service.url}"\n[changes]\nitems = "/changes"\nfirst = "0"\n'
            f"answer = {answer}\n{text}\n[types.Visit]\n",
            encoding="utf-8",
        )

        found = check(path, "--write", "--yes")

        assert found.failed == {"list of changes": key}, found.text
        assert service.records == {}
