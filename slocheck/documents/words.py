"""Numbers in sentences: the singular and the plural of what is counted, and what came most often."""

from collections.abc import Mapping

_ADVERBS = {1: "once", 2: "twice"}


def times(number: int) -> str:
    """Say how often something happened.

    Returns:
        Such as ``once``, ``twice``, ``3 times``, ``1,200 times``.
    """
    return _ADVERBS.get(number, f"{number:,} times")


def quantity(number: int, noun: str, plural: str = "") -> str:
    """Write a number with its noun.

    Args:
        number: How many.
        noun: The singular.
        plural: The plural, if it is not the singular with an s.

    Returns:
        Such as ``1 request``, ``1,200 requests``, ``2 processes``.
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def capitalised(text: str) -> str:
    """Return a text with its first letter in upper case; a key such as ``error_rate`` stays as it is."""
    first = text.partition(" ")[0]
    return text if "_" in first else text[:1].upper() + text[1:]


def most_frequent(counts: Mapping[str, int]) -> str:
    """Return the text that was counted most often, the first of several; empty if there is none."""
    return max(counts, key=lambda text: counts[text], default="")


def most_often(counts: Mapping[str, int]) -> str:
    """End a sentence with the text that was counted most often; empty if there is none."""
    return f", most often {most_frequent(counts)}" if counts else ""
