"""The tree of errors."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

from journal import errors
from journal.errors import JournalError, shown

EXAMPLES: dict[str, tuple[Any, ...]] = {
    "InvalidRecordError": ("Account:1", {"Name": "is too long", "": "is odd"}),
    "UnknownTypeError": ("Acount", ("Account", "Visit")),
    "RecordMissingError": ("Account:1",),
    "RecordDeletedError": ("Account:1",),
    "RecordExistsError": ("Account:1",),
    "DanglingReferenceError": ("Visit:1", "/Account", "Account:1", "is unknown"),
    "DraftMissingError": ("e1",),
    "InvalidChangeError": (7, "it is no JSON"),
    "VersionConflictError": ("Account:1", 3, 4),
    "LogMissingError": ("field.db",),
    "LogCorruptError": (7, "its hash does not fit"),
    "UnknownEventError": (7, "RecordCopied", 1),
    "ProfileError": ("create.path", "is missing"),
}
TREE = {
    name: kind
    for name, kind in vars(errors).items()
    if inspect.isclass(kind) and issubclass(kind, JournalError)
}


def drawn_tree() -> list[tuple[int, str, str]]:
    """Return depth, name and text of every line of the tree in the module's docstring."""
    lines = re.findall(r"^([│├└─ ]*)(\w+Error) *(.*)$", errors.__doc__ or "", re.MULTILINE)
    return [(len(indent) // 4, name, text) for indent, name, text in lines]


class TestTree:
    """The tree is drawn once, in the docstring, and is what the code has."""

    def test_is_as_it_is_drawn(self) -> None:
        """Every class is drawn under its base, and nothing else is."""
        parents: list[str] = []
        drawn = {}
        for depth, name, _ in drawn_tree():
            parents[depth:] = [name]
            drawn[name] = parents[depth - 1] if depth else "Exception"

        assert drawn == {name: kind.__bases__[0].__name__ for name, kind in TREE.items()}

    def test_says_what_the_classes_say(self) -> None:
        """The text beside a class is its docstring."""
        for _, name, text in drawn_tree()[1:]:
            said = (inspect.getdoc(TREE[name]) or "").lower().replace("the ", "").rstrip(".")
            assert text.lower().replace("the ", "") == said, name

    @pytest.mark.parametrize("name", sorted(TREE))
    def test_says_what_to_do(self, name: str) -> None:
        """An error with facts has them in its text, and ends with a remedy."""
        facts = EXAMPLES.get(name)
        if facts is None:
            return
        error = TREE[name](*facts)

        assert error.problem in str(error)
        for fact in facts:
            for word in fact if isinstance(fact, tuple | dict) else (fact,):
                assert str(word) in str(error)
        assert name in {"InvalidChangeError", "ProfileError"} or "; " in str(error)

    def test_problem_and_hint(self) -> None:
        """The text of an error is the problem and, where there is one, the hint."""
        assert str(JournalError("it rains", hint="wait")) == "it rains; wait"
        assert str(JournalError("it rains")) == "it rains"

    def test_unknown_facts_are_left_out(self) -> None:
        """Where a position or a version is not known, the text does without."""
        assert str(errors.LogCorruptError(None, "it is damaged")).startswith("the log: it is")
        assert "is at another version" in str(errors.VersionConflictError("Account:1", 3, None))
        assert str(errors.UnknownEventError(None, "X", 1)).startswith("the event is a 'X'")


class TestShown:
    """Text from outside, made harmless for a terminal."""

    @pytest.mark.parametrize(
        ("text", "quoted"),
        [
            ("Acme", "'Acme'"),
            ("it's", '"it\'s"'),
            ("Ö", "'Ö'"),
            ("a\nb", r"'a\nb'"),
            ("\x1b[31m", r"'\x1b[31m'"),
            ("\ud800", r"'\ud800'"),
            ("x" * 100, "'" + "x" * 58 + "…"),
        ],
    )
    def test_is_quoted(self, text: str, quoted: str) -> None:
        """It is quoted, printable, and at most 60 characters long."""
        assert shown(text) == quoted
        assert len(shown(text)) <= 60
