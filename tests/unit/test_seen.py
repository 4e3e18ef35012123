"""What is seen of a record while its draft is on its way, and the receipt that comes after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from journal import Journal, Ref
from journal.events import DraftAcknowledged, PushStarted, RecordObserved
from journal.remotes import HttpRemote, Profile
from journal.sync.seen import WHOLE, SeenSince, is_other, seen_again
from tests.unit.scripted import LOST, REFUSED, Script, says, shows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from journal.events import Event
    from journal.remotes import Request
    from journal.remotes.remote import NoAnswer
    from journal.sync.seen import Sight

NOTE: Final = Ref.of("Note", "n1")
BEFORE: Final = {"title": "a", "text": "x"}
OURS: Final = {"title": "b", "text": "x"}


@pytest.fixture
def journal() -> Iterator[Journal]:
    """A journal that knows a note, at version 1."""
    with Journal(actor="ann", origin="van-7") as journal:
        journal.observe(NOTE, BEFORE, remote_version='"1"')
        yield journal


def remote(**profile: Any) -> HttpRemote:  # noqa: ANN401  any key of a profile
    """Return a remote."""
    return HttpRemote(Profile.of({"url": "https://records.example.com", **profile}))


def sent(
    journal: Journal, fields: dict[str, Any] | None, version: str | None, receipt: str | None
) -> None:
    """Drain the drafts; while the first is on its way, this is seen; then come the receipts."""

    def at(request: Request) -> None:
        if request.method != "GET" and not seen:
            seen.append(request)
            journal.observe(NOTE, fields, remote_version=version)

    seen: list[Request] = []
    script = Script(journal, remote())
    script.drain(shows(OURS, receipt), at=at)


def changed(journal: Journal, title: str) -> str:
    """Change the note; return the draft."""
    draft = journal.update(NOTE, {"title": title})
    assert draft is not None
    return draft


def known(journal: Journal) -> tuple[Any, str | None]:
    """Return what is known of the note: its fields, and the remote's version."""
    record = journal.load(NOTE)
    return record.fields, record.remote.version


