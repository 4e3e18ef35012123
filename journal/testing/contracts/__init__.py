"""What every adapter of a port promises, as classes of tests.

A test module imports all of a contract, and has its fixtures: for ``log`` and ``leases``, a fixture
`log`, which is an empty log of the journal ``j1``; for ``durable``, also `another`, which opens it
once more.
"""

import pytest

pytest.register_assert_rewrite(
    "journal.testing.contracts.durable",
    "journal.testing.contracts.leases",
    "journal.testing.contracts.log",
)
