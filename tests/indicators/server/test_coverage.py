"""Rates are divided by the time that the counted processes were covered, whoever replaced whom."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.evidence.series import RawSeries
from slocheck.indicators.samples import Rate
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.indicators.server.sample import instances_of
from slocheck.indicators.server.server_side import ServerSide
from slocheck.plan.series_queries import PROCESS_START
from slocheck.spec.model import Spec
from tests.builders.server.histories import PRESET
from tests.builders.server.series import BASE, SOURCE, sample_of, server_series, up
from tests.builders.specs import make_spec

WRITTEN = make_spec('  rps_per_instance: {bronze: ">= 40/s"}\n', more=SOURCE, gate="bronze")
BEGIN, END, RATE = 100.0, 160.0, 30.0


def _spec(instances: int | None) -> Spec:
    return replace(WRITTEN, target=replace(WRITTEN.target, instances=instances))


def _pod(
    name: str,
    seen: tuple[float, float],
    *,
    interval: float = 5.0,
    rate: float = RATE,
    base: float = 0.0,
    born: float | None = None,
) -> tuple[RawSeries, ...]:
    """Return a pod that is scraped from one moment to another and serves `rate` a second meanwhile."""
    first, last = seen
    times = tuple(first + step * interval for step in range(int((last - first) / interval) + 1))
    since = max(first if born is None else born, BEGIN)
    values = tuple(base + rate * (min(max(time, since), END) - since) for time in times)
    labels = {**BASE, "instance": name, "status_code": "200"}
    found = [RawSeries(PRESET.counter or "", labels, times, values), up(*times, instance=name)]
    if born is not None:
        start = {"job": "api", "instance": name}
        found.append(RawSeries(PROCESS_START, start, times, (born,) * len(times)))
    return tuple(found)


CLIENT = ClientCounts(1800, 0, 1800, 60.0)
REPLACED = {
    "a gap": (*_pod("old", (81.0, 127.0)), *_pod("new", (132.0, 167.0), base=7.0)),
    "at once": (*_pod("old", (81.0, 128.0)), *_pod("new", (130.0, 165.0), born=126.5)),
    "another name for one process": (
        *_pod("10.0.0.1:80", (82.0, 132.0), base=500.0),
        *_pod("shop-0", (136.0, 171.0), base=2000.0),
    ),
    "three in a row": (
        *_pod("one", (81.0, 116.0)),
        *_pod("two", (120.0, 140.0), base=9.0),
        *_pod("three", (144.0, 170.0), base=9.0),
    ),
}


@pytest.mark.parametrize("series", REPLACED.values(), ids=REPLACED)
@pytest.mark.parametrize("instances", [None, 1], ids=["counted", "written"])
def test_a_replaced_pod_does_not_raise_the_rate(series: tuple[RawSeries, ...], instances: int | None) -> None:
    """One pod at a time serves 30 a second: a limit of 40 is not met, whoever counted."""
    server = server_series(*series, start=BEGIN, end=END, interval=5.0)
    sample = sample_of(_spec(instances), server, CLIENT)
    assert isinstance(sample, Rate)
    assert float(sample.low) == pytest.approx(RATE, rel=0.02)
    assert sample.low < 40
    assert float(sample.offered) == pytest.approx(RATE, rel=0.02)
    if instances is None:
        assert instances_of(_spec(None), ServerSide(server)) == 1


@pytest.mark.parametrize("instances", [None, 1], ids=["counted", "written"])
def test_a_pod_that_takes_over_slowly_is_counted_once(instances: int | None) -> None:
    """Both pods serve half of it while the old one goes: a little more than one instance, not two."""
    series = (*_pod("old", (80.0, 135.0)), *_pod("new", (125.0, 170.0), base=4.0))
    server = server_series(*series, start=BEGIN, end=END, interval=5.0)
    sample = sample_of(_spec(instances), server, replace(CLIENT, sent=2100))
    assert isinstance(sample, Rate)
    assert float(sample.low) == pytest.approx(RATE * (1 if instances is None else Fraction(70, 60)), rel=0.02)


@given(
    st.lists(st.floats(0, 4.9), min_size=1, max_size=4),
    st.floats(1, 100),
)
def test_steady_pods_give_their_rate_whatever_their_phases(phases: list[float], rate: float) -> None:
    """A stated and a counted number of instances give the same result."""
    series = [
        part
        for number, phase in enumerate(phases)
        for part in _pod(f"pod-{number}", (75.0 + phase, 185.0 + phase), rate=rate)
    ]
    server = server_series(*series, start=BEGIN, end=END, interval=5.0)
    for instances in (None, len(phases)):
        sample = sample_of(_spec(instances), server, replace(CLIENT, sent=0))
        assert isinstance(sample, Rate)
        assert float(sample.low) == pytest.approx(rate)
    assert instances_of(_spec(None), ServerSide(server)) == len(phases)