class TestAReceiptDoesNotSetARecordBack:
    """N1, N2: what was seen since the draft was begun stands, where it is newer."""

    @pytest.mark.parametrize(
        "seen",
        [
            pytest.param({"title": "b", "text": "theirs"}, id="another field"),
            pytest.param({"title": "c", "text": "x"}, id="the same field"),
            pytest.param(OURS, id="nothing but the version"),
        ],
    )
    def test_somebody_was_faster_than_our_receipt(
        self, journal: Journal, seen: dict[str, str]
    ) -> None:
        """The remote carried out ours, then theirs; theirs was seen before our receipt came."""
        journal.update(NOTE, {"title": "b"})

        sent(journal, seen, '"3"', '"2"')

        assert known(journal) == (seen, '"3"')
        *_, receipt, again = journal.log.read()
        assert isinstance(receipt.event, DraftAcknowledged)
        assert receipt.event.remote_version == '"2"'
        assert isinstance(again.event, RecordObserved)
        assert (again.actor, again.causation_id) == ("sync", receipt.causation_id)

    def test_somebody_has_deleted_it_since(self, journal: Journal) -> None:
        """An update succeeds on what is there: that it is gone is newer."""
        journal.update(NOTE, {"title": "b"})

        sent(journal, None, None, '"2"')

        assert known(journal) == (None, None)

    def test_somebody_has_deleted_what_we_have_just_created(self, journal: Journal) -> None:
        """It was there, for it was seen."""
        keyed = {"headers": {"Idempotency-Key": "{draft}"}, "is_repeatable": True}
        new = journal.create("Note", {"title": "b"}, id="n2")
        script = Script(journal, remote(create=keyed), attempts=1)
        script.drain(LOST)
        journal.observe(new, {"title": "b"}, remote_version='"1"')
        journal.observe(new, None)

        script.drain(shows({"title": "b"}, '"1"', 201))

        assert journal.load(new).fields is None

    @pytest.mark.parametrize(
        ("gone", "left"), [("S4", None), ("S3", {"title": "b"}), (None, {"title": "b"})]
    )
    def test_somebody_has_deleted_what_we_have_created_unseen(
        self, journal: Journal, gone: str | None, left: dict[str, str] | None
    ) -> None:
        """It was there, where what is gone has the name that the remote gave to what we made."""
        answer = {"id": "/sid", "key": "/key", "version": "/v"}
        create = {
            "headers": {"Idempotency-Key": "{draft}"},
            "is_repeatable": True,
            "method": "POST",
            "path": "/{type}",
            "body": '{"key": "{key}", "...": "{fields}"}',
        }
        find = {"path": "/{type}?key={key}", "items": "/found"}
        new = journal.create("Note", {"title": "b"}, id="n2")
        script = Script(journal, remote(create=create, find=find, answer=answer), attempts=1)
        script.drain(LOST)
        journal.observe(new, None, remote_id=gone)

        script.drain(shows({"sid": "S4", "key": "n2", "v": "1", "title": "b"}, status=201))

        assert journal.load(new).fields == left

    @pytest.mark.parametrize("title", ["b", "c"])
    def test_without_versions_the_values_tell(self, journal: Journal, title: str) -> None:
        """What is as we wanted it, or as nobody here knew it, is newer."""
        journal.observe(NOTE, BEFORE)
        journal.update(NOTE, {"title": "b"})
        seen = {"title": title, "text": "theirs"}

        def at(request: Request) -> None:
            if request.method == "PATCH":
                journal.observe(NOTE, seen)

        Script(journal, remote()).drain(shows(BEFORE), shows(OURS), at=at)

        assert known(journal) == (seen, None)

    @pytest.mark.parametrize("version", [None, '"3"'])
    @pytest.mark.parametrize(
        ("seen", "left"),
        [
            pytest.param({"title": "c"}, ("c", "x", 2), id="the same field"),
            pytest.param({"title": "b", "text": "y"}, ("b", "y", 2), id="ours, and another"),
            pytest.param({"title": "b"}, ("b", "x", 2), id="ours"),
            pytest.param({"title": "a"}, None, id="what it was before"),
            pytest.param({"text": "y"}, None, id="another"),
        ],
    )
    def test_some_of_the_fields(
        self,
        journal: Journal,
        seen: dict[str, str],
        left: tuple[str, str, int] | None,
        version: str | None,
    ) -> None:
        """N4: the others are those of the receipt; so is the version, unless anything is newer."""
        keyed = {"headers": {"Idempotency-Key": "{draft}"}, "is_repeatable": True}
        journal.observe(NOTE, {**BEFORE, "of": 1}, remote_version='"1"')
        journal.update(NOTE, {"title": "b"})
        script = Script(journal, remote(update=keyed), attempts=1)
        script.drain(LOST)
        journal.observe(NOTE, seen, remote_version=version, partial=True)

        script.drain(shows({**OURS, "of": 2}, '"2"'))

        if left is None:  # the version alone says that it is newer
            left = (seen.get("title", "b"), seen.get("text", "x"), 2) if version else ("b", "x", 2)
        fields, after = known(journal)
        assert (fields["title"], fields["text"], fields["of"]) == left
        assert after == ('"2"' if left == ("b", "x", 2) else None)

    def test_a_receipt_without_fields_and_some_that_were_seen(self, journal: Journal) -> None:
        """N4: what nobody has changed is not noted again."""
        keyed = {"headers": {"Idempotency-Key": "{draft}"}, "is_repeatable": True}
        journal.update(NOTE, {"title": "b"})
        script = Script(journal, remote(update=keyed), attempts=1)
        script.drain(LOST)
        journal.observe(NOTE, {"title": "c"}, partial=True)
        journal.observe(NOTE, {"text": "y"}, partial=True)

        script.drain(says(204))

        assert known(journal) == ({"title": "c", "text": "y"}, None)
        again = journal.log.read()[-1].event
        assert isinstance(again, RecordObserved)
        assert (again.fields, again.partial) == ({"title": "c"}, True)

    def test_some_of_the_fields_and_all_of_them(self, journal: Journal) -> None:
        """What was seen whole is noted whole, whatever was seen of it before and after."""
        keyed = {"headers": {"Idempotency-Key": "{draft}"}, "is_repeatable": True}
        journal.update(NOTE, {"title": "b"})
        script = Script(journal, remote(update=keyed), attempts=1)
        script.drain(LOST)
        for fields in ({"text": "y"}, {"title": "c", "text": "z", "of": 1}, {"text": "y"}):
            partial = len(fields) == 1
            journal.observe(NOTE, fields, remote_version='"3"', partial=partial)

        script.drain(shows(OURS, '"2"'))

        assert known(journal) == ({"title": "c", "text": "y", "of": 1}, '"3"')

    def test_it_was_not_there_and_then_some_of_the_fields(self, journal: Journal) -> None:
        """N4: who has seen that a record was not there yet has seen none of its fields."""
        keyed = {"headers": {"Idempotency-Key": "{draft}"}, "is_repeatable": True}
        new = journal.create("Note", {"title": "b", "text": "x"}, id="n2")
        script = Script(journal, remote(create=keyed), attempts=1)
        script.drain(LOST)
        journal.observe(new, None)
        journal.observe(new, {"title": "b"}, partial=True)

        script.drain(shows({"title": "b", "text": "x"}, '"1"', 201))

        assert journal.load(new).fields == {"title": "b", "text": "x"}

    def test_a_lost_answer_that_is_repeated(self, journal: Journal) -> None:
        """What a service repeats for a key is as old as the first answer."""
        keyed = {"headers": {"Idempotency-Key": "{draft}"}, "is_repeatable": True}
        journal.update(NOTE, {"title": "b"})
        seen = {"title": "b", "text": "theirs"}
        script = Script(journal, remote(update=keyed), attempts=1)
        assert script.drain(LOST).stopped_by == "unreachable"

        journal.observe(NOTE, seen, remote_version='"3"')
        script.drain(shows(OURS, '"2"'))

        assert known(journal) == (seen, '"3"')


