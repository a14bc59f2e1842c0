"""What is said if the server counted each request several times."""

from fractions import Fraction

import pytest

from slocheck.indicators.server.copies import counted_several_times
from slocheck.indicators.server.growth.counters import Growth
from slocheck.indicators.server.growth.counts import Counted, Slots

ONE = {"job": "api", "instance": "a:80", "route": "/items"}


def counted(*parts: tuple[dict[str, str], int]) -> Counted:
    """Return series that grew by this much, with these labels in addition to the usual ones."""
    grown = [({**ONE, **labels}, Growth((1.0,), (added,), frozenset(), 0)) for labels, added in parts]
    return Counted(tuple(grown), frozenset(), Slots(1.0, 1, 1.0))


@pytest.mark.parametrize(
    ("parts", "cause"),
    [
        pytest.param(
            [({"type": "upstream"}, 100), ({"type": "request"}, 100), ({"type": "gateway"}, 100)],
            "counted 3 times what was sent: once for each type (gateway, request, upstream); pin one in a "
            "mapping of your own under preset, with selector: {type: gateway}",
            id="a label of parts of the response time",
        ),
        pytest.param(
            [({"job": "one"}, 100), ({"job": "two", "pod": "x"}, 100)],
            "counted 2 times what was sent: is one target scraped by several jobs? pin one with selector",
            id="two jobs",
        ),
        pytest.param(
            [({"instance": "a:80"}, 99), ({"instance": "b:80"}, 101)],
            "counted 2 times what was sent: all of it at each address (a:80, b:80); if these are one process",
            id="two addresses of one process, a scrape apart",
        ),
        pytest.param(
            [({"code": "200"}, 150), ({"code": "404"}, 50)],
            "counted 2 times what was sent: is one target scraped by several jobs?",
            id="no label has equal parts",
        ),
        pytest.param([({"type": "a"}, 70), ({"type": "b"}, 80)], "", id="traffic of others"),
        pytest.param([({"instance": "a"}, 50), ({"instance": "b"}, 50)], "", id="two replicas"),
        pytest.param([], "", id="nothing"),
    ],
)
def test_the_label_that_splits_the_counts_is_named(
    parts: list[tuple[dict[str, str], int]], cause: str
) -> None:
    """It is the one with equal parts of the count; the message says what to write."""
    found = counted(*parts)
    said = counted_several_times(found, found.total(), 100)
    assert cause in said
    assert bool(said) == bool(cause)


def test_the_scrapes_of_the_page_are_not_requests() -> None:
    """They are left out of the count before it is compared with what was sent."""
    assert counted_several_times(counted(({}, 210)), Fraction(100), 100) == ""
