"""Bucket boundaries: exact, common to all series, and limits between them are reported."""

from dataclasses import replace
from fractions import Fraction

import pytest

from slocheck.sources.bucket_warnings import boundary_warnings, common_boundaries
from tests.builders.server.prom_client import PRESET


@pytest.mark.parametrize(
    ("counts", "unit", "boundaries"),
    [
        pytest.param({"0.1": 3, "0.25": 3, "+Inf": 3}, 1, ["1/10", "1/4"], id="seconds"),
        pytest.param(
            {"100": 1, "2.5": 1, "+Inf": 1}, Fraction(1, 1000), ["1/400", "1/10"], id="milliseconds"
        ),
        pytest.param({"0.1": 3, "0.2": 2, "+Inf": 3}, 1, ["1/10"], id="a boundary that one series lacks"),
        pytest.param({"1.0": 1, "1": 2, "+Inf": 3}, 1, ["1"], id="one boundary written in two ways"),
        pytest.param({"0.30000000000000004": 2, "0.3": 1, "+Inf": 3}, 1, ["3/10"], id="a computed float"),
        pytest.param({"0.004166666666666667": 1, "+Inf": 1}, 60, ["1/4"], id="minutes"),
        pytest.param({"0.00416666666667": 1, "+Inf": 1}, 60, ["1/4"], id="minutes with 12 digits"),
        pytest.param({"0.25001": 1, "+Inf": 1}, 1, ["25001/100000"], id="meant as it is"),
        pytest.param({"1e-05": 1, "+Inf": 1}, 1, ["1/100000"], id="an exponent"),
        pytest.param({"": 1, "NaN": 1, "word": 1, "+Inf": 1}, 1, [], id="no numbers"),
        pytest.param({}, 1, [], id="nothing"),
    ],
)
def test_common_boundaries(counts: dict[str, int], unit: Fraction, boundaries: list[str]) -> None:
    """Edges are exact fractions of seconds, and only those that every histogram has."""
    assert common_boundaries(counts, Fraction(unit)) == tuple(Fraction(boundary) for boundary in boundaries)


def test_a_limit_without_a_boundary_is_warned_of_with_the_remedy() -> None:
    """The warning names the bucket around the limit and the boundary to add, in the histogram's unit."""
    boundaries = (Fraction(1, 10), Fraction(1, 4))
    limits = (Fraction(1, 4), Fraction(1, 5), Fraction(1, 100), Fraction(3), Fraction(1, 5))
    warnings = boundary_warnings(replace(PRESET, unit_seconds=Fraction(1, 1000)), boundaries, limits)
    assert {warning.code for warning in warnings} == {"bucket-boundary"}
    low, inside, high = (warning.text for warning in warnings)
    assert "no bucket boundary at 10 ms" in low
    assert "between 0 ms and 100 ms" in low
    assert "http_request_duration_seconds has no bucket boundary at 200 ms" in inside
    assert "between 100 ms and 250 ms" in inside
    assert "add the bucket 200," in inside
    assert "if requests above 250 ms decide that limit" in high


@pytest.mark.parametrize(
    ("unit", "written"),
    [
        pytest.param(Fraction(60), "0.05 min", id="minutes"),
        pytest.param(Fraction(1), "3 s", id="seconds"),
        pytest.param(Fraction(1, 1_000_000), "3000000 us", id="microseconds"),
        pytest.param(Fraction(1, 1_000_000_000), "3000000000 ns", id="nanoseconds"),
    ],
)
def test_a_boundary_is_written_in_the_histograms_own_unit(unit: Fraction, written: str) -> None:
    """A number that is not in seconds does not get the unit s."""
    (warning,) = boundary_warnings(replace(PRESET, unit_seconds=unit), (Fraction(1),), (Fraction(3),))
    assert f"no bucket boundary at {written}:" in warning.text
    number, _, _ = written.partition(" ")
    assert f"add the bucket {number}," in warning.text


def test_without_a_histogram_there_is_nothing_to_warn_of() -> None:
    """A missing histogram is reported as missing, not as a missing boundary."""
    assert boundary_warnings(PRESET, (), (Fraction(1),)) == ()
