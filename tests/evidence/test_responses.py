"""What each endpoint returned: unexpected responses, and endpoints that refused everything."""

import pytest

from slocheck.evidence.recording import (
    EndpointRecording,
    FailureClass,
    Recording,
    SliceCounts,
    all_refused,
    columns_of,
)
from slocheck.evidence.responses import EndpointResponses, responses_of
from slocheck.evidence.scope import Scope
from slocheck.spec.model import Endpoint, FailureRule
from tests.builders.recordings import THRESHOLDS, make_slice

ORDERS, ITEMS = Endpoint("GET", "/orders"), Endpoint("GET", "/items")
RULE = FailureRule(expected=("410",))
FIRST, SECOND = 0, 1


def part(
    second: int,
    *,
    ok: int = 0,
    unexpected: dict[int, int] | None = None,
    refused: dict[int, int] | None = None,
    generator: int = 0,
) -> SliceCounts:
    """Return a second: good responses, unexpected ones, failed expectations, and failures of this machine.

    A status 0 stands for requests without a response.
    """
    odd, bad = unexpected or {}, refused or {}
    failures = {
        FailureClass.UNEXPECTED: sum(odd.values()),
        FailureClass.EXPECTATION: sum(bad.values()),
        FailureClass.GENERATOR: generator,
    }
    statuses = {200: ok, **odd, **bad}
    statuses[0] = statuses.get(0, 0) + generator
    return make_slice(
        second,
        {20: ok},
        failures={kind: count for kind, count in failures.items() if count},
        statuses=statuses,
    )


@pytest.mark.parametrize(
    ("parts", "refused"),
    [
        pytest.param([], False, id="nothing was sent"),
        pytest.param([part(0, ok=1)], False, id="a success"),
        pytest.param([part(0, unexpected={404: 3})], True, id="unexpected alone"),
        pytest.param([part(0, refused={404: 3})], True, id="refused by a written expectation"),
        pytest.param([part(0, refused={302: 1}), part(1, unexpected={401: 1})], True, id="3xx and 4xx"),
        pytest.param([part(0, unexpected={404: 3}), part(1, ok=1)], False, id="one success, later"),
        pytest.param([part(0, refused={404: 3, 429: 1})], False, id="429: the target limits the rate"),
        pytest.param([part(0, refused={404: 3, 500: 1})], False, id="500: the target has failed"),
        pytest.param([part(0, refused={404: 3, 200: 1})], False, id="a 200 with the wrong body"),
        pytest.param([part(0, refused={404: 3, 0: 1})], False, id="one without a response"),
        pytest.param([part(0, unexpected={404: 3}, generator=2)], True, id="this machine's own failures"),
        pytest.param([part(0, generator=2)], False, id="nothing but this machine's own failures"),
        pytest.param([part(0, unexpected={101: 3})], False, id="1xx"),
    ],
)
def test_an_endpoint_has_refused_everything_or_not(parts: list[SliceCounts], *, refused: bool) -> None:
    """There were responses, none was a success, and all were 3xx, or 4xx other than 429."""
    assert all_refused(columns_of(parts)) is refused


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        pytest.param(
            [part(SECOND, ok=9, unexpected={404: 1})],
            EndpointResponses(ORDERS, 10, 1, ((404, 1),), refused=False),
            id="one of ten",
        ),
        pytest.param(
            [part(SECOND, ok=5, unexpected={302: 1, 404: 2, 301: 2}, refused={500: 4})],
            EndpointResponses(ORDERS, 14, 5, ((301, 2), (404, 2), (302, 1)), refused=False),
            id="most frequent first; failures are not named",
        ),
        pytest.param(
            [part(FIRST, unexpected={404: 7}), part(SECOND, ok=2)],
            EndpointResponses(ORDERS, 2, 0, (), refused=False),
            id="the window alone, where it has responses",
        ),
        pytest.param(
            [part(FIRST, unexpected={401: 7})],
            EndpointResponses(ORDERS, 7, 7, ((401, 7),), refused=True),
            id="the warm-up, where the window has none",
        ),
        pytest.param(
            [part(FIRST, unexpected={401: 7}), part(SECOND, refused={0: 3})],
            EndpointResponses(ORDERS, 7, 7, ((401, 7),), refused=False),
            id="the whole load, where the window has no responses",
        ),
        pytest.param(
            [part(SECOND, refused={404: 3})],
            EndpointResponses(ORDERS, 3, 0, ((404, 3),), refused=True),
            id="all refused by a written expectation: named all the same",
        ),
        pytest.param(
            [part(SECOND, ok=3, refused={410: 1})],
            EndpointResponses(ORDERS, 4, 0, (), refused=False),
            id="410",
        ),
        pytest.param(
            [part(SECOND, ok=5, unexpected={404: 1, 0: 2})],
            EndpointResponses(ORDERS, 8, 3, ((404, 1),), refused=False, cut_short=2),
            id="ended by the scenario before a response came",
        ),
        pytest.param([part(SECOND, refused={0: 3})], None, id="no response at all"),
    ],
)
def test_the_responses_of_an_endpoint(parts: list[SliceCounts], found: EndpointResponses | None) -> None:
    """A second of warm-up and a second of window; another endpoint is told apart."""
    both = (EndpointRecording.of(ITEMS, (part(SECOND, ok=1),)), EndpointRecording.of(ORDERS, tuple(parts)))
    recording = Recording(THRESHOLDS, both, (), warmup_s=1, window_s=1)
    others = [item for item in responses_of(recording, RULE) if item.endpoint == ORDERS]
    assert others == ([found] if found else [])
    if found:
        assert found.unexpected_share == (1.0 if found.refused else found.unexpected / found.total)


def test_the_whole_load_is_added_up_only_where_the_window_has_no_response(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It costs as much as the grade of the window, each time that the live view is graded."""
    asked = []

    def whole_load(item: EndpointRecording) -> Scope:
        asked.append(item.endpoint)
        return Scope((), range(0))

    monkeypatch.setattr(EndpointRecording, "whole_load", whole_load)
    warmup_only = EndpointRecording.of(ITEMS, (part(FIRST, ok=1),))
    served = EndpointRecording.of(ORDERS, (part(FIRST, ok=1), part(SECOND, ok=2)))
    recording = Recording(THRESHOLDS, (warmup_only, served), (), warmup_s=1, window_s=1)
    assert [item.endpoint for item in responses_of(recording, RULE)] == [ORDERS]
    assert asked == [ITEMS]
