"""Finds the mapping of a service's metrics among the families that it exports: ``preset: auto``."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from slocheck.plan.families import Family, FamilyKind
from slocheck.plan.histogram_unit import suits_seconds, unit_of
from slocheck.plan.label_roles import Roles, roles_of
from slocheck.plan.mapping_text import described, mapping_yaml
from slocheck.spec.metric_units import unit_in_name
from slocheck.spec.model import AUTO, Preset

HEALTH_ROUTES = ("/metrics", "/health", "/healthz", "/livez", "/readyz")
MOST_SHOWN = 4
ALL_ROLES = 3

_TIME = frozenset({"duration", "durations", "latency", "latencies", "time", "timer", "timing", "elapsed"})
_HTTP = frozenset({
    *("http", "https", "request", "requests", "req", "rq", "response", "responses", "api", "server", "web"),
    *("status", "statuses", "codes"),
})  # fmt: skip
_SERVING = frozenset({"processing", "handling", "histogram", "hist", "total"})
"""Words that a histogram of requests may end with if its name has none for time."""
_NUMBERS = frozenset({
    *("ratio", "percent", "percentage", "score", "items", "rows", "records", "length", "queries", "tokens"),
    *("price", "amount", "cost", "weight", "depth", "level"),
})  # fmt: skip
"""Words of what is measured in something else than time."""
_OTHERS = frozenset({
    *("client", "outgoing", "outbound", "upstream", "downstream", "fetch", "db", "sql", "query", "redis"),
    *("grpc", "rpc", "kafka", "gc", "eventloop", "job", "queue", "cache", "lock", "size", "bytes", "body"),
    *("scheduler", "workqueue", "dns", "tls", "handshake", "process", "python", "nodejs", "jvm", "go"),
    *("promhttp", "scrape", "connection", "connections", "age", "lease"),
})  # fmt: skip
_SOME = frozenset({
    *("exceptions", "exception", "error", "errors", "failed", "failure", "failures", "slow", "rejected"),
    *("dropped", "aborted", "canceled", "cancelled", "throttled", "limited", "retry", "retries", "timeouts"),
    *("retried", "active", "pending", "inflight", "flight", "progress", "concurrent", "started", "queued"),
})  # fmt: skip
"""Words of metrics that count some of the requests, or those that have not ended."""
_HINTS: Mapping[str, tuple[str, ...]] = {"aspnet": ("kestrel_", "aspnetcore_", "dotnet_")}
"""Presets whose metric names others share: taken only if there is a family with one of these prefixes."""
SOUGHT = (*sorted({*_HTTP, "cache"}), *(prefix for each in _HINTS.values() for prefix in each))
"""Each metric that a search looks at has one of these in its name."""


@dataclass(frozen=True, slots=True)
class Match:
    """The mapping of a service's metrics.

    Attributes:
        mapping: The mapping to use.
        said: One line that describes it.
    """

    mapping: Preset
    said: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """Families from which no single mapping follows.

    Attributes:
        why: What was found, and what to do with the mapping.
        to_paste: The mapping as YAML.
    """

    why: str
    to_paste: str

    @property
    def text(self) -> str:
        """The message with the mapping."""
        return f"{self.why}:\n{self.to_paste}"


def match_mapping(families: Sequence[Family], presets: Sequence[Preset]) -> Match | Unclear | None:
    """Return the mapping of a service's metrics, why it is unclear, or None if none has series yet.

    A shipped preset whose families and labels are all there comes first. Next is any histogram with a name
    of HTTP latencies, with the labels that hold method, route and status, or none but a counter's; then a
    summary, whose count is as good as any other counter; then a counter of requests. What recording rules
    computed (names with colons) is only looked at if there is nothing else, as it is the same once more.
    """
    by_name = {family.name: family for family in families if family.series}
    raw = {name: family for name, family in by_name.items() if ":" not in name}
    return _matched(raw, presets) or (_matched(by_name, presets) if len(raw) < len(by_name) else None)


def match_without_labels(families: Sequence[Family]) -> Match | None:
    """Return the mapping of the only latency histogram if its series have no labels; None if there is none.

    Only after requests were served: many libraries export such a histogram before the first request.
    """
    by_name = {family.name: family for family in families if family.series and ":" not in family.name}
    timed = [one for one in by_name.values() if one.kind is FamilyKind.HISTOGRAM and _is_latency(one)]
    plain = [one for one in timed if not one.own_labels]
    if len(plain) != 1:
        return None
    mapping = mapping_of(plain[0], None, by_name)
    return Match(mapping, described(mapping))


def _matched(by_name: Mapping[str, Family], presets: Sequence[Preset]) -> Match | Unclear | None:
    exact = _best([one for preset in presets if (one := _shipped(preset, by_name))])
    if exact:
        return _one(exact, by_name)
    latencies = [family for family in by_name.values() if _is_latency(family)]
    named = [family for family in latencies if family.kind is FamilyKind.HISTOGRAM]
    timed = named or [family for family in by_name.values() if _may_be_latency(family)]
    for wanted in (timed, [family for family in latencies if family.is_summary]):
        if ranked := _ranked(wanted):
            return _one([mapping_of(family, None, by_name) for family in ranked], by_name)
    counters = _ranked([family for family in by_name.values() if _counts_requests(family)])
    plain = [family for family in timed if _is_told_by(family, counters)]
    if len(plain) == 1:
        return _one([mapping_of(plain[0], None, by_name)], by_name)
    if labelled := [family for family in named if family.own_labels]:
        return _alien(labelled, by_name)
    return _one([mapping_of(None, family, by_name) for family in counters], by_name) if counters else None


def _one(mappings: Sequence[Preset], by_name: Mapping[str, Family]) -> Match | Unclear:
    """Return the only mapping, or say that there are several."""
    if len(mappings) == 1:
        mapping = _with_cache(mappings[0], by_name)
        return Match(mapping, described(mapping))
    shown = "\n".join(
        f"# or\n{mapping_yaml(one)}" if at else mapping_yaml(one) for at, one in enumerate(mappings)
    )
    names = ", ".join(one.histogram or one.counter or "" for one in mappings[:MOST_SHOWN])
    return Unclear(
        f"{len(mappings)} families could be the service's requests ({names}); write the one to use", shown
    )


def _alien(families: Sequence[Family], by_name: Mapping[str, Family]) -> Unclear:
    shown = families[:MOST_SHOWN]
    mapping = mapping_of(shown[0], None, by_name)
    is_whole = mapping.route_label is not None and mapping.status_label is not None
    cure = (
        "write this mapping, with the counter's labels" if is_whole else "complete this mapping and write it"
    )
    return Unclear(
        f"no label of {seen_labels(shown)} holds a route or a status that slocheck knows; {cure}",
        mapping_yaml(mapping, blanks=True),
    )


def counters_without_roles(families: Iterable[Family]) -> tuple[str, ...]:
    """Return the counters of requests that have neither a route nor a status, as nginx's exporter has one."""
    raw = (family for family in families if family.series and ":" not in family.name)
    found = (family for family in raw if _counts_requests(family))
    return tuple(family.name for family in found if not _ranked([family]))[:MOST_SHOWN]


