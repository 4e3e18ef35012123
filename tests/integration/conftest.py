"""What most of these tests stand on: a service, a proxy before it, a journal in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from journal import Journal
from journal.testing.service import RecordService
from tests.integration.driving import Flavour
from tests.integration.faults import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["blocking", "async"])
def flavour(request: pytest.FixtureRequest) -> Iterator[Flavour]:
    """What makes subscribers of one flavour."""
    flavour = Flavour(is_async=request.param == "async")
    yield flavour
    flavour.close()


@pytest.fixture
def service() -> Iterator[RecordService]:
    """A running record service."""
    with RecordService() as service:
        yield service


@pytest.fixture
def proxy(service: RecordService) -> Iterator[Proxy]:
    """A proxy before the service."""
    with Proxy(service.url) as proxy:
        yield proxy


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is."""
    return tmp_path / "field.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    """An empty journal in a file."""
    with Journal(path, actor="ann", origin="van-7") as journal:
        yield journal
