"""Client and server put together; only six cases let the client settle."""

from dataclasses import replace

import pytest

from slocheck.grading.assessment import Bounds, Cause, Side, SideResult, Verdict
from slocheck.grading.sides import combine
from slocheck.indicators.samples import Display
from slocheck.spec.model import IndicatorKind

MET, BREACHED, UNDECIDED = Verdict.MET, Verdict.BREACHED, Verdict.UNDECIDED
LATENCY, ERRORS = IndicatorKind.LATENCY, IndicatorKind.ERROR_RATE
CACHE, RATE = IndicatorKind.CACHE_HIT_RATE, IndicatorKind.RPS_PER_INSTANCE
SHOWN = Display(0.1, 0.1)


def _client(verdict: Verdict) -> SideResult:
    return SideResult(Side.CLIENT, verdict, SHOWN, 100, reason="client's word", observed=verdict)


def _server(verdict: Verdict) -> SideResult:
    return SideResult(Side.SERVER, verdict, SHOWN, 100, reason="server's word", observed=verdict)


IN_BUCKET = SideResult(
    Side.SERVER, UNDECIDED, SHOWN, 100, reason="in a bucket", observed=UNDECIDED, bucket_limited=True
)
FEW = SideResult(Side.SERVER, UNDECIDED, SHOWN, 100, observed=MET, cause=Cause.TOO_FEW_SLICES)
VARIES = replace(FEW, cause=Cause.VARYING)
FLAWLESS = replace(FEW, cause=Cause.CORRELATED, own_only=True)
LOST = replace(_server(UNDECIDED), counted=MET)
LOST_BAD = replace(_server(UNDECIDED), counted=UNDECIDED)
FEW_BAD = replace(FEW, observed=BREACHED)
BROKEN = SideResult(Side.SERVER, UNDECIDED, None, 0, reason="no data", source_failed=True)
BLIND = SideResult(Side.SERVER, UNDECIDED, None, 0, reason="no data")
UNTOLD = replace(BLIND, reason="no histogram", left_to_client=True)
BLIND_CLIENT = SideResult(Side.CLIENT, UNDECIDED, None, 0, reason="no data")


@pytest.mark.parametrize(
    ("kind", "client", "server", "verdict"),
    [
        pytest.param(LATENCY, _client(MET), _server(MET), MET, id="both met"),
        pytest.param(LATENCY, _client(MET), _server(BREACHED), BREACHED, id="the server breaches"),
        pytest.param(LATENCY, _client(BREACHED), _server(MET), BREACHED, id="the client breaches"),
        pytest.param(ERRORS, _client(UNDECIDED), _server(BREACHED), BREACHED, id="a breach beats a doubt"),
        pytest.param(
            LATENCY, _client(MET), _server(UNDECIDED), UNDECIDED, id="a doubt of another kind stays"
        ),
        pytest.param(LATENCY, _client(MET), IN_BUCKET, MET, id="inside a bucket the client settles"),
        pytest.param(
            LATENCY, _client(UNDECIDED), IN_BUCKET, UNDECIDED, id="an undecided client settles nothing"
        ),
        pytest.param(ERRORS, _client(MET), IN_BUCKET, UNDECIDED, id="buckets are about latency alone"),
        pytest.param(
            ERRORS, _client(MET), FEW, MET, id="few scrapes: the client's statistics speak for both"
        ),
        pytest.param(LATENCY, _client(MET), FLAWLESS, MET, id="none was too slow, nor took the client less"),
        pytest.param(
            LATENCY,
            _client(MET),
            replace(FLAWLESS, own_only=False),
            UNDECIDED,
            id="others' requests are not the client's",
        ),
        pytest.param(
            LATENCY,
            _client(MET),
            replace(FLAWLESS, cause=Cause.TOO_CLOSE),
            UNDECIDED,
            id="some were too slow",
        ),
        pytest.param(ERRORS, _client(MET), FLAWLESS, UNDECIDED, id="a failure may stay behind a proxy"),
        pytest.param(RATE, _client(MET), FEW, MET, id="few scrapes of a rate"),
        pytest.param(RATE, _client(MET), VARIES, MET, id="what the client got was served"),
        pytest.param(
            RATE,
            _client(MET),
            replace(VARIES, observed=BREACHED),
            UNDECIDED,
            id="less was counted than asked",
        ),
        pytest.param(RATE, _client(UNDECIDED), VARIES, UNDECIDED, id="a rate that nobody is sure of"),
        pytest.param(CACHE, _client(MET), FEW, UNDECIDED, id="lookups are not the client's requests"),
        pytest.param(ERRORS, _client(MET), FEW_BAD, UNDECIDED, id="few scrapes, but they look bad"),
        pytest.param(ERRORS, _client(MET), LOST, MET, id="the client knows what a restart lost"),
        pytest.param(LATENCY, _client(MET), LOST, MET, id="latencies, too"),
        pytest.param(ERRORS, _client(MET), LOST_BAD, UNDECIDED, id="what was counted does not meet it"),
        pytest.param(ERRORS, _client(UNDECIDED), LOST, UNDECIDED, id="a client that is open tells nothing"),
        pytest.param(CACHE, _client(MET), LOST, UNDECIDED, id="lost lookups are not its requests"),
        pytest.param(LATENCY, _client(MET), BROKEN, UNDECIDED, id="a broken source is never settled"),
        pytest.param(LATENCY, _client(MET), BLIND, UNDECIDED, id="no data is never a pass"),
        pytest.param(LATENCY, _client(MET), UNTOLD, MET, id="metrics without a histogram say no latency"),
        pytest.param(LATENCY, _client(BREACHED), UNTOLD, BREACHED, id="nor do they excuse one"),
        pytest.param(LATENCY, BLIND_CLIENT, UNTOLD, UNDECIDED, id="nobody knows the latency"),
        pytest.param(CACHE, BLIND_CLIENT, _server(MET), MET, id="a cache that only the server sees"),
        pytest.param(CACHE, _client(MET), BLIND, MET, id="a cache that only the client sees"),
        pytest.param(CACHE, _client(MET), BROKEN, UNDECIDED, id="a cache whose source broke"),
        pytest.param(CACHE, BLIND_CLIENT, BLIND, UNDECIDED, id="a cache that nobody sees"),
    ],
)
def test_two_sides(kind: IndicatorKind, client: SideResult, server: SideResult, verdict: Verdict) -> None:
    """Met only if both are met, breached if either is, and what the client may settle."""
    assert combine(kind, (client, server))[0] is verdict