def seen_labels(families: Iterable[Family]) -> str:
    """Return families with their labels as text."""
    return "; ".join(f"{one.name} {{{', '.join(one.own_labels)}}}" for one in families)


def _best(found: Sequence[tuple[tuple[int, int], Preset]]) -> list[Preset]:
    """Return for each histogram the preset of which most is there."""
    best: dict[str, tuple[tuple[int, int], Preset]] = {}
    for score, preset in found:
        key = preset.histogram or preset.counter or ""
        if key not in best or score > best[key][0]:
            best[key] = score, preset
    return [preset for _, preset in best.values()]


def _shipped(preset: Preset, by_name: Mapping[str, Family]) -> tuple[tuple[int, int], Preset] | None:
    """Return how much of a preset is there; None if anything except cache counters is missing."""
    hints = _HINTS.get(preset.name, ())
    if hints and not any(name.startswith(hints) for name in by_name):
        return None
    histogram = by_name.get(preset.histogram or "")
    own = preset.histogram is not None and preset.counter == f"{preset.histogram}_count"
    counter = histogram if own else by_name.get(preset.counter or "")
    if counter is None or (preset.histogram and not (histogram and histogram.kind is FamilyKind.HISTOGRAM)):
        return None
    on_counter = [preset.method_label, preset.route_label, preset.status_label, *preset.selector]
    on_histogram = [preset.method_label, preset.route_label, preset.histogram_status_label]
    if not _has(counter, on_counter) or (histogram and not _has(histogram, on_histogram)):
        return None
    labels = sum(label is not None for label in (*on_counter, *on_histogram))
    return (2 - own + bool(hints), labels), preset


