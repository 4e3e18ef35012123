"""Conflicts that a session meets, and queues that it stops: what is appended, and what is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from journal import Journal, Ref
from journal.events import (
    QUEUE,
    ConflictResolved,
    DraftAcknowledged,
    DraftHeld,
    FieldMessage,
    QueueStopped,
    RecordObserved,
    Resolution,
)
from journal.outcomes import Outcome, Refused, Seen
from journal.policies import Policies
from journal.remotes import HttpRemote, Profile
from journal.resolutions import MAX_RESOLUTIONS
from projections import Drafts
from tests.unit.foreign import Shared
from tests.unit.scripted import Script, says, shows

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from journal.conflicts import Conflict
    from journal.events import Event
    from journal.remotes.remote import Answer, Push, Request

ACME = Ref("Account:acme")


@pytest.fixture
def journal() -> Iterator[Journal]:
    """Return an empty journal in memory."""
    with Journal(actor="ann", origin="van-7") as journal:
        yield journal


def met(journal: Journal, theirs: dict[str, Any] | None, **settings: Any) -> tuple[Script, Shared]:  # noqa: ANN401
    """Let somebody else write to a record that we know; return what sends to it."""
    shared = Shared()
    shared.write(ACME, {"Name": "Acme", "Phone": "1"})
    journal.observe(ACME, {"Name": "Acme", "Phone": "1"}, remote_version="v1")
    shared.write(ACME, theirs)
    return Script(journal, shared, **settings), shared


def since(journal: Journal, head: int) -> list[Event]:
    """Return the events after a position."""
    return [entry.event for entry in journal.log.read(head)]


class TestConflict:
    """A conflict, from the refusal to the decision."""

    def test_is_merged_and_sent_again(self, journal: Journal) -> None:
        """What was seen and decided is stored in one append, with a reason; then it is sent."""
        script, shared = met(journal, {"Name": "Acme Ltd"})
        journal.update(ACME, {"Phone": "2"})
        draft_id = journal.load(ACME).changes[0].draft_id
        head = journal.log.head()

        report = script.drain()

        assert (report.acknowledged, report.pending, report.attempts) == (1, 0, 2)
        assert shared.stored[ACME].fields == {"Name": "Acme Ltd", "Phone": "2"}
        seen, resolved = journal.log.read(head + 1, 2)
        assert seen.batch == resolved.batch == seen.position
        assert seen.event == RecordObserved(
            exists=True,
            fields={"Name": "Acme Ltd", "Phone": "1"},
            remote_id="acme",
            remote_version="v2",
        )
        assert resolved.event == ConflictResolved(
            draft_id=draft_id,
            revision=1,
            base={"Phone": "1"},
            ours={"Phone": "2"},
            theirs={"Phone": "1"},
            resolutions=(Resolution(field="Phone", side="ours", rule="changed here only"),),
            kind="update",
            fields={"Phone": "2"},
            remote_version="v2",
        )
        assert resolved.reason == (
            "the remote has another state of the record than the draft was made on"
        )
        assert [(push.revision, push.base_version) for push in shared.pushes] == [
            (0, "v1"),
            (1, "v2"),
        ]

    def test_is_held_with_what_both_became(self, journal: Journal) -> None:
        """C2: what is disputed is told by field, and in the sentence."""
        script, _ = met(journal, {"Phone": "3"})
        journal.update(ACME, {"Phone": "2"})

        report = script.drain()

        assert (report.held, report.stopped_by) == (1, "held")
        event = journal.log.stream(ACME)[-1].event
        assert isinstance(event, DraftHeld)
        assert event.classification == "conflict"
        assert event.messages[0] == FieldMessage(
            field="Phone", message='here it became "2", at the remote "3"; it was "1"'
        )
        assert Drafts(journal).pending()[0].why == (
            "the update of Account:acme is held: conflict (Phone: here it became "
            '"2", at the remote "3"; it was "1"; the remote has a newer version of the record); '
            "it waits for a decision: resolve it for ours, for theirs or with values, or discard it"
        )

    def test_nothing_left_to_send_ends_it(self, journal: Journal) -> None:
        """A draft of which nothing is left has ended, without an acknowledgement."""
        script, shared = met(journal, {"Phone": "3"}, conflicts=Policies({"Account": "theirs"}))
        journal.update(ACME, {"Phone": "2"})

        report = script.drain()

        assert (report.acknowledged, report.pending, report.stopped_by) == (0, 0, None)
        assert journal.load(ACME).fields == shared.stored[ACME].fields
        assert len(shared.pushes) == 1

    def test_foreign_delete_is_undone_for_ours(self, journal: Journal) -> None:
        """What is gone is created again with all of its fields."""
        script, shared = met(journal, None, conflicts=Policies(default="ours"))
        journal.update(ACME, {"Phone": "2"})

        assert script.drain().acknowledged == 1

        assert shared.stored[ACME].fields == {"Name": "Acme", "Phone": "2"}
        assert [push.kind for push in shared.pushes] == ["update", "create"]

    def test_a_key_that_is_taken(self, journal: Journal) -> None:
        """For ours, a record under our key is updated with what differs."""
        shared = Shared()
        shared.write(ACME, {"Name": "theirs", "City": "Ulm", "Size": 1})
        journal.create("Account", {"Name": "ours", "Size": 1}, id="acme")

        Script(journal, shared, conflicts=Policies(default="ours")).drain()

        assert shared.stored[ACME].fields == {"Name": "ours", "City": "Ulm", "Size": 1}
        assert [(push.kind, push.fields) for push in shared.pushes][1:] == [
            ("update", {"Name": "ours"})
        ]

    def test_a_delete_of_what_was_changed(self, journal: Journal) -> None:
        """For ours, the new version is deleted; by default it is held."""
        script, shared = met(journal, {"Phone": "3"})
        journal.delete(ACME)

        assert script.drain().held == 1
        journal.resolve(journal.load(ACME).changes[0].draft_id, "ours")
        assert script.drain().acknowledged == 1
        assert ACME not in shared.stored

    def test_function_that_fails_holds_it(self, journal: Journal) -> None:
        """C3: a broken policy ends neither the subscriber nor the draft."""

        def broken(_: Conflict) -> Any:  # noqa: ANN401
            raise LookupError("no idea")

        script, _ = met(journal, {"Phone": "3"}, conflicts=Policies(default=broken))
        journal.update(ACME, {"Phone": "2"})

        assert script.drain().problem == "the policy broken failed: LookupError: no idea"

    def test_a_hot_remote_is_given_up(self, journal: Journal) -> None:
        """V4: where the remote is changed before every attempt, the draft is held in the end."""
        script, shared = met(journal, {"Name": "0"})
        shared.before_push = lambda push: shared.write(ACME, {"Name": f"{push.revision + 1}"})
        journal.update(ACME, {"Phone": "2"})

        report = script.drain()

        assert (report.held, report.attempts) == (1, MAX_RESOLUTIONS + 1)
        assert report.problem == (
            f"it was resolved {MAX_RESOLUTIONS} times, and the remote was changed again each time"
        )
        journal.retry(journal.load(ACME).changes[0].draft_id)
        shared.before_push = lambda _: None
        assert script.drain().pending == 0

    def test_a_later_draft_waits_for_the_decision(self, journal: Journal) -> None:
        """The lane waits; what was made on the draft is then judged by what the remote has."""
        script, shared = met(journal, {"Phone": "3", "Name": "theirs"})
        journal.update(ACME, {"Phone": "2"})
        journal.update(ACME, {"Name": "ours"})

        assert script.drain().pending == 2
        journal.resolve(journal.load(ACME).changes[0].draft_id, "theirs")
        assert script.drain().held == 1
        held = journal.log.stream(ACME)[-1].event
        assert isinstance(held, DraftHeld)
        assert held.messages[0].field == "Name"
        assert shared.stored[ACME].fields == {"Name": "theirs", "Phone": "3"}

    def test_what_cannot_be_kept_is_held(self, journal: Journal) -> None:
        """A record of the remote's that no log can hold decides nothing."""

        class Odd(Shared):
            def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
                self.pushes.append(push)
                return Refused("conflict", seen=Seen({"Phone": float("nan")}))
                yield

        journal.observe(ACME, {"Phone": "1"}, remote_version="v1")
        journal.update(ACME, {"Phone": "2"})

        report = Script(journal, Odd()).drain()

        assert report.held == 1
        assert report.problem.startswith("the remote's record cannot be kept: Account:acme /Phone")


