"""A state machine of Hypothesis that lives with a journal: extend it with what your service does.

It changes records, reads views, sends over a bad network, and restarts, in any order; in the
end everything must converge. What is the case after every step is for `check` to say.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from journal import Journal
from journal.errors import RefusedError
from journal.testing.asserting import assert_verified
from journal.testing.handed import check_made, check_views
from journal.testing.network import ServiceAtHand
from journal.testing.sources import SeededSources
from journal.testing.strategies import json_values
from projections.replaying import VIEWS, divergences_in_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from journal import Ref
    from journal.values import Fields
    from projections import Projection

__all__ = ["JournalMachine"]

_FAULTS = ("drop_after", "drop_before", "duplicate", "truncate", "unreachable")


class JournalMachine(RuleBasedStateMachine):
    """Lives with a journal in a file, and with a record service.

    Override the attributes, add rules, and say in `check` what must be true after every step.
    """

    types: ClassVar[Sequence[str]] = ("Account", "Visit")
    """The types of its records."""
    fields: ClassVar[st.SearchStrategy[Fields]] = st.dictionaries(
        st.sampled_from(["Name", "Size", "Note"]), json_values(st.nothing()), max_size=3
    )
    """What is written into them."""
    views: ClassVar[Sequence[type[Projection]]] = VIEWS
    """Projections that are read on the way, and compared with a replay in the end."""

    def __init__(self) -> None:
        """Begin with an empty journal, and a service without records.

        Raises:
            TypeError: what is overridden is not what it must be.
        """
        super().__init__()
        check_views(self.views)
        if isinstance(self.types, str) or not self.types:
            raise TypeError(f'types is {self.types!r}; it takes names of record types: ["Account"]')
        if not isinstance(self.fields, st.SearchStrategy):
            raise TypeError(f"fields is {self.fields!r}; it takes a strategy: st.just({{}})")
        self._folder = TemporaryDirectory(prefix="draft-journal-")
        self._sources = SeededSources()
        self.path = Path(self._folder.name) / "journal.db"
        self.service = ServiceAtHand()
        try:
            self.journal = self._opened()
        except BaseException:
            self.service.close()
            self._folder.cleanup()
            raise
        self.known: list[Ref] = []
        """The records that were made."""

    def open(self) -> Journal:
        """Return the journal, opened; called at the beginning and after every restart."""
        return Journal(self.path, actor="test", origin="test", sources=self._sources)

    def check(self) -> None:
        """Raise AssertionError where something is not so that must be so after every step."""

    # --- what happens --------------------------------------------------------------------

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        """Begin with a seed for ids and jitter."""
        self._sources = SeededSources(seed)
        self._reopen()

    @rule(data=st.data())
    def create(self, data: st.DataObject) -> None:
        """Create a record."""
        record_type = data.draw(st.sampled_from(list(self.types)))
        self.known.append(self.journal.create(record_type, data.draw(self.fields)))

    @rule(data=st.data(), deletes=st.booleans())
    def change(self, data: st.DataObject, deletes: bool) -> None:  # noqa: FBT001  drawn by name
        """Update or delete a record, if there is one."""
        if not self.known:
            return
        ref = data.draw(st.sampled_from(self.known))
        try:
            if deletes:
                self.journal.delete(ref)
            else:
                self.journal.update(ref, data.draw(self.fields))
        except RefusedError:
            self.refused(ref)

    def refused(self, ref: Ref) -> None:
        """Be told that a change of a record was refused; by itself, only of one that is deleted."""
        assert self.journal.load(ref).is_deleted, f"a change of {ref} was refused"  # noqa: S101

    @rule(faults=st.lists(st.sampled_from(_FAULTS), max_size=3))
    def send(self, faults: list[str]) -> None:
        """Send what is pending, while some things go wrong."""
        for fault in faults:
            getattr(self.service.faults, fault)()
        self._drained()

    @rule(view=st.integers(0, 100))
    def read(self, view: int) -> None:
        """Read a view."""
        if not self.views:
            return
        self.views[view % len(self.views)](self.journal).catch_up()

    @rule()
    def restart(self) -> None:
        """Close the journal, and open it again."""
        self._reopen()

    def _reopen(self) -> None:
        journal_id, head = self.journal.log.journal_id, self.journal.log.head()
        self.journal.close()
        self.journal = self._opened()
        if (self.journal.log.journal_id, self.journal.log.head()) != (journal_id, head):
            raise AssertionError("open() opened another journal than before: open self.path")

    def _opened(self) -> Journal:
        journal = self.open()
        if not isinstance(journal, Journal):
            raise TypeError(f"open() returned {journal!r}; it returns the journal, opened")
        return journal

    @invariant()
    def holds(self) -> None:
        """Look at what must be true after every step."""
        check: Callable[[], object] = self.check  # one that is overridden may return something
        check_made(check())

    # --- the end -------------------------------------------------------------------------

    def _drained(self) -> Any:  # noqa: ANN401  a report
        with self.service.subscriber(self.journal) as subscriber:
            return subscriber.drain()

    def teardown(self) -> None:
        """Let nothing go wrong any more: everything is sent, whole, and follows from the log."""
        try:
            self.service.faults.clear()
            report = self._drained()
            assert report.pending == report.held, report  # noqa: S101  a test's
            assert_verified(self.journal)
            for view in self.views:
                view(self.journal).catch_up()
            for divergence in divergences_in_tables(self.journal, self.views):
                raise AssertionError(divergence.sentence)
            self.holds()
        finally:
            self.journal.close()
            self.service.close()
            self._folder.cleanup()
