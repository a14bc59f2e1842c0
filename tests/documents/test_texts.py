"""Texts that come from elsewhere."""

from slocheck.documents.texts import shorten


def test_shorten_says_that_it_cut() -> None:
    """The ellipsis is within the limit; a text that fits is left alone."""
    assert shorten("abcdef", 4) == "abc…"
    assert shorten("abcd", 4) == "abcd"
