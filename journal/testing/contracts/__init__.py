"""What every adapter of a port promises, as classes of tests.

A test module imports all of a contract, and has its fixture: for ``log``, a fixture `log`, which
is an empty log of the journal ``j1``.
"""

import pytest

pytest.register_assert_rewrite("journal.testing.contracts.log")
