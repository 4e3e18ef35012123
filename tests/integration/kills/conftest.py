"""What is checked says what it has found."""

import pytest

pytest.register_assert_rewrite("tests.integration.kills.checking")
