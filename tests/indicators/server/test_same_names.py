"""Targets of one job that have the same instance, and the labels that tell them apart."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import pytest

from slocheck.evidence.series import RawSeries, ServerSeries
from slocheck.indicators.samples import NoData, Rate
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.indicators.server.growth.same_names import told_apart
from slocheck.plan.series_queries import PROCESS_START
from tests.builders.server.histories import PRESET
from tests.builders.server.series import SOURCE, sample_of
from tests.builders.specs import make_spec

WRITTEN = '  rps_per_instance: {bronze: ">= 40/s"}\n'
_SPEC = make_spec(WRITTEN, more=SOURCE, gate="bronze")
COUNTED = replace(_SPEC, target=replace(_SPEC.target, instances=None))
BOTH = tuple(map(float, range(80, 170, 10)))


def _target(
    labels: dict[str, str],
    *,
    times: tuple[float, ...] = BOTH,
    started: float | None = None,
    rate: float = 30.0,
) -> Iterator[RawSeries]:
    """Yield the series of a process that serves `rate` a second between 100 and 160 s."""
    own = {"job": "api", "instance": "host", **labels}
    counts = tuple(rate * (min(max(time, 100.0), 160.0) - 100.0) for time in times)
    counter = {**own, "method": "GET", "route": "/items", "status_code": "200"}
    yield RawSeries(PRESET.counter or "", counter, times, counts)
    yield RawSeries("up", own, times, (1.0,) * len(times))
    if started is not None:
        yield RawSeries(PROCESS_START, own, times, (started,) * len(times))


def _sample(*series: RawSeries, sent: int) -> object:
    server = ServerSeries("prometheus", PRESET, 100.0, 100.0, 160.0, series, 10.0)
    return sample_of(COUNTED, server, ClientCounts(sent, 0, sent, 60.0))


@pytest.mark.parametrize("starts", [(None, None), (7.0, 9.0)], ids=["no starts", "with starts"])
def test_two_pods_with_the_name_of_their_host_are_two(starts: tuple[float | None, float | None]) -> None:
    """60/s by two processes are 30/s each, and their starts do not go back and forth."""
    shifted = tuple(time + 3 for time in BOTH)
    one = _target({"pod": "shop-0"}, started=starts[0])
    sample = _sample(*one, *_target({"pod": "shop-1"}, times=shifted, started=starts[1]), sent=3600)
    assert isinstance(sample, Rate)
    assert sample.low == sample.high == Fraction(30)


def test_one_process_scraped_twice_is_named_by_the_label_to_pin() -> None:
    """Two scrape configurations with one job and instance, as Kubernetes' service monitors make them."""
    one, other = (_target({"endpoint": name}, started=7.0) for name in ("metrics", "web"))
    sample = _sample(*one, *other, sent=1800)
    assert isinstance(sample, NoData)
    assert sample.reason == (
        "api/host (endpoint=metrics) and api/host (endpoint=web) are one process, scraped twice; "
        "pin one with selector: {endpoint: metrics}"
    )


def test_without_process_starts_the_double_count_shows_it() -> None:
    """Each of the two targets has all of it, and the label to pin is named."""
    one, other = (_target({"endpoint": name}) for name in ("metrics", "web"))
    sample = _sample(*one, *other, sent=1800)
    assert isinstance(sample, NoData)
    assert "the server counted 2 times what was sent: all of it at each address" in sample.reason
    assert sample.reason.endswith("if these are one process, pin one with selector: {endpoint: metrics}")


def test_a_target_that_follows_another_keeps_its_name() -> None:
    """A label that changed when the target was found anew does not make a second one of it."""
    old = _target({"version": "1"}, times=BOTH[:4])
    new = _target({"version": "2"}, times=BOTH[4:])
    series = (*old, *new)
    assert told_apart(series) is series


def test_other_jobs_and_series_without_the_label_keep_their_names() -> None:
    """Only targets with the same job and instance are concerned."""
    alone = RawSeries("up", {"job": "other", "instance": "host", "pod": "x"}, BOTH, (1.0,) * len(BOTH))
    bare = RawSeries("x_total", {"job": "api", "instance": "host"}, BOTH, (1.0,) * len(BOTH))
    pods = [one for pod in ("a", "b") for one in _target({"pod": pod})]
    found = told_apart([alone, bare, *pods])
    names = [one.labels["instance"] for one in found]
    assert names == ["host", "host", *["host (pod=a)"] * 2, *["host (pod=b)"] * 2]
