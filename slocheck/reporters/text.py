"""The wording and number formats that all reports share, so that they all say the same."""

import math
from fractions import Fraction

from slocheck.documents.units import ComparisonOperator, decimal, format_duration, format_ratio
from slocheck.evidence.recording import ErrorExample
from slocheck.grading.assessment import Assessment, Cause, LevelResult, Outcome, Side, SideResult, Verdict
from slocheck.indicators.samples import Display
from slocheck.spec.formatting import format_longer, format_near, format_value
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import Confidence, Indicator, IndicatorKind, Limit, Objective, SourceChoice

GLYPHS = {Verdict.MET: "✓", Verdict.BREACHED: "✗", Verdict.UNDECIDED: "?"}
OUTCOME_GLYPHS = {
    Outcome.PASS: "✓",
    Outcome.FAIL: "✗",
    Outcome.UNDECIDED: "?",
    Outcome.INVALID: "!",
    Outcome.INTERRUPTED: "!",
}
NO_VERDICT = frozenset({Outcome.INVALID, Outcome.INTERRUPTED})
"""Outcomes that say nothing about the target."""

SIDE_TITLES = {Side.CLIENT: "client", Side.SERVER: "server"}
NO_DATA = "no data"
UNKNOWN = "unknown"
"""A value that may be anything: its only known bound is 0."""
_NARROW = 0.01  # bounds this close together, relative to their size, are shown as one number
_SHORT_SHA = 7
_NUMBER = "0123456789.,"
_NAMES_THE_RUN = frozenset({Cause.CORRELATED, Cause.TOO_CLOSE, Cause.VARYING})  # their reasons say how long
NEGLIGIBLE = 1e-7  # an interval's bound below this is shown as 0


def headline_word(outcome: Outcome) -> str:
    """Return the outcome as the first word of a report: ``PASS``."""
    return outcome.value.upper()


def tiers_text(assessment: Assessment) -> str:
    """Say which tier was achieved, if there is a verdict at all, and which one the gate asks for."""
    achieved = (
        "no verdict" if assessment.outcome in NO_VERDICT else f"{assessment.tier or 'no tier'} achieved"
    )
    return f"{achieved}, {assessment.gate} required"


def indicator_text(indicator: Indicator) -> str:
    """Name what is measured: ``p95 latency``, ``error rate``."""
    traits = traits_of(indicator.kind)
    if traits.is_percentile:
        return f"{percentile_name(indicator.quantile or Fraction(0))} {traits.title}"
    return traits.title


def percentile_name(quantile: Fraction) -> str:
    """Return ``p99.9`` for 999/1000."""
    return f"p{decimal(quantile * 100)}"


def unit_name(kind: IndicatorKind) -> str:
    """Name the base unit of an indicator for machines."""
    return traits_of(kind).unit.value


def scope_text(objective: Objective) -> str:
    """Name what the objective is about: an endpoint, or all requests."""
    return str(objective.endpoint) if objective.endpoint else "all requests"


def source_text(objective: Objective) -> str:
    """Say whose numbers the objective is graded on."""
    if traits_of(objective.indicator.kind).is_query:
        return "query"
    return {
        SourceChoice.CLIENT: "client",
        SourceChoice.PROMETHEUS: "server",
        SourceChoice.BOTH: "client and server",
    }[objective.source]


def limits_of(objective: Objective) -> tuple[Fraction, ...]:
    """Return the values of all limits, for `format_value` to keep clear of."""
    return tuple(limit.value for limit in objective.limits.values())


def value_text(objective: Objective, display: Display | None) -> str:
    """Write an observed value, never equal to a limit that it does not equal.

    Bounds that lie within one percent of each other, with no limit between them, become one number.
    """
    if display is None or display.low is None or display.high is None:
        return NO_DATA
    kind, limits = objective.indicator.kind, limits_of(objective)
    low, high = (format_value(kind, value, limits=limits) for value in (display.low, display.high))
    if low == high:
        return low
    if math.isinf(display.high):
        return f"at least {low}" if display.low > 0 else UNKNOWN
    if not display.low and traits_of(kind).is_percentile:
        return f"at most {high}"
    if _narrow(display.low, display.high, limits):
        return format_value(kind, (display.low + display.high) / 2, limits=limits)
    return f"{low} to {high}"


