"""An objective that is not met, taken apart: the endpoints, statuses and moments of its bad requests."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from slocheck.documents.units import Comparison
from slocheck.documents.words import quantity
from slocheck.evidence.histogram import count_at_or_over
from slocheck.evidence.recording import FailureClass, Recording, SliceCounts
from slocheck.reporters.text import bare_limit
from slocheck.spec.model import FailureRule, IndicatorKind, Limit, Objective

MOST = 0.9
"""The part of the bad requests that a stretch of time has to hold to be named."""

_HALF = 0.5
BadIn = Callable[[SliceCounts], int]


@dataclass(frozen=True, slots=True)
class EndpointPart:
    """One endpoint's part.

    Attributes:
        name: Of the endpoint.
        bad: Its bad requests.
        total: Its requests.
        by_second: Its bad requests in each second of the window.
    """

    name: str
    bad: int
    total: int
    by_second: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """The shortest time that holds most of the bad requests.

    Attributes:
        begin: Its first second since the load began.
        end: The second after its last.
        bad: Bad requests within it.
    """

    begin: int
    end: int
    bad: int


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The bad requests of an objective in the window.

    Attributes:
        what: What one and what many of them are called: ``requests that failed or took 200ms or longer``.
        bad: How many there are.
        total: Of how many requests.
        endpoints: By endpoint, most bad ones first; those without any are left out.
        kinds: By failure class or slowness, most frequent first.
        by_second: In each second of the window.
        stretch: Where most of those of the leading endpoint are.
        leading: The endpoint with more than half of them, where others were asked too; else None.
    """

    what: tuple[str, str]
    bad: int
    total: int
    endpoints: tuple[EndpointPart, ...]
    kinds: tuple[tuple[str, int], ...]
    by_second: tuple[int, ...]
    stretch: Stretch
    leading: EndpointPart | None


def breakdown(
    objective: Objective, limit: Limit, recording: Recording, rule: FailureRule
) -> Breakdown | None:
    """Take apart what the client counted; None where it counted no bad request of this kind."""
    slow = _slow_in(limit, recording.thresholds_ns)
    counters = {
        IndicatorKind.LATENCY: lambda part: slow(part) + _failed(part),
        IndicatorKind.ERROR_RATE: _failed,
        IndicatorKind.AVAILABILITY: lambda part: part.unserved - _generator(part),
        IndicatorKind.CACHE_HIT_RATE: lambda part: part.cache_misses,
    }
    bad_in = counters.get(objective.indicator.kind)
    if bad_in is None:
        return None
    cached = objective.indicator.kind is IndicatorKind.CACHE_HIT_RATE
    parts = _endpoints(objective, recording, bad_in, cached=cached)
    found = tuple(sorted((part for part in parts if part.bad), key=lambda part: (-part.bad, part.name)))
    if not found:
        return None
    by_second = tuple(map(sum, zip(*(part.by_second for part in found), strict=True)))
    bad = sum(by_second)
    leading = found[0] if len(parts) > 1 and found[0].bad > bad * _HALF else None
    return Breakdown(
        what=_what(objective, limit),
        bad=bad,
        total=sum(part.total for part in parts),
        endpoints=found,
        kinds=_kinds(objective, recording, slow, rule),
        by_second=by_second,
        stretch=_stretch((leading.by_second if leading else by_second), recording.window.start),
        leading=leading,
    )


def _generator(part: SliceCounts) -> int:
    return part.failures.get(FailureClass.GENERATOR, 0)


def _failed(part: SliceCounts) -> int:
    return part.failed - _generator(part)


def _slow_in(limit: Limit, thresholds: tuple[int, ...]) -> BadIn:
    """Return what counts successful requests over a latency limit: exactly where they were counted."""
    if limit.first_bad_ns not in thresholds:
        return lambda part: count_at_or_over(part.latencies, limit.first_bad_ns)[0]
    index = thresholds.index(limit.first_bad_ns)
    return lambda part: part.over[index] if index < len(part.over) else 0


def _endpoints(
    objective: Objective, recording: Recording, bad_in: BadIn, *, cached: bool
) -> list[EndpointPart]:
    window = recording.window
    found = []
    for item in recording.endpoints:
        if objective.endpoint not in (None, item.endpoint):
            continue
        by_second, total = [0] * len(window), 0
        for part in recording.window_slices(item.endpoint):
            by_second[part.second - window.start] += bad_in(part)
            total += part.cache_hits + part.cache_misses if cached else part.sent - _generator(part)
        found.append(EndpointPart(str(item.endpoint), sum(by_second), total, tuple(by_second)))
    return found


