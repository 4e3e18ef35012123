"""The contract of the log, on each adapter; it is a part of the test kit."""

from journal.testing.contracts.log import *  # noqa: F403  that is how the contract is used
