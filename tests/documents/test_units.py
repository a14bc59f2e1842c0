"""Quantities: exact reading, helpful refusals, honest writing."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.documents.units import (
    ComparisonOperator,
    UnitError,
    format_duration,
    format_rate,
    format_ratio,
    format_size,
    parse_duration,
    parse_number,
    parse_rate,
    parse_ratio,
    parse_size,
    shown,
    split_comparison,
)
from slocheck.spec.formatting import format_near, format_value
from slocheck.spec.model import IndicatorKind

LATENCY, ERRORS = IndicatorKind.LATENCY, IndicatorKind.ERROR_RATE
AVAILABILITY, RPS = IndicatorKind.AVAILABILITY, IndicatorKind.RPS_PER_INSTANCE


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("200ms", Fraction(1, 5)),
        ("0.3s", Fraction(3, 10)),
        ("2m", Fraction(120)),
        ("1h30m", Fraction(5400)),
        ("1h 30m", Fraction(5400)),
        ("5 s", Fraction(5)),
        ("150us", Fraction(3, 20000)),
        ("1m1s1ms1us", Fraction(61001001, 1000000)),
        ("0s", Fraction(0)),
    ],
)
def test_durations_are_read_exactly(text: str, seconds: Fraction) -> None:
    """No float comes between the text and the value."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.999", "'0.999' has no percent sign; write 99.9%"),
        ("1", "'1' has no percent sign; write 100%"),
        ("99.9", "'99.9' has no percent sign; write 99.9%"),
        ("half", "'half' is not a percentage; write a number with a percent sign, such as 99.9%"),
        ("100.1%", "'100.1%' is over 100%; write a share from 0% to 100%"),
    ],
)
def test_refused_ratios_say_what_to_write(text: str, message: str) -> None:
    """A share of 1 is told from a percentage without its sign."""
    with pytest.raises(UnitError) as caught:
        parse_ratio(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (Fraction(0), "0s"),
        (Fraction(1, 2000), "500us"),
        (Fraction(1, 1000), "1ms"),
        (Fraction(999, 1000), "999ms"),
        (Fraction(1), "1s"),
        (Fraction(3, 2), "1.5s"),
        (Fraction(60), "1m"),
        (Fraction(5400), "1h30m"),
    ],
)
def test_durations_are_written_in_the_unit_that_people_use(seconds: Fraction, text: str) -> None:
    """Each unit is used from one whole unit on."""
    assert format_duration(seconds) == text


def test_a_long_text_is_cut_in_a_message() -> None:
    """At sixty characters, including the dots."""
    assert shown("x" * 60) == repr("x" * 60)
    assert shown("x" * 61) == repr("x" * 57 + "...")


@pytest.mark.parametrize(
    ("text", "size", "written"),
    [
        ("7B", 7, "7 B"),
        ("2 kB", 2000, "2000 B"),
        ("2KB", 2000, "2000 B"),
        ("3KiB", 3072, "3 KiB"),
        ("1.5MB", 1_500_000, "1500000 B"),
        ("64 MiB", 67_108_864, "64 MiB"),
    ],
)
def test_sizes_are_read_and_written_exactly(text: str, size: int, written: str) -> None:
    """In bytes; written in the largest binary unit that loses nothing."""
    assert parse_size(text) == size
    assert format_size(size) == written


@pytest.mark.parametrize("text", ["", "5", "MiB", "1.5B", "0.0001kB", "1e3B", "-1B", "1 GB"])
def test_what_is_not_a_whole_size_is_none(text: str) -> None:
    """Neither a unit that is not known, nor a part of a byte."""
    assert parse_size(text) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("300", "'300' has no unit; write 300ms or 0.3s"),
        ("30", "'30' has no unit; write 30s or 30ms"),
        ("1:30", "'1:30' is a time of day or base 60 to YAML; write 1m30s"),
        ("-5s", "'-5s' is negative; write a duration such as 200ms, 0.3s or 1h30m"),
    ],
)
def test_refused_durations_say_what_to_write(text: str, message: str) -> None:
    """The message repeats what was found and gives a text that would be read."""
    with pytest.raises(UnitError) as caught:
        parse_duration(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse, text)
        for parse, texts in (
            (
                parse_duration,
                ("", "s", "1d", "1s1m", "1s 1s", "1e3s", "٣s", "1_0s", "1,5s", "0x1s", "1" * 16 + "s"),
            ),
            (parse_ratio, ("", "%", "1", "0.999", "101%", "-1%", "1%%", "nan%", "1e1%", "1 percent", "٣%")),
            (parse_rate, ("", "/s", "5", "5/d", "-5/s", "inf/s", "5 /s/s", "1e3/s", "٣/s")),
            (
                parse_number,
                ("", "-", "1e3", ".5", "5.", ".inf", ".nan", "0x10", "1_000", "+1", "٣", "9" * 5000),
            ),
        )
        for text in texts
    ],
)
def test_what_is_no_quantity_is_refused(parse: Callable[[str], Fraction], text: str) -> None:
    """YAML's other spellings of numbers, foreign digits and huge numbers among them."""
    with pytest.raises(UnitError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "rate"),
    [("500/s", 500), ("500 rps", 500), ("500rps", 500), ("30000/min", 500), ("1800000/h", 500)],
)
def test_rates_are_read_per_second(text: str, rate: int) -> None:
    """All spellings of one rate are the same value."""
    assert parse_rate(text) == rate


