"""Whether an endpoint's requests can be told from those of the load's other endpoints."""

from dataclasses import replace

import pytest

from slocheck.indicators.server.endpoints import not_told_apart, nothing_counted
from slocheck.indicators.server.server_side import ServerSide
from slocheck.spec.model import AUTO, Endpoint, Objective, Preset
from tests.builders.server.histories import PRESET
from tests.builders.server.series import raw_series, server_series
from tests.builders.specs import make_spec

ALL = make_spec('  errors: {indicator: error_rate, silver: "< 1%"}\n').objectives[0]
CACHE = make_spec('  cache_hit_rate: {silver: "> 1%"}\n').objectives[0]
ORDERS, ORDER, NEW = Endpoint("GET", "/orders"), Endpoint("GET", "/orders/{id}"), Endpoint("POST", "/orders")
ONE = replace(ALL, endpoint=ORDERS)
NO_ROUTE = replace(PRESET, route_label=None)
NO_METHOD = replace(PRESET, method_label=None)
BACKEND = replace(PRESET, routes={"/orders": "shop", "/orders/{id}": "shop"})


@pytest.mark.parametrize(
    ("objective", "mapping", "said"),
    [
        pytest.param(ONE, PRESET, "", id="all labels"),
        pytest.param(ALL, NO_ROUTE, "", id="all requests"),
        pytest.param(ONE, NO_ROUTE, "GET /orders/{id}: the metrics have no label for the route", id="route"),
        pytest.param(ONE, NO_METHOD, "POST /orders: the metrics have no label for the method", id="method"),
        pytest.param(ONE, BACKEND, "GET /orders/{id}: their labels are the same", id="one backend"),
        pytest.param(replace(ONE, labels={"path": "/orders"}), NO_ROUTE, "", id="its own labels"),
        pytest.param(replace(CACHE, endpoint=ORDERS), NO_ROUTE, "", id="lookups have no endpoint"),
        pytest.param(ONE, AUTO, "", id="nothing found yet"),
    ],
)  # fmt: skip
def test_endpoints_that_share_their_labels(objective: Objective, mapping: Preset, said: str) -> None:
    """The other endpoint is named, and the label that would tell them apart."""
    text = not_told_apart(objective, mapping, (ORDERS, ORDER, NEW))
    assert (said in text) if said else text == ""


def test_a_load_of_one_endpoint_needs_no_label() -> None:
    """All counted requests are its own."""
    assert not_told_apart(ONE, NO_ROUTE, (ORDERS,)) == ""


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        pytest.param("/items", "route seen: /items: name the step as one of them, or write", id="paths"),
        pytest.param(
            "shop", "route seen: shop: these are not paths; if one counts this", id="a backend's name"
        ),
    ],
)
def test_the_cure_for_a_route_that_is_not_there_depends_on_those_that_are(seen: str, said: str) -> None:
    """The name of a proxy's backend counts all endpoints: to name it for one would be wrong."""
    counter = raw_series("http_requests_total", {95.0: 0.0, 125.0: 9.0}, route=seen, status_code="200")
    text = nothing_counted(ServerSide(server_series(counter)), "http_requests_total", ONE)
    assert "counted no request for GET /orders in the window" in text
    assert said in text
    assert "labels: {route: ...}" in text
    assert ("source: client" in text) == (seen == "shop")
