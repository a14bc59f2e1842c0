"""The key ``confidence`` of slo.yaml: a level, or a level with a condition."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from slocheck.documents import types
from slocheck.documents.reader import InvalidValue, Key, Section, Value, ValueType, object_schema
from slocheck.documents.units import format_ratio, parse_ratio, shown
from slocheck.documents.yaml_tree import MappingNode
from slocheck.spec.model import Confidence

LEVELS = (Fraction(90, 100), Fraction(95, 100))
"""Levels that hold without a condition."""
CONDITIONAL = (*LEVELS, Fraction(99, 100), Fraction(999, 1000))
"""Levels that hold if the length of bursts is bounded."""
DEFAULT = Confidence(Fraction(95, 100))
_NONE = "none"


def _written(levels: Sequence[Fraction]) -> list[str]:
    return [format_ratio(level) for level in levels]


def _read_level(value: Value) -> Fraction:
    text = value.scalar().text
    level = parse_ratio(text)
    if level not in CONDITIONAL:
        *known, last = _written(CONDITIONAL)
        raise InvalidValue(
            f"{shown(text)} is not a level that slocheck is calibrated for; "
            f"write {', '.join(known)} or {last}"
        )
    return level


def _read_unconditional(value: Value) -> Fraction:
    level = _read_level(value)
    if level not in LEVELS:
        text = format_ratio(level)
        raise InvalidValue(
            f"{text} cannot hold for bursts of any length; say how long bursts are at most, such as "
            f"{{level: {text}, bursts: 1s}}, or write {' or '.join(_written(LEVELS))}"
        )
    return level


LEVEL: Key[Fraction] = Key(
    "level",
    ValueType(_read_level, {"enum": _written(CONDITIONAL)}),
    DEFAULT.level,
    "how sure a verdict has to be",
    required=True,
)
BURSTS: Key[float] = Key(
    "bursts",
    types.duration("1ms", "1h"),
    0.0,
    "the longest burst of failures or slow requests for which verdicts have to hold",
    required=True,
)
_KEYS: tuple[Key[Any], ...] = (LEVEL, BURSTS)


def _read(value: Value) -> Confidence | None:
    if isinstance(value.node, MappingNode):
        section = Section(value, _KEYS)
        bursts = Fraction(section.get(BURSTS)).limit_denominator(1_000_000_000)
        return Confidence(section.get(LEVEL), bursts or None)
    if value.scalar().text == _NONE:
        return None
    return Confidence(_read_unconditional(value))


CONFIDENCE: Key[Confidence | None] = Key(
    "confidence",
    ValueType(_read, {"anyOf": [{"enum": [*_written(LEVELS), _NONE]}, object_schema(_KEYS)]}),
    DEFAULT,
    f"how sure a verdict has to be: {' or '.join(_written(LEVELS))}, or with a condition on bursts "
    f"{{level, bursts}} up to {_written(CONDITIONAL)[-1]}; none: only the observed values are graded",
)