class TestAReceiptStands:
    """N2, N3: where what was seen is older, or may be, and nothing would tell of it again."""

    def test_what_was_seen_is_what_the_draft_was_made_on(self, journal: Journal) -> None:
        """A page from before the request, stored after it had left."""
        journal.update(NOTE, {"title": "b"})

        sent(journal, {**BEFORE, "more": 1}, '"1"', '"2"')

        assert known(journal) == ({**OURS, "more": 1}, '"2"')

    def test_it_was_seen_as_the_receipt_says(self, journal: Journal) -> None:
        """There is nothing to note."""
        journal.update(NOTE, {"title": "b"})

        sent(journal, OURS, '"2"', '"2"')

        assert isinstance(journal.log.read()[-1].event, DraftAcknowledged)
        assert known(journal) == (OURS, '"2"')

    def test_without_versions_the_old_values_are_older(self, journal: Journal) -> None:
        """It shows what the draft was made on."""
        journal.observe(NOTE, BEFORE)
        journal.update(NOTE, {"title": "b"})

        def at(request: Request) -> None:
            if request.method == "PATCH":
                journal.observe(NOTE, {"title": "a", "text": "theirs"})

        Script(journal, remote()).drain(shows(BEFORE), shows(OURS), at=at)

        assert known(journal) == ({"title": "b", "text": "theirs"}, None)

    def test_a_delete(self, journal: Journal) -> None:
        """Not every remote tells again of what is gone."""
        journal.delete(NOTE)

        def at(_: Request) -> None:
            journal.observe(NOTE, {**BEFORE, "text": "theirs"}, remote_version='"3"')

        Script(journal, remote()).drain(says(204), at=at)

        assert known(journal) == (None, None)

    def test_a_create_of_what_was_not_there_yet(self, journal: Journal) -> None:
        """That a record is not there is what a create was made on."""
        keyed = {"headers": {"Idempotency-Key": "{draft}"}, "is_repeatable": True}
        new = journal.create("Note", {"title": "b"}, id="n2")
        script = Script(journal, remote(create=keyed), attempts=1)
        script.drain(LOST)
        journal.observe(new, None)

        script.drain(shows({"title": "b"}, '"1"', 201))

        assert journal.load(new).fields == {"title": "b"}

    @pytest.mark.parametrize("is_gone", [True, False])
    def test_a_create_of_what_was_another_one_before(
        self, journal: Journal, *, is_gone: bool
    ) -> None:
        """Somebody had made a record under our key, and deleted it: it had another id."""
        new = journal.create("Note", {"title": "b"}, id="n2")
        create = {
            "method": "POST",
            "path": "/{type}",
            "headers": {"Idempotency-Key": "{draft}"},
            "body": '{"key": "{key}", "...": "{fields}"}',
            "is_repeatable": True,
        }
        named = {"id": "/id", "key": "/key"}
        keyed = remote(create=create, answer=named, find={"path": "/{type}?key={key}"})
        script = Script(journal, keyed, attempts=1)
        script.drain(LOST)
        journal.observe(new, {"title": "theirs"}, remote_id="S1")
        if is_gone:
            journal.observe(new, None, remote_id="S1")

        looks = [] if is_gone else [says(404), shows([])]  # what is seen there is looked up first
        script.drain(*looks, shows({"id": "S3", "key": "n2", "title": "b"}, '"1"', 201))

        assert script.methods == ["POST", *["GET"] * len(looks), "POST"]
        assert journal.load(new).fields == {"title": "b"}
        assert journal.load(new).remote.remote_id == "S3"

    def test_a_receipt_that_was_read(self, journal: Journal) -> None:
        """The read came after what was seen."""
        journal.update(NOTE, {"title": "b"})
        script = Script(journal, remote(), attempts=1)
        script.drain(LOST)
        journal.observe(NOTE, {"title": "b", "text": "theirs"}, remote_version='"3"')
        newest = {"title": "b", "text": "even newer"}

        script.drain(shows(newest, '"4"'))

        assert known(journal) == (newest, '"4"')

    @pytest.mark.parametrize("first", [REFUSED, LOST], ids=["not sent", "not answered"])
    def test_nothing_but_our_own_change_before_it_was_seen(
        self, journal: Journal, first: NoAnswer
    ) -> None:
        """The second draft was begun, and nothing of it had left, when the first was seen."""
        journal.update(NOTE, {"title": "b"})
        journal.update(NOTE, {"text": "y"})
        script = Script(journal, remote(), attempts=1)
        script.drain(says(204), first)
        journal.observe(NOTE, OURS, remote_version='"2"')

        script.drain(shows(OURS, '"2"'), says(204))

        assert script.methods[-1] == "PATCH"
        assert known(journal) == ({"title": "b", "text": "y"}, None)

    def test_its_version_is_new_and_that_which_the_draft_was_made_on_is_not_known(
        self, journal: Journal
    ) -> None:
        """Answers to changes may show no version, and pages do: then the values tell.

        A page that was asked for before the request left, and is stored before its receipt,
        shows what the change before this one has left, by a version that nobody here knew.
        """
        journal.update(NOTE, {"title": "b"})
        script = Script(journal, remote())
        script.drain(says(204))
        journal.update(NOTE, {"title": "c"})

        def at(request: Request) -> None:
            if request.method == "PATCH":
                journal.observe(NOTE, OURS, remote_version='"2"')

        script.drain(shows(OURS, '"2"'), says(204), at=at)

        assert script.methods == ["PATCH", "GET", "PATCH"]
        assert known(journal) == ({"title": "c", "text": "x"}, None)

    def test_it_was_lost_on_the_way_and_is_sent_by_another_sender(self, journal: Journal) -> None:
        """The read before the request shows what was seen before; the request comes after both."""
        journal.observe(NOTE, BEFORE)
        journal.update(NOTE, {"title": "b"})
        Script(journal, remote(), attempts=1).drain(shows(BEFORE), LOST)
        seen = {"title": "a", "text": "theirs"}
        journal.observe(NOTE, seen, remote_version='"5"')

        script = Script(journal, remote(), attempts=1)
        script.drain(shows(seen, '"5"'), shows({**seen, "title": "b"}, '"6"'))

        assert script.methods[-1] == "PATCH"
        assert known(journal) == ({**seen, "title": "b"}, '"6"')

    def test_it_was_seen_while_no_request_had_left(self, journal: Journal) -> None:
        """A draft may be begun for hours before its first request leaves."""
        keyed = {"headers": {"Idempotency-Key": "{draft}"}, "is_repeatable": True}
        journal.update(NOTE, {"title": "b"})
        script = Script(journal, remote(update=keyed), attempts=1)
        script.drain(REFUSED)
        journal.observe(NOTE, {"title": "c", "text": "x"}, remote_version='"0"')

        script.drain(shows(OURS, '"2"'))

        assert script.methods == ["PATCH", "PATCH"]
        assert known(journal) == (OURS, '"2"')

    def test_it_was_seen_before_the_draft_was_begun(self, journal: Journal) -> None:
        """The condition of the request was met: so nobody was there since."""
        journal.update(NOTE, {"title": "b"})
        journal.observe(NOTE, {"title": "a", "text": "old"}, remote_version='"0"')

        Script(journal, remote()).drain(shows(OURS, '"2"'))

        assert known(journal) == (OURS, '"2"')


