"""Quantities as people write them: parsed exactly, and formatted without hiding a difference.

Parsing gives fractions, so ``99.9%`` is 999/1000 and not the nearest float. Formatting never
shows a value as equal to a limit it does not equal: 99.99 ms next to ``< 100ms`` does not become
``100ms``, and an availability of 0.99999 does not become ``100%``.
"""

import math
import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from fractions import Fraction

NS_PER_SECOND = 1_000_000_000


class ComparisonOperator(StrEnum):
    """How an indicator's value has to compare with its limit."""

    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="

    @property
    def strict(self) -> bool:
        """Whether the limit itself is already a breach."""
        return self in (ComparisonOperator.LT, ComparisonOperator.GT)

    @property
    def lower_is_better(self) -> bool:
        """Whether the indicator has to stay below the limit."""
        return self in (ComparisonOperator.LT, ComparisonOperator.LE)


NUMBER_PATTERN = r"[0-9]{1,15}(\.[0-9]{1,15})?"
"""A finite decimal without sign or exponent; the bound keeps every computation small."""

DURATION_UNITS = {
    "h": Fraction(3600),
    "m": Fraction(60),
    "s": Fraction(1),
    "ms": Fraction(1, 1000),
    "us": Fraction(1, 1_000_000),
}
RATE_UNITS = {"/s": Fraction(1), "rps": Fraction(1), "/min": Fraction(1, 60), "/h": Fraction(1, 3600)}
SIZE_UNITS = {"B": 1, "kB": 1000, "KB": 1000, "KiB": 1024, "MB": 10**6, "MiB": 1024**2}
"""Bytes of each unit that a size may be written in."""

DURATION_PATTERN = "(?=.)" + " ?".join(f"({NUMBER_PATTERN} ?{unit}(?![a-z]))?" for unit in DURATION_UNITS)
RATIO_PATTERN = f"{NUMBER_PATTERN} ?%"
RATE_PATTERN = f"{NUMBER_PATTERN} ?({'|'.join(RATE_UNITS)})"
SIZE_PATTERN = f"{NUMBER_PATTERN} ?({'|'.join(SIZE_UNITS)})"
SIGNED_PATTERN = f"-?{NUMBER_PATTERN}"

_NUMBER = re.compile(NUMBER_PATTERN)
_SIZE = re.compile(SIZE_PATTERN)
_DURATION = re.compile(DURATION_PATTERN)
_DURATION_PART = re.compile(f"({NUMBER_PATTERN}) ?(h|ms|m|s|us)(?![a-z])")
_COMPARISON = re.compile(r"(<=|>=|<|>)\s*(.*)", re.DOTALL)
_CLOCK = re.compile(r"([0-9]{1,3}):([0-5]?[0-9])")
_TWO_WAYS_FROM = 100  # a bare number from here on was probably meant in milliseconds

_MOST_DIGITS = 40


class UnitError(ValueError):
    """A quantity that cannot be read; the message says what was found and what to write."""


def shown(text: str, limit: int = 60) -> str:
    """Return `text` in quotes for a message: escaped, and cut when long."""
    return repr(text if len(text) <= limit else text[: limit - 3] + "...")


def parse_duration(text: str) -> Fraction:
    """Read ``200ms``, ``0.3s``, ``1h30m`` as seconds; units run from h to us, each at most once."""
    if not _DURATION.fullmatch(text):
        raise UnitError(_not_a_duration(text))
    parts = _DURATION_PART.findall(text)
    return sum((Fraction(number) * DURATION_UNITS[unit] for number, _, unit in parts), Fraction(0))


def _not_a_duration(text: str) -> str:
    """Say what is wrong with a duration and what to write."""
    if _NUMBER.fullmatch(text):
        if Fraction(text) >= _TWO_WAYS_FROM:
            return f"{shown(text)} has no unit; write {text}ms or {decimal(Fraction(text) / 1000)}s"
        return f"{shown(text)} has no unit; write {text}s or {text}ms"
    if clock := _CLOCK.fullmatch(text):
        return f"{shown(text)} is a time of day or base 60 to YAML; write {clock[1]}m{clock[2]}s"
    if text.startswith("-"):
        return f"{shown(text)} is negative; write a duration such as 200ms, 0.3s or 1h30m"
    return f"{shown(text)} is not a duration; write a number with h, m, s, ms or us, such as 200ms or 1h30m"


def parse_percentage(text: str) -> Fraction:
    """Read ``150%`` as 3/2; the percent sign is required."""
    number = text.removesuffix("%").rstrip(" ")
    if not text.endswith("%") or not _NUMBER.fullmatch(number):
        raise UnitError(_not_a_ratio(text))
    return Fraction(number) / 100


def parse_ratio(text: str) -> Fraction:
    """Read ``99.9%`` as 999/1000: a percentage of at most 100%."""
    ratio = parse_percentage(text)
    if ratio > 1:
        raise UnitError(f"{shown(text)} is over 100%; write a share from 0% to 100%")
    return ratio