def _has(family: Family, labels: Iterable[str | None]) -> bool:
    there = set(family.labels)
    return all(label is None or label in there for label in labels)


def _words(name: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return re.split(r"[^a-z0-9]+", spaced)


def _tokens(name: str) -> frozenset[str]:
    return frozenset(_words(name))


def _is_latency(family: Family) -> bool:
    return _is_of_requests(family) and _is_time(family)


def _counts_requests(family: Family) -> bool:
    return family.kind is FamilyKind.COUNTER and _is_of_requests(family) and not _is_time(family)


def _may_be_latency(family: Family) -> bool:
    """Tell whether a histogram of requests may be one of seconds, although its name does not say so."""
    if family.kind is not FamilyKind.HISTOGRAM or _is_time(family) or not suits_seconds(family):
        return False
    words = _words(family.name)
    has_all_labels = roles_of(family).count == ALL_ROLES and not {*words} & (_OTHERS | _SOME)
    is_plain = _is_of_requests(family) and words[-1] in _HTTP | _SERVING
    return (has_all_labels or is_plain) and not {*words} & _NUMBERS


def _is_told_by(histogram: Family, counters: Sequence[Family]) -> bool:
    """Tell whether all labels of a histogram are those of the only counter, which has the status."""
    if len(counters) != 1 or not roles_of(counters[0]).status:
        return False
    return set(histogram.own_labels) <= set(counters[0].own_labels)


def _is_of_requests(family: Family) -> bool:
    words = _tokens(family.name)
    return bool(words & _HTTP) and not words & (_OTHERS | _SOME)


def _is_time(family: Family) -> bool:
    return bool(_tokens(family.name) & _TIME) or unit_in_name(family.name) is not None


def _ranked(families: Sequence[Family]) -> list[Family]:
    """Return the families with most of the labels, route or status among them; none if none has either."""

    def rank(family: Family) -> tuple[int, bool]:
        roles = roles_of(family)
        known = roles.count if roles.route or roles.status else 0
        return known, "http" in _tokens(family.name)

    best = max((rank(family) for family in families), default=(0, False))
    return [family for family in families if rank(family) == best] if best[0] else []


def mapping_of(histogram: Family | None, counter: Family | None, by_name: Mapping[str, Family]) -> Preset:
    """Return the mapping of a histogram, with a counter that has the status if the histogram lacks it."""
    roles = roles_of(histogram) if histogram else Roles()
    if histogram and not (roles.status and roles.route):
        counter = _counter_for(roles, by_name)
    counted = roles_of(counter) if counter else roles
    route = roles.route or counted.route
    return Preset(
        name=AUTO.name,
        histogram=histogram.name if histogram else None,
        counter=counter.name if counter else f"{histogram.name}_count" if histogram else None,
        method_label=roles.method or counted.method,
        route_label=route,
        status_label=counted.status,
        histogram_status_label=roles.status,
        unit_seconds=unit_of(histogram) if histogram else Fraction(1),
        ignore_routes=HEALTH_ROUTES if route else (),
    )


def _counter_for(roles: Roles, by_name: Mapping[str, Family]) -> Family | None:
    """Return the request counter with the status that a histogram lacks, by route if that has one."""
    fitting = [
        family
        for family in by_name.values()
        if _counts_requests(family)
        and roles_of(family).status
        and roles.route in (None, roles_of(family).route)
    ]
    ranked = _ranked(fitting)
    exact = [family for family in ranked if roles_of(family).is_exact]
    ranked = exact or ranked
    return ranked[0] if len(ranked) == 1 and not roles.status else None


def _with_cache(mapping: Preset, by_name: Mapping[str, Family]) -> Preset:
    """Return the mapping with the only pair of counters of cache hits and misses, unless it has one."""
    pairs = [
        (name, name.replace("hits", "misses"))
        for name in by_name
        if "cache" in name and "hits" in name and name.replace("hits", "misses") in by_name
    ]
    if mapping.cache_hits or len(pairs) != 1:
        return mapping
    return replace(mapping, cache_hits=pairs[0][0], cache_misses=pairs[0][1])