class TestAConflictIsOfWhatIsKnownLast:
    """N3: what was read does not set the record back to what was there before."""

    THEIRS: Final = {"title": "theirs", "text": "x"}
    NEWER: Final = {"title": "newer", "text": "x"}

    def test_somebody_has_seen_something_newer_meanwhile(self, journal: Journal) -> None:
        """The read is asked once more, and the conflict is with what that shows."""
        changed(journal, "b")
        old, new = shows(self.THEIRS, '"2"'), shows(self.NEWER, '"3"')

        def at(request: Request) -> None:
            if request.method == "GET" and len(script.methods) == 3:
                journal.observe(NOTE, self.NEWER, remote_version='"3"')

        script = Script(journal, remote(), confirms=False)
        report = script.drain(says(412), old, old, new, new, at=at)

        assert script.methods == ["PATCH", "GET", "GET", "GET", "GET"]
        assert (report.held, journal.load(NOTE).remote[1:4:2]) == (1, (self.NEWER, '"3"'))
        seen = [e.event for e in journal.log.read() if isinstance(e.event, RecordObserved)]
        assert [event.remote_version for event in seen] == ['"1"', '"3"']

    def test_it_was_deleted_meanwhile(self, journal: Journal) -> None:
        """What is gone is not there again because a read that began before says so."""
        changed(journal, "b")
        old = shows(self.THEIRS, '"2"')

        def at(request: Request) -> None:
            if request.method == "GET" and len(script.methods) == 3:
                journal.observe(NOTE, None)

        script = Script(journal, remote(), confirms=False)
        script.drain(says(412), old, old, says(404), says(404), at=at)

        assert journal.load(NOTE).remote.exists is False

    @pytest.mark.parametrize(
        ("number", "seen"),
        [
            pytest.param(3, (THEIRS, '"2"'), id="the same, meanwhile"),
            pytest.param(0, (NEWER, '"3"'), id="something else, before"),
        ],
    )
    def test_nobody_has(
        self, journal: Journal, number: int, seen: tuple[dict[str, str], str]
    ) -> None:
        """One conflict, looked at twice, is enough."""
        changed(journal, "b")
        read = shows(self.THEIRS, '"2"')

        def at(_: Request) -> None:
            if len(script.methods) == number:
                journal.observe(NOTE, seen[0], remote_version=seen[1])

        if not number:
            journal.observe(NOTE, seen[0], remote_version=seen[1])
        script = Script(journal, remote(), confirms=False)
        report = script.drain(says(412), read, read, at=at)

        assert script.methods == ["PATCH", "GET", "GET"]
        assert (report.held, journal.load(NOTE).remote[1:4:2]) == (1, (self.THEIRS, '"2"'))

    @pytest.mark.parametrize("status", [404, 410])
    def test_it_is_gone_as_was_seen(self, journal: Journal, status: int) -> None:
        """There is nothing new to look for."""
        changed(journal, "b")

        def at(request: Request) -> None:
            if request.method == "GET" and len(script.methods) == 3:
                journal.observe(NOTE, None)

        script = Script(journal, remote(), confirms=False)
        report = script.drain(*[says(status)] * 3, at=at)

        assert (script.methods, report.held) == (["PATCH", "GET", "GET"], 1)