def _kinds(
    objective: Objective, recording: Recording, slow: BadIn, rule: FailureRule
) -> tuple[tuple[str, int], ...]:
    """Return the bad requests by why they are bad; they add up to all of them."""
    kind = objective.indicator.kind
    if kind is IndicatorKind.CACHE_HIT_RATE:
        return ()
    counts: Counter[str] = Counter()
    for part in recording.window_slices(objective.endpoint):
        if kind is IndicatorKind.LATENCY:
            counts["answered, but too slow"] += slow(part)
        if kind is IndicatorKind.AVAILABILITY:
            counts.update(_unserved(part))
        else:
            counts.update(_failures(part, rule))
    return tuple(sorted(((text, n) for text, n in counts.items() if n), key=lambda item: (-item[1], item[0])))


def _unserved(part: SliceCounts) -> Mapping[str, int]:
    """Return the requests that were not served: by status, and those without any response."""
    named = {f"status {status}": part.statuses.get(status, 0) for status in (502, 503, 504)}
    rest = part.unserved - _generator(part) - sum(named.values())
    return {**named, "no response": rest}


def _failures(part: SliceCounts, rule: FailureRule) -> Mapping[str, int]:
    """Return the failures by class; those by their status by code, as far as the rule names it."""
    by_class = {
        f"failed: {why}": count
        for why, count in part.failures.items()
        if why not in (FailureClass.GENERATOR, FailureClass.UNEXPECTED, FailureClass.STATUS)
    }
    left = part.failures.get(FailureClass.STATUS, 0)
    for status, count in part.statuses.items():
        if rule.fails(status) and left:
            by_class[f"status {status}"] = min(count, left)
            left -= min(count, left)
    return {**by_class, "failed: other statuses": left}


def _what(objective: Objective, limit: Limit) -> tuple[str, str]:
    match objective.indicator.kind:
        case IndicatorKind.LATENCY:
            longer = "or longer" if limit.comparison is Comparison.LT else "and more"
            slow = f"that failed or took {bare_limit(limit)} {longer}"
            return f"request {slow}", f"requests {slow}"
        case IndicatorKind.ERROR_RATE:
            return "failed request", "failed requests"
        case IndicatorKind.AVAILABILITY:
            return "request that was not served", "requests that were not served"
        case _:
            return "cache miss", "cache misses"


def _stretch(by_second: Sequence[int], start: int) -> Stretch:
    """Return the shortest run of seconds with at least `MOST` of all, the first of several."""
    sums = [0, *accumulate(by_second)]
    wanted = MOST * sums[-1]
    best = (0, len(by_second))
    end = 0
    for begin in range(len(by_second)):
        while end < len(by_second) and sums[end] - sums[begin] < wanted:
            end += 1
        if sums[end] - sums[begin] < wanted:
            break
        if end - begin < best[1] - best[0]:
            best = (begin, end)
    return Stretch(start + best[0], start + best[1], sums[best[1]] - sums[best[0]])


def lead_text(found: Breakdown, window_s: int, moment: Callable[[float], str]) -> str:
    """Say in one sentence where most of the bad requests are, without a full stop.

    Args:
        found: The bad requests.
        window_s: Length of the window.
        moment: Names a second of the run.
    """
    stretch, leading = found.stretch, found.leading
    if stretch.end - stretch.begin <= window_s * _HALF:
        when = f"between {moment(stretch.begin)} and {moment(stretch.end)}"
        verb = f"went to {leading.name}" if leading else f"{'was' if found.bad == 1 else 'were'} sent"
        return f"{_share(stretch.bad, found)} {verb} {when}"
    if leading:
        return f"{_share(leading.bad, found)} went to {leading.name}, spread over the window"
    spread = f"the {quantity(found.bad, *found.what)} are spread over the window"
    others = len(found.endpoints)
    return f"{spread} and over {quantity(others, 'endpoint')}" if others > 1 else spread


def _share(part: int, found: Breakdown) -> str:
    """Write a part of the bad requests: ``92% of the 1,204 failed requests``; just the one, of one."""
    every = f"the {quantity(found.bad, *found.what)}"
    return every if found.bad == 1 else f"{part / found.bad:.0%} of {every}"
