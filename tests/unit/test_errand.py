"""One draft in the words of a service: its requests, and what answers say of it."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import unquote

import pytest

from journal import Ref
from journal.errors import RemoteError
from journal.events import FieldMessage
from journal.outcomes import Acknowledged, Refused, Seen
from journal.record import Change, Record, Remote
from journal.remotes import Profile, Push, Response
from journal.remotes.dialect import Dialect, Shown
from journal.remotes.errand import AsExpected, Errand, Hits
from journal.remotes.placeholders import uuid_of
from journal.remotes.remote import Turn

NOTE: Final = Ref("Note:n1")
KNOWN: Final = {"title": "a", "text": "x"}
OURS: Final = {"title": "b", "text": "x"}
POST: Final = {"method": "POST", "path": "/{type}", "body": '{"key": "{key}", "is": "{fields}"}'}
OWN: Final[dict[str, Any]] = {
    "create": POST,
    "find": {"path": "/{type}?key={key}"},
    "answer": {"id": "/id", "key": "/key"},
}
"""A service that gives ids of its own."""
DATE: Final = "Wed, 01 Apr 2026 09:30:00 GMT"
STRANGE: Final = FieldMessage(message="a read shows something that is not the record")
TAKEN: Final = FieldMessage(message="the remote has another record under our key")
NEWER: Final = FieldMessage(message="the remote has a newer version of the record")


def errand(
    kind: Any = "update",  # noqa: ANN401  a kind of change
    profile: dict[str, Any] | None = None,
    remote: Remote | None = None,
    **push: Any,  # noqa: ANN401  parts of a push
) -> Errand:
    """Return what carries a change of a note: of its title, or as that is said."""
    is_new = kind == "create"
    made: dict[str, Any] = {} if kind == "delete" else {"title": "b"}
    fields = push.pop("fields", made)
    base = {} if is_new else push.pop("base", KNOWN if kind == "delete" else {"title": "a"})
    known = Remote(True, KNOWN, "7", '"1"')  # noqa: FBT003
    record = Record(NOTE, 2, remote or (Remote() if is_new else known))
    version = push.pop("version", None if is_new else '"1"')
    carried = Push("d1", NOTE, kind, fields, base, version, 0, False, record, {})  # noqa: FBT003
    described = Profile.of({"url": "https://a.example", **(profile or {})})
    return Errand(Dialect(described), carried._replace(**push))


def says(content: Any = None, status: int = 200, **headers: str) -> Response:  # noqa: ANN401  JSON
    """Return an answer with that content, or with none."""
    body = b"" if content is None else json.dumps(content).encode()
    return Response(status, headers, body)


class TestKeys:
    """Which keys, and which fields, a service takes."""

    PATTERN: Final = {**OWN, "key": {"pattern": "[a-z]+"}}

    @pytest.mark.parametrize("kind", ["create", "update"])
    def test_a_key_that_it_does_not_take(self, kind: str) -> None:
        """Is told before it is sent, with what it takes."""
        nameless = Remote(True, KNOWN)  # noqa: FBT003

        with pytest.raises(RemoteError, match="takes no key like 'n1'") as caught:
            errand(kind, self.PATTERN, nameless if kind == "update" else None)

        assert "matches [a-z]+ (key.pattern of the profile)" in (caught.value.hint or "")

    def test_a_key_that_is_not_sent(self) -> None:
        """Is none of its business: it knows the record by an id of its own."""
        assert errand("update", self.PATTERN).remote_id == "7"

    def test_a_field_that_the_service_keeps_itself(self) -> None:
        """Is told, with what to mend."""
        with pytest.raises(RemoteError, match="keeps 'title' itself") as caught:
            errand("update", {"answer": {"own": ["/title"]}})

        assert caught.value.hint == (
            "leave the field out, or mend answer.own, id, key and version of the profile"
        )


class TestRequests:
    """What is asked for, and how."""

    def path(self, known: dict[str, Any]) -> str:
        """Return where a record with these fields is read, by its id and with their names."""
        read = {"read": {"path": "/{type}/{id}?fields={names.joined}"}}
        remote = Remote(True, known, "n1", '"1"')  # noqa: FBT003
        return unquote(errand("delete", read, remote, base={}).read(None).path)

    def test_a_read_says_which_fields_are_known(self) -> None:
        """As far as the names are not too long for an address; else all are read."""
        assert self.path({"title": 1, "text": 2}) == "/Note/n1?fields=title,text"
        assert self.path({"t": 1}) == "/Note/n1?fields=t"
        assert self.path({}) == "/Note/n1"
        assert self.path({"t" * 6000: 1}) == f"/Note/n1?fields={'t' * 6000}"
        assert self.path({"t" * 6001: 1}) == "/Note/n1"

    def test_a_read_by_our_key(self) -> None:
        """As long as no id is known."""
        keyed = {**OWN, "read": {"key_path": "/{type}/by/{key}"}}
        new = errand("create", keyed)

        assert new.read(None).path == "/Note/by/n1"
        assert new.read("9").path == "/Note/9"
        assert errand("update", keyed).read(None).path == "/Note/7"
        plain = {"read": {"path": "/{type}/{key}", "key_path": "/{type}/by/{key}"}}
        assert errand("update", plain).read(None).path == "/Note/7"

    def test_a_look_up_by_our_key(self) -> None:
        """Among the records of its type; and nothing is sent before a write by itself."""
        new = errand("create", OWN)

        assert (new.find().path, new.before(AsExpected())) == ("/Note?key=n1", None)

    def test_what_a_request_is_known_again_by(self) -> None:
        """A UUID that is the same for the same draft, and another once that was amended."""
        update = {"update": {"headers": {"Key": "{draft.uuid}"}}}
        first = errand("update", update).write(None)
        again = errand("update", update, revision=2).write(None)

        assert (first.headers["Key"], again.headers["Key"]) == (uuid_of("d1"), uuid_of("d1-2"))

    @pytest.mark.parametrize("previous", [0, 5])
    def test_where_it_stands_in_its_journal(self, previous: int) -> None:
        """By its number, and by that of the one before it, where one is known."""
        headers = {"J": "{journal}", "N": "{number}", "P": "{previous}"}
        sent = errand("update", {"update": {"headers": headers}}, turn=Turn("j1", 7, previous))

        found = sent.write(None).headers

        assert (found["J"], found["N"], found.get("P")) == ("j1", "7", "5" if previous else None)

    def test_a_version_that_is_required(self) -> None:
        """Where none is known, a change is not sent; a create has none to be sent with."""
        needs = {"version": {"is_required": True}}

        for kind in ("update", "delete"):
            with pytest.raises(RemoteError, match="shows no version, and requires") as caught:
                errand(kind, needs, version=None).write(None)
            assert caught.value.hint == "mend answer.version of the profile"
        assert errand("create", needs).write(None).method == "PUT"
        assert errand("update", needs, version=None).write(AsExpected("n1", '"2"')).headers[
            "If-Match"
        ] == ('"2"')


class TestNames:
    """A service's names, and ours."""

    def test_a_refusal_in_our_words(self) -> None:
        """The field is told as we call it; what is said of it stays."""
        types = {"types": {"Note": {"fields": {"title": {"name": "t"}}}}}
        said = Refused("rejected", (FieldMessage(field="t", message="no", code="E"),), 422)

        told = errand("update", types).in_our_words(said)

        assert told == said._replace(
            messages=(FieldMessage(field="title", message="no", code="E"),)
        )