class TestWhatIsNoted:
    """N1, N2, N4: what is noted behind a receipt, of what was seen of the note as `r1`."""

    @staticmethod
    def noted(journal: Journal, changes: dict[str, str], sight: Sight, *seen: Any) -> Sequence[Any]:  # noqa: ANN401  JSON
        """Change the note, see it so while the change is on its way; return what is noted."""
        journal.observe(NOTE, BEFORE, remote_id="r1", remote_version='"1"')
        draft = journal.update(NOTE, changes)
        assert draft is not None
        fields, version = seen
        partial = sight is not WHOLE
        journal.observe(NOTE, fields, remote_id="r1", remote_version=version, partial=partial)
        record = journal.load(NOTE)
        change = record.change(draft)
        assert change is not None
        left = {**BEFORE, **changes, "of": 1}
        receipt = DraftAcknowledged(
            draft_id=draft, evidence="answer", fields=left, remote_version='"2"'
        )
        return seen_again(record, change, receipt, sight)

    @pytest.mark.parametrize(
        ("sight", "seen", "version"),
        [
            pytest.param(WHOLE, {"title": "c", "text": "y"}, '"3"', id="whole"),
            pytest.param(frozenset(["title"]), {"title": "c"}, None, id="in part"),
            pytest.param(WHOLE, None, '"3"', id="gone"),
        ],
    )
    def test_all_that_was_seen(
        self, journal: Journal, sight: Sight, seen: dict[str, str] | None, version: str | None
    ) -> None:
        """The values, what the remote calls the record, and the version of what is whole."""
        [again] = self.noted(journal, {"title": "b"}, sight, seen, '"3"')

        assert again == RecordObserved(
            exists=seen is not None,
            fields=seen or {},
            remote_id="r1",
            remote_version=version,
            partial=sight is not WHOLE,
        )

    def test_what_the_draft_wants_under_an_old_version(self, journal: Journal) -> None:
        """It is newer: where versions are seconds, two changes may have the same one."""
        seen = {"title": "b", "text": "theirs"}

        [again] = self.noted(journal, {"title": "b"}, WHOLE, seen, '"1"')

        assert again.fields == seen

    def test_a_part_of_what_the_draft_wants(self, journal: Journal) -> None:
        """Only what was seen is compared: what was not may be as it was."""
        sight = frozenset(["text", "of"])
        seen = {"text": "y", "of": 5}

        [again] = self.noted(journal, {"title": "b", "text": "y"}, sight, seen, '"1"')

        assert again.fields == {"of": 5}

    @pytest.mark.parametrize(
        ("later", "receipt_version", "is_noted"),
        [
            pytest.param(1, None, False, id="the receipt before it had none"),
            pytest.param(1, '"2"', True, id="it was made on a receipt"),
            pytest.param(-1, None, True, id="it was made on a page"),
        ],
    )
    def test_which_version_a_draft_was_made_on(
        self,
        journal: Journal,
        later: int,
        receipt_version: str | None,
        is_noted: bool,  # noqa: FBT001
    ) -> None:
        """That of the receipt before it, where that came after; without any, values tell."""
        draft = changed(journal, "b")
        journal.observe(NOTE, BEFORE, remote_version='"9"')
        record = journal.load(NOTE)
        change = record.changes[0]
        receipt = change.based_at + later
        remote = record.remote._replace(receipt=receipt, receipt_version=receipt_version)
        last = DraftAcknowledged(draft_id=draft, evidence="answer", fields=OURS)

        noted = seen_again(record._replace(remote=remote), change, last)

        assert bool(noted) is is_noted


