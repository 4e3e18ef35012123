"""The words of a body that is no JSON."""

from __future__ import annotations

import pytest

from journal.remotes.pages import MAX_PAGE, is_page, text_of, words_of


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"plain", "plain"),
        ("Größe".encode(), "Größe"),
        (b"\xef\xbb\xbfmarked", "marked"),
        ("wide".encode("utf-16-le"), "w\0i\0d\0e\0"),
        (b"\xff\xfe" + "wide".encode("utf-16-le"), "wide"),
        (b"\xfe\xff" + "wide".encode("utf-16-be"), "wide"),
        (b"\xff\xfe" + "cut".encode("utf-16-le")[:-1], "cu\ufffd"),
        (b"bad \xff", "bad \ufffd"),
    ],
    ids=["plain", "utf-8", "marked", "wide, unmarked", "little", "big", "cut", "bad"],
)
def test_the_text_of_any_bytes(body: bytes, text: str) -> None:
    """A mark says which encoding it is, and what fits none is replaced and not refused."""
    assert text_of(body) == text


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("<title>First</title><title>Second</title>", "First"),
        ("<title>The title</title><h1>A heading</h1>", "The title"),
        ("<p>Text</p><h3>Third</h3><h2>Second</h2><h1>First</h1><h1>Again</h1>", "First"),
        ("<p>Text</p><h3>Third</h3><h2>Second</h2>", "Second"),
        ("<p>Text</p><h3>Third</h3>", "Third"),
        ("<P>Text</P><H1 CLASS='x'>Shouted</H1>", "Shouted"),
        ("\r\n <title>After blanks</title>", "After blanks"),
        ("<p>Text</h1><h1>After a stray end</h1>", "After a stray end"),
        (
            "<p>İİİ</p><h1>After İ, which is two in lower case</h1>",
            "After İ, which is two in lower case",
        ),
    ],
)
def test_the_words_of_a_page_are_its_title_or_greatest_heading(page: str, words: str) -> None:
    """The first element of the greatest kind that there is says what the page is about."""
    assert words_of(page) == words


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("<p>Sorry</title>", "Sorry"),
        ("<p>Sorry</title><p>no title", "Sorry no title"),
        ("<title>open", "open"),
        ("<h1 open", "<h1 open"),
        ("<p>see > there", "see > there"),
        ("<p>a</p><script>1</script><p>b</p><script>2</script><p>c</p>", "a b c"),
        ("<p>a<SCRIPT>1</SCRIPT>b<STYLE>2</STYLE>c", "abc"),
        ("<p>a<script>1</script>b</script>c", "ab c"),
        ("<p>a<scripted>b", "a b"),
        ("<p>a<style>b", "a"),
        ("5 &lt; 6", "5 &lt; 6"),
        ("<p>5 &lt; 6", "5 < 6"),
    ],
)
def test_without_a_heading_a_page_is_what_it_shows(page: str, words: str) -> None:
    """What stands between its tags is told, but for scripts and styles; text is as it is."""
    assert words_of(page) == words


def test_a_page_is_read_to_a_bound() -> None:
    """Of what is longer than any page, the beginning is told."""
    assert words_of("x" * MAX_PAGE + "y") == "x" * MAX_PAGE


@pytest.mark.parametrize(
    ("body", "is_one"),
    [
        (b"<!DOCTYPE html>", True),
        (b"<HTML lang=en>", True),
        (b"<?xml version='1.0'?>\n<!-- a proxy -->\n<html>", True),
        (b"<htmlx>", False),
        (b"<note><title>x</title></note>", False),
        (b"see <html>", False),
        (b'{"a": 1}', False),
        (b"", False),
    ],
)
def test_a_page_is_told_by_how_it_begins(body: bytes, is_one: bool) -> None:  # noqa: FBT001
    """Only what begins as a page of HTML is one, after what may stand before it."""
    assert is_page(body) == is_one