class TestLookUps:
    """What a look-up lists, and whether a read shows the record."""

    def test_hits(self) -> None:
        """Those of our key are ours; others are counted; what is no list is none."""
        listed = [{"id": "7", "key": "n1"}, {"id": "8", "key": "x"}, {"id": "9", "key": "y"}]
        new = errand("create", OWN)

        found = new.hits(says(listed))

        assert found == Hits([Shown({}, "7", "n1")], 2)
        assert new.hits(says({"no": "list"})) is None

    def test_in_the_words_of_the_type(self) -> None:
        """Lists and records stand where the profile says for notes."""
        words = {"types": {"Note": {"words": {"one": "note"}}}}
        find = {**OWN, **words, "find": {**OWN["find"], "items": "/{type.one}"}}
        shown = {**words, "answer": {"record": "/{type.one}"}}

        assert errand("create", find).hits(says({"note": [{"key": "n1"}]})) is not None
        assert errand("update", shown).shown(says({"note": KNOWN})) == Shown(KNOWN)

    @pytest.mark.parametrize(
        ("record", "is_it"),
        [
            (Shown({}, "7"), True),
            (Shown(KNOWN, "8"), False),
            (Shown(KNOWN, None, "other"), True),
            (Shown({"x": 1}, None, "other"), False),
            (Shown({"x": 1}, None, "n1"), False),
            (Shown({"x": 1}, "7", "other"), True),
        ],
    )
    def test_by_the_id_of_the_service(self, record: Shown, *, is_it: bool) -> None:
        """Where it is known, our key tells nothing; without it, the names of the fields do."""
        assert errand("update", OWN).is_it(record, None) is is_it
        assert errand("create", OWN).is_it(record, "7") is is_it

    @pytest.mark.parametrize(
        ("record", "is_it"),
        [
            (Shown({"x": 1}, None, "n1"), True),
            (Shown({"title": 1}, None, "other"), False),
            (Shown({"title": 1}, "7", "other"), False),
            (Shown({"x": 1}, "7"), True),
            (Shown({"title": 1}), True),
            (Shown({"x": 1}), False),
            (Shown(None), True),
        ],
    )
    def test_by_our_key(self, record: Shown, *, is_it: bool) -> None:
        """Where no id is known."""
        assert errand("create", OWN).is_it(record, None) is is_it


