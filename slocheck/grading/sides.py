"""The verdict on each limit: per side, then for both sides together."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from slocheck.documents.words import quantity
from slocheck.grading import tiers
from slocheck.grading.assessment import Cause, LevelResult, ObjectiveResult, Side, SideResult, Verdict
from slocheck.grading.verdict import grade_sample
from slocheck.indicators.pooling import pool
from slocheck.indicators.samples import Sample
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import IndicatorKind, Limit, Objective, SourceChoice, Spec
from slocheck.statistics.confidence import Criterion

MET, BREACHED, UNDECIDED = Verdict.MET, Verdict.BREACHED, Verdict.UNDECIDED
FLAWLESS = (Cause.CORRELATED, Cause.TOO_FEW_REQUESTS)
"""Why a side without a bad request can be undecided."""

BY_CLIENT = "decided by the client's count: "
"""How the reason begins where the client's met stands for a server that is undecided."""


class Sampled(Protocol):
    """A run that gives samples: one that was measured, or one that is simulated."""

    def client_sample(self, objective: Objective, limit: Limit, spec: Spec) -> Sample:
        """Return what the client saw of an objective."""

    def server_sample(self, objective: Objective, limit: Limit, spec: Spec) -> Sample:
        """Return what the server's series say of an objective."""


def grade_objective(
    objective: Objective, spec: Spec, runs: Sequence[Sampled], criterion: Criterion | None
) -> ObjectiveResult:
    """Grade all limits of an objective on pooled runs; without a criterion as observed."""
    needed = tiers.level_names_needed(spec.gate, spec.tiers)
    levels = []
    for name, limit in objective.limits.items():
        sides = tuple(
            grade_sample(side, sample, objective.indicator, limit, criterion)
            for side, sample in _samples(objective, limit, spec, runs)
        )
        verdict, reason = combine(objective.indicator.kind, sides)
        levels.append(LevelResult(name, limit, verdict, reason, sides, name in needed))
    return ObjectiveResult(objective, tuple(implied(level, levels) for level in levels))


def implied(level: LevelResult, levels: Sequence[LevelResult]) -> LevelResult:
    """Decide an undecided level by the others of its objective: what breaks a looser limit breaks it too.

    What keeps a stricter limit, on each side by that side's own numbers, keeps it too. If the others
    contradict each other it stays undecided. A level that the gate needs is not decided by the breach of one
    that it does not need.
    """
    if level.verdict is not UNDECIDED:
        return level
    decided = [
        one
        for one in levels
        if one.verdict is BREACHED and one.needed >= level.needed and _stricter(level, one)
    ]
    decided += [
        one
        for one in levels
        if all(side.verdict is MET for side in one.sides) and one.verdict is MET and _stricter(one, level)
    ]
    if len({one.verdict for one in decided}) != 1:
        return level
    by = decided[0]
    return replace(level, verdict=by.verdict, reason=f"{by.level} {by.limit.text} is {by.verdict.value}")


def _stricter(one: LevelResult, other: LevelResult) -> bool:
    """Tell whether a limit is harder to keep than another of the same objective."""
    return tiers.hardness(one) < tiers.hardness(other)


def _samples(
    objective: Objective, limit: Limit, spec: Spec, runs: Sequence[Sampled]
) -> list[tuple[Side, Sample]]:
    """Return the pooled sample of each side that the objective asks for, the client's first."""
    ratio = not traits_of(objective.indicator.kind).is_percentile
    found: list[tuple[Side, Sample]] = []
    if objective.source is not SourceChoice.PROMETHEUS:
        client = [run.client_sample(objective, limit, spec) for run in runs]
        found.append((Side.CLIENT, pool(client, ratio=ratio)))
    if objective.source is not SourceChoice.CLIENT:
        server = [run.server_sample(objective, limit, spec) for run in runs]
        found.append((Side.SERVER, pool(server, ratio=ratio)))
    return found


