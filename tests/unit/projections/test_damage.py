"""Views whose rows somebody has changed by hand: what is said, and that a rebuild mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from journal import Journal, Ref
from journal.errors import ViewError
from journal.events import DraftHeld, FieldMessage, PushStarted, QueueStopped
from journal.staging import Facts
from projections import Drafts, History, Projection, Records
from tests.unit.projections.folding import note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

READS: Final[dict[str, tuple[type[Projection], Callable[[Journal], object]]]] = {
    "pending": (Drafts, lambda journal: Drafts(journal).pending()),
    "queue": (Drafts, lambda journal: Drafts(journal).queue()),
    "list": (Records, lambda journal: Records(journal).list("Visit")),
    "get": (Records, lambda journal: Records(journal).get("Visit:1")),
    "update": (Records, lambda journal: Records(journal).catch_up()),
    "between": (History, lambda journal: History(journal).between()),
}


@pytest.fixture
def journal() -> Iterator[Journal]:
    """A journal with a held draft, a stopped queue, and views of them."""
    with Journal(actor="ann") as journal:
        account = journal.create("Account", {"Name": "Acme"}, id="1")
        visit = journal.create("Visit", {"Account": account}, id="1")
        draft_id = journal.update(visit, {"Status": "done", "By": [account]}) or ""
        held = DraftHeld(
            draft_id=draft_id, classification="rejected", messages=(FieldMessage(message="no"),)
        )
        note(journal, visit, PushStarted(draft_id=draft_id), held)
        journal.note_on_queue(lambda _: [QueueStopped(cause="person")], Facts("ann", "van-7"))
        for view in (Drafts, Records, History):
            view(journal).catch_up()
        yield journal


def damage(journal: Journal, statement: str) -> None:
    """Change a view by hand."""
    with journal.log.views.write() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("statement", "read"),
    [
        ("UPDATE drafts SET hold = 'oops'", "pending"),
        ("UPDATE drafts SET hold = '[1]'", "pending"),
        ("UPDATE drafts SET fields = '3'", "queue"),
        ("UPDATE drafts SET fields = '}'", "queue"),
        ("UPDATE drafts SET refs = '[\"/None/1\"]'", "queue"),
        ("UPDATE drafts SET targets = '3'", "pending"),
        ("UPDATE draft_queue SET stop = '[1]'", "queue"),
        ("UPDATE records SET fields = '[]'", "list"),
        ("UPDATE records SET fields = '[]'", "get"),
        ("UPDATE records SET server = '}', remote_exists = 1", "get"),
        ("UPDATE records SET fields = '{', version = 3", "update"),
        ("UPDATE record_changes SET fields = '7'", "update"),
        ("UPDATE history_outcomes SET position = 999", "between"),
        ("UPDATE history SET position = position + 90", "between"),
    ],
)
def test_damaged_row_is_said_to_be_one(journal: Journal, statement: str, read: str) -> None:
    """What a row cannot mean is a ViewError, and the remedy that it names is one."""
    view, reading = READS[read]
    intact = view(journal).digest()
    damage(journal, statement)
    if read == "update":
        journal.update(Ref("Visit:1"), {"Status": "open"})

    with pytest.raises(ViewError, match=r"a view is damaged: .*draft-journal rebuild"):
        reading(journal)

    view(journal).rebuild()
    assert reading(journal)
    assert (view(journal).digest() == intact) is (read != "update")


@pytest.mark.parametrize("listed", ["}", "3", '{"a": 1}', "[3, null]"])
def test_damaged_list_of_tables_hinders_no_rebuild(journal: Journal, listed: str) -> None:
    """A projection is built anew although another's list of tables cannot be read."""
    damage(journal, f"UPDATE view_checkpoints SET tables = '{listed}' WHERE name = 'drafts'")  # noqa: S608

    Records(journal).rebuild()
    Drafts(journal).rebuild()

    assert len(Drafts(journal)) == 3
