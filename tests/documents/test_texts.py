"""Foreign texts."""

import pytest

from slocheck.documents.texts import shorten, shorten_to_sentence


def test_shorten_says_that_it_cut() -> None:
    """The ellipsis is within the limit; a text that fits is left alone."""
    assert shorten("abcdef", 4) == "abc…"
    assert shorten("abcd", 4) == "abcd"


@pytest.mark.parametrize(
    ("text", "short"),
    [
        pytest.param("One. Two.", "One. Two.", id="fits"),
        pytest.param(
            "One sentence is here. Another follows it.", "One sentence is here.…", id="behind a sentence"
        ),
        pytest.param(
            "One clause is here; another follows it, too.", "One clause is here;…", id="behind a clause"
        ),
        pytest.param(
            "No sentence ends within what may be kept", "No sentence ends within…", id="between words"
        ),
        pytest.param("x" * 40, "x" * 24 + "…", id="inside a word that fills it"),
        pytest.param("A. " + "y" * 40, "A. " + "y" * 21 + "…", id="more than half stays"),
    ],
)
def test_a_text_is_cut_between_sentences(text: str, short: str) -> None:
    """The cut is after a sentence, a clause or a word, and shows; more than half of the limit is used."""
    assert shorten_to_sentence(text, 25) == short
