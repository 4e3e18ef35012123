"""Whether the changes of a batch are applied, by what the org shows of their records; pure.

- W1. They were sent as one transaction, or not at all: one record that shows what they leave, and
  was not so before, says that all are applied; one that is as it was, that none is.
- W2. Where records contradict one another, or none says anything, nothing is concluded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from journal.outcomes import Acknowledged
from journal.remotes.comparison import holds
from journal.remotes.salesforce.group import as_known, response_of
from journal.remotes.salesforce.ids import is_minted
from journal.remotes.salesforce.sights import Search

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from journal.outcomes import Outcome
    from journal.remotes.remote import Push
    from journal.remotes.salesforce.errands import OrgErrand
    from journal.remotes.salesforce.settings import Settings
    from journal.remotes.salesforce.sights import Row, Sights
    from journal.values import Ref

Word: TypeAlias = Literal["after", "before", "gone", "mute", "other"]
"""What a record says: that the changes are applied, or not; that it is gone, as they or somebody
else left it; nothing, for they leave it as it was; or nothing, for somebody else has changed it."""
_GONE: Final = frozenset({"gone"})


class Witnesses:
    """The records of a batch that may be applied."""

    def __init__(self, make: Callable[[Push], OrgErrand], pushes: Sequence[Push]) -> None:
        """Begin with none of them read.

        Args:
            make: returns what carries a draft.
            pushes: the changes of the batch, in order.

        Raises:
            RemoteError: one of them cannot be sent.
        """
        self._make = make
        self._pushes = pushes
        self._first: dict[Ref, OrgErrand] = {}
        for push in pushes:
            self._first.setdefault(push.ref, make(push))

    def search(self, settings: Settings) -> Search:
        """Return the search for the records, with all fields that are known of them."""
        search = Search(settings)
        for push in self._pushes:
            search.add(self._make(push), self._first[push.ref].remote_id)
        return search

    def words(self, sights: Sights, shown: Collection[str]) -> list[Word]:
        """Return what each record says.

        Args:
            sights: what was read.
            shown: the types of which the org shows records.
        """
        ids = self._ids(sights)
        named = [self._make(as_known(push, ids)) for push in self._pushes]
        return [
            said_by(
                [errand for errand in named if errand.push.ref == ref],
                _row(sights, first),
                is_shown=ref.type in shown,
            )
            for ref, first in self._first.items()
        ]

    def receipts(self, sights: Sights) -> list[Outcome]:
        """Return the acknowledgements of all changes, with what was read of each record."""
        ids = self._ids(sights)
        last = {push.ref: push for push in self._pushes}
        return [
            _acknowledged(
                self._make(as_known(push, ids)),
                _row(sights, self._first[push.ref]) if push is last[push.ref] else None,
            )
            for push in self._pushes
        ]

    def _ids(self, sights: Sights) -> dict[Ref, str]:
        """Return what the org calls the records that the batch makes."""
        news = {ref: e for ref, e in self._first.items() if e.push.kind == "create"}
        rows = {ref: _row(sights, errand) for ref, errand in news.items()}
        return {ref: row["Id"] for ref, row in rows.items() if row is not None}


def _row(sights: Sights, errand: OrgErrand) -> Row | None:
    return sights.row(errand, errand.remote_id)


def _acknowledged(errand: OrgErrand, row: Row | None) -> Acknowledged:
    """Return the acknowledgement of a change, with what was read of its record behind it."""
    response = response_of(row or {})
    record = errand.shown(response)
    if row is None or record is None or errand.push.kind == "delete":
        return Acknowledged("read", errand.push.remote_id)
    return errand.acknowledged(response, record, "read")


def said_by(chain: Sequence[OrgErrand], row: Row | None, *, is_shown: bool) -> Word:
    """Return what a record says of its changes.

    Args:
        chain: the changes of one record, in order.
        row: the record as the org has it; None where it has none.
        is_shown: whether the org shows records of this type at all.
    """
    first, last = chain[0].push, chain[-1].push
    is_new, is_over = first.kind == "create", last.kind == "delete"
    if not is_shown:
        return "other"
    if is_new and is_over:
        return "mute" if row is None else "other"
    if row is None:
        is_done = chain[-1].way.settings.on_not_found == "done"
        gone: Word = "gone" if is_over and is_done else "other"
        return "before" if is_new else gone
    if is_over:
        return "before"
    if is_new and is_minted(chain[0].key):
        return "after"
    return _compared(chain, row, is_new=is_new)


def _compared(chain: Sequence[OrgErrand], row: Row, *, is_new: bool) -> Word:
    """Return what the fields of a record say."""
    left: dict[str, object] = {}
    base: dict[str, object] = {}
    for errand in chain:
        left |= errand.push.fields
        base = {**{name: errand.push.base.get(name) for name in errand.push.fields}, **base}
    targets = {ref: record for errand in chain for ref, record in errand.push.targets.items()}
    push = chain[-1].push._replace(targets=targets)
    forms = chain[-1].dialect.forms(push.ref.type)
    received = forms.read(row)
    is_after = holds(push, forms, received, left)
    is_before = not is_new and holds(push, forms, received, base)
    if is_after and is_before:
        return "mute"
    return "after" if is_after else "before" if is_before else "other"


def verdict(words: Collection[Word], doubtful: int, count: int) -> bool | None:
    """Say whether changes that went as one transaction are applied; None where nothing tells.

    Args:
        words: what their records say.
        doubtful: how many of them may be applied.
        count: how many they are; where others among them were surely not sent as they are, all
            of them were not.
    """
    is_all = doubtful == count
    said = set(words) - {"mute", *(() if is_all else _GONE)}
    if "after" in said:
        return True if is_all and "before" not in said else None
    if "before" in said or not said:
        return False
    return True if said == _GONE else None
