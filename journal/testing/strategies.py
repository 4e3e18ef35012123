"""Strategies of Hypothesis: what a journal accepts, and so has to keep exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from journal.values import MAX_INTEGER, Ref

if TYPE_CHECKING:
    from journal.values import Fields

__all__ = ["field_names", "fields", "json_values", "refs", "texts"]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
"""Any text without lone surrogates."""
refs = st.builds(
    Ref.of,
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_.\-]{0,9}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9:/~ ._-]{1,9}", fullmatch=True).filter(
        lambda text: text.strip() == text and text not in {".", ".."}
    ),
)
"""References to any record."""
field_names = st.from_regex(r"[A-Za-z_@$#][A-Za-z0-9_ .:@$#/()?%&+,!]{0,7}", fullmatch=True)
"""Names of fields that are allowed."""


def json_values(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return JSON values with these leaves besides the plain ones."""
    plain: st.SearchStrategy[Any] = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-MAX_INTEGER, MAX_INTEGER),
        st.floats(allow_nan=False, allow_infinity=False),
        texts,
    )
    return st.recursive(
        plain | leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
        max_leaves=12,
    )


def fields(leaves: st.SearchStrategy[Any] = refs) -> st.SearchStrategy[Fields]:
    """Return fields of a record, with references, and with these leaves."""
    return st.dictionaries(field_names, json_values(leaves), max_size=5)
