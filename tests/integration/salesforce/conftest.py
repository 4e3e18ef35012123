"""An org on a socket, for each test one of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from journal.testing.salesforce import Org
from journal.testing.salesforce.serving import listening, serving
from tests.integration.salesforce.hands import Hands, logged_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from journal.testing.salesforce.service import Service


@pytest.fixture
def clock() -> Hands:
    """A clock that stands until it is moved."""
    return Hands()


@pytest.fixture
def org(clock: Hands) -> Org:
    """An org with no records."""
    return Org(clock=clock)


class Stage:
    """What is served: the org of the test that is going on. To begin and end takes time, once."""

    def __init__(self) -> None:
        """Begin with no org."""
        self.org = Org()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever a service has
        return getattr(self.org._service, name)


@pytest.fixture(scope="session")
def stage() -> Iterator[tuple[Stage, str]]:
    """A server for all these tests, and where it is."""
    stage, bound = Stage(), listening("127.0.0.1", 0)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    with serving(cast("Service", stage), bound):
        yield stage, url


@pytest.fixture
def url(org: Org, stage: tuple[Stage, str]) -> str:
    """Where that org is served."""
    served, url = stage
    served.org = org
    return url


@pytest.fixture
def client(org: Org, url: str) -> Iterator[httpx.Client]:
    """A client with a token, on one kept connection."""
    with logged_in(url, org.access_token()) as client:
        yield client