class Picky(Shared):
    """Rejects what has no name."""

    def push(self, push: Push) -> Generator[Request, Answer, Outcome]:
        """Take a draft with a name."""
        if push.kind == "create" and not push.fields.get("Name"):
            self.pushes.append(push)
            message = FieldMessage(field="Name", message="is missing")
            return Refused("rejected", (message,), 422)
        return (yield from super().push(push))


class TestRejections:
    """S6: a queue in which too much is rejected."""

    def test_stop_the_queue(self, journal: Journal) -> None:
        """After so many in a row nothing more is sent, and the queue says why."""
        for n in range(7):
            journal.create("Account", {"Size": n})
        remote = Picky()

        report = Script(journal, remote).drain()

        assert (report.held, report.pending, report.stopped_by) == (5, 7, "stopped")
        assert len(remote.pushes) == 5
        (stopped,) = journal.log.stream(QUEUE)
        last = remote.pushes[-1].ref
        problem = (
            "5 drafts in a row were rejected, such as "
            f"the create of {last}: rejected (Name: is missing)"
        )
        assert (stopped.actor, stopped.event) == (
            "sync",
            QueueStopped(cause="rejections", problem=problem),
        )
        assert report.problem == f"it was stopped by sync ({problem})"

    def test_are_counted_over_restarts(self, journal: Journal) -> None:
        """The count is a fold of the log: who begins anew goes on counting."""
        remote = Picky()
        stopped_by = []
        for n in range(5):
            journal.create("Account", {"Size": n})
            stopped_by.append(Script(journal, remote).drain().stopped_by)

        assert stopped_by == ["held"] * 4 + ["stopped"]

    def test_in_a_row_only(self, journal: Journal) -> None:
        """What is acknowledged in between begins the count anew."""
        for n in range(8):
            journal.create("Account", {"Size": n})
            journal.create("Account", {"Name": "Acme"})

        report = Script(journal, Picky()).drain()

        assert (report.acknowledged, report.held, report.stopped_by) == (8, 8, "held")

    def test_start_begins_anew(self, journal: Journal) -> None:
        """Started again, the queue takes as many rejections before it stops again."""
        for n in range(7):
            journal.create("Account", {"Size": n})
        script = Script(journal, Picky())
        script.drain()

        journal.start_queue()

        assert script.drain().stopped_by == "held"
        assert [type(entry.event).__name__ for entry in journal.log.stream(QUEUE)] == [
            "QueueStopped",
            "QueueStarted",
        ]

    def test_what_is_decided_goes_on(self, journal: Journal) -> None:
        """Amended, discarded or retried, the held drafts go on once the queue is started."""
        refs = [journal.create("Account", {"Size": n}) for n in range(5)]
        script = Script(journal, Picky())
        assert script.drain().stopped_by == "stopped"

        for ref in refs[1:]:
            journal.amend(journal.load(ref).changes[0].draft_id, {"Name": "Acme"})
        journal.discard(journal.load(refs[0]).changes[0].draft_id)
        assert script.drain().stopped_by == "stopped"
        journal.start_queue()

        assert script.drain().acknowledged == 4

    def test_may_be_as_many_as_there_are(self, journal: Journal) -> None:
        """Without a limit the queue is never stopped."""
        for n in range(7):
            journal.create("Account", {"Size": n})

        assert Script(journal, Picky(), rejections=None).drain().held == 7

    def test_stop_without_a_draft_left(self, journal: Journal) -> None:
        """Where the rejected drafts were all discarded, the count is told without one."""
        remote = Picky()
        for n in range(4):
            ref = journal.create("Account", {"Size": n})
            Script(journal, remote).drain()
            journal.discard(journal.load(ref).changes[0].draft_id)
        journal.create("Account", {"Name": "Acme"})

        report = Script(journal, remote, rejections=4).drain()

        assert (report.stopped_by, report.acknowledged) == ("stopped", 0)
        assert "4 drafts in a row were rejected)" in report.problem


