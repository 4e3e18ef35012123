"""The services, each started once; every test has records of its own in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.services.datasette import Datasette, datasette
from tests.integration.services.kinto import Kinto, kinto
from tests.integration.services.scim import Scim, scim
from tests.integration.services.stand_ins import Couch, Rpc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def kinto_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kinto]:
    """A Kinto that runs."""
    with kinto(tmp_path_factory.mktemp("kinto")) as service:
        yield service


@pytest.fixture(scope="session")
def datasette_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Datasette]:
    """A Datasette that runs."""
    with datasette(tmp_path_factory.mktemp("datasette")) as service:
        yield service


@pytest.fixture(scope="session")
def scim_running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A SCIM service that runs, and its log."""
    with scim(tmp_path_factory.mktemp("scim")) as running:
        yield running


@pytest.fixture
def scim_service(scim_running: tuple[str, Path]) -> Scim:
    """A SCIM service whose history begins with the test."""
    return Scim(*scim_running)


@pytest.fixture
def couch_service() -> Iterator[Couch]:
    """A service like CouchDB."""
    service = Couch()
    with service.running():
        yield service


@pytest.fixture
def rpc_service() -> Iterator[Rpc]:
    """A POST-only service."""
    service = Rpc()
    with service.running():
        yield service
