"""What is public is written down, can be imported, and is nothing else."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import pytest

import journal

PUBLIC = (
    "journal",
    "journal.log",
    "journal.receiver",
    "journal.remotes",
    "journal.sync",
    "journal.testing",
    "journal.testing.conformance",
    "journal.testing.loopback",
    "journal.testing.salesforce",
    "journal.testing.service",
    "journal.testing.simulate",
    "projections",
    "projections.bisecting",
    "projections.replaying",
)


def _public(name: str) -> list[str]:
    """Return `__all__`; a package that only holds modules need not have one."""
    return list(getattr(import_module(name), "__all__", ()))


def _order(name: str) -> tuple[bool, bool, str]:
    """Sort constants first, then classes, then functions, as the linter does."""
    return (not name.isupper(), not name[0].isupper(), name)


@pytest.mark.parametrize("name", PUBLIC)
def test_all_is_sorted_and_importable(name: str) -> None:
    """`__all__` is in order, names nothing twice, and each of its names is there."""
    module = import_module(name)
    public = _public(name)

    assert public == sorted(set(public), key=_order)
    assert all(hasattr(module, each) for each in public)


PACKAGES = [name for name in PUBLIC if not name.startswith(("journal.testing.", "projections."))]


@pytest.mark.parametrize("name", PACKAGES)
def test_nothing_else_is_public(name: str) -> None:
    """A package has no name without an underscore that is not in `__all__`, but its modules."""
    module = import_module(name)
    ordinary = {"annotations", "import_module", "TYPE_CHECKING", "Final"}

    found = {
        attribute
        for attribute, value in vars(module).items()
        if not attribute.startswith("_") and not isinstance(value, ModuleType)
    }

    assert found - ordinary <= set(_public(name))


def test_lazy_names_are_the_public_ones() -> None:
    """The table of the lazy package holds its public names, and each leads to its home."""
    homes = journal._HOMES

    assert sorted(homes, key=_order) == list(journal.__all__)
    for name, home in homes.items():
        assert getattr(journal, name) is getattr(import_module(home), name)


def test_unknown_name_is_an_ordinary_error() -> None:
    """A name that is not there is an AttributeError, as of any module."""
    with pytest.raises(AttributeError, match="module 'journal' has no attribute 'Jornal'"):
        _ = journal.Jornal


def test_version_is_that_of_the_distribution() -> None:
    """`journal.__version__` is the version that was installed, or the lack of one says so."""
    metadata = import_module("importlib.metadata")
    try:
        expected = metadata.version("draft-journal")
    except metadata.PackageNotFoundError:
        pytest.skip("the distribution is not installed here, only on the path")

    assert journal.__version__ == expected