def test_an_alarm_stops_the_queue(journal: Journal) -> None:
    """A key that was used for another body: the draft is held and the queue stopped, at once."""
    ref = journal.create("Account", {"Name": "Acme"}, id="a1")
    journal.create("Account", {"Name": "Other"}, id="a2")
    remote = HttpRemote(Profile.of({"url": "https://records.example.com"}))
    said = b'{"message": "idempotency key was used with different parameters"}'

    script = Script(journal, remote)
    report = script.drain(says(422, said))

    held, stopped = journal.log.read()[-2:]
    assert isinstance(held.event, DraftHeld)
    assert isinstance(stopped.event, QueueStopped)
    assert held.event.classification == "unknown"
    assert (held.batch, stopped.batch, stopped.actor) == (held.position, held.position, "sync")
    assert stopped.event.cause == "rejections"
    assert f"the create of {ref}" in stopped.event.problem
    assert "idempotency key was used with different parameters" in stopped.event.problem
    assert (report.stopped_by, report.held, script.methods) == ("stopped", 1, ["PUT"])

    journal.start_queue()
    assert script.drain(shows({"Name": "Other"}, '"1"')).acknowledged == 1


def test_a_person_stops_what_runs(journal: Journal) -> None:
    """Q5: a queue that a person has stopped is reported as such, and goes on when started."""
    script, _ = met(journal, {"Name": "x"})
    journal.update(ACME, {"Phone": "2"})
    journal.stop_queue(reason="lunch")

    stopped = script.drain()
    journal.start_queue()
    report = script.drain()

    assert (stopped.stopped_by, stopped.problem, stopped.attempts) == (
        "stopped",
        "it was stopped by ann (lunch)",
        0,
    )
    assert (report.acknowledged, report.stopped_by) == (1, None)
    assert any(isinstance(event, DraftAcknowledged) for event in since(journal, 0))
