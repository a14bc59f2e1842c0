"""The HTML report of long runs: small enough to keep every one, and no spike is lost."""

import re
from dataclasses import replace

import numpy as np
import pytest

from slocheck.evidence.columns import rows_of
from slocheck.evidence.recording import (
    EndpointRecording,
    ErrorExample,
    FailureClass,
    Recording,
    SlowRequest,
    columns_of,
)
from slocheck.grading.report import Report
from slocheck.reporters import FORMATS
from slocheck.spec.model import Endpoint
from tests.builders.recordings import MS, THRESHOLDS, make_slice
from tests.builders.reports import SPEC_TEXT, graded
from tests.support.html_page import read

PATTERN_S = 600
"""Seconds that differ; a longer run repeats them."""


def text_with(limits: int) -> str:
    """Return a spec with a latency objective for each of the first endpoints, which draws a chart for it."""
    added = (
        f'  p95_{number}: {{endpoint: "GET /parts/{number}", indicator: latency_p95, silver: < 500ms}}\n'
        for number in range(limits)
    )
    return SPEC_TEXT.replace("gate:", "".join(added) + "gate:")


def varied(endpoints: int, seconds: int, *, limits: int, every: int) -> Report:
    """Return a run in which every second differs, one of which has a response of four seconds.

    Args:
        endpoints: How many.
        seconds: Length, with a warm-up of one minute.
        limits: How many of the endpoints have a latency objective.
        every: Seconds from one with requests to the next.
    """
    normal = [
        make_slice(
            second,
            {20 + second * 7 % 60: 3, 90 + second * 13 % 50: 1},
            failures={FailureClass.STATUS: int(second % 7 == 0), FailureClass.TIMEOUT: int(second % 11 == 0)},
            statuses={
                200: 4,
                503: int(second % 14 == 0),
                429: int(second % 14 == 7),
                0: int(second % 11 == 0),
            },
            cache=(3, second % 2),
        )
        for second in range(PATTERN_S)
    ]
    pattern = columns_of([*normal, make_slice(PATTERN_S, {4000: 1}, cache=(1, 0))])
    rows = np.arange(seconds) % PATTERN_S
    rows[seconds // 2] = PATTERN_S
    asked = [Endpoint("GET", f"/parts/{number}") for number in range(endpoints)]
    sent = np.arange(0, seconds, every)
    columns = replace(rows_of(pattern, rows[sent]), seconds=sent)
    items = [EndpointRecording(endpoint, columns) for endpoint in asked]
    errors = [
        ErrorExample(endpoint, FailureClass.STATUS, 9, f"503 Service Unavailable: {'x' * 200}", 70)
        for endpoint in asked
    ]
    slow = [SlowRequest(endpoint, 4000 * MS, seconds // 2, 200) for endpoint in asked for _ in range(10)]
    recorded = Recording(THRESHOLDS, tuple(items), tuple(errors), 60, seconds - 60, tuple(slow))
    return graded(text_with(limits), recorded, planned_window_s=float(seconds - 60))


@pytest.mark.parametrize(
    ("endpoints", "seconds", "limits", "every", "most"),
    [
        pytest.param(20, 600, 0, 1, 300_000, id="ten minutes of 20 endpoints"),
        pytest.param(50, 3600, 6, 1, 1_000_000, id="an hour of 50 endpoints, each in each second"),
        pytest.param(2, 24 * 3600, 0, 400, 1_000_000, id="a day with requests now and then"),
    ],
)
def test_the_report_stays_small_and_keeps_spikes(
    endpoints: int, seconds: int, limits: int, every: int, most: int
) -> None:
    """One slow second is in the chart, whatever the length; beyond 1000 seconds the size hardly grows."""
    document = FORMATS["html"].render(varied(endpoints, seconds, limits=limits, every=every))
    assert len(document.encode()) < most
    assert read(document).problems == []
    for name in ("latency", *(f"latency-{number}" for number in range(limits))):
        drawn = document.split(f'id="{name}-title"', 1)[1].split("</svg>", 1)[0]
        (p99,) = re.findall('<path d="([^"]*)" class="line l3"', drawn)
        spike, next_highest, *_ = sorted(float(y) for y in re.findall(r",([\d.]+)", p99))
        assert spike < next_highest - 20
