"""The keys of the JSON result, each with its type and its meaning.

JSON Schema and the table of docs/json.md follow from it. In a path ``[]`` marks the entries of a list,
``*`` a name that depends on the run.
"""

from collections.abc import Iterable, Mapping

from slocheck.comparison.model import Form, Method, Trend
from slocheck.documents.units import ComparisonOperator
from slocheck.evidence.model import Ending
from slocheck.evidence.recording import FailureClass
from slocheck.grading.assessment import Outcome, Side, Verdict
from slocheck.spec.blocks.metric_source.sources import SOURCE_BLOCKS
from slocheck.spec.indicators import Unit
from slocheck.spec.model import IndicatorKind, SourceChoice

SCHEMA_VERSION = 1
SOURCES = tuple(block.kind for block in SOURCE_BLOCKS)

Json = Mapping[str, object]


def one_of(values: Iterable[str]) -> Json:
    """Return the type of a text that is one of these."""
    return {"type": "string", "enum": [str(value) for value in values]}


def listed(values: Iterable[str]) -> str:
    """Return values as the documentation lists them."""
    return ", ".join(f"`{value}`" for value in values)


def or_null(kind: Json) -> Json:
    """Return a type with `null` as another value of it."""
    more = {"enum": [*values, None]} if isinstance(values := kind.get("enum"), list) else {}
    return {**kind, "type": [kind["type"], "null"], **more}


TEXT: Json = {"type": "string"}
TEXTS: Json = {"type": "array", "items": TEXT}
TRUTH: Json = {"type": "boolean"}
NUMBER: Json = {"type": "number"}
SHARE: Json = {"type": "number", "minimum": 0, "maximum": 1}
INTEGER: Json = {"type": "integer", "minimum": 0}
SECOND: Json = {"type": "integer", "minimum": -1}
STATUS: Json = {"pattern": "^(0|[1-9][0-9]{2})$"}

NULLABLE = frozenset(
    {
        "comparison",
        "objectives[].dashboard",
        "objectives[].observed",
        "objectives[].levels[].sides[].value",
        "objectives[].levels[].sides[].confidence_interval",
    }
)
"""Objects that may be `null` as a whole."""

NAMES: Mapping[str, Json] = {
    "run.requests_by_status": STATUS,
    "endpoints[].requests_by_status": STATUS,
    "endpoints[].failed_by_class": one_of(FailureClass),
}
"""The possible forms of names that depend on the run."""

