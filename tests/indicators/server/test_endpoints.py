"""Whether an endpoint's requests can be told from those of the load's other endpoints."""

from dataclasses import replace

import pytest

from slocheck.indicators.server.endpoints import not_told_apart
from slocheck.spec.model import AUTO, Endpoint, Objective, Preset
from tests.builders.server.histories import PRESET
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