class TestIsOther:
    """N3: whether what is to be noted of a record is what is known of it."""

    @pytest.mark.parametrize(
        ("known", "event", "is_one"),
        [
            (BEFORE, RecordObserved(exists=True, fields=BEFORE, remote_version='"1"'), False),
            (BEFORE, RecordObserved(exists=True, fields=OURS, remote_version='"1"'), True),
            (BEFORE, RecordObserved(exists=True, fields=BEFORE, remote_version='"2"'), True),
            (BEFORE, RecordObserved(exists=False, remote_version='"1"'), True),
            (None, RecordObserved(exists=False, remote_version='"1"'), False),
            (None, RecordObserved(exists=True, fields=BEFORE, remote_version='"1"'), True),
            (BEFORE, PushStarted(draft_id="d1"), False),
        ],
    )
    def test_by_all_that_is_noted(
        self,
        journal: Journal,
        known: dict[str, str] | None,
        event: Event,
        is_one: bool,  # noqa: FBT001
    ) -> None:
        """Its values, its version, and whether it is there; what is gone has no values."""
        journal.observe(NOTE, known, remote_version='"1"')
        same = RecordObserved(exists=known is not None, fields=known or {}, remote_version='"1"')

        assert is_other(journal.load(NOTE), [same, event]) is is_one


