"""The metric names of a framework."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Preset:
    """The names under which a framework exports its HTTP metrics.

    Attributes:
        name: Such as ``prom-client``; ``custom`` for one written in slo.yaml.
        histogram: Name without ``_bucket``; None if there is none.
        counter: The request counter's full name (may be the histogram's ``_count``).
        method_label: Label with the HTTP method; None if the metrics have none.
        route_label: Label with the route.
        status_label: Label with the status code (exact or grouped, ``5xx``).
        histogram_status_label: The same on the histogram; None if it has none.
        unit_seconds: Seconds in one unit of the histogram: 1, or 1/1000 for milliseconds.
        cache_hits: Counter of cache hits; None if there is none.
        cache_misses: Counter of cache misses.
        ignore_routes: Routes left out: health checks and the metrics page itself.
        methods: HTTP method in capitals to its value in the method label, if they differ.
        routes: An endpoint's name without the method to its value in the route label, if they differ.
        lag: Longest time, seconds, by which the page may lag behind what was served, such as a flush.
        selector: Matchers that are added to every query (istio: reporter=destination).
        notes: What a user should know; ``validate`` shows them.
    """

    name: str
    histogram: str | None
    counter: str | None
    method_label: str | None
    route_label: str | None
    status_label: str | None
    histogram_status_label: str | None
    unit_seconds: Fraction = Fraction(1)
    cache_hits: str | None = None
    cache_misses: str | None = None
    ignore_routes: tuple[str, ...] = ()
    methods: Mapping[str, str] = field(default_factory=dict)
    routes: Mapping[str, str] = field(default_factory=dict)
    lag: float = 0.0
    selector: Mapping[str, str] = field(default_factory=dict)
    notes: str = ""

    @property
    def title(self) -> str:
        """What messages call it: ``preset spring``, or where its names come from if none was shipped."""
        own = {CUSTOM: "the mapping of the spec", AUTO.name: "the mapping that was found"}
        return own.get(self.name, f"preset {self.name}")

    @property
    def counters(self) -> tuple[str, ...]:
        """The counters that it names, without those of the histogram."""
        return tuple(name for name in (self.counter, self.cache_hits, self.cache_misses) if name)

    @property
    def is_unknown(self) -> bool:
        """Whether it does not name a metric, because none was found yet."""
        return self.histogram is None and self.counter is None and self.cache_hits is None


AUTO = Preset(
    name="auto",
    histogram=None,
    counter=None,
    method_label=None,
    route_label=None,
    status_label=None,
    histogram_status_label=None,
)
"""Stands for a mapping that is searched for among the service's metrics and not found yet."""
