"""The plugin of pytest: fixtures for a service that embeds a journal.

It costs nothing where it is not used: what it needs is imported by the fixture that is asked
for, and no fixture acts unless a test names it.
"""

from __future__ import annotations

import re
from hashlib import sha256
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from journal.testing.collecting import add_options, collected
from journal.testing.marks import arguments_of, checked_flag, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from journal import Journal
    from journal.testing.cassettes import Cassette
    from journal.testing.faults import Planned
    from journal.testing.network import NetworkFaults, ServiceAtHand
    from journal.testing.orgs import OrgAtHand
    from journal.testing.scenario import Given

_HAS_FAILED = pytest.StashKey[bool]()
_SEED = pytest.StashKey[int]()
_KEPT = pytest.StashKey[Path]()
_NAME_MOST = 120
"""How long the name of a file is that was made of that of a test."""
_MARKS = (
    "journal(path=False, **arguments): the fixture journal: whether in a file; else as of Journal",
    "record_service(on_socket=False, validate=None): how the fixture record_service is made",
    "journal_cassette(secrets=(), harmless=()): what it masks besides, or not at all",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("draft-journal")
    group.addoption(
        "--journal-seed",
        default="0",
        metavar="N",
        help="The seed of times, ids and jitter in the fixture journal; 'random' draws one.",
    )
    group.addoption(
        "--journal-record",
        action="store_true",
        help="Record the cassettes of the tests that run anew, from the real remotes.",
    )
    add_options(parser)


def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Add the conformance suite, where a remote is named."""
    items.extend(collected(session))


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known, and draw the seed where one is to be drawn."""
    for mark in _MARKS:
        config.addinivalue_line("markers", mark)
    given = str(config.getoption("--journal-seed"))
    if given == "random":
        from random import SystemRandom  # noqa: PLC0415, TID251  drawn once, and said

        given = str(SystemRandom().randrange(2**32))
    if not re.fullmatch(r"[0-9]{1,18}", given):
        raise pytest.UsageError(f"--journal-seed {given!r} is no number, nor 'random'")
    config.stash[_SEED] = int(given)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say with a failure which seed leads to it, and where its journal is."""
    report = yield
    item.stash[_HAS_FAILED] = item.stash.get(_HAS_FAILED, False) or report.failed
    seed = item.stash.get(_SEED, None)
    if report.failed and seed is not None:
        lines = [f"seed {seed}: pytest '{item.nodeid}' --journal-seed {seed}"]
        if (path := item.stash.get(_KEPT, None)) is not None:
            lines.append(f"its journal: draft-journal --journal {path} log")
        report.sections.insert(0, ("draft-journal", "\n".join(lines)))
    return report


@pytest.fixture
def journal_seed(request: pytest.FixtureRequest) -> int:
    """The seed of this run."""
    seed = request.config.stash[_SEED]
    request.node.stash[_SEED] = seed
    return seed


@pytest.fixture
def journal(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, journal_seed: int
) -> Iterator[Journal]:
    """An empty journal with times, ids and jitter that follow from the seed.

    It is in memory; in a file with ``@pytest.mark.journal(path=True)``, or where the parameter of
    the fixture is ``"file"`` (``indirect``).
    """
    from journal import Journal  # noqa: PLC0415  only where it is used
    from journal.testing.sources import SeededSources  # noqa: PLC0415

    given = arguments_of(request, "journal", signature(Journal).parameters)
    in_file = checked_flag("journal", "path", given.pop("path", False))
    home = getattr(request, "param", "file" if in_file else "memory")
    if home not in {"file", "memory"}:
        refuse(f"the parameter of the fixture journal is {home!r}; it is 'file' or 'memory'")
    arguments = {"actor": "test", "origin": "test", "sources": SeededSources(journal_seed), **given}
    where: Any = ":memory:"
    if home == "file":
        where = tmp_path_factory.mktemp("journal") / "journal.db"
        request.node.stash[_KEPT] = where
    with Journal(where, **arguments) as made:
        yield made


@pytest.fixture
def faults(request: pytest.FixtureRequest) -> Iterator[NetworkFaults]:
    """What goes wrong on the way to `record_service`; at the end, what never did is warned of."""
    from journal.testing.network import NetworkFaults  # noqa: PLC0415

    faults = NetworkFaults()
    yield faults
    _warn_of_unmet(request, faults)


@pytest.fixture
def record_service(
    request: pytest.FixtureRequest, faults: NetworkFaults
) -> Iterator[ServiceAtHand]:
    """A record service within this process; on a socket with the mark ``record_service``."""
    from journal.testing.network import ServiceAtHand  # noqa: PLC0415

    given = arguments_of(request, "record_service", {"on_socket", "validate"})
    checked_flag("record_service", "on_socket", given.get("on_socket", False))
    try:
        service = ServiceAtHand(faults, **given)
    except TypeError as error:
        refuse(f"the mark record_service: {error}")
    yield service
    service.close()


@pytest.fixture
def org(request: pytest.FixtureRequest) -> Iterator[OrgAtHand]:
    """A stand-in for a Salesforce org, served when its URL is first asked for."""
    from journal.testing.orgs import OrgAtHand  # noqa: PLC0415

    org = OrgAtHand()
    yield org
    org.close()
    _warn_of_unmet(request, org.faults)


def _warn_of_unmet(request: pytest.FixtureRequest, faults: Planned[Any]) -> None:
    """Warn of faults that no request has met: the test has not tried what it is about."""
    if request.node.stash.get(_HAS_FAILED, False):
        return
    for fault in faults.unmet:
        which = f"method {fault.method or 'any'}, path {fault.path!r}, skip {fault.skip}"
        said = f"a fault has never gone wrong, for no request has fitted it: {fault.kind}, {which}"
        request.node.warn(pytest.PytestWarning(said))


@pytest.fixture
def given(request: pytest.FixtureRequest, journal: Journal) -> Iterator[Callable[..., Given]]:
    """Begin a scenario in the journal of the test: ``given(...).when(...).then(...)``.

    At the end, a command of which nobody has asked what came of it fails.
    """
    from journal.testing.scenario import given  # noqa: PLC0415

    begun: list[Given] = []

    def begin(*steps: Any, **more: Any) -> Given:  # noqa: ANN401  those of `given`
        begun.append(given(*steps, **{"journal": journal, **more}))
        return begun[-1]

    yield begin
    left = [when for scenario in begun for when in scenario.whens if not when.is_asked]
    if left and not request.node.stash.get(_HAS_FAILED, False):
        came = "" if left[0].error is None else f", and it raised {left[0].error!r}"
        refuse(f"when() was called, and nobody asked what came of it{came}; add .then(…)")


@pytest.fixture
def journal_cassette(request: pytest.FixtureRequest) -> Iterator[Cassette]:
    """The exchanges of this test with a remote, beside the test in ``cassettes/``.

    Played back; recorded with ``--journal-record``. At the end, what was not asked for fails.
    """
    from journal.testing.cassettes import Cassette  # noqa: PLC0415

    path = request.path.parent / "cassettes" / f"{_cassette_name(request.node)}.jsonl"
    given = arguments_of(request, "journal_cassette", {"harmless", "secrets"})
    cassette = Cassette(path, record=bool(request.config.getoption("--journal-record")), **given)
    yield cassette
    cassette.close(is_complete=not request.node.stash.get(_HAS_FAILED, False))


def _cassette_name(node: pytest.Item) -> str:
    """Return the name of a cassette: of two tests of a module, they are never the same."""
    _, *within = node.nodeid.split("::")
    full = f"{node.path.stem}.{'.'.join(within)}"
    name = re.sub(r"[^\w.-]+", "-", full).strip("-")
    if len(name) <= _NAME_MOST and not re.search(r"[^\w.\[\]-]", full):
        return name
    return f"{name[:_NAME_MOST]}.{sha256(full.encode()).hexdigest()[:8]}"
