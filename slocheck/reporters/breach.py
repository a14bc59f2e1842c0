"""The breakdown of an objective that is not met: the endpoints, statuses and times of its bad requests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from slocheck.documents.units import ComparisonOperator
from slocheck.documents.words import quantity
from slocheck.evidence.columns import Whole
from slocheck.evidence.recording import FAILURES, FailureClass, Recording
from slocheck.evidence.scope import Scope
from slocheck.reporters.text import bare_limit
from slocheck.spec.indicators import UNSERVED_STATUSES
from slocheck.spec.model import Endpoint, FailureRule, IndicatorKind, Limit, Objective

MOST = 0.9
"""The share of the bad requests that a period has to contain to be named."""

_HALF = 0.5
_UNSERVED = tuple(sorted(UNSERVED_STATUSES))


@dataclass(frozen=True, slots=True, eq=False)
class EndpointPart:
    """One endpoint's share.

    Attributes:
        name: Of the endpoint.
        bad: Its bad requests.
        total: Its requests.
        by_second: Its bad requests in each second of the window, shape (S,).
    """

    name: str
    bad: int
    total: int
    by_second: Whole


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


@dataclass(frozen=True, slots=True, eq=False)
class Breakdown:
    """The bad requests of an objective in the window.

    Attributes:
        what: Singular and plural name of them: ``requests that failed or took 200ms or longer``.
        bad: How many there are.
        total: Of how many requests.
        endpoints: By endpoint, most bad ones first; those without any are left out.
        kinds: By failure class or slowness, most frequent first.
        by_second: In each second of the window, shape (S,).
        stretch: Where most of those of the leading endpoint are.
        leading: The endpoint with more than half of them, if others had requests too; else None.
    """

    what: tuple[str, str]
    bad: int
    total: int
    endpoints: tuple[EndpointPart, ...]
    kinds: tuple[tuple[str, int], ...]
    by_second: Whole
    stretch: Stretch
    leading: EndpointPart | None


def breakdown(
    objective: Objective, limit: Limit, recording: Recording, rule: FailureRule
) -> Breakdown | None:
    """Break down what the client counted; None if it counted no bad request of this kind."""
    asked = [item.endpoint for item in recording.endpoints if objective.endpoint in (None, item.endpoint)]
    if objective.indicator.kind not in _BAD:
        return None
    parts = [_endpoint(objective, limit, recording, endpoint) for endpoint in asked]
    found = tuple(sorted((part for part in parts if part.bad), key=lambda part: (-part.bad, part.name)))
    if not found:
        return None
    by_second = np.sum([part.by_second for part in found], axis=0)
    bad = int(by_second.sum())
    leading = found[0] if len(parts) > 1 and found[0].bad > bad * _HALF else None
    return Breakdown(
        what=_what(objective, limit),
        bad=bad,
        total=sum(part.total for part in parts),
        endpoints=found,
        kinds=_kinds(objective, limit, recording, rule),
        by_second=by_second,
        stretch=_stretch((leading.by_second if leading else by_second), recording.window.start),
        leading=leading,
    )


def _failed(scope: Scope) -> Whole:
    counts = scope.counts
    failed: Whole = counts.failed - counts.of_class(FailureClass.GENERATOR)
    return failed


def _slow(scope: Scope, limit: Limit, thresholds: tuple[int, ...]) -> Whole:
    """Return the successful requests over a latency limit: exactly if they were counted."""
    if limit.first_bad_ns not in thresholds:
        return scope.at_or_over(limit.first_bad_ns)[0]
    index, over = thresholds.index(limit.first_bad_ns), scope.counts.over
    if index >= over.shape[1]:
        return np.zeros(len(scope), dtype=np.int64)
    return over[:, index].astype(np.int64)


def _too_slow(scope: Scope, limit: Limit, thresholds: tuple[int, ...]) -> Whole:
    return _slow(scope, limit, thresholds) + _failed(scope)


def _unserved(scope: Scope, _limit: Limit, _thresholds: tuple[int, ...]) -> Whole:
    return scope.counts.unserved_by_target


_BAD: Mapping[IndicatorKind, Callable[[Scope, Limit, tuple[int, ...]], Whole]] = {
    IndicatorKind.LATENCY: _too_slow,
    IndicatorKind.ERROR_RATE: lambda scope, _limit, _thresholds: _failed(scope),
    IndicatorKind.AVAILABILITY: _unserved,
    IndicatorKind.CACHE_HIT_RATE: lambda scope, _limit, _thresholds: scope.counts.cache_misses,
}
"""The functions that count the bad requests of each second."""


def _endpoint(objective: Objective, limit: Limit, recording: Recording, endpoint: Endpoint) -> EndpointPart:
    scope = recording.scope(endpoint)
    counts, kind = scope.counts, objective.indicator.kind
    by_second = _BAD[kind](scope, limit, recording.thresholds_ns)
    cached = kind is IndicatorKind.CACHE_HIT_RATE
    sent = counts.sent - counts.of_class(FailureClass.GENERATOR)
    total = counts.cache_hits + counts.cache_misses if cached else sent
    return EndpointPart(str(endpoint), int(by_second.sum()), int(total.sum()), by_second)


def _kinds(
    objective: Objective, limit: Limit, recording: Recording, rule: FailureRule
) -> tuple[tuple[str, int], ...]:
    """Return the bad requests by cause; they add up to all of them."""
    scope, kind = recording.scope(objective.endpoint), objective.indicator.kind
    match kind:
        case IndicatorKind.CACHE_HIT_RATE:
            return ()
        case IndicatorKind.AVAILABILITY:
            unserved = int(_unserved(scope, limit, ()).sum())
            counts = {f"status {status}": scope.statuses.get(status, 0) for status in _UNSERVED}
            counts["no response"] = unserved - sum(counts.values())
        case _:
            counts = _failures(scope, rule)
            if kind is IndicatorKind.LATENCY:
                counts["answered, but too slow"] = int(_slow(scope, limit, recording.thresholds_ns).sum())
    return tuple(sorted(((text, n) for text, n in counts.items() if n), key=lambda item: (-item[1], item[0])))


def _failures(scope: Scope, rule: FailureRule) -> dict[str, int]:
    """Return the failures by class; those with a failing status by code."""
    named = zip(FAILURES, scope.total.failures[0].tolist(), strict=True)
    by_class = dict(named)
    left = by_class.pop(FailureClass.STATUS)
    found = {
        f"failed: {why}": count
        for why, count in by_class.items()
        if why not in (FailureClass.GENERATOR, FailureClass.UNEXPECTED)
    }
    for status, count in scope.statuses.items():
        if rule.fails(status) and left:
            found[f"status {status}"] = min(count, left)
            left -= min(count, left)
    return {**found, "failed: other statuses": left}


def _what(objective: Objective, limit: Limit) -> tuple[str, str]:
    match objective.indicator.kind:
        case IndicatorKind.LATENCY:
            bound = bare_limit(limit)
            strict = limit.comparison is ComparisonOperator.LT
            slow = f"that failed or took {f'{bound} or longer' if strict else f'longer than {bound}'}"
            return f"request {slow}", f"requests {slow}"
        case IndicatorKind.ERROR_RATE:
            return "failed request", "failed requests"
        case IndicatorKind.AVAILABILITY:
            return "request that was not served", "requests that were not served"
        case _:
            return "cache miss", "cache misses"


def _stretch(by_second: Whole, start: int) -> Stretch:
    """Return the shortest period with at least `MOST` of all, the first of several."""
    sums = np.concatenate([[0], np.cumsum(by_second)])
    wanted = int(np.ceil(MOST * sums[-1]))
    ends = np.searchsorted(sums, sums[:-1] + wanted)
    lengths = np.where(ends < len(sums), ends - np.arange(len(ends)), len(sums))
    begin = int(lengths.argmin())
    end = min(int(ends[begin]), len(by_second))
    return Stretch(start + begin, start + end, int(sums[end] - sums[begin]))


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
    """Write a share of the bad requests: ``92% of the 1,204 failed requests``; a single one as itself."""
    every = f"the {quantity(found.bad, *found.what)}"
    return every if found.bad == 1 else f"{part / found.bad:.0%} of {every}"
