"""How a subscriber behaves, as far as a host may choose."""

from __future__ import annotations

from typing import Any

import pytest

from journal.errors import InvalidNameError, InvalidValueError
from journal.sync.settings import Settings


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(on_held="stop"),
        Settings(attempts=1, rejections=1, doubts=1),
        Settings(rejections=None, doubts=None),
    ],
)
def test_what_may_be_chosen(settings: Settings) -> None:
    """A number of times is one or more; where it may be none, that is never."""
    assert settings.checked() is settings


@pytest.mark.parametrize("name", ["attempts", "rejections", "doubts"])
@pytest.mark.parametrize("count", [0, -1, 1.0, True, "5"])
def test_how_often_is_a_number_of_times(name: str, count: Any) -> None:  # noqa: ANN401
    """What is none would be compared with one, and come to anything; it is named."""
    with pytest.raises(InvalidValueError, match="is no number of times") as caught:
        Settings(**{name: count}).checked()

    assert caught.value.path == name
    assert str(count) in caught.value.reason
    assert "give a whole number, from 1" in str(caught.value)


def test_it_is_tried_sometimes() -> None:
    """A drain gives up in the end."""
    with pytest.raises(InvalidValueError, match="'None' is no number of times"):
        Settings(attempts=None).checked()  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["lanes", "LANE", "", None])
def test_what_a_held_draft_stops(name: Any) -> None:  # noqa: ANN401
    """A mistyped word would send what its host wants to be held."""
    with pytest.raises(InvalidNameError, match="use lane or stop") as caught:
        Settings(on_held=name).checked()

    assert str(caught.value).startswith("on_held")
