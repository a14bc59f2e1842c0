"""What a plan sends within its window, and what it takes to prove each limit. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from slocheck.spec.indicators import error_budget, traits_of
from slocheck.spec.model import Endpoint, Limit, Objective, Spec
from slocheck.spec.model.load_profile import expected_arrivals


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a plan sends within its window, on average.

    Attributes:
        arrivals: In the open model; None in the closed model, where the target's speed decides their number.
        requests: By endpoint; None if the scenario is a Locust file, which does not tell.
    """

    arrivals: float | None
    requests: Mapping[Endpoint, float] | None

    def to(self, endpoint: Endpoint | None) -> float | None:
        """Return the requests to an endpoint, or to all; None if unknown.

        A task of a Locust file counts as one request; it may send more.
        """
        if self.requests is None:
            return self.arrivals if endpoint is None else None
        return sum(self.requests.values()) if endpoint is None else self.requests.get(endpoint, 0.0)


def forecast(spec: Spec, per_arrival: Mapping[Endpoint, float] | None) -> Forecast:
    """Return what a spec's workload will send; `per_arrival`: requests of one arrival by endpoint."""
    workload = spec.workload
    if not workload.rate:
        return Forecast(None, None)
    arrivals = expected_arrivals(workload.rate, workload.warmup, workload.warmup + workload.duration)
    if per_arrival is None:
        return Forecast(arrivals, None)
    return Forecast(arrivals, {endpoint: mean * arrivals for endpoint, mean in per_arrival.items()})


@dataclass(frozen=True, slots=True)
class ProofNeed:
    """What it takes to prove one limit.

    Attributes:
        objective: Its name.
        level: Tier, ``target`` or ``critical``.
        limit: As written.
        requests: Fewest independent requests, none of them bad, that prove it; None if the limit
            is not a share of requests.
        expected: Requests that the plan sends and the objective counts; None if unknown.
        per_second: `requests` as a rate over the planned window.
        window_s: The window in which the plan's rate sends that many; None if unknown.
        bursts_window_s: The window that holds as many bursts of the stated length; 0: none is stated.
        provable: Whether the plan sends enough in a long enough window; True if that is unknown.
    """

    objective: str
    level: str
    limit: str
    requests: int | None
    expected: float | None
    per_second: float | None
    window_s: float | None
    bursts_window_s: float
    provable: bool


def proof_needs(
    spec: Spec,
    requests_needed: Callable[[float], int],
    planned: Forecast,
    bursts_s: float = 0.0,
    bursts_needed: Callable[[float], int] | None = None,
) -> tuple[ProofNeed, ...]:
    """Return what it takes to prove each limit.

    Args:
        spec: The spec.
        requests_needed: Maps a share to a sample size.
        planned: What will be sent.
        bursts_s: Requests within this many seconds count as one; 0: no condition.
        bursts_needed: The same as `requests_needed` where the condition bounds the sample; None: the same.
    """
    window = spec.workload.duration
    needs = []
    for objective in spec.objectives:
        expected = planned.to(objective.endpoint)
        # requests that are further apart than a burst lasts each count, whatever the condition
        bounded = bursts_s > 0 and (expected is None or expected * bursts_s > window)
        needed = bursts_needed if bounded and bursts_needed else requests_needed
        for level, limit in objective.limits.items():
            share = _budget(objective, limit, spec, planned)
            requests = needed(float(share)) if share is not None and 0 < share < 1 else None
            rate = requests / window if requests is not None else None
            longer = requests * window / expected if requests is not None and expected else None
            bursts = bursts_s * (requests or 0) if bounded else 0.0
            enough = requests is None or expected is None or expected >= requests
            needs.append(
                ProofNeed(
                    objective=objective.name,
                    level=level,
                    limit=limit.text,
                    requests=requests,
                    expected=expected,
                    per_second=rate,
                    window_s=max(longer, bursts) if longer is not None else bursts or None,
                    bursts_window_s=bursts,
                    provable=enough and window >= bursts,
                )
            )
    return tuple(needs)


def _budget(objective: Objective, limit: Limit, spec: Spec, planned: Forecast) -> Fraction | None:
    """Return the share that a limit allows to be bad; for a rate, to be offered but not served."""
    offered = _offered(objective, spec, planned)
    if offered and spec.confidence is not None:
        return max(Fraction(0), 1 - limit.value / offered)
    return error_budget(objective.indicator, limit)


def obstacles(spec: Spec, planned: Forecast) -> Iterator[tuple[str, str]]:
    """Yield the level of each limit that this plan cannot prove with any number of requests, and why."""
    for objective in spec.objectives:
        for level, limit in objective.limits.items():
            why = _perfection(objective, limit, spec) or _unoffered(objective, limit, spec, planned)
            if why:
                yield level, f"{level} {objective.name} {limit.text} {why}"


def _perfection(objective: Objective, limit: Limit, spec: Spec) -> str:
    """Say why a limit that allows no bad request is never met at a confidence; empty if it does not apply."""
    if spec.confidence is None or error_budget(objective.indicator, limit) != 0:
        return ""
    return (
        "cannot be proven with any number of requests: write the share that may be bad, or confidence: none"
    )


def _unoffered(objective: Objective, limit: Limit, spec: Spec, planned: Forecast) -> str:
    """Say why a rate is never reached; empty if it may be."""
    offered = _offered(objective, spec, planned)
    if offered == limit.value and limit.holds(offered) and spec.confidence is not None:
        return "cannot be proven: this plan offers no more than the limit, so no request may fail"
    if offered is None or limit.holds(offered):
        return ""
    takes = f"about {_times(float(limit.value / offered))} times the rate" if offered else "requests to it"
    return f"is out of reach: this plan offers {float(offered):,.4g}/s per instance, but needs {takes}"


def _offered(objective: Objective, spec: Spec, planned: Forecast) -> Fraction | None:
    """Return the requests per second and instance that a rate's objective can see; None if unknown."""
    if not traits_of(objective.indicator.kind).limited_by_load:
        return None
    expected = planned.to(objective.endpoint) if planned.requests is not None else None
    if expected is None or spec.target.instances is None:
        return None
    return Fraction(round(expected)) / Fraction(spec.workload.duration) / spec.target.instances


def _times(factor: float) -> str:
    """Return a factor with three digits, never as a power of ten."""
    return f"{float(f'{factor:.3g}'):,.15g}"