KEYS: tuple[tuple[str, Json, str], ...] = (
    ("schema_version", {"const": SCHEMA_VERSION}, "1"),
    ("verdict", one_of(Outcome), "of the gate: `pass`, `fail`, `undecided`, `invalid`, `interrupted`"),
    ("exit_code", INTEGER, "exit code of `slocheck run`"),
    ("tier", or_null(TEXT), "highest tier that is met; `null`: none"),
    ("next_tier", or_null(TEXT), "the tier above it; `null`: none"),
    ("gate", TEXT, "the tier that the run has to meet"),
    ("headline", TEXT, "the verdict in one sentence"),
    ("confidence", or_null(SHARE), "such as 0.95; `null`: only the observed values were graded"),
    ("bursts_seconds", or_null(NUMBER), "the condition on bursts that the confidence has; `null`: none"),
    ("service", TEXT, "from slo.yaml"),
    ("tiers", TEXTS, "loosest first"),
    ("run.id", TEXT, "name of the run's folder"),
    ("run.folder", TEXT, "its path"),
    ("run.started", TEXT, "UTC, ISO 8601"),
    ("run.ended", TEXT, "UTC, time of the last response"),
    ("run.ending", one_of(Ending), listed(Ending)),
    ("run.signal", or_null(TEXT), "name of the signal that interrupted the run; `null`: none"),
    ("run.warmup_s", INTEGER, "length of the warm-up, which is not graded"),
    ("run.window_s", INTEGER, "length of the window that was graded"),
    ("run.planned_window_s", or_null(NUMBER), "length of the window that was planned"),
    ("run.requests", INTEGER, "sent in the window"),
    ("run.failed", INTEGER, "failed requests among them"),
    (
        "run.unexpected",
        INTEGER,
        "responses among them with an unexpected status; neither failed nor successful",
    ),
    ("run.requests_by_status.*", INTEGER, "requests by status code; 0: no response"),
    ("run.workload", or_null(TEXT), "the load, such as `200/s` or `50 users`"),
    (
        "run.workload_sha256",
        or_null(TEXT),
        "of all that the spec says about the load except its length; runs that differ in it are not compared",
    ),
    ("objectives[].name", TEXT, "key in slo.yaml"),
    ("objectives[].indicator", one_of(IndicatorKind), listed(IndicatorKind)),
    ("objectives[].quantile", or_null(SHARE), "of a latency, such as 0.95"),
    ("objectives[].promql", or_null(TEXT), "the query of a PromQL objective"),
    ("objectives[].endpoint", or_null(TEXT), "`null`: all requests"),
    ("objectives[].source", one_of(SourceChoice), listed(SourceChoice)),
    ("objectives[].unit", one_of(Unit), "of its values and limits: `seconds`, `ratio`, `1/s`, `number`"),
    ("objectives[].defined_at", TEXT, "file and line"),
    (
        "objectives[].verdict",
        or_null(one_of(Verdict)),
        "the worst verdict of the levels that the gate needs; `null`: it needs none of them",
    ),
    (
        "objectives[].dashboard.query",
        TEXT,
        "what a dashboard would ask; `dashboard` is `null` if Prometheus was not asked",
    ),
    (
        "objectives[].dashboard.value",
        or_null(NUMBER),
        "what it would show, in the unit; for comparison, never graded; `null`: nothing",
    ),
    ("objectives[].dashboard.error", or_null(TEXT), "why the value is missing"),
    (
        "objectives[].observed.side",
        one_of(Side),
        "who measured the value that other runs are compared with; `observed` is `null` without one",
    ),
    ("objectives[].observed.low", or_null(NUMBER), "its lower bound, in the unit"),
    ("objectives[].observed.high", or_null(NUMBER), "its upper bound; `null`: unbounded"),
    (
        "objectives[].observed.standard_error",
        or_null(NUMBER),
        "of the logarithm of a percentile, from 20 batches of the window; `null`: none",
    ),
    ("objectives[].observed.total", INTEGER, "number of requests, cache lookups or samples"),
    (
        "objectives[].observed.effective_sample_size",
        or_null(NUMBER),
        "independent requests that a share of them rests on; `null`: not known",
    ),
    ("objectives[].levels[].level", TEXT, "a tier, `target` or `critical`"),
    ("objectives[].levels[].needed", TRUTH, "whether the gate needs it"),
    ("objectives[].levels[].verdict", one_of(Verdict), "`met`, `breached`, `undecided`"),
    ("objectives[].levels[].reason", TEXT, "may be empty; which side decides, if the other is undecided"),
    ("objectives[].levels[].limit.text", TEXT, "as written"),
    ("objectives[].levels[].limit.comparison", one_of(ComparisonOperator), "`<`, `<=`, `>`, `>=`"),
    ("objectives[].levels[].limit.value", or_null(NUMBER), "in the unit"),
    ("objectives[].levels[].limit.line", INTEGER, "in slo.yaml"),
    ("objectives[].levels[].limit.column", INTEGER, "in slo.yaml"),
    ("objectives[].levels[].sides[].side", one_of(Side), "who measured: `client` or `server`"),
    ("objectives[].levels[].sides[].verdict", one_of(Verdict), "on this side's numbers alone"),
    ("objectives[].levels[].sides[].reason", TEXT, "may be empty"),
    (
        "objectives[].levels[].sides[].value.low",
        or_null(NUMBER),
        "lower bound of the observed value, in the unit; `value` is `null` without data",
    ),
    ("objectives[].levels[].sides[].value.high", or_null(NUMBER), "upper bound"),
    (
        "objectives[].levels[].sides[].value.unbounded",
        TRUTH,
        "`true` if `high` is `null` because it is infinite",
    ),
    (
        "objectives[].levels[].sides[].value_minus_limit",
        or_null(NUMBER),
        "middle of the bounds minus the limit, in the unit",
    ),
    ("objectives[].levels[].sides[].total", INTEGER, "number of requests, cache lookups or samples"),
    (
        "objectives[].levels[].sides[].bad",
        or_null(INTEGER),
        "bad ones among them; `null`: not a share of requests",
    ),
    (
        "objectives[].levels[].sides[].bad_upper",
        or_null(INTEGER),
        "the same, including those that may be bad",
    ),
    (
        "objectives[].levels[].sides[].confidence_interval.of",
        one_of(("bad_share", "value")),
        (
            "`bad_share` (share of bad requests) or `value`; "
            "`confidence_interval` is `null` with `confidence: none`"
        ),
    ),
    ("objectives[].levels[].sides[].confidence_interval.low", or_null(NUMBER), "lower bound"),
    ("objectives[].levels[].sides[].confidence_interval.high", or_null(NUMBER), "upper bound"),
    (
        "objectives[].levels[].sides[].confidence_interval.effective_sample_size",
        or_null(NUMBER),
        "independent requests that carry the same information",
    ),
    (
        "objectives[].levels[].sides[].confidence_interval.needed_duration_factor",
        or_null(NUMBER),
        "how many times as long a run would decide it; `null`: decided, or no run would",
    ),
    (
        "objectives[].levels[].sides[].confidence_interval.tolerated_design_effect",
        or_null(NUMBER),
        "largest design effect (`total` / `effective_sample_size`) at which it is still met",
    ),
    (
        "objectives[].levels[].sides[].confidence_interval.tolerated_burst_seconds",
        or_null(NUMBER),
        "the same in time: how long bad requests may come in one burst",
    ),
    (
        "objectives[].levels[].sides[].confidence_interval.allowed_outage_seconds",
        or_null(NUMBER),
        "for how long all requests of the window may be bad, all bursts together",
    ),
    ("objectives[].levels[].sides[].notes", TEXTS, "what widened the bounds"),
    ("objectives[].levels[].sides[].source_failed", TRUTH, "the source failed, as opposed to no traffic"),
    ("gaps[].objective", TEXT, "an objective that keeps the run from the next tier, worst first"),
    ("gaps[].tier", TEXT, "the next tier"),
    ("gaps[].verdict", one_of(Verdict), "`breached` or `undecided`"),
    (
        "gaps[].distance_to_limit",
        or_null(NUMBER),
        "how far the observed value is on the wrong side of the limit, in the unit; 0: on the right side",
    ),
    ("gaps[].message", TEXT, "in words"),
    ("findings[].code", TEXT, "a validity check; stable"),
    ("findings[].valid", TRUTH, "whether it passed"),
    ("findings[].message", TEXT, "what was measured"),
    ("findings[].affects", TEXTS, "objectives whose breach the fault could have caused"),
    ("steady_states[].steady", TRUTH, "whether the window was steady; one entry for each run long enough"),
    ("steady_states[].message", TEXT, "what was measured"),
    (
        "steady_states[].suggested_warmup_s",
        or_null(INTEGER),
        "warm-up that would have excluded the drift; `null`: none would, or none is needed",
    ),
    ("steady_states[].withheld", TEXTS, "objectives that do not count as met because of the drift"),
    ("warnings[].code", TEXT, "what it is about, such as `missed-target`; stable"),
    ("warnings[].message", TEXT, "what to know although it does not change the exit code"),
    (
        "errors[].endpoint",
        TEXT,
        "of failed requests; one entry for each message, most frequent first, warm-up included",
    ),
    (
        "errors[].failure_class",
        one_of(FailureClass),
        (
            "`dns`, `refused`, `reset`, `timeout`, `tls`, `protocol`, `status`, `expectation`, "
            "`unexpected` (which is not a failure), `generator`"
        ),
    ),
    ("errors[].count", INTEGER, "requests that failed with this message"),
    ("errors[].message", TEXT, "of the first one"),
    (
        "errors[].first_seen_s",
        SECOND,
        "when the first one was sent, seconds since the load began; -1: before it, in an `on_start`",
    ),
    (
        "machines[].name",
        TEXT,
        "a machine whose workers sent load; empty if all of it came from the coordinator's machine",
    ),
    ("machines[].address", or_null(TEXT), "where its connection came from"),
    ("machines[].targets", TEXTS, "addresses of the target that its workers connected to"),
    ("machines[].workers", INTEGER, "its worker processes"),
    ("machines[].requests", INTEGER, "that it sent in the window"),
    ("machines[].not_ok", INTEGER, "those that failed or had an unexpected response"),
    ("machines[].rate", NUMBER, "requests per second"),
    ("machines[].p50_s", or_null(NUMBER), "of its successful requests, middle of the histogram's bucket"),
    ("machines[].p95_s", or_null(NUMBER), "likewise"),
    ("machines[].p99_s", or_null(NUMBER), "likewise"),
    ("machines[].schedule_lag_p99_s", NUMBER, "how late its arrivals began; 0 in the closed model"),
    ("machines[].loop_lag_p99_s", NUMBER, "largest of its workers"),
    ("machines[].cpu", NUMBER, "of its busiest worker, share of one core"),
    ("machines[].clock_offset_s", NUMBER, "how far its clock was ahead of the coordinator's; corrected"),
    ("machines[].clock_bound_s", or_null(NUMBER), "largest error of that; `null`: not known"),
    (
        "machines[].clock_moved_s",
        or_null(NUMBER),
        "how much that changed until the end; `null`: it was not measured again",
    ),
    ("saturation[].name", TEXT, "a process or container of the service; not graded"),
    ("saturation[].cpu_cores", or_null(NUMBER), "mean over the window"),
    ("saturation[].cpu_cores_max", or_null(NUMBER), "largest between two samples"),
    ("saturation[].memory_bytes_max", or_null(NUMBER), "largest sample"),
    (
        "saturation[].throttled_ratio",
        or_null(NUMBER),
        "share of the scheduler's periods in which a container was throttled; `null`: unknown",
    ),
    ("endpoints[].endpoint", TEXT, "as measured by the client, in the window"),
    ("endpoints[].requests", INTEGER, "sent"),
    ("endpoints[].failed", INTEGER, "failed requests among them"),
    ("endpoints[].failed_by_class.*", INTEGER, "failed requests by class"),
    ("endpoints[].unexpected", INTEGER, "responses with an unexpected status"),
    ("endpoints[].requests_by_status.*", INTEGER, "requests by status code; 0: no response"),
    (
        "endpoints[].p50_s",
        or_null(NUMBER),
        "of the successful requests, middle of the histogram's bucket, at most `max_s`",
    ),
    ("endpoints[].p95_s", or_null(NUMBER), "likewise"),
    ("endpoints[].p99_s", or_null(NUMBER), "likewise"),
    ("endpoints[].max_s", or_null(NUMBER), "of the successful requests, exact"),
    (
        "comparison.runs",
        TEXTS,
        "earlier runs that this one is compared with, oldest first; `comparison` is `null` without any",
    ),
    ("comparison.folders", TEXTS, "their folders, in the same order"),
    (
        "comparison.method",
        one_of(Method),
        "`within these runs`, `prediction interval`, `Welch's t-test`: see [comparison.md](comparison.md)",
    ),
    ("comparison.confidence", SHARE, "of the intervals"),
    ("comparison.max_regression", NUMBER, "how much worse an objective may get: 0.1 for 10 %"),
    ("comparison.gates", TRUTH, "whether a change for the worse fails the run"),
    ("comparison.differences", TEXTS, "other differences between the runs"),
    ("comparison.changes[].objective", TEXT, ""),
    (
        "comparison.changes[].old",
        or_null(NUMBER),
        "value before, in the unit; of several runs their mean; `null`: none",
    ),
    ("comparison.changes[].new", or_null(NUMBER), "value now"),
    (
        "comparison.changes[].form",
        one_of(Form),
        "what `amount` is: `ratio` (new / old) or `difference` (new - old)",
    ),
    ("comparison.changes[].amount", or_null(NUMBER), "the change"),
    (
        "comparison.changes[].low",
        or_null(NUMBER),
        "lower end of its confidence interval; `null`: none",
    ),
    ("comparison.changes[].high", or_null(NUMBER), "upper end"),
    (
        "comparison.changes[].trend",
        one_of(Trend),
        "`worse`, `better`, `within the margin`, `undecided`, `not tested`",
    ),
    (
        "comparison.changes[].reason",
        TEXT,
        "why it was not tested, or is undecided; may be empty",
    ),
    ("provenance.command", TEXT, "as typed, secrets masked"),
    ("provenance.rerun_command", TEXT, "repeats the run with the same seed"),
    ("provenance.slocheck_version", TEXT, ""),
    ("provenance.versions.*", TEXT, "of Python and Locust"),
    ("provenance.host", TEXT, "name of the load generator's machine"),
    ("provenance.cores", INTEGER, "its processors"),
    (
        "provenance.git_sha",
        or_null(TEXT),
        "of the spec's repository; without git `CI_COMMIT_SHA` or `GITHUB_SHA`; `null`: none, or git refused",
    ),
    ("provenance.git_dirty", TRUTH, "whether it had uncommitted changes"),
    (
        "provenance.git_error",
        or_null(TEXT),
        "why git reported no commit of a repository, such as `detected dubious ownership`; else `null`",
    ),
    ("provenance.spec_path", TEXT, "as named by the user"),
    ("provenance.spec_sha256", TEXT, "of slo.yaml"),
    ("provenance.scenario", TEXT, "path as written"),
    (
        "provenance.scenario_sha256",
        TEXT,
        "of the scenario, followed by the CSV files that it names, each once",
    ),
    ("provenance.target", TEXT, "base URL"),
    ("provenance.seed", or_null(INTEGER), "`null`: none"),
    (
        "provenance.server_source",
        or_null(one_of(SOURCES)),
        f"{listed(SOURCES)}; `null`: none",
    ),
    (
        "provenance.server_mapping",
        or_null(TEXT),
        "which metrics and labels were taken, or why none were found; `null`: none were needed",
    ),
    ("provenance.queries", TEXTS, "queries sent to the metric source"),
)
"""Path, type and meaning of each key, in the order of the document."""