def _not_a_ratio(text: str) -> str:
    """Say what is wrong with a ratio and what to write."""
    if text.startswith("-"):
        return f"{shown(text)} is negative; write a percentage such as 5%"
    if not _NUMBER.fullmatch(text):
        return f"{shown(text)} is not a percentage; write a number with a percent sign, such as 99.9%"
    if Fraction(text) <= 1:
        return f"{shown(text)} has no percent sign; write {decimal(Fraction(text) * 100)}%"
    return f"{shown(text)} has no percent sign; write {text}%"


def parse_rate(text: str) -> Fraction:
    """Read ``500/s``, ``500 rps``, ``30000/min`` as 1/s; the unit is required."""
    for unit, per_second in RATE_UNITS.items():
        number = text.removesuffix(unit).rstrip(" ")
        if text.endswith(unit) and _NUMBER.fullmatch(number):
            return Fraction(number) * per_second
    if text.startswith("-"):
        raise UnitError(f"{shown(text)} is negative; write a rate such as 500/s or 30000/min")
    if not _NUMBER.fullmatch(text):
        raise UnitError(f"{shown(text)} is not a rate; write a number per time, such as 500/s or 30000/min")
    raise UnitError(f"{shown(text)} has no unit; write {text}/s")


def parse_number(text: str) -> Fraction:
    """Read a plain decimal, possibly negative; exponents, hexadecimal, ``.inf`` and ``.nan`` are refused."""
    if not _NUMBER.fullmatch(text.removeprefix("-")):
        raise UnitError(
            f"{shown(text)} is not a plain number; write digits with at most one point, such as 100 or 0.5"
        )
    return Fraction(text)


def split_comparison(text: str) -> tuple[ComparisonOperator | None, str]:
    """Split ``< 200ms`` into its comparison and the rest; None if it does not begin with a comparison."""
    match = _COMPARISON.fullmatch(text.strip())
    if match is None:
        return None, text.strip()
    return ComparisonOperator(match[1]), match[2].strip()


def decimal(value: Fraction, places: int = 15) -> str:
    """Write `value` as a decimal, exactly if `places` are enough, else rounded half to even."""
    scaled = round(value * 10**places)
    digits = f"{abs(scaled):0{places + 1}d}"
    whole, fraction = (digits[:-places], digits[-places:].rstrip("0")) if places else (digits, "")
    return ("-" if scaled < 0 else "") + whole + (f".{fraction}" if fraction else "")


def format_duration(seconds: Fraction) -> str:
    """Write a duration as slo.yaml takes it: ``200ms``, ``1.5s``, ``1h30m``; exact for whole nanoseconds."""
    if seconds < Fraction(1, 1000):
        return f"{decimal(seconds * 1_000_000)}us" if seconds else "0s"
    if seconds < 1:
        return f"{decimal(seconds * 1000)}ms"
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = ((Fraction(hours), "h"), (Fraction(minutes), "m"), (rest, "s"))
    return "".join(f"{decimal(amount)}{unit}" for amount, unit in parts if amount)


def format_ratio(ratio: Fraction) -> str:
    """Write a 0..1 ratio as a percentage: ``99.9%``."""
    return f"{decimal(ratio * 100)}%"


def format_rate(rate: Fraction) -> str:
    """Write a rate in 1/s with the first unit that is exact: ``500/s``, ``100/min``."""
    for unit, per_second in RATE_UNITS.items():
        amount = rate / per_second
        if Fraction(decimal(amount)) == amount:
            return f"{decimal(amount)}{unit}"
    return f"{decimal(rate)}/s"


def rounded(value: Fraction, limits: Sequence[Fraction], digits: int) -> str:
    """Round to the fewest significant digits, from `digits` on, that keep `value`'s side of each limit."""
    # no decimal is equal to 100/min in 1/s: such a limit cannot be kept to by a value that is on it
    side = _side_of([limit for limit in limits if limit != value or Fraction(decimal(limit)) == limit])
    magnitude = math.floor(math.log10(abs(value))) if value else 0
    for significant in range(digits, _MOST_DIGITS):
        text = decimal(value, max(0, significant - 1 - magnitude))
        if side(Fraction(text)) == side(value):
            return text
    return decimal(value, _MOST_DIGITS)


def _side_of(limits: list[Fraction]) -> Callable[[Fraction], list[int]]:
    """Return a function that tells for each limit whether a value is below, on or above it."""
    return lambda value: [(value > limit) - (value < limit) for limit in limits]


def parse_size(text: str) -> int | None:
    """Return a size such as ``64 MiB`` in bytes; None if it is not a size of whole bytes."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        return None
    size = Fraction(match[0].removesuffix(match[2]).strip()) * SIZE_UNITS[match[2]]
    return int(size) if size.denominator == 1 else None


def format_size(count: int) -> str:
    """Write a number of bytes in the largest binary unit that divides it: ``64 MiB``."""
    unit = next(unit for unit in ("MiB", "KiB", "B") if count % SIZE_UNITS[unit] == 0)
    return f"{count // SIZE_UNITS[unit]} {unit}"