class TestComparison:
    """What a read settles."""

    def test_a_record_that_took_our_key(self) -> None:
        """Is told as it was found, whatever its bytes are."""
        new = errand("create", OWN)
        found = new.compared(Response(200, {}, b"\xff"), Shown(KNOWN, None, "n1", '"2"'), "9")

        assert found == Refused("conflict", (TAKEN,), 200, "\ufffd", Seen(KNOWN, "9", '"2"'))

    def test_a_create_is_made_on_nothing(self) -> None:
        """A record that has none of its values is another one all the same."""
        new = errand("create")

        assert isinstance(new.compared(says(), Shown({"title": None}), None), Refused)

    @pytest.mark.parametrize(
        ("shown", "version", "known", "is_as_expected"),
        [
            (KNOWN, '"2"', '"1"', False),
            ({"title": "c"}, '"1"', '"1"', True),
            (KNOWN, '"2"', None, True),
            ({"title": "c"}, '"2"', None, False),
            (KNOWN, None, '"1"', True),
            ({"title": "c"}, None, '"1"', False),
        ],
    )
    def test_by_versions_or_by_values(
        self,
        shown: dict[str, Any],
        version: str | None,
        known: str | None,
        is_as_expected: bool,  # noqa: FBT001
    ) -> None:
        """A version tells where both are known; else the values do."""
        change = errand("update", OWN, version=known)
        found = change.compared(says(), Shown(shown, "7", None, version), None)

        if is_as_expected:
            assert found == AsExpected("7", version, shown)
        else:
            assert isinstance(found, Refused)
            assert (found.classification, found.messages) == ("conflict", (NEWER,))

    def test_versions_that_two_changes_may_share(self) -> None:
        """Where one tells too little, the values are compared as well."""
        weak = errand("update", {"version": {"is_weak": True}})

        assert isinstance(
            weak.compared(says(), Shown({"title": "c"}, version='"1"'), None), Refused
        )
        assert isinstance(weak.compared(says(), Shown(KNOWN, version='"1"'), None), AsExpected)


