"""The state machine: it converges by itself, and what a host adds to it finds what is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import rule, run_state_machine_as_test

from journal import Journal, Ref
from journal.testing import JournalMachine
from projections import Records
from tests.replay.wayward import Counting

FEW = settings(
    max_examples=12,
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class Caring(JournalMachine):
    """Checks that whoever was made is known, and that the service has each record once."""

    def check(self) -> None:
        """Look at every record, and at what the service did."""
        records = Records(self.journal)
        for ref in self.known:
            assert ref in records or self.journal.load(ref).is_deleted
        made = [effect.path for effect in self.service.effects if effect.method == "PUT"]
        assert len(made) == len(set(made)), "a create was applied twice"


class Careless(JournalMachine):
    """Has a rule that breaks what is expected."""

    @rule()
    def lose(self) -> None:
        """Forget a record that was made."""
        self.known.append(Ref("Account:never"))

    def check(self) -> None:
        """Expect every record that is known to be there."""
        for ref in self.known:
            assert self.journal.load(ref).version, "a record is lost"


class Forgetting(JournalMachine):
    """Has a projection that keeps its state in memory."""

    views = (Counting,)


class Elsewhere(JournalMachine):
    """Opens a journal that is not there any more after a restart."""

    def open(self) -> Journal:
        """Return one in memory."""
        return Journal(actor="test")


class Unopened(JournalMachine):
    """Opens nothing."""

    def open(self) -> Any:  # noqa: ANN401  nothing
        """Return nothing."""


class Denying(JournalMachine):
    """Says that something is wrong, and does not raise it."""

    def check(self) -> Any:  # noqa: ANN401  no
        """Return no."""
        return False


class Lazy(JournalMachine):
    """Has a check that is only begun."""

    async def check(self) -> None:  # type: ignore[override]
        """Would fail."""
        raise AssertionError


class Lettered(JournalMachine):
    """Names a type, and not several."""

    types = "Account"


class Fixed(JournalMachine):
    """Has fields that are no strategy."""

    fields = {"Name": "x"}  # type: ignore[assignment]  # noqa: RUF012


class Named(JournalMachine):
    """Names a view, and not its class."""

    views = ("records",)  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("machine", "problem"),
    [
        (Elsewhere, r"open\(\) opened another journal than before: open self.path"),
        (Unopened, r"open\(\) returned None; it returns the journal, opened"),
        (Denying, "check returned False"),
        (Lazy, "check is async, so nothing of it was done"),
        (Lettered, "types is 'Account'; it takes names of record types"),
        (Fixed, "fields is {'Name': 'x'}; it takes a strategy"),
        (Named, "'records' is no class of a projection"),
    ],
)
def test_what_would_look_at_nothing(machine: type[JournalMachine], problem: str) -> None:
    """What is overridden so that nothing would be looked at fails, and says why."""
    with pytest.raises((AssertionError, TypeError), match=problem):
        run_state_machine_as_test(machine, settings=FEW)


def test_it_converges() -> None:
    """Changes, faults, restarts and reads in any order end with all sent, whole and derived."""
    run_state_machine_as_test(Caring, settings=FEW)


@pytest.mark.parametrize(
    ("machine", "said"), [(Careless, "a record is lost"), (Forgetting, r"\$\.wayward\[")]
)
def test_what_is_wrong_is_found(machine: type[JournalMachine], said: str) -> None:
    """What a host expects, and the projections of a host, are looked at as well."""
    with pytest.raises(AssertionError, match=said):
        run_state_machine_as_test(machine, settings=FEW)
