"""The suites that come with the library, run against our recorders."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from eventsourcing.persistence import NotSupportedError, StoredEvent

from journal.events import NewEntry, RecordCreated
from journal.log import MEMORY, Factory, open_recorder
from journal.log.mapper import EntryMapper, JSONBytes
from journal.values import Ref

if TYPE_CHECKING:
    from journal.log.recorder import RowRecorder


def _suites() -> Any:  # noqa: ANN401  a module without types
    """Import the suites; the cipher, which their module asks for but ours do not use, may lack."""
    if find_spec("Crypto") is not None:
        return import_module("eventsourcing.tests.persistence")
    absent = ModuleType("eventsourcing.cipher")
    absent.AESCipher = None  # type: ignore[attr-defined]
    sys.modules["eventsourcing.cipher"] = absent
    try:
        return import_module("eventsourcing.tests.persistence")
    finally:
        del sys.modules["eventsourcing.cipher"]


suites = _suites()


class _OnRecorder:
    """Makes the recorder of a test: a new one, at a path of its own, closed at the end."""

    INITIAL_VERSION = 1
    addCleanup: Any  # noqa: N815  the library's

    def create_recorder(self) -> RowRecorder:
        """Return a new recorder."""
        recorder = open_recorder(self.new_path(), lambda: "j1")
        self.addCleanup(recorder.close)
        return recorder

    def new_path(self) -> str:
        """Return the path of a journal that is new."""
        raise NotImplementedError

    def new_originator_id(self) -> str:
        """Return the id of a stream, which is text here."""
        return f"T:{uuid4()}"


class _InMemory(_OnRecorder):
    def new_path(self) -> str:
        return MEMORY


class _OnFile(_OnRecorder):
    def new_path(self) -> str:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return str(Path(folder.name) / "log.db")


class TestMemoryRecorder(_InMemory, suites.ApplicationRecorderTestCase):  # type: ignore[misc, name-defined]
    """The recorder in memory is an application recorder of the library."""

    def test_insert_subscribe(self) -> None:
        """A subscription yields what was stored, and what is being stored."""
        self.optional_test_insert_subscribe()


class TestSQLiteRecorder(_OnFile, suites.ApplicationRecorderTestCase):  # type: ignore[misc, name-defined]
    """The recorder on a file is an application recorder of the library."""

    def test_insert_subscribe(self) -> None:
        """A subscription yields what was stored, and what is being stored."""
        self.optional_test_insert_subscribe()


class TestMemoryDoesNotInterleave(
    _InMemory,
    suites.NonInterleavingNotificationIDsBaseCase,  # type: ignore[misc, name-defined]
):
    """Two appends at once keep their positions together, in memory."""


class TestSQLiteDoesNotInterleave(
    _OnFile,
    suites.NonInterleavingNotificationIDsBaseCase,  # type: ignore[misc, name-defined]
):
    """Two appends at once keep their positions together, on a file."""


class TestJSONBytes(suites.TranscoderTestCase):  # type: ignore[misc, name-defined]
    """JSON is JSON; what the library marks with a type of its own is not for us."""

    test_dict_subclass = test_list_subclass = test_str_subclass = test_int_subclass = None
    test_tuple = test_mixed = test_nested_custom_type = test_custom_type_in_dict = None
    test_custom_type_error = None

    def construct_transcoder(self) -> JSONBytes:
        """Return our transcoder."""
        return JSONBytes()


class TestFactory:
    """The persistence module of our own."""

    @pytest.fixture
    def factory(self, path: str) -> Any:  # noqa: ANN401  a generator of one factory
        """A factory on an open recorder."""
        recorder = open_recorder(path, lambda: "j1")
        yield Factory(recorder)
        recorder.close()

    def test_hands_out_the_open_journal(self, factory: Factory) -> None:
        """Both recorders are the journal's, and the mapper is ours."""
        recorder = factory.application_recorder()

        assert factory.aggregate_recorder() is recorder
        assert type(factory.mapper()) is EntryMapper
        recorder.insert_events([StoredEvent("A:1", 1, "x", b"{}")])
        assert recorder.max_notification_id() == 1

    def test_event_store_reads_what_it_wrote(self, factory: Factory) -> None:
        """The library's event store writes and reads our entries."""
        store: Any = factory.event_store()
        new = NewEntry(
            "e1", Ref("A:1"), 1, 5, "ann", "van", None, None, None, None, RecordCreated(fields={})
        )

        (recording,) = store.put([new])

        assert recording.notification.id == 1
        assert [e.event for e in store.get("A:1")] == [new.event]

    def test_keeps_nothing_else(self, factory: Factory) -> None:
        """Snapshots and tracking are refused: a projection keeps its checkpoint with its rows."""
        for refused in (
            lambda: factory.aggregate_recorder("snapshots"),
            factory.tracking_recorder,
            factory.process_recorder,
        ):
            with pytest.raises(NotSupportedError):
                refused()
