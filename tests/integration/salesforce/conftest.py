"""An org on a socket, for each test one of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from journal.testing.salesforce import Org
from tests.integration.salesforce.hands import Hands, logged_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx


@pytest.fixture
def clock() -> Hands:
    """A clock that stands until it is moved."""
    return Hands()


@pytest.fixture
def org(clock: Hands) -> Org:
    """An org with no records."""
    return Org(clock=clock)


@pytest.fixture
def url(org: Org) -> Iterator[str]:
    """Where that org is served."""
    with org.serve() as url:
        yield url


@pytest.fixture
def client(org: Org, url: str) -> Iterator[httpx.Client]:
    """A client with a token, on one kept connection."""
    with logged_in(url, org.access_token()) as client:
        yield client
