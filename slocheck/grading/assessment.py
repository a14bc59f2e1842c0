"""The outcome of grading: inert, complete, unrounded. Reporters show it, nothing recomputes it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from slocheck.evidence.warnings import RunWarning
from slocheck.indicators.samples import Display
from slocheck.spec.model import EXTRA_LEVELS, Confidence, Limit, Objective

TOO_MANY_BAD = "more bad requests than the limit allows"
"""The reason given for a broken limit if there is nothing else to say."""


class Verdict(StrEnum):
    """What the evidence says of one limit."""

    MET = "met"
    BREACHED = "breached"
    UNDECIDED = "undecided"


class Outcome(StrEnum):
    """What the run says of the gate."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    UNDECIDED = "undecided"
    INVALID = "invalid"
    INTERRUPTED = "interrupted"


class Side(StrEnum):
    """Who measured."""

    CLIENT = "client"
    SERVER = "server"


class Cause(StrEnum):
    """Why the statistics left one side undecided."""

    TOO_FEW_SLICES = "too few slices"
    TOO_FEW_REQUESTS = "too few requests"
    CORRELATED = "correlated requests"
    TOO_CLOSE = "too close to the limit"
    VARYING = "varying rate"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How long bursts of bad requests may be for a limit to count as met.

    Attributes:
        design_effect: Largest design effect at which the limit is still met.
        burst_s: The same in time: for how long all requests of one burst may be bad, seconds.
        outage_s: For how long all requests of the window may be bad, all bursts together, seconds.
    """

    design_effect: float
    burst_s: float
    outage_s: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the statistics say of a sample against one limit.

    Attributes:
        low: Lower end of the confidence interval: of the share of bad requests, or of the rate.
        high: Upper end.
        effective_sample_size: Independent requests that would carry the same information; None for a rate.
        needed_duration_factor: How many times as long a run would decide; None when decided or never.
        tolerance: The bursts that a met limit tolerates; None if it is not met, and for a rate.
        p_breach: One-sided p-value of a breach.
    """

    low: float
    high: float
    effective_sample_size: float | None = None
    needed_duration_factor: float | None = None
    tolerance: Tolerance | None = None
    p_breach: float = 1.0


@dataclass(frozen=True, slots=True)
class SideResult:
    """One side's verdict on one limit.

    Attributes:
        side: Who measured.
        verdict: From this side's numbers alone.
        display: The indicator's value as bounds, base units; None without data.
        total: Requests (lookups, points) behind it; 0 without data.
        bad: Bad ones, lower bound; None for what is not a share of requests.
        bad_upper: Bad ones, upper bound.
        reason: Why it is undecided or breached, one sentence without a full stop; may be empty when met.
        notes: What widened the bounds.
        bounds: The statistics; None with ``confidence: none``.
        source_failed: The metric source failed, as opposed to no traffic.
        observed: The verdict on the observed values alone; None without data.
        bucket_limited: See `samples.Share`.
        counted: The verdict on the requests that a restarted server still counted; None if none are lost.
        own_only: See `samples.Share`.
        load_factor: If the load offered no more than the limit: how many times as much that is; else None.
        cause: Why the statistics left it undecided; None if they did not.
        left_to_client: See `samples.NoData`.
    """

    side: Side
    verdict: Verdict
    display: Display | None
    total: int
    bad: int | None = None
    bad_upper: int | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()
    bounds: Bounds | None = None
    source_failed: bool = False
    observed: Verdict | None = None
    bucket_limited: bool = False
    counted: Verdict | None = None
    own_only: bool = False
    load_factor: float | None = None
    cause: Cause | None = None
    left_to_client: bool = False

    @property
    def needed_duration_factor(self) -> float:
        """How many times as long a run would decide; 0 if none would, or nothing is open."""
        return (self.bounds.needed_duration_factor if self.bounds else None) or 0.0


@dataclass(frozen=True, slots=True)
class LevelResult:
    """One limit of an objective: the sides put together.

    Attributes:
        level: A tier, ``target`` or ``critical``.
        limit: The bound.
        verdict: Of both sides.
        reason: Why; empty when plainly met.
        sides: One or two results.
        needed: Whether the gate needs this level: it is ``critical``, or the gate's tier, or a looser one.
    """

    level: str
    limit: Limit
    verdict: Verdict
    reason: str
    sides: tuple[SideResult, ...]
    needed: bool

    @property
    def deciding(self) -> SideResult | None:
        """The side that the verdict rests on: the first one that says the same; None without any."""
        same = [side for side in self.sides if side.verdict is self.verdict]
        return next(iter(same or self.sides), None)

    @property
    def breached_on_a_side(self) -> bool:
        """Whether a side's numbers breach it, whatever the final verdict is."""
        return any(side.verdict is Verdict.BREACHED for side in self.sides)


