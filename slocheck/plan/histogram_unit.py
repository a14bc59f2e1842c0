"""The unit of a latency histogram, by its name or its bucket boundaries."""

import re
from collections.abc import Iterable
from fractions import Fraction

from slocheck.plan.families import Family, FamilyKind
from slocheck.spec.metric_units import UNITS, unit_in_name, unit_named
from slocheck.spec.model import Preset
from slocheck.spec.presets import PRESET_NAMES

LONGEST_S = 100
"""No histogram of HTTP requests in seconds has a boundary above this."""
SHORTEST_S = Fraction(1, 10)
"""No histogram of HTTP requests has its largest boundary below this."""
_FINITE = re.compile(r"[0-9]+(\.[0-9]*)?(e\+?[0-9]{1,3})?")


def unit_of(histogram: Family) -> Fraction:
    """Return the seconds in a histogram's unit, by its name or else by its bucket boundaries."""
    if named := unit_in_name(histogram.name):
        return UNITS[named]
    return Fraction(1, 1000) if _largest(histogram) > LONGEST_S else Fraction(1)


def suits_seconds(histogram: Family) -> bool:
    """Tell whether a histogram's boundaries are such as latencies in seconds have: below and above 0.1 s."""
    finite = _finite(histogram)
    return bool(finite) and min(finite) < 1 and SHORTEST_S <= max(finite) <= LONGEST_S


def unit_doubt(mapping: Preset, families: Iterable[Family]) -> str:
    """Say that a histogram's boundaries contradict the unit of a mapping of one's own; empty otherwise.

    A unit in the histogram's name was compared when the mapping was read.
    """
    there = (family for family in families if family.name == mapping.histogram)
    histogram = next((family for family in there if family.kind is FamilyKind.HISTOGRAM), None)
    if histogram is None or mapping.name in PRESET_NAMES or unit_in_name(histogram.name):
        return ""
    unit, largest = mapping.unit_seconds, _largest(histogram)
    too_long, too_short = unit >= 1 and largest > LONGEST_S, unit < 1 and largest * unit < SHORTEST_S
    if not largest or not (too_long or too_short):
        return ""
    fits = (name for name, seconds in UNITS.items() if SHORTEST_S <= largest * seconds <= LONGEST_S)
    return (
        f"the largest bucket boundary of {histogram.name} is {float(largest):g}, in {unit_named(unit)}: "
        f"if that is not its unit, write unit: {next(fits, 'UNIT')} under preset"
    )


def _largest(histogram: Family) -> Fraction:
    """Return the largest finite boundary as it is written; 0 without any."""
    return max(_finite(histogram), default=Fraction(0))


def _finite(histogram: Family) -> list[Fraction]:
    return [Fraction(text) for text in histogram.boundaries if _FINITE.fullmatch(text)]