class TestIds:
    """What the service calls a record that is made, while others have had its key."""

    SEEN: Final = Remote(True, KNOWN, "7", '"1"')  # noqa: FBT003

    @pytest.mark.parametrize(
        ("kind", "profile", "exists", "remote_id"),
        [
            ("create", OWN, True, "7"),
            ("create", OWN, False, None),
            ("update", OWN, False, "7"),
            ("create", {}, False, "7"),
            ("update", {}, True, "7"),
        ],
    )
    def test_a_record_that_is_made_again(
        self,
        kind: str,
        profile: dict[str, Any],
        exists: bool,  # noqa: FBT001
        remote_id: str | None,
    ) -> None:
        """Gets another id than the one that is gone, where the service gives it."""
        carried = errand(kind, profile, self.SEEN._replace(exists=exists))

        assert carried.remote_id == remote_id

    @pytest.mark.parametrize(
        ("kind", "profile", "is_looked_up", "remote_id"),
        [
            ("create", OWN, True, None),
            ("update", OWN, False, "7"),
            ("create", {}, False, "7"),
            ("create", {**OWN, "create": {**POST, "on_doubt": "hold"}, "find": None}, False, None),
        ],
    )
    def test_an_id_that_is_found_to_be_gone(
        self,
        kind: str,
        profile: dict[str, Any],
        is_looked_up: bool,  # noqa: FBT001
        remote_id: str | None,
    ) -> None:
        """Is lost for good, and the record looked up by our key, where it can be."""
        carried = errand(kind, profile, self.SEEN)

        assert carried.loses_id() is is_looked_up
        assert carried.remote_id == remote_id
        assert carried.loses_id() is False
        assert carried.remote_id == remote_id

    @pytest.mark.parametrize(
        ("kind", "profile", "known", "said", "remote_id"),
        [
            ("create", OWN, "7", "8", "8"),
            ("create", OWN, "7", "7", "7"),
            ("create", OWN, "7", None, "7"),
            ("create", OWN, None, "8", "8"),
            ("update", OWN, "7", "8", "7"),
            ("create", {}, "7", "8", "7"),
            ("create", OWN, None, None, None),
            ("create", OWN, None, "", None),
        ],
    )
    def test_what_a_receipt_says_that_it_is_called(
        self,
        kind: str,
        profile: dict[str, Any],
        known: str | None,
        said: str | None,
        remote_id: str | None,
    ) -> None:
        """What was made is called as the answer says; what was there, as it was."""
        carried = errand(kind, profile, self.SEEN._replace(remote_id=known))

        assert carried.acknowledged(says(), Shown(id=said), "answer").remote_id == remote_id


class TestProof:
    """G1: whether a record with the values of a draft proves that it is applied."""

    ANY: Final = {"types": {"Note": {"fields": {"title": {"compare": "any"}}}}}

    @pytest.mark.parametrize(
        ("fields", "more", "is_proof"),
        [
            ({"title": "b", "text": "y"}, {}, False),
            ({"title": "b", "text": "y"}, {"is_maybe_applied": True}, True),
            ({"title": "b", "text": "y"}, {"is_doubted": True}, True),
            ({"title": "b"}, {"is_maybe_applied": True}, False),
            ({"text": "y"}, {}, True),
        ],
    )
    def test_fields_that_are_compared_with_nothing(
        self,
        fields: dict[str, str],
        more: dict[str, Any],
        is_proof: bool,  # noqa: FBT001
    ) -> None:
        """They prove nothing by themselves, nor as long as nothing was sent."""
        change = errand("update", self.ANY, fields=fields, base=KNOWN, **more)
        shown = Shown({**KNOWN, **fields}, version='"2"')

        assert isinstance(change.compared(says(), shown, None), Acknowledged) is is_proof

    def test_once_it_was_sent(self) -> None:
        """What is read then was made by it."""
        change = errand("update", self.ANY)
        change.write(None)

        assert isinstance(change.compared(says(), Shown(OURS, version='"2"'), None), Acknowledged)


