"""Client and server put together: one verdict for a limit."""

from slocheck.grading.assessment import SideResult, Verdict
from slocheck.grading.verdict import TOO_FEW_SLICES
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import IndicatorKind

MET, BREACHED, UNDECIDED = Verdict.MET, Verdict.BREACHED, Verdict.UNDECIDED


def combine(kind: IndicatorKind, sides: tuple[SideResult, ...]) -> tuple[Verdict, str]:
    """Return the verdict of one or two sides (client first) and the reason for it.

    With two sides: met only if both are met, breached if either is. Of a server that cannot decide the
    client settles three cases, none of which can make a false met:

    - The limit lies inside a bucket of the server's histogram. For the same requests the client's
      latency is never below the server's, so what the client proves holds for the server.
    - The server's totals meet the limit but come in too few scrapes for the statistics. They count the same
      requests as the client, whose statistics then speak for both (not so for cache look-ups, which
      need not be requests).
    - A cache that only one side can see is judged by that side alone.
    """
    if len(sides) == 1:
        return sides[0].verdict, _named(sides[0], alone=True)
    breached = [side for side in sides if side.verdict is BREACHED]
    if breached:
        return BREACHED, "; ".join(_named(side) for side in breached)
    client, server = sides
    seeing = [side for side in sides if side.display is not None or side.source_failed]
    if not traits_of(kind).counts_requests and len(seeing) == 1:
        return seeing[0].verdict, _named(seeing[0])
    if client.verdict is MET and server.verdict is UNDECIDED and _settled(kind, server):
        return MET, f"settled by the client: {server.reason}"
    undecided = [side for side in sides if side.verdict is UNDECIDED]
    if undecided:
        return UNDECIDED, "; ".join(_named(side) for side in undecided)
    return MET, ""


def _settled(kind: IndicatorKind, server: SideResult) -> bool:
    """Tell whether the client's met may stand for a server that is undecided."""
    if traits_of(kind).is_percentile and server.bucket_limited:
        return True
    return traits_of(kind).counts_requests and server.observed is MET and server.reason == TOO_FEW_SLICES


def _named(side: SideResult, *, alone: bool = False) -> str:
    if not side.reason:
        return ""
    return side.reason if alone else f"{side.side.value}: {side.reason}"
