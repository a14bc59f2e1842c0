"""The typed SLO spec: inert, frozen, in base units (seconds, 0..1 ratios, requests per second)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor

from slocheck.documents.position import Position
from slocheck.documents.units import NS_PER_SECOND, Comparison
from slocheck.spec.model.load_profile import ArrivalProcess, Stage
from slocheck.spec.model.related_jobs import RelatedJobs
from slocheck.spec.model.validity import ValidityLimits

LEVELS_BESIDE_TIERS = ("target", "critical")


@dataclass(frozen=True, slots=True)
class Limit:
    """One bound of an objective.

    Attributes:
        comparison: What the indicator's value must be relative to `value`.
        value: Exact, in the indicator's base unit: seconds, a 0..1 ratio, 1/s, or a plain number.
        text: As written, such as ``< 200ms``.
        position: Where it stands in slo.yaml.
    """

    comparison: Comparison
    value: Fraction
    text: str
    position: Position

    @property
    def first_bad_ns(self) -> int:
        """Smallest whole number of nanoseconds that breaks an upper limit in seconds."""
        nanoseconds = self.value * NS_PER_SECOND
        return ceil(nanoseconds) if self.comparison.strict else floor(nanoseconds) + 1

    def holds(self, observed: Fraction) -> bool:
        """Tell whether `observed` (same unit) satisfies the limit, unrounded."""
        match self.comparison:
            case Comparison.LT:
                return observed < self.value
            case Comparison.LE:
                return observed <= self.value
            case Comparison.GT:
                return observed > self.value
            case Comparison.GE:
                return observed >= self.value


class IndicatorKind(StrEnum):
    """What an objective measures."""

    LATENCY = "latency"
    ERROR_RATE = "error_rate"
    AVAILABILITY = "availability"
    CACHE_HIT_RATE = "cache_hit_rate"
    RPS_PER_INSTANCE = "rps_per_instance"
    PROMQL = "promql"


class Reduce(StrEnum):
    """How the points of a PromQL range over the window become one value."""

    MAX = "max"
    MIN = "min"
    MEAN = "mean"


@dataclass(frozen=True, slots=True)
class Indicator:
    """A service level indicator.

    Attributes:
        kind: What is measured.
        quantile: For latency: 0 < q < 1, exact (p99.9 is 999/1000). Else None.
        promql: For PROMQL: the query text. ``$window`` stands for the window's length. Else None.
        over: For PROMQL: how the range over the window is reduced; None asks for the instant value
            at the window's end.
    """

    kind: IndicatorKind
    quantile: Fraction | None = None
    promql: str | None = None
    over: Reduce | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A request of the workload, as the client names it: ``GET /items/{id}``."""

    method: str
    name: str

    def __str__(self) -> str:
        return f"{self.method} {self.name}".strip()


class SourceChoice(StrEnum):
    """Which side's numbers an objective is graded on."""

    CLIENT = "client"
    PROMETHEUS = "prometheus"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Objective:
    """A service level objective.

    Attributes:
        name: The key under ``objectives``.
        indicator: What is measured.
        limits: Level to limit. Levels are tiers (loosest first), then ``target`` and ``critical``.
        position: Of the key.
        endpoint: The one endpoint it is about; None means all of the workload.
        labels: Overrides of the server-side method and route labels.
        source: Already resolved: BOTH only where a server source is configured.
    """

    name: str
    indicator: Indicator
    limits: Mapping[str, Limit]
    position: Position
    endpoint: Endpoint | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    source: SourceChoice = SourceChoice.CLIENT


@dataclass(frozen=True, slots=True)
class Tls:
    """How a server's certificate is checked. `ca` and `cert`/`key` are file paths."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """The API under load.

    Attributes:
        url: Base URL, http or https, without user info.
        instances: How many serve it; None: counted from the server's series.
        tls: Verification.
    """

    url: str
    instances: int | None = 1
    tls: Tls = Tls()


@dataclass(frozen=True, slots=True)
class Auth:
    """Credentials, by where they are kept; never their value.

    Attributes:
        bearer_token_file: A file that holds a bearer token.
        username: For basic authentication.
        password_file: A file that holds the password.
        headers_env: Header name to the environment variable that holds its value.
    """

    bearer_token_file: str | None = None
    bearer_token_env: str | None = None
    username: str | None = None
    password_file: str | None = None
    password_env: str | None = None
    headers_env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preset:
    """The names under which a framework exports its HTTP metrics.

    Attributes:
        name: Such as ``prom-client``; ``custom`` for one written in slo.yaml.
        histogram: Name without ``_bucket``; None where there is none.
        counter: The request counter's full name (may be the histogram's ``_count``).
        method_label: Label with the HTTP method; None where the metrics carry none.
        route_label: Label with the route.
        status_label: Label with the status code (exact or grouped, ``5xx``).
        histogram_status_label: The same on the histogram; None where it carries none.
        unit_seconds: Seconds in one unit of the histogram: 1, or 1/1000 for milliseconds.
        cache_hits: Counter of cache hits; None where there is none.
        cache_misses: Counter of cache misses.
        ignore_routes: Routes left out: health checks and the metrics page itself.
        selector: Matchers every query of this preset adds (istio: reporter=destination).
        notes: What a user should know; shown by ``validate``.
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
    selector: Mapping[str, str] = field(default_factory=dict)
    notes: str = ""