def combine(kind: IndicatorKind, sides: tuple[SideResult, ...]) -> tuple[Verdict, str]:
    """Return the verdict of one or two sides (client first) and the reason for it.

    With two sides: met only if both are met, breached if either is. If the server side is
    undecided the client settles seven cases, none of which can make a false met:

    - The limit lies inside a bucket of the server's histogram. For the same requests the client's
      latency is never below the server's, so what the client proves holds for the server.
    - The server's totals meet the limit but come in too few scrapes for the statistics. They count the same
      requests as the client, whose statistics then hold for both (not so for cache lookups, which
      need not be requests).
    - The server counted no request but the client's, and none that was too slow, but its scrapes and buckets
      leave the requests looking more correlated than the client's exact counts show. Each of them took the
      client at least as long, so the client's statistics hold for both.
    - A restart within the load lost counts of the client's own requests, and no foreign ones replace them;
      the others meet the limit. The client knows what became of the lost ones, and is never faster.
    - The server's rate meets the limit but varies. It does not know what was offered; the client does, and
      each of its successes is one that the server served.
    - A cache that only one side can see is graded on that side alone.
    - Metrics without a latency histogram can never tell a latency: it is graded on the client's side alone.
    """
    if len(sides) == 1:
        return sides[0].verdict, _named(sides[0], alone=True)
    breached = [side for side in sides if side.verdict is BREACHED]
    if breached:
        return BREACHED, _reasons(breached)
    client, server = sides
    seeing = [side for side in sides if side.display is not None or side.source_failed]
    if not traits_of(kind).counts_requests and len(seeing) == 1:
        return seeing[0].verdict, _named(seeing[0])
    if server.left_to_client and client.verdict is not MET:
        return client.verdict, _named(client)
    if client.verdict is MET and server.verdict is UNDECIDED and _settled(kind, server):
        return MET, f"{BY_CLIENT}{_left_open(server)}"
    undecided = [side for side in sides if side.verdict is UNDECIDED]
    if undecided:
        return UNDECIDED, _reasons(undecided)
    return MET, ""


def _settled(kind: IndicatorKind, server: SideResult) -> bool:
    """Tell whether the client's met may settle an undecided server side."""
    if server.left_to_client:
        return True
    if traits_of(kind).is_percentile and server.bucket_limited:
        return True
    if server.cause is Cause.VARYING and server.observed is MET:
        return True
    if traits_of(kind).is_percentile and server.own_only and server.cause in FLAWLESS:
        return True
    if traits_of(kind).counts_requests and server.counted is MET:
        return True
    return traits_of(kind).counts_requests and server.observed is MET and server.cause is Cause.TOO_FEW_SLICES


def _left_open(server: SideResult) -> str:
    """Say what the server's side cannot know, or else why it is undecided."""
    if server.cause is Cause.VARYING:
        return f"the server's {quantity(server.total, 'scrape')} do not show what was offered"
    return server.reason


def _reasons(sides: Sequence[SideResult]) -> str:
    """Return the reasons of the sides, each with its side's name; what they share is said once."""
    shared = _shared_reason(sides) if len(sides) > 1 else ""
    if shared:
        return f"{' and '.join(side.side.value for side in sides)}: {shared}"
    return "; ".join(_named(side) for side in sides)


def _shared_reason(sides: Sequence[SideResult]) -> str:
    """Return one reason for all sides; empty if they differ in more than numbers."""
    first = sides[0]
    if len({side.reason for side in sides}) == 1:
        return first.reason
    if first.cause is None or any(side.cause is not first.cause for side in sides):
        return ""
    if first.cause is Cause.TOO_FEW_REQUESTS:  # it ends with the number of requests
        return " and ".join([first.reason, *(f"{side.total:,}" for side in sides[1:])])
    return max(sides, key=lambda side: side.needed_duration_factor).reason  # decides the others, too


def _named(side: SideResult, *, alone: bool = False) -> str:
    if not side.reason:
        return ""
    return side.reason if alone else f"{side.side.value}: {side.reason}"
