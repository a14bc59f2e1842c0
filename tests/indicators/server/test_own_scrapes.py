"""Scrapes of the page that the service itself counts: they are not foreign traffic."""

from dataclasses import replace
from fractions import Fraction

import pytest

from slocheck.evidence.series import RawSeries, ServerSeries
from slocheck.indicators.lag import settlement
from slocheck.indicators.samples import NoData, Share
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.indicators.server.growth.selections import EVERYTHING
from slocheck.indicators.server.sample import server_sample
from slocheck.indicators.server.server_side import ServerSide
from slocheck.plan.series_queries import UP
from slocheck.spec.blocks.metric_source.preset import parse_preset
from tests.builders.specs import make_spec

TIMES = tuple(float(time) for time in range(96, 112))
START, END, RATE = 100.0, 110.0, 30
SENT = round(END - START) * RATE
MAPPING = parse_preset(b"counter: requests\nstatus_label: code\n", "slo.yaml", "custom")
SPEC = make_spec(
    '  error_rate: {source: prometheus, silver: "< 1%"}\n', more='scrape: ["http://127.0.0.1:1/m"]\n'
)


def _served(time: float) -> float:
    """Return how many requests of the load were served."""
    return RATE * min(max(0.0, time - START), END - START)


def _server(*, per_scrape: float, others: float = 0.0, restarts: bool = False) -> ServerSide:
    """Return a service whose counter has no path: it counts scrapes, and foreign requests every second."""
    values = [
        50 + _served(time) + per_scrape * at + others * (time - TIMES[0]) for at, time in enumerate(TIMES)
    ]
    if restarts:  # what was counted in its last half second is lost
        at = TIMES.index(105.0)
        values = [*values[:at], *(value - values[at - 1] - RATE / 2 for value in values[at:])]
    series = (
        RawSeries(UP, {"instance": "a"}, TIMES, (1.0,) * len(TIMES)),
        RawSeries("requests", {"instance": "a", "code": "200"}, TIMES, tuple(values)),
    )
    return ServerSide(ServerSeries("scrape", MAPPING, START, START, END, series, 1.0))


def _sample(server: ServerSide) -> object:
    objective = SPEC.objectives[0]
    client = ClientCounts(SENT, 0, SENT, END - START)
    return server_sample(objective, objective.limits["silver"], spec=SPEC, server=server, client=client)


@pytest.mark.parametrize(
    ("per_scrape", "others", "before", "during"),
    [
        pytest.param(1, 0, 3, 11, id="it counts them"),
        pytest.param(0, 0, 0, 0, id="it does not"),
        pytest.param(1, 2, 0, 0, id="others are there as well"),
        pytest.param(0, 0.5, 0, 0, id="others alone"),
    ],
)
def test_scrapes_are_known_by_what_one_adds(
    per_scrape: float, others: float, before: int, during: int
) -> None:
    """Before the load each scrape adds one request, and nothing else does."""
    found = _server(per_scrape=per_scrape, others=others).own_scrapes("requests", EVERYTHING)
    assert (found.before, found.during) == (before, during)


def test_as_many_requests_as_scrapes_at_once_are_a_probes() -> None:
    """Three requests between two of four scrapes add as much as three scrapes would, but not one by one."""
    server = _server(per_scrape=0)
    up, counter = server.raw.series
    values = tuple(
        value + (3 if time > TIMES[0] else 0) for time, value in zip(TIMES, counter.values, strict=True)
    )
    found = ServerSide(replace(server.raw, series=(up, replace(counter, values=values))))
    assert found.growth_before_load("requests", EVERYTHING) == 3
    assert found.own_scrapes("requests", EVERYTHING).during == 0


def test_they_are_said_to_be_scrapes_and_cost_nothing() -> None:
    """Without requests from elsewhere the counts are complete as soon as those of the load are."""
    server = _server(per_scrape=1)
    sample = _sample(server)
    assert isinstance(sample, Share)
    assert sample.low == sample.high == 0
    assert sample.notes == ("the server's counters include 11 scrapes of the metrics page",)
    assert settlement(server.raw, frozenset({"requests"}), sent=SENT, limit=60).whole


def test_a_restart_is_bounded_in_spite_of_them() -> None:
    """Apart from scrapes it is known how much is missing; with foreign traffic it is not."""
    sample = _sample(_server(per_scrape=1, restarts=True))
    assert isinstance(sample, Share)
    assert sample.low == 0
    assert 0 < sample.high < Fraction(1, 2)
    assert isinstance(_sample(_server(per_scrape=1, others=2, restarts=True)), NoData)


def test_pages_whose_samples_were_left_out_were_asked_for_all_the_same() -> None:
    """A page that was read while the load began is not a sample, and the service counted it."""
    server = _server(per_scrape=1)
    asked = (*TIMES[:6], 101.5, *TIMES[6:])
    raw = replace(server.raw, page_requests={"a": asked})
    assert ServerSide(raw).own_scrapes("requests", EVERYTHING).during == 12