class TestStrange:
    """Reads that go on to show something that is not the record."""

    @pytest.mark.parametrize(
        ("kind", "record", "is_taken", "is_settled"),
        [
            ("create", Shown({"x": 1}, version='"1"'), False, True),
            ("create", Shown({"x": 1}), True, True),
            ("create", Shown({"x": 1}, version='"1"'), True, True),
            ("create", Shown({"x": 1}), False, False),
            ("create", Shown({"error": "log in"}, version='"1"'), True, False),
            ("create", Shown({"x": 1}, id="7", version='"1"'), True, False),
            ("create", Shown({"x": 1}, key="k", version='"1"'), True, False),
            ("create", Shown({"title": "b"}, version='"1"'), True, False),
            ("create", Shown(None, version='"1"'), True, True),
            ("create", None, True, False),
            ("update", Shown({"x": 1}, version='"1"'), True, False),
        ],
    )
    def test_whether_it_has_taken_our_key(
        self,
        kind: str,
        record: Shown | None,
        is_taken: bool,  # noqa: FBT001
        is_settled: bool,  # noqa: FBT001
    ) -> None:
        """A record without a name of ours has, where it can be told from a page."""
        found = errand(kind).strange(Response(200, {}, b"\xff"), record, is_taken=is_taken)

        if is_settled:
            assert record is not None
            seen = Seen(record.fields or {}, "n1", record.version)
            assert found == Refused("conflict", (TAKEN,), 200, "\ufffd", seen)
        else:
            assert found == Refused("unknown", (STRANGE,), 200, "\ufffd")


class TestAbsent:
    """The remote does not have the record."""

    def test_a_delete(self) -> None:
        """Is done, by whomever."""
        found = errand("delete", OWN).absent(says(status=404, date=DATE))

        assert found == Acknowledged("read", "7", None, 404, DATE)

    def test_a_create(self) -> None:
        """Is to be sent."""
        assert errand("create").absent(says(status=404)) == AsExpected()

    def test_an_update(self) -> None:
        """Has nothing to change any more."""
        gone = FieldMessage(message="the remote no longer has the record")

        found = errand("update", OWN).absent(says(status=410))

        assert found == Refused("gone", (gone,), 410, seen=Seen(None, "7"))

    @pytest.mark.parametrize(
        ("kind", "receipt", "exists", "more", "is_sent"),
        [
            ("delete", 3, True, {}, True),
            ("delete", 0, True, {}, False),
            ("delete", 3, False, {}, False),
            ("delete", 3, True, {"is_maybe_applied": True}, False),
            ("delete", 3, True, {"is_doubted": True}, False),
            ("update", 3, True, {}, False),
        ],
    )
    def test_what_we_have_just_written(
        self,
        kind: str,
        receipt: int,
        exists: bool,  # noqa: FBT001
        more: dict[str, Any],
        is_sent: bool,  # noqa: FBT001
    ) -> None:
        """May not have reached who reads: its delete is sent all the same, once."""
        remote = Remote(exists, KNOWN, "7", '"1"', receipt, '"1"')
        carried = errand(kind, OWN, remote, **more)

        assert carried.is_sent_anyway(Acknowledged("read")) is is_sent
        assert carried.is_sent_anyway(AsExpected()) is False

    def test_where_a_version_is_required(self) -> None:
        """Nothing can be sent without one."""
        remote = Remote(True, KNOWN, "7", '"1"', 3, '"1"')  # noqa: FBT003
        carried = errand("delete", {**OWN, "version": {"is_required": True}}, remote)

        assert carried.is_sent_anyway(Acknowledged("read")) is False