def _narrow(low: float, high: float, limits: tuple[Fraction, ...]) -> bool:
    close = high - low <= _NARROW * max(abs(low), abs(high))
    return close and not any(low <= limit <= high for limit in limits)


def limit_text(level: str, limit: Limit) -> str:
    """Write a level with its limit: ``silver < 200ms``."""
    return f"{level} {limit.text}"


def margin_text(objective: Objective, limit: Limit, display: Display | None) -> str:
    """Write how far the observed value lies from a limit, signed: ``+62ms``.

    Empty when unknown: also if the value lies between bounds on both sides of the limit.
    """
    if display is None or display.low is None or display.high is None:
        return ""
    middle = (display.low + display.high) / 2
    if not math.isfinite(middle) or display.low < limit.value < display.high:
        return ""
    distance = Fraction(middle) - limit.value
    kind = objective.indicator.kind
    text = format_value(kind, abs(distance), digits=2)
    if traits_of(kind).is_ratio:
        text = text.removesuffix("%") + " points"
    sign = "+" if distance > 0 else "-" if distance < 0 else "±"
    return f"{sign}{text}"


def confidence_text(confidence: Confidence | None) -> str:
    """Say how certain the verdicts are."""
    if confidence is None:
        return "Only the observed values were graded (confidence: none)"
    sure = f"Verdicts hold at about {format_ratio(confidence.level)} confidence"
    if not confidence.bursts:
        return sure
    return (
        f"{sure}, if failures and slow requests come in bursts of up to {format_duration(confidence.bursts)}"
    )


def interval_text(
    objective: Objective, limit: Limit, side: SideResult, confidence: Confidence | None, *, failed: bool
) -> str:
    """Write a side's confidence interval, ``95% CI 0.2-0.6%``; empty if there is none.

    `failed` tells whether requests that failed may be among those that a latency limit counts as too slow.
    """
    bounds = side.bounds
    if bounds is None or confidence is None or not math.isfinite(bounds.low + bounds.high):
        return ""
    ends = ends_text(objective, limit, bounds.low, bounds.high, failed=failed)
    return f"{format_ratio(confidence.level)} CI {ends}"


def ends_text(objective: Objective, limit: Limit, low: float, high: float, *, failed: bool) -> str:
    """Write the ends of an interval in the terms of the objective.

    The ends of a share are those of the *bad* share. Availability and hit rate are shown as good shares;
    a percentile's interval is the share of requests too slow for its limit, next to the share allowed.
    """
    kind = objective.indicator.kind
    traits = traits_of(kind)
    ends = (1 - high, 1 - low) if traits.good_share else (low, high)
    shown = [0.0 if abs(end) < NEGLIGIBLE else end for end in ends]
    if not traits.is_percentile:
        return range_text(*(format_near(kind, end, limits_of(objective)) for end in shown))
    allowed = 1 - (objective.indicator.quantile or Fraction(0))
    text = range_text(*(format_near(IndicatorKind.ERROR_RATE, end, (allowed,)) for end in shown))
    return f"{text} of requests {too_slow_text(limit, failed=failed)} (budget {format_ratio(allowed)})"


def range_text(low: str, high: str) -> str:
    """Write a range, with the unit once if both ends share it: ``5.91-7.12%``."""
    if low.startswith("-") or not (low[0] + high[0]).isdigit():
        return f"{low} to {high}"
    number = low.removesuffix(high.lstrip(_NUMBER))
    return f"{low if number.strip(_NUMBER) else number}-{high}"


def bare_limit(limit: Limit) -> str:
    """Return a limit as written, without its comparison."""
    return limit.text.removeprefix(str(limit.comparison)).strip()


def too_slow_text(limit: Limit, *, failed: bool) -> str:
    """Say what breaks a latency limit, ``>= 200ms`` for ``< 200ms``; if requests `failed`, that, too."""
    slow = f"{'>=' if limit.comparison is ComparisonOperator.LT else '>'} {bare_limit(limit)}"
    return f"failed or took {slow}" if failed else slow


def rough_duration(seconds: float) -> str:
    """Write a duration with two digits, rounded down: ``65ms``, ``1m40s``."""
    step = 10.0 ** (math.floor(math.log10(seconds)) - 1) if seconds > 0 else 1.0
    return format_duration(
        Fraction(math.floor(seconds / step * (1 + 1e-9))) * Fraction(step).limit_denominator(10**9)
    )


