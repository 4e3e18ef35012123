"""Runs tests of a host with the plugin, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

# Imported here, so that a run within this process does not import them anew each time.
import journal.testing.asserting
import journal.testing.cassettes
import journal.testing.crashing
import journal.testing.golden
import journal.testing.network
import journal.testing.orgs
import journal.testing.plugin
import journal.testing.scenario  # noqa: F401

if TYPE_CHECKING:
    from pathlib import Path


class Run(Protocol):
    """Runs the tests of a module."""

    def __call__(self, source: str, *arguments: str) -> pytest.RunResult:
        """Return how that ended."""
        ...


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Run tests of a host with the plugin."""

    def call(source: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(source)
        return pytester.runpytest_inprocess(
            "-p", "journal.testing.plugin", "-p", "no:cacheprovider", *arguments
        )

    return call


@pytest.fixture
def here(pytester: pytest.Pytester) -> Path:
    """The folder of the tests that are run."""
    return pytester.path