SEVERITY = (Verdict.BREACHED, Verdict.UNDECIDED, Verdict.MET)
"""Worst first."""


def worst_verdict(levels: Iterable[LevelResult]) -> Verdict | None:
    """Return the worst verdict of levels; None if there are none."""
    return min((level.verdict for level in levels), key=SEVERITY.index, default=None)


@dataclass(frozen=True, slots=True)
class ObjectiveResult:
    """An objective and the result for each of its limits.

    Attributes:
        objective: What was asked for.
        levels: One result for each limit, at least one: tiers, loosest first, then ``target``, ``critical``.
    """

    objective: Objective
    levels: tuple[LevelResult, ...]

    @property
    def needed(self) -> tuple[LevelResult, ...]:
        """The levels that the gate needs."""
        return tuple(level for level in self.levels if level.needed)

    @property
    def verdict(self) -> Verdict | None:
        """The worst verdict of the levels that the gate needs; None if it needs none of them."""
        return worst_verdict(self.needed)

    @property
    def shown(self) -> LevelResult:
        """The one level that reports show for the objective.

        Of the needed levels with the worst verdict: the strictest tier, or else ``critical``. If
        the gate needs none of the levels: the loosest of those with the worst verdict.
        """
        levels = self.needed or self.levels
        worst = [level for level in levels if level.verdict is worst_verdict(levels)]
        if not self.needed:
            return worst[0]
        tiers = [level for level in worst if level.level not in EXTRA_LEVELS]
        return (tiers or worst)[-1]

    def level(self, name: str) -> LevelResult | None:
        """Return the result of the level of that name, None if the objective has none."""
        return next((level for level in self.levels if level.level == name), None)


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of the run's validity.

    Attributes:
        code: Such as ``generator-cpu``; stable, for machines.
        valid: Whether the check passed.
        message: What was measured; on failure also what was allowed, and which numbers are invalid.
        affects: Names of the objectives whose breach the fault could have caused.
        server_only: The fault concerns only the objectives in `affects`; what others met stands.
        client_saw: The client's recording has what the fault hides about the client's requests.
    """

    code: str
    valid: bool
    message: str
    affects: frozenset[str] = frozenset()
    server_only: bool = False
    client_saw: bool = False


@dataclass(frozen=True, slots=True)
class SteadyState:
    """Whether the window of one run was one steady state.

    Attributes:
        steady: No test found a change.
        message: What was seen; names the run if several are pooled.
        suggested_warmup_s: The whole warm-up, in seconds, that would have excluded the drift; None if none
            would, or if the window was steady.
        withheld: Names of the objectives that do not count as met because of it.
    """

    steady: bool
    message: str
    suggested_warmup_s: int | None = None
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """What stands between the run and the next tier, for one objective.

    Attributes:
        objective: Its name.
        tier: The tier that is missed.
        verdict: BREACHED or UNDECIDED.
        distance_to_limit: How far the observed value is on the wrong side of the limit, in base units; 0 on
            the right side, None if nothing was observed.
        message: The verdict, the limit, and why.
    """

    objective: str
    tier: str
    verdict: Verdict
    distance_to_limit: Fraction | None
    message: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """The verdict on a run.

    Attributes:
        outcome: Of the gate.
        exit_code: Of the command that graded it.
        tier: Highest tier whose objectives are all met (and those of the tiers below); None: none.
        gate: The tier asked for.
        next_tier: The one above `tier`; None at the top.
        gaps: What keeps the run from the next tier, worst first.
        objectives: All results, in the spec's order.
        findings: All validity checks.
        warnings: Missed targets, unsteady windows, and what else the user should know.
        confidence: As in the spec; None: the observed values alone were graded.
        headline: One sentence: why the run is invalid, the worst breach, or that the gate is met.
        steady_states: One entry for each run whose window was long enough to test.
        regressed: It fails because it is worse than earlier runs, and for nothing else.
    """

    outcome: Outcome
    exit_code: int
    tier: str | None
    gate: str
    next_tier: str | None
    gaps: tuple[Gap, ...]
    objectives: tuple[ObjectiveResult, ...]
    findings: tuple[Finding, ...]
    warnings: tuple[RunWarning, ...]
    confidence: Confidence | None
    headline: str
    steady_states: tuple[SteadyState, ...] = ()
    regressed: bool = False
