"""Where time, ids and randomness come from."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from journal.sources import RandomIds, Sources, SystemClock, host_name, login_name, uuid7

if TYPE_CHECKING:
    import pytest


class TestClock:
    """The clock of the machine."""

    def test_tells_the_time_of_day(self) -> None:
        """The wall clock counts microseconds since 1970; the other one never goes back."""
        clock = SystemClock()
        before = clock.monotonic_s()

        assert 1_700_000_000_000_000 < clock.now_us() < 5_000_000_000_000_000
        assert clock.monotonic_s() >= before


class TestIds:
    """Ids that were never made before."""

    @given(st.integers(0, 2**48 - 1), st.integers(0, 4095), st.binary(min_size=8, max_size=8))
    def test_is_laid_out_as_the_standard_says(
        self, milliseconds: int, fraction: int, entropy: bytes
    ) -> None:
        """RFC 9562: 48 bits of time, the version, 12 of fraction, the variant, 62 random ones."""
        uuid = UUID(uuid7(milliseconds, fraction, entropy))

        assert (uuid.version, uuid.variant) == (7, "specified in RFC 4122")
        assert uuid.int >> 80 == milliseconds
        assert uuid.int >> 64 & 0xFFF == fraction
        assert uuid.int & (1 << 62) - 1 == int.from_bytes(entropy, "big") & (1 << 62) - 1

    @given(st.integers(0, 2**58), st.integers(1, 10**9))
    def test_later_id_is_greater(self, now_us: int, later_us: int) -> None:
        """Ids sort by the microsecond in which they were made."""
        assert RandomIds().new(now_us) < RandomIds().new(now_us + later_us)

    def test_no_id_is_made_twice(self) -> None:
        """Ids of the same microsecond differ."""
        ids = RandomIds()

        assert len({ids.new(1_700_000_000_000_000) for _ in range(1000)}) == 1000


class TestSources:
    """The sources together."""

    def test_draws_between_two_numbers(self) -> None:
        """Randomness is drawn within its bounds."""
        assert 2.0 <= Sources().randomness.uniform(2.0, 3.0) <= 3.0

    def test_names_of_user_and_host(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The login name is the user's, or ``unknown`` where the system has none."""
        monkeypatch.setenv("LOGNAME", "ann")
        assert login_name() == getpass.getuser() == "ann"
        assert host_name() == os.uname().nodename

    def test_user_without_a_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A user that the system does not know by name, as in a container, is no error."""
        for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(os, "getuid", lambda: 4_000_000_001)

        assert login_name() == "unknown"