class TestReceipts:
    """Which answers to a write are receipts, and of what."""

    def test_what_an_answer_shows(self) -> None:
        """Its id, its version, its date, and the fields where they are not as expected."""
        shown = {"id": "7", "title": "b", "text": "theirs"}
        found = errand("update", OWN).receipt(says(shown, etag='"2"', date=DATE), is_said=False)

        assert found == Acknowledged(
            "answer", "7", '"2"', 200, DATE, {"title": "b", "text": "theirs"}
        )

    def test_a_delete_leaves_no_fields(self) -> None:
        """Whatever the answer shows of what is gone."""
        found = errand("delete", OWN).receipt(says({"id": "7", "title": "c"}), is_said=False)

        assert found is not None
        assert found.fields is None

    @pytest.mark.parametrize(
        ("response", "is_said", "is_one"),
        [
            (says(OURS, 202), False, False),
            (says(OURS, 202), True, True),
            (says(status=204), False, True),
            (says(status=205), False, True),
            (says(status=200), False, False),
            (says(status=200), True, True),
            (says(OURS, 204), False, False),
            (says([]), False, False),
            (says([]), True, True),
            (says({**OURS, "error": "no"}), False, True),
            (says({"title": "c"}), False, False),
        ],
    )
    def test_which_answers_are_receipts(
        self,
        response: Response,
        is_said: bool,  # noqa: FBT001
        is_one: bool,  # noqa: FBT001
    ) -> None:
        """Those that show the draft, or are without content, or are said to be by the profile."""
        assert (errand("update").receipt(response, is_said=is_said) is not None) is is_one

    def test_an_answer_that_says_that_something_is_wrong(self) -> None:
        """Is no receipt where nothing of it is compared, unless the profile says so."""
        gone = errand("delete", OWN)
        wrong = says({"id": "7", "error": "it is locked"})

        assert gone.receipt(wrong, is_said=False) is None
        assert gone.receipt(wrong, is_said=True) is not None
        assert gone.receipt(says({"id": "7"}), is_said=False) is not None

    @pytest.mark.parametrize(
        ("kind", "shown", "is_one"),
        [
            ("create", {"id": "7", "key": "n1", "title": "b"}, True),
            ("create", {"id": "7", "key": "x", "title": "b"}, False),
            ("create", {"key": "n1", "title": "b"}, False),
            ("made", {"id": "8", "key": "n1", "title": "b"}, True),
            ("update", {"id": "7", "key": "x", "title": "b"}, True),
            ("update", {"id": "8", "title": "b"}, False),
            ("update", {"title": "b"}, True),
            ("delete", {"key": "n1"}, False),
            ("delete", {"id": "7"}, True),
        ],
    )
    def test_whose_receipt_it_is(self, kind: str, shown: dict[str, Any], *, is_one: bool) -> None:
        """By the id where one is known, and by our key where it is told with a new one."""
        seen = Remote(True, KNOWN, "7") if kind == "made" else None  # noqa: FBT003
        carried = errand("create" if seen else kind, OWN, seen)
        found = carried.receipt(says(shown), is_said=False)

        assert (found is not None) is is_one

    def test_what_only_unsets_a_field(self) -> None:
        """Is told by nothing that is not there, but by the id that is."""
        change = errand("update", OWN, fields={"title": None})

        assert change.receipt(says({"id": "7"}), is_said=False) is not None
        assert change.receipt(says({"more": 1}), is_said=False) is None
        assert change.receipt(says({"more": 1}), is_said=True) is not None

    def test_in_the_words_of_the_type(self) -> None:
        """An answer without content is one of a note, too."""
        words = {"types": {"Note": {"words": {"one": "note"}}}}
        change = errand("update", {**words, "answer": {"key": "/{type.one}"}})

        assert change.receipt(says(status=204), is_said=False) is not None

    def test_an_id_that_a_read_has_shown(self) -> None:
        """Stands for one that the answer does not show."""
        nameless = Remote(True, KNOWN)  # noqa: FBT003
        change = errand("update", OWN, nameless)
        empty = says(status=204)

        assert change.receipt(empty, is_said=False) is None
        found = change.receipt(empty, AsExpected("9", '"1"', KNOWN), is_said=False)
        assert found is not None
        assert found.remote_id == "9"

    def test_what_others_have_changed_before_it(self) -> None:
        """Is known by the read before an answer that shows nothing; what an answer shows wins."""
        found = AsExpected("7", '"2"', {"title": "a", "text": "theirs"})
        change, gone = errand("update", OWN), errand("delete", OWN)

        told = [
            change.receipt(says(status=204), found, is_said=False),
            change.receipt(says({**OURS, "id": "7"}), found, is_said=False),
            change.receipt(says(status=204), is_said=False),
            gone.receipt(says(status=204), found, is_said=False),
        ]

        assert [receipt.fields for receipt in told if receipt is not None] == [
            *({"title": "b", "text": "theirs"}, None, None, None),
        ]

    def test_what_is_read_after_it(self) -> None:
        """Its version and its fields are taken in, where it is the record."""
        change = errand("update", OWN)
        receipt = Acknowledged("answer", "7", None, 204, DATE)
        theirs = {"title": "b", "text": "theirs"}

        seen = change.seen_after(receipt, says({"id": "7", **theirs}, etag='"3"'))

        assert seen == receipt._replace(remote_version='"3"', fields=theirs)
        assert change.seen_after(receipt, says({"id": "8", **theirs}, etag='"3"')) is receipt
        assert change.seen_after(receipt, says([])) is receipt

    def test_what_is_read_after_a_create(self) -> None:
        """It is known by the id that the receipt has told."""
        new = errand("create", OWN)
        receipt = Acknowledged("answer", "7")

        assert new.seen_after(receipt, says({"id": "8"}, etag='"3"')) is receipt
        assert new.seen_after(receipt, says({"id": "7"}, etag='"3"')).remote_version == '"3"'


