"""Numbers in sentences agree with their nouns."""

import pytest

from slocheck.documents.words import capitalised, quantity, times


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "0 times"), (1, "once"), (2, "twice"), (3, "3 times"), (1200, "1,200 times")]
)
def test_how_often(number: int, expected: str) -> None:
    """Once and twice are words; beyond that the number is written with its thousands."""
    assert times(number) == expected


@pytest.mark.parametrize(
    ("number", "noun", "plural", "expected"),
    [
        (0, "request", "", "0 requests"),
        (1, "request", "", "1 request"),
        (1234, "request", "", "1,234 requests"),
        (1, "process", "processes", "1 process"),
        (2, "process", "processes", "2 processes"),
    ],
)
def test_a_quantity(number: int, noun: str, plural: str, expected: str) -> None:
    """One thing is singular, and an irregular plural can be given."""
    assert quantity(number, noun, plural) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("the run is invalid", "The run is invalid", id="a sentence"),
        pytest.param("latency_p95 is 5ms", "latency_p95 is 5ms", id="a key stays as it is written"),
        pytest.param("p95 of GET /a_b", "P95 of GET /a_b", id="an underscore elsewhere"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_the_begin_of_a_sentence(text: str, expected: str) -> None:
    """The first letter is raised, unless it belongs to a key."""
    assert capitalised(text) == expected