def test_a_bare_rate_is_refused() -> None:
    """The message says what to write."""
    with pytest.raises(UnitError, match="write 100/s"):
        parse_rate("100")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("< 200ms", (ComparisonOperator.LT, "200ms")),
        ("<=1%", (ComparisonOperator.LE, "1%")),
        (" >  5 ", (ComparisonOperator.GT, "5")),
        (">= 99.9%", (ComparisonOperator.GE, "99.9%")),
        ("99.9%", (None, "99.9%")),
        ("=< 5", (None, "=< 5")),
        ("≤ 5", (None, "≤ 5")),
    ],
)
def test_comparisons_are_split_off(text: str, expected: tuple[ComparisonOperator | None, str]) -> None:
    """Only the four ASCII comparisons count."""
    assert split_comparison(text) == expected


@given(st.integers(min_value=0, max_value=10**15))
def test_durations_survive_writing_and_reading(nanoseconds: int) -> None:
    """Every whole number of nanoseconds has a text that reads as itself."""
    seconds = Fraction(nanoseconds, 10**9)
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.decimals(min_value=0, max_value=100, places=6))
def test_ratios_survive_writing_and_reading(percent: Decimal) -> None:
    """Every percentage with six places has a text that reads as itself."""
    ratio = Fraction(percent) / 100
    assert parse_ratio(format_ratio(ratio)) == ratio


@given(st.integers(min_value=0, max_value=10**9), st.sampled_from(["/s", "/min", "/h"]))
def test_rates_survive_writing_and_reading(amount: int, unit: str) -> None:
    """A rate that is not a finite decimal per second is written per minute or hour."""
    rate = parse_rate(f"{amount}{unit}")
    assert parse_rate(format_rate(rate)) == rate


@pytest.mark.parametrize(
    ("kind", "value", "limit", "text"),
    [
        pytest.param(LATENCY, Fraction(262, 1000), "0.2", "262ms", id="plain"),
        pytest.param(LATENCY, 0.0999, "0.1", "99.9ms", id="under the limit"),
        pytest.param(LATENCY, 0.09999, "0.1", "99.99ms", id="one more digit"),
        pytest.param(LATENCY, Fraction(100000001, 10**9), "0.1", "100.000001ms", id="a nanosecond over"),
        pytest.param(LATENCY, 0.1, "0.1", "100ms", id="on the limit"),
        pytest.param(LATENCY, 0.99999, "1", "999.99ms", id="under a second"),
        pytest.param(LATENCY, 1.2345, None, "1.23s", id="seconds"),
        pytest.param(LATENCY, 0.00045678, None, "457us", id="microseconds"),
        pytest.param(LATENCY, 0.0, None, "0ms", id="zero"),
        pytest.param(ERRORS, Fraction(7, 1207), "0.001", "0.58%", id="errors"),
        pytest.param(ERRORS, Fraction(1, 3), None, "33.3%", id="no finite decimal"),
        pytest.param(ERRORS, Fraction(1, 10**9), None, "0.0000001%", id="never rounded to none"),
        pytest.param(AVAILABILITY, Fraction(99999, 100000), None, "99.999%", id="never rounded to all"),
        pytest.param(AVAILABILITY, 0.9999, "0.9999", "99.99%", id="on its limit"),
        pytest.param(RPS, 24012.4, "500", "24012/s", id="integer digits are kept"),
        pytest.param(RPS, 499.99, "500", "499.99/s", id="rate under the limit"),
        pytest.param(IndicatorKind.PROMQL, -3.14159, None, "-3.14", id="plain number"),
        pytest.param(LATENCY, float("inf"), "1", "unbounded", id="infinite"),
        pytest.param(LATENCY, float("nan"), None, "not a number", id="not a number"),
    ],
)
def test_values_are_written_honestly(
    kind: IndicatorKind, value: Fraction | float, limit: str | None, text: str
) -> None:
    """Three digits, and more if fewer would put the value on the wrong side of a limit."""
    limits = [Fraction(limit)] if limit else []
    assert format_value(kind, value, limits=limits) == text


@given(st.fractions(min_value=0, max_value=1), st.decimals(min_value=0, max_value=1, places=5))
def test_a_written_ratio_stays_on_its_side_of_the_limit(ratio: Fraction, decimal: Decimal) -> None:
    """What people read compares to the limit as the value does."""
    limit = Fraction(decimal)
    written = Fraction(format_value(ERRORS, ratio, limits=[limit]).removesuffix("%")) / 100
    assert (written < limit, written > limit) == (ratio < limit, ratio > limit)


def test_a_value_on_a_limit_without_finite_decimal_is_rounded() -> None:
    """100/min has no decimal per second; forty digits would not help."""
    rate = parse_rate("100/min")
    assert format_value(RPS, rate, limits=[rate]) == "1.67/s"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(0.050002, "just over 5%", id="above by nothing to speak of"),
        pytest.param(0.049999, "just under 5%", id="below"),
        pytest.param(0.05, "5%", id="on it"),
        pytest.param(0.0502, "5.02%", id="three digits tell"),
        pytest.param(0.0, "0%", id="none"),
        pytest.param(0.08, "8%", id="far away"),
    ],
)
def test_the_end_of_an_interval_near_a_limit_is_said_in_words(value: float, text: str) -> None:
    """Nobody reads the fourth digit of an estimate."""
    assert format_near(ERRORS, value, [Fraction(5, 100)]) == text


def test_a_good_share_is_near_its_limit_where_the_bad_one_is() -> None:
    """98.97 % against 99 % is 3 % more failures; 98.9999 % makes no difference."""
    assert format_near(AVAILABILITY, 0.9897, [Fraction(99, 100)]) == "98.97%"
    assert format_near(AVAILABILITY, 0.989999, [Fraction(99, 100)]) == "just under 99%"