class TestMustLook:
    """When a look-up comes first."""

    @pytest.mark.parametrize(
        ("kind", "profile", "more", "must"),
        [
            ("update", {}, {}, False),
            ("update", {}, {"is_maybe_applied": True}, True),
            ("update", {}, {"is_doubted": True}, True),
            ("update", {}, {"version": None}, True),
            ("update", {"answer": {"version": "none"}}, {}, True),
            ("update", {"version": {"is_weak": True}}, {}, True),
            ("update", {"update": {"method": "PUT", "body": '"{record}"'}}, {}, True),
            ("update", OWN, {"remote": Remote(True, KNOWN)}, True),  # noqa: FBT003
            ("delete", {}, {}, False),
            ("delete", {"version": {"on": ["update"]}}, {}, True),
            ("create", {}, {}, False),
            ("create", {}, {"is_maybe_applied": True}, True),
            ("create", {}, {"is_doubted": True}, True),
            ("create", {"create": {"looks_first": True}}, {}, True),
            ("create", {"create": {**POST, "on_doubt": "hold"}}, {"is_doubted": True}, False),
        ],
    )
    def test_by_what_is_known(
        self,
        kind: str,
        profile: dict[str, Any],
        more: dict[str, Any],
        must: bool,  # noqa: FBT001
    ) -> None:
        """Where a condition alone would not find a conflict, or something may be applied."""
        assert errand(kind, profile, **more).must_look is must

    @pytest.mark.parametrize(("age_s", "must"), [(0.0, False), (59.0, False), (60.0, True)])
    def test_what_a_service_remembers(self, age_s: float, *, must: bool) -> None:
        """A request that it knows again is sent again, as long as it does."""
        headers = {"Key": "{draft}"}
        update = {"headers": headers, "is_repeatable": True, "remembered_s": 60.0}

        found = errand("update", {"update": update}, is_maybe_applied=True, age_s=age_s)

        assert found.must_look is must

    def test_what_a_receipt_has_shown_since(self) -> None:
        """Another value than the one it was made on would be overwritten."""
        change = Change("d1", 2, "update", {"title": "b"}, {"title": "a"}, None, 2)
        remote = Remote(True, {"title": "c"}, "7", '"2"', 3, '"2"')  # noqa: FBT003
        record = Record(NOTE, 3, remote, (change,))

        assert errand("update", record=record, version='"2"').must_look
        as_it_was = record._replace(remote=remote._replace(fields={"title": "a"}))
        assert not errand("update", record=as_it_was, version='"2"').must_look