def bad_text(objective: Objective, side: SideResult) -> str:
    """Write the counts behind a share: ``149 of 24,012 bad``."""
    traits = traits_of(objective.indicator.kind)
    if side.bad is None or not traits.is_share:
        return ""
    upper = "" if side.bad_upper in (None, side.bad) else f" to {side.bad_upper:,}"
    return f"{side.bad:,}{upper} of {side.total:,} {traits.bad_word}"


def sample_size_text(side: SideResult) -> str:
    """Write a side's effective sample size and, if met, the tolerated bursts, else the run needed.

    What an undecided side's reason already says is left out.
    """
    if side.bounds is None:
        return ""
    parts = []
    if side.bounds.effective_sample_size is not None and side.cause is not Cause.CORRELATED:
        parts.append(f"effective sample size {side.bounds.effective_sample_size:,.0f}")
    if side.bounds.tolerance is not None:
        burst, outage = map(rough_duration, (side.bounds.tolerance.burst_s, side.bounds.tolerance.outage_s))
        parts.append(f"holds for bursts of up to {burst}, {outage} in total")
    factor = side.bounds.needed_duration_factor
    is_open = side.verdict is Verdict.UNDECIDED and side.cause not in _NAMES_THE_RUN
    if factor is not None and math.isfinite(factor) and is_open:
        parts.append(f"{format_longer(factor)} would decide")
    return ", ".join(parts)


def evidence_text(
    objective: Objective, limit: Limit, side: SideResult, confidence: Confidence | None, *, failed: bool
) -> str:
    """Write all that a side's verdict rests on: counts, interval and effective sample size."""
    parts = (
        bad_text(objective, side),
        interval_text(objective, limit, side, confidence, failed=failed),
        sample_size_text(side),
    )
    return "; ".join(part for part in parts if part)


def sides_text(objective: Objective, level: LevelResult) -> str:
    """Write the deciding side's value, then the other side's in brackets if there is one."""
    decides = level.deciding
    if decides is None:
        return NO_DATA
    text = value_text(objective, decides.display)
    others = [side for side in level.sides if side is not decides]
    if not others:
        return text
    also = ", ".join(f"{SIDE_TITLES[side.side]} {value_text(objective, side.display)}" for side in others)
    return f"{text} ({also})"


def gap_between_sides(objective: Objective, level: LevelResult) -> str:
    """Explain in one sentence why client and server differ; empty if only one of them measured."""
    sides = {side.side: side for side in level.sides if side.display is not None}
    if len(sides) < len(Side):
        return ""
    client, server = sides[Side.CLIENT], sides[Side.SERVER]
    if explained := traits_of(objective.indicator.kind).sides_differ:
        return explained
    if client.total != server.total:
        return (
            f"The client counted {client.total:,} requests, the server {server.total:,}; requests that never "
            "reached the server, or came from elsewhere, widen the server's range."
        )
    return "Both sides counted the same number of requests."


def short_sha(sha: str, *, dirty: bool) -> str:
    """Return a git commit as people write it; ``*`` marks uncommitted changes."""
    return sha[:_SHORT_SHA] + ("*" if dirty else "")


def clock_text(seconds: float) -> str:
    """Write a run's length: ``2m00s``, ``45s``, ``1h05m00s``."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02}m{rest:02}s"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def latency_text(ns: float | None) -> str:
    """Write a latency given in nanoseconds, to three digits; a dash if there is none."""
    if ns is None or math.isnan(ns):
        return "-"
    return format_value(IndicatorKind.LATENCY, Fraction(round(ns), 1_000_000_000))


def ratio_text(part: int, whole: int) -> str:
    """Write a share of counts as a percentage, to three digits; a dash if there are none."""
    return format_value(IndicatorKind.ERROR_RATE, Fraction(part, whole)) if whole else "-"


def failure_text(example: ErrorExample) -> str:
    """Say how many requests failed with one message, and where."""
    return f"{example.count:,} {example.failure}, {example.endpoint}: {example.message}"


def seconds_text(seconds: float) -> str:
    """Write a duration given in seconds, exactly to the millisecond."""
    return format_duration(Fraction(round(seconds * 1000), 1000))


def bytes_text(count: float) -> str:
    """Write a number of bytes with a decimal prefix."""
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:  # noqa: PLR2004 - what the prefixes count
            return f"{amount:,.3g} {unit}"
        amount /= 1000
    return f"{amount:,.1f} GB"
