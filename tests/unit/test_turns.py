"""The numbers under which drafts are sent, and what a profile says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from journal import Journal, Ref
from journal.errors import ProfileError
from journal.events import PushStarted
from journal.remotes import HttpRemote, Profile
from journal.sync.turns import Turns
from tests.unit.scripted import LOST, REFUSED, Script, says, shows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.remotes import Request

SAID: Final = {"K": "{draft}", "J": "{journal}", "N": "{number}", "P": "{previous}"}
WRITE: Final[dict[str, Any]] = {"headers": SAID, "is_repeatable": True}
FIELDS: Final = {"Name": "a"}


@pytest.fixture
def journal() -> Iterator[Journal]:
    """An empty journal."""
    with Journal(actor="ann", origin="van-7") as journal:
        yield journal


def remote(**profile: Any) -> HttpRemote:  # noqa: ANN401  any key of a profile
    """Return a remote that is told of turns."""
    verbs = dict.fromkeys(("create", "update", "delete"), WRITE)
    return HttpRemote(Profile.of({"url": "https://records.example.com", **verbs, **profile}))


def said(requests: list[Request]) -> list[tuple[str | None, str | None]]:
    """Return the number and the previous number of each write."""
    writes = [request.headers for request in requests if request.method != "GET"]
    return [(headers.get("N"), headers.get("P")) for headers in writes]


def begun(journal: Journal) -> list[str]:
    """Return where drafts were begun in the log."""
    entries = journal.log.read()
    return [str(entry.position) for entry in entries if isinstance(entry.event, PushStarted)]


def test_at_first_nothing_is_acknowledged() -> None:
    """W2: without a draft that was acknowledged there is no number to say."""
    turns = Turns()

    assert (turns.acknowledged, turns.of("d1"), turns.is_overtaken("d1")) == (0, None, False)


def test_each_says_the_one_before(journal: Journal) -> None:
    """W1, W2: a draft says its number, and that of the one that was acknowledged last."""
    for name in ("n1", "n2"):
        journal.create("Note", FIELDS, id=name)
    script = Script(journal, remote())

    script.drain(shows(FIELDS, '"1"', 201), shows(FIELDS, '"1"', 201))

    one, two = begun(journal)
    assert said(script.requests) == [(one, None), (two, one)]
    assert {request.headers["J"] for request in script.requests} == {journal.log.journal_id}


def test_the_number_stays(journal: Journal) -> None:
    """W1: sent again, by whomever, a draft has the same number and the same key."""
    journal.create("Note", FIELDS, id="n1")
    first = Script(journal, remote(), attempts=2)
    first.drain(LOST, REFUSED)
    first.session.lease.release()
    second = Script(journal, remote())

    second.drain(shows(FIELDS, '"1"', 201))

    [number] = begun(journal)
    requests = [*first.requests, *second.requests]
    assert said(requests) == [(number, None)] * 3
    assert len({request.headers["K"] for request in requests}) == 1


def test_the_one_before_is_kept(journal: Journal) -> None:
    """W2: who begins anew, after everything before is settled, still says the one before."""
    note = journal.create("Note", FIELDS, id="n1")
    Script(journal, remote()).drain(shows(FIELDS, '"1"', 201))
    journal.update(note, {"Name": "b"})
    script = Script(journal, remote())

    script.drain(shows({"Name": "b"}, '"2"'))

    one, two = begun(journal)
    assert said(script.requests) == [(two, one)]


def test_a_read_is_not_the_one_before(journal: Journal) -> None:
    """W2: what a read has acknowledged may never have been applied under its key."""
    journal.create("Note", FIELDS, id="n1")
    profile = {"create": {**WRITE, "is_repeatable": False}}
    Script(journal, remote(**profile)).drain(LOST, shows(FIELDS, '"1"'))
    journal.create("Note", FIELDS, id="n2")
    script = Script(journal, remote())

    script.drain(shows(FIELDS, '"1"', 201))

    assert said(script.requests) == [(begun(journal)[-1], None)]


def test_a_refusal_is_not_the_one_before(journal: Journal) -> None:
    """W2: what was refused, and discarded, is no hole."""
    journal.create("Note", FIELDS, id="n1")
    journal.create("Note", FIELDS, id="n2")
    script = Script(journal, remote())
    script.drain(says(422), says(404), shows(FIELDS, '"1"', 201))
    journal.discard(journal.load(Ref("Note:n1")).changes[0].draft_id)
    journal.create("Note", FIELDS, id="n3")

    script.drain(shows(FIELDS, '"1"', 201))

    _, two, three = begun(journal)
    assert said(script.requests)[1:] == [(two, None), (three, two)]


def test_who_is_overtaken_gets_another_number(journal: Journal) -> None:
    """W1: a draft in doubt that an earlier one overtakes is begun anew, and still in doubt."""
    first = journal.create("Note", FIELDS, id="n1")
    journal.create("Note", FIELDS, id="n2")
    script = Script(journal, remote(), attempts=1)
    script.drain(says(422), says(404), LOST)
    journal.retry(journal.load(first).changes[0].draft_id)
    script = Script(journal, remote())

    script.drain(shows(FIELDS, '"1"', 201), shows(FIELDS, '"1"', 201))

    _, lost, retried, anew = begun(journal)
    assert said(script.requests) == [(retried, None), (anew, retried)]
    assert int(lost) < int(retried) < int(anew)


def test_who_is_overtaken_is_looked_up(journal: Journal) -> None:
    """It may be applied all the same: where requests cannot be repeated, it is read first."""
    first = journal.create("Note", FIELDS, id="n1")
    journal.create("Note", FIELDS, id="n2")
    profile = {"create": {**WRITE, "is_repeatable": False}}
    script = Script(journal, remote(**profile), attempts=1)
    script.drain(says(422), says(404), LOST)
    journal.retry(journal.load(first).changes[0].draft_id)
    script = Script(journal, remote(**profile))

    script.drain(shows(FIELDS, '"1"', 201), shows(FIELDS, '"1"'))

    assert script.methods == ["PUT", "GET"]


@pytest.mark.parametrize(
    ("kind", "answer"), [("update", shows({"Name": "b"}, '"2"')), ("delete", says(204))]
)
def test_a_change_that_is_repeatable_needs_no_read(
    journal: Journal,
    kind: str,
    answer: Any,  # noqa: ANN401
) -> None:
    """A lost answer is asked for again, as long as the service remembers; later it is read."""
    journal.observe(Ref("Note:n1"), FIELDS, remote_version='"1"')
    if kind == "update":
        journal.update(Ref("Note:n1"), {"Name": "b"})
    else:
        journal.delete(Ref("Note:n1"))
    script = Script(journal, remote())
    forgets = {kind: {**WRITE, "remembered_s": 0.0}}
    forgetful = Script(journal, remote(**forgets), attempts=1)

    forgetful.drain(LOST)
    forgetful.drain(LOST)
    forgetful.session.lease.release()
    script.drain(answer)

    assert [r.method == "GET" for r in forgetful.requests] == [False, True]
    assert script.methods == [forgetful.methods[0]]


@pytest.mark.parametrize("verb", ["create", "update", "delete"])
def test_what_is_repeatable_says_its_key(verb: str) -> None:
    """A profile that says so without a key in the request is refused."""
    with pytest.raises(ProfileError, match=r"needs \{draft\}") as caught:
        remote(**{verb: {"is_repeatable": True}})

    assert caught.value.keys == (f"{verb}.is_repeatable",)


@pytest.mark.parametrize("verb", ["read", "find", "changes"])
def test_what_reads_has_no_turn(verb: str) -> None:
    """What reads is about no draft."""
    paths = {"read": "/{id}", "find": "/?key={key}", "changes": "/?since={since}"}
    section: dict[str, Any] = {"path": paths[verb], "headers": {"N": "{number}"}}
    answer = {"answer": {"key": "/key"}}
    with pytest.raises(ProfileError, match=r"unknown placeholder \{number\}"):
        remote(**{verb: section}, **answer)


def test_before_anything_is_known() -> None:
    """A draft that was not begun has no number, and nothing has overtaken it."""
    turns = Turns(7)

    assert (turns.of("d1"), turns.is_overtaken("d1"), turns.acknowledged) == (None, False, 7)