class TestSeenSince:
    """What is folded in."""

    def test_it_forgets_what_is_settled(self, journal: Journal) -> None:
        """It keeps nothing of records without a draft on its way."""
        draft = changed(journal, "b")
        sent(journal, {"title": "c"}, '"3"', '"2"')
        since, told = SeenSince(), []

        for entry in journal.log.read():
            since.apply(entry)
            told.append(since.has_seen(draft))

        # made, changed, begun, seen, acknowledged, seen again
        assert told == [False, False, False, True, False, False]
        assert not since.is_current(journal.load(NOTE))

    def test_what_is_older_than_the_receipt_is_forgotten(self, journal: Journal) -> None:
        """What is seen from then on is told again."""
        draft = changed(journal, "b")
        sent(journal, {"title": "c"}, '"3"', '"2"')
        since, told = SeenSince(), []

        for entry in journal.log.read()[:4]:
            since.apply(entry)
        since.forget(draft)
        told.append(since.has_seen(draft))
        since.apply(journal.log.read()[3])
        told.append(since.has_seen(draft))

        assert told == [False, True]

    def test_what_was_seen_since_the_remote_was_asked(self, journal: Journal) -> None:
        """It is late, until the remote is asked again, or the draft is settled."""
        draft = changed(journal, "b")
        sent(journal, {"title": "c"}, '"3"', '"2"')
        since, told = SeenSince(), []

        for entry in journal.log.read():
            since.apply(entry)
            told.append(since.is_late(draft))
            if told[-1]:
                since.asks("another")
                told.append(since.is_late(draft))
                since.asks(draft)
                told.append(since.is_late(draft))
                since.apply(entry)

        # made, changed, begun, seen; asked for another, and for this one; acknowledged, seen again
        assert told == [False, False, False, True, True, False, False, False]

    def test_what_the_remote_called_what_is_gone(self, journal: Journal) -> None:
        """As long as nothing else was seen since; and what is older than the receipt is not."""
        draft = changed(journal, "b")
        like = journal.log.read()[-1]
        gone = RecordObserved(exists=False, remote_id="S1")
        there = RecordObserved(exists=True, fields=BEFORE, remote_id="S1")
        events: tuple[Event, ...] = (PushStarted(draft_id=draft), gone, there, gone)
        since, told = SeenSince(), []

        for number, event in enumerate(events, like.version + 1):
            since.apply(like._replace(event=event, version=number))
            told.append(since.gone(draft))
        since.forget(draft)

        assert [*told, since.gone(draft)] == [None, "S1", None, "S1", None]

    def test_it_is_current_from_the_beginning_of_a_draft(self, journal: Journal) -> None:
        """All that comes after is told to it."""
        changed(journal, "b")
        Script(journal, remote(), attempts=1).drain(LOST)
        since = SeenSince()

        for entry in journal.log.read():
            assert not since.is_current(journal.load(NOTE))
            since.apply(entry)

        assert since.is_current(journal.load(NOTE))

    def test_what_is_held_may_be_applied(self, journal: Journal) -> None:
        """A draft that is held, and sent again, was begun when its first request left."""
        draft = changed(journal, "b")
        script = Script(journal, remote())
        script.drain(says(422), shows(BEFORE, '"1"'))
        journal.observe(NOTE, {"title": "c"}, remote_version='"3"')
        since = SeenSince()

        for entry in journal.log.read():
            since.apply(entry)

        assert since.has_seen(draft)
        assert since.is_current(journal.load(NOTE))

    def test_of_two_drafts_of_one_record(self, journal: Journal) -> None:
        """What becomes of one leaves the other on its way; each is told what it has missed."""
        one, two = (changed(journal, each) for each in "bc")
        entries = list(journal.log.read())
        like = entries[-1]
        events: tuple[Event, ...] = (
            PushStarted(draft_id=one),
            PushStarted(draft_id=two),
            DraftAcknowledged(draft_id=one, evidence="answer"),
            RecordObserved(exists=False),
        )
        since = SeenSince()

        for number, event in enumerate(events, like.version + 1):
            since.apply(like._replace(event=event, version=number))

        assert (since.has_seen(one), since.has_seen(two)) == (False, True)
        assert since.is_current(journal.load(NOTE)._replace(version=like.version + 4))