def test_the_reason_names_the_side() -> None:
    """The reader knows whose number to look at."""
    assert combine(ERRORS, (_client(MET), _server(BREACHED)))[1] == "server: server's word"
    assert combine(LATENCY, (_client(MET), UNTOLD))[1] == "decided by the client's count: no histogram"
    assert combine(LATENCY, (_client(UNDECIDED), UNTOLD))[1] == "client: client's word"


@pytest.mark.parametrize("verdict", [BREACHED, UNDECIDED])
def test_a_reason_that_both_sides_have_is_given_once(verdict: Verdict) -> None:
    """The same long sentence is not repeated for both sides."""
    sides = (replace(_client(verdict), reason="too few"), replace(_server(verdict), reason="too few"))
    assert combine(ERRORS, sides)[1] == "client and server: too few"
    apart = (sides[0], replace(sides[1], reason="too slow"))
    assert combine(ERRORS, apart)[1] == "client: too few; server: too slow"


def _open(
    side: Side, cause: Cause | None, reason: str, *, total: int = 100, factor: float = 2.0
) -> SideResult:
    bounds = Bounds(0.0, 1.0, needed_duration_factor=factor)
    return SideResult(side, UNDECIDED, SHOWN, total, reason=reason, bounds=bounds, cause=cause)


@pytest.mark.parametrize(
    ("client", "server", "reason"),
    [
        pytest.param(
            _open(Side.CLIENT, Cause.TOO_CLOSE, "close; 1.7 times", factor=1.7),
            _open(Side.SERVER, Cause.TOO_CLOSE, "close; 1.8 times", factor=1.8),
            "client and server: close; 1.8 times",
            id="the longer run decides both",
        ),
        pytest.param(
            _open(Side.CLIENT, Cause.TOO_FEW_REQUESTS, "needs 459, had 100", total=100),
            _open(Side.SERVER, Cause.TOO_FEW_REQUESTS, "needs 459, had 90", total=90),
            "client and server: needs 459, had 100 and 90",
            id="both counts",
        ),
        pytest.param(
            _open(Side.CLIENT, Cause.TOO_CLOSE, "close"),
            _open(Side.SERVER, Cause.CORRELATED, "correlated"),
            "client: close; server: correlated",
            id="two causes",
        ),
        pytest.param(
            _open(Side.CLIENT, None, "this"),
            _open(Side.SERVER, None, "that"),
            "client: this; server: that",
            id="no known cause",
        ),
    ],
)
def test_a_cause_that_both_sides_have_is_given_once(
    client: SideResult, server: SideResult, reason: str
) -> None:
    """Reasons that differ only in their numbers become one."""
    assert combine(ERRORS, (client, server))[1] == reason


@pytest.mark.parametrize("verdict", list(Verdict))
def test_one_side_speaks_for_itself(verdict: Verdict) -> None:
    """If only one source is graded, its verdict is the verdict."""
    assert combine(LATENCY, (_client(verdict),)) == (verdict, "client's word")
