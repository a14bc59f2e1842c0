"""The unit of a histogram whose name has none."""

from dataclasses import replace
from fractions import Fraction

import pytest

from slocheck.plan.families import families_of
from slocheck.plan.histogram_unit import unit_doubt, unit_of
from slocheck.spec.blocks.metric_source.preset import shipped_presets
from slocheck.spec.model import AUTO

MS = Fraction(1, 1000)
SECONDS = ("0.005", "0.5", "10.0", "+Inf")
MILLISECONDS = ("5", "250", "1e+04", "+Inf")


def buckets(name: str, les: tuple[str, ...]) -> list[tuple[str, dict[str, str]]]:
    """Return a histogram's series."""
    return [(f"{name}_bucket", {"route": "/a", "le": le}) for le in les]


@pytest.mark.parametrize(
    ("name", "les", "unit", "cure"),
    [
        pytest.param("rq_time", MILLISECONDS, Fraction(1), "write unit: milliseconds", id="too long"),
        pytest.param("rq_time", SECONDS, MS, "write unit: seconds", id="too short"),
        pytest.param("rq_time", ("1e+06",), Fraction(1), "write unit: microseconds", id="far too long"),
        pytest.param("rq_time", SECONDS, Fraction(1), "", id="seconds"),
        pytest.param("rq_time", MILLISECONDS, MS, "", id="milliseconds"),
        pytest.param("rq_time_ms", SECONDS, MS, "", id="the name tells it"),
        pytest.param("rq_time", ("+Inf", "NaN", ".", "1e-05"), MS, "", id="no finite boundary"),
        pytest.param("other", MILLISECONDS, Fraction(1), "", id="no such histogram"),
    ],
)
def test_boundaries_that_do_not_suit_the_unit_are_told(
    name: str, les: tuple[str, ...], unit: Fraction, cure: str
) -> None:
    """With the unit that suits them; a name with a unit was compared before."""
    named = "rq_time" if name == "other" else name
    mapping = replace(AUTO, name="custom", histogram=named, unit_seconds=unit)
    said = unit_doubt(mapping, families_of(buckets(name, les), {}))
    assert cure in said
    assert bool(said) == bool(cure)


@pytest.mark.parametrize("les", [SECONDS, MILLISECONDS], ids=["seconds", "milliseconds"])
def test_a_unit_that_was_found_is_not_doubted(les: tuple[str, ...]) -> None:
    """Search and check use the same rule."""
    (family,) = families_of(buckets("rq_time", les), {})
    assert unit_doubt(replace(AUTO, histogram="rq_time", unit_seconds=unit_of(family)), (family,)) == ""


def test_shipped_presets_are_not_doubted() -> None:
    """Envoy's largest default boundary is an hour."""
    for preset in shipped_presets():
        seen = families_of(buckets(preset.histogram or "", ("3.6e+06", "+Inf")), {})
        assert unit_doubt(preset, seen) == ""
