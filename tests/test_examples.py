"""Every example in the README and in docs/ runs."""

from __future__ import annotations

import gc
import re
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from journal import Journal
from journal.errors import LogClosedError
from journal.sync import Subscriber
from journal.testing.service import RecordService
from journal.testing.simulate.storage import Crashed
from tests.pages import EXAMPLES, PAGES, ROOT, matches

if TYPE_CHECKING:
    from sybil import Document


def _journals() -> list[Journal]:
    return [thing for thing in gc.get_objects() if type(thing) is Journal]


def _run(page: Path) -> Document:
    """Run the examples of a page; where one fails, end what the page would have ended."""
    document = EXAMPLES.parse(page)
    try:
        for example in document.examples():
            example.evaluate()
    except BaseException:
        for thing in document.namespace.values():
            if isinstance(thing, RecordService):
                thing.stop()
            elif isinstance(thing, (Journal, Subscriber)):
                thing.close()
        raise
    return document


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_examples_of_a_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The examples of a page do what they say, from the top, and leave nothing open."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    journals_before = set(map(id, _journals()))
    threads_before = set(threading.enumerate())

    document = _run(page)

    for journal in _journals():
        if id(journal) not in journals_before:
            with pytest.raises((LogClosedError, Crashed)):  # a simulated process is dead
                journal.log.head()
    document.namespace.clear()
    for name, module in list(sys.modules.items()):  # what the page has written to files
        if Path(getattr(module, "__file__", None) or "/").is_relative_to(tmp_path):
            del sys.modules[name]
    assert set(threading.enumerate()) <= threads_before


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ("```python\nassert 1 == 2, 'they differ'\n```", "they differ"),
        ("```python\n>>> 1 + 1\n3\n```", "Got:"),
        ("```console\n$ echo yes\nno\n```", "it wrote:\nyes"),
        ("```console\n$ exit 3\n```", "ended with 3"),
        ("```console\nexit 3\n```", "begins with a command"),
        ("```toml\nurl = 3\n```", "profile key url"),
        ("```toml\nurl 3\n```", "Expected '='"),
        ("```json\n{\n```", "Expecting"),
        ("```jsonl\n{}\n{\n```", "Expecting"),
        ("```sql\nCREATE TABLE other (a TEXT)\n```", "not in the schema"),
        ("```ruby\n1\n```", "'ruby' is not checked"),
        ("```\n1\n```", "'' is not checked"),
    ],
)
def test_an_example_that_is_wrong_is_found(
    block: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that is wrong on a page passes."""
    monkeypatch.chdir(tmp_path)
    page = tmp_path / "page.md"
    page.write_text(f"# A page\n\n{block}\n", encoding="utf-8")

    with pytest.raises(Exception, match=re.escape(problem)):
        _run(page)


@pytest.mark.parametrize(
    ("expected", "actual", "is_match"),
    [
        ("", "", True),
        ("", "noise", False),
        ("done", "done", True),
        ("done in ... s", "done in 0.3 s", True),
        ("done in ... s", "done in\n0.3 s", False),
        ("a\n...\nz", "a\nb\nc\nz", True),
        ("a\n...\nz", "a\nz", True),
        ("a\n...", "a", True),
        ("...", "", True),
        ("a.c", "abc", False),
    ],
)
def test_shown_output_is_compared(expected: str, actual: str, is_match: bool) -> None:  # noqa: FBT001
    """Three dots stand for any text of a line, and alone on a line for any lines."""
    assert matches(expected, actual) is is_match