@dataclass(frozen=True, slots=True)
class PrometheusSource:
    """A Prometheus server (or one that answers its API).

    Attributes:
        url: Base URL, with path prefix where there is one.
        preset: Name of a shipped preset, or the user's own.
        selector: Label matchers that pin the job, all equalities.
        auth: Where the credentials are.
        headers: Plain extra headers (``X-Scope-OrgID``).
        params: Extra query parameters (``dedup: "true"``).
        tls: Verification and client certificate.
        timeout: Seconds for one query.
        position: Of the ``prometheus`` key.
        beside: What is read of other jobs.
    """

    url: str
    preset: str | Preset
    selector: Mapping[str, str]
    position: Position
    auth: Auth = Auth()
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    tls: Tls = Tls()
    timeout: float = 30.0
    related_jobs: RelatedJobs = field(default_factory=RelatedJobs)


@dataclass(frozen=True, slots=True)
class ScrapeSource:
    """Metrics pages fetched directly, one URL a replica.

    Attributes:
        urls: Every replica's metrics URL.
        preset: Name of a shipped preset, or the user's own.
        interval: Seconds between scrapes during the run, 1..5.
        position: Of the ``scrape`` key.
        tls: Verification.
    """

    urls: tuple[str, ...]
    preset: str | Preset
    position: Position
    interval: float = 1.0
    tls: Tls = Tls()


@dataclass(frozen=True, slots=True)
class Workload:
    """What load is sent: in the open model (`rate`) arrivals on a schedule, else users in a loop.

    Attributes:
        scenario: Path as written, relative to the spec's folder.
        users: Virtual users; with stages the most at any time, in the open model the most at once.
        spawn_rate: Users started per second, in the closed model.
        warmup: Seconds at the start that are not graded.
        duration: Seconds of the measured window.
        position: Of the ``workload`` key.
        drain: Seconds after the window in which requests in flight may end.
        tags: Only tasks with one of these tags; empty: all.
        exclude_tags: Tasks left out.
        rate: Course of the arrivals over warm-up and window; empty: closed model.
        stages: Course of the users over warm-up and window; empty: a constant number.
        arrivals: How arrivals are spread.
    """

    scenario: str
    users: int
    spawn_rate: float
    warmup: float
    duration: float
    position: Position
    drain: float = 30.0
    tags: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    rate: tuple[Stage, ...] = ()
    stages: tuple[Stage, ...] = ()
    arrivals: ArrivalProcess = ArrivalProcess.UNIFORM


@dataclass(frozen=True, slots=True)
class FailureRule:
    """Which status codes are failures: exact (``429``) or classes (``5xx``)."""

    statuses: tuple[str, ...] = ("5xx",)

    def fails(self, status: int) -> bool:
        """Tell whether a response with this status code is a failed request."""
        return str(status) in self.statuses or f"{status // 100}xx" in self.statuses


@dataclass(frozen=True, slots=True)
class CacheRule:
    """Response headers that tell a cache hit from a miss, looked up in this order, lower case."""

    headers: tuple[str, ...] = ("x-cache", "cf-cache-status", "age")


@dataclass(frozen=True, slots=True)
class Spec:
    """A whole slo.yaml.

    Attributes:
        path: As the user named it, for messages.
        text: The file's text, uninterpolated; what the archive keeps.
        service: The service's name.
        target: The API under load.
        workload: What load is sent.
        tiers: Loosest first.
        objectives: In the order written.
        gate: The tier the exit code asks for.
        confidence: Such as 19/20; None grades the observed values alone.
        prometheus: At most one of `prometheus` and `scrape` is set.
        scrape: See `prometheus`.
    """

    path: str
    text: str
    service: str
    target: Target
    workload: Workload
    tiers: tuple[str, ...]
    objectives: tuple[Objective, ...]
    gate: str
    confidence: Fraction | None
    prometheus: PrometheusSource | None = None
    scrape: ScrapeSource | None = None
    failures: FailureRule = FailureRule()
    cache: CacheRule = CacheRule()
    validity: ValidityLimits = field(default_factory=ValidityLimits)


@dataclass(frozen=True, slots=True)
class Overrides:
    """What flags and environment changed of the spec for this run; None: as the spec says."""

    target: str | None = None
    prometheus: str | None = None
    gate: str | None = None
    scenario: str | None = None
    users: int | None = None
    duration: float | None = None
    warmup: float | None = None
    rate: float | None = None
