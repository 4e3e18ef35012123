"""Whether a batch is applied, by what its records say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from journal.remotes.salesforce.witnesses import verdict

if TYPE_CHECKING:
    from journal.remotes.salesforce.witnesses import Word


class TestVerdict:
    """W1, W2: what all words together come to."""

    @pytest.mark.parametrize(
        ("words", "is_applied"),
        [
            (["after"], True),
            (["after", "mute", "gone", "other"], True),
            (["before"], False),
            (["before", "mute", "gone", "other"], False),
            (["after", "before"], None),
            (["gone"], True),
            (["gone", "mute"], True),
            (["gone", "other"], None),
            (["other"], None),
            (["other", "mute"], None),
            (["mute"], False),
        ],
    )
    def test_where_all_may_be_applied(self, words: list[Word], is_applied: bool | None) -> None:  # noqa: FBT001
        """One witness is enough; none, or two that contradict one another, are not."""
        assert verdict(words, 3, 3) is is_applied

    @pytest.mark.parametrize(
        ("words", "is_applied"),
        [
            (["after"], None),
            (["after", "before"], None),
            (["before"], False),
            (["gone"], False),
            (["gone", "other"], None),
            (["other"], None),
            (["mute"], False),
        ],
    )
    def test_where_some_surely_were_not_sent(
        self,
        words: list[Word],
        is_applied: bool | None,  # noqa: FBT001
    ) -> None:
        """Nothing is acknowledged then: what was never sent is not applied."""
        assert verdict(words, 2, 3) is is_applied
