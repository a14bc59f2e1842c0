"""What grading takes by the number of Prometheus series: ``python -m tests.benchmarks.server_side``.

Six objectives of three tiers each, graded on client and server at 95 % confidence, of a run of two minutes
that was scraped every five seconds; the largest one, with 120 samples a series, of nine and a half minutes.
"""

import argparse
import time
from collections.abc import Iterator
from math import inf
from statistics import median

from slocheck.evidence.model import Evidence
from slocheck.evidence.series import RawSeries, ServerSeries
from slocheck.grading.assess import assess
from slocheck.plan.series_queries import UP
from slocheck.spec.model import Spec
from tests.builders.evidence import make_evidence
from tests.builders.recordings import steady
from tests.builders.server.histories import BUCKETS, PRESET
from tests.builders.specs import make_spec

OBJECTIVES = """\
  latency_p50: {bronze: "< 500ms", silver: "< 100ms", gold: "< 50ms"}
  latency_p95: {bronze: "< 500ms", silver: "< 250ms", gold: "< 100ms"}
  latency_p99: {bronze: "< 1s", silver: "< 500ms", gold: "< 250ms"}
  error_rate: {bronze: "< 5%", silver: "< 2%", gold: "< 1%"}
  availability: {bronze: ">= 95%", silver: ">= 98%", gold: ">= 99%"}
  rps_per_instance: {bronze: ">= 1/s", silver: ">= 10/s", gold: ">= 100/s"}
"""
SCRAPED = 'scrape: ["http://127.0.0.1:8000/metrics"]\nconfidence: 95%\n'
SIZES = ((12, 1, 1, 120), (100, 1, 9, 120), (400, 4, 9, 120), (3000, 30, 9, 570))
"""Series, the instances and routes that they are of, and the window's length, seconds."""
INTERVAL_S = 5.0
START = 1_000_000.0
FAST_SHARE = {0.01: 0.2, 0.05: 0.7, 0.1: 0.98}
"""The share of requests up to a bucket boundary; from the next one on it is all of them."""


def spec() -> Spec:
    """Return the spec that is graded."""
    return make_spec(OBJECTIVES, more=SCRAPED)


def evidence(instances: int, routes: int, window_s: int = 120) -> Evidence:
    """Return a run that 1,000 requests a second were sent in, and its series."""
    moments = tuple(START - 25 + INTERVAL_S * number for number in range(6 + int(window_s / INTERVAL_S)))
    per_second = 1000 // (instances * routes)
    recording = steady(window_s, {20: per_second * instances * routes})
    series = tuple(_series(instances, routes, moments, per_second))
    server = ServerSeries(
        "scrape", PRESET, START, START, START + window_s, series, scrape_interval=INTERVAL_S
    )
    return make_evidence(recording, server=server)


def _series(instances: int, routes: int, moments: tuple[float, ...], per_second: int) -> Iterator[RawSeries]:
    served = [per_second * min(max(0.0, moment - START), moments[-1] - START) for moment in moments]
    for instance in range(instances):
        of = {"job": "api", "instance": f"api-{instance}"}
        yield RawSeries(UP, of, moments, (1.0,) * len(moments))
        for route in range(routes):
            labels = {**of, "method": "GET", "route": f"/r{route}", "status_code": "200"}
            yield RawSeries("http_requests_total", labels, moments, tuple(served))
            failed = {**labels, "status_code": "500"}
            yield RawSeries("http_requests_total", failed, moments, (0.0,) * len(moments))
            for boundary in (*BUCKETS, inf):
                le = "+Inf" if boundary == inf else f"{boundary:g}"
                share = FAST_SHARE.get(boundary, 1.0)
                fast = tuple(float(round(count * share)) for count in served)
                yield RawSeries("http_request_duration_seconds_bucket", {**labels, "le": le}, moments, fast)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="how often each is graded")
    rounds = parser.parse_args().rounds
    print(f"6 objectives of 3 tiers, median of {rounds}, milliseconds")  # noqa: T201 - its output
    print(f"{'series':>8} {'grading':>10}")  # noqa: T201 - as above
    graded = spec()
    for size, instances, routes, window_s in SIZES:
        run = evidence(instances, routes, window_s)
        assert run.server is not None
        assert len(run.server.series) == size
        times = []
        for _ in range(rounds):
            begun = time.process_time()
            assess(graded, run)
            times.append(time.process_time() - begun)
        print(f"{size:>8} {median(times) * 1000:>10.1f}")  # noqa: T201 - as above


if __name__ == "__main__":
    main()
