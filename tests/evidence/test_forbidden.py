"""What is said about connections that were not made."""

from dataclasses import replace

import pytest

from slocheck.evidence.forbidden import MOST_SHOWN, ForbiddenConnection, forbidden_text, later, merged

NAMED = ForbiddenConnection("auth.example.com", "93.184.216.34", 443)


@pytest.mark.parametrize(
    ("places", "text"),
    [
        pytest.param(
            [NAMED],
            "auth.example.com (93.184.216.34:443), which is not an allowed target: "
            "add --allow-target auth.example.com",
            id="a name",
        ),
        pytest.param(
            [ForbiddenConnection("fd00::2", "fd00::2", 80, 3)],
            "[fd00::2]:80 3 times, which is not an allowed target: add --allow-target fd00::2",
            id="an address, several times",
        ),
        pytest.param(
            [NAMED, ForbiddenConnection("10.0.0.1", "10.0.0.1", 53), NAMED],
            "auth.example.com (93.184.216.34:443) twice, 10.0.0.1:53, which are not allowed targets: "
            "add --allow-target auth.example.com --allow-target 10.0.0.1",
            id="two places",
        ),
        pytest.param(
            [ForbiddenConnection("a;reboot", "10.0.0.1", 53)],
            "a;reboot (10.0.0.1:53), which is not an allowed target: add --allow-target 10.0.0.1",
            id="a name that no shell should see",
        ),
    ],
)
def test_the_place_and_the_option_are_said(places: list[ForbiddenConnection], text: str) -> None:
    """The options to type can be copied."""
    assert forbidden_text(places) == f"the Locust file tried to connect to {text}"


def test_many_places_are_counted() -> None:
    """A file that tries one address after the other does not fill the report."""
    places = [ForbiddenConnection(f"10.0.0.{n}", f"10.0.0.{n}", 80) for n in range(MOST_SHOWN + 2)]
    assert " and 2 more places, which are not" in forbidden_text(places)


def test_what_is_later_is_what_was_added() -> None:
    """New places, and the counts by which known ones grew."""
    other = ForbiddenConnection("10.0.0.1", "10.0.0.1", 80)
    grown = ForbiddenConnection("auth.example.com", "93.184.216.34", 443, 3)
    assert later([grown, other], [NAMED]) == (replace(grown, count=2), other)
    assert later([NAMED], [NAMED]) == ()


def test_places_of_several_processes_are_added() -> None:
    """In the order of their first appearance."""
    other = ForbiddenConnection("10.0.0.1", "10.0.0.1", 80, 2)
    assert merged([NAMED, other, NAMED]) == (
        ForbiddenConnection("auth.example.com", "93.184.216.34", 443, 2),
        other,
    )
