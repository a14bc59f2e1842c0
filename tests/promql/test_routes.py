"""How an objective's requests are told apart by labels."""

import re
from dataclasses import replace

import pytest

from slocheck.promql.routes import route_labels, route_matches, route_regex
from slocheck.spec.model import Endpoint, Objective, Preset
from tests.builders.server.histories import PRESET
from tests.builders.specs import make_spec

ALL = make_spec().objectives[0]
ITEM = replace(ALL, endpoint=Endpoint("GET", "/items/{id}"))
PINNED = {"method": "GET", "route": "/items/{id}"}


@pytest.mark.parametrize(
    ("objective", "preset", "labels", "ignored"),
    [
        pytest.param(ALL, PRESET, {}, PRESET.ignore_routes, id="all requests"),
        pytest.param(ITEM, PRESET, PINNED, (), id="an endpoint"),
        pytest.param(
            replace(ITEM, labels={"route": "/items/:id"}),
            PRESET,
            {"method": "GET", "route": "/items/:id"},
            (),
            id="the objective's own label wins",
        ),
        pytest.param(replace(ALL, labels={"pod": "a"}), PRESET, {"pod": "a"}, (), id="its own labels alone"),
        pytest.param(
            ITEM, replace(PRESET, method_label=None), {"route": "/items/{id}"}, (), id="no method label"
        ),
        pytest.param(ALL, replace(PRESET, route_label=None), {}, (), id="no route label"),
    ],
)
def test_route_labels(
    objective: Objective, preset: Preset, labels: dict[str, str], ignored: tuple[str, ...]
) -> None:
    """An endpoint is pinned as far as the metrics carry its labels; routes are left out of all requests."""
    assert route_labels(objective, preset) == (labels, ignored)


@pytest.mark.parametrize(
    ("pattern", "route", "same"),
    [
        pytest.param("/orders/*", "/orders/7", True, id="one part"),
        pytest.param("/orders/*", "/orders/*", True, id="the sign itself"),
        pytest.param("/orders/*", "/orders/7/lines", False, id="not two parts"),
        pytest.param("/orders/*", "/orders/", False, id="not none"),
        pytest.param("/a.b/*", "/axb/7", False, id="everything else is as it is written"),
        pytest.param("/orders", "/orders", True, id="no sign"),
        pytest.param("/orders*", "/orders7", False, id="a sign within a part is not one"),
    ],
)
def test_a_sign_stands_for_one_part_of_a_path(pattern: str, route: str, same: bool) -> None:
    """Among raw series, and in a dashboard's queries."""
    assert route_matches(pattern, route) is same
    regex = route_regex(pattern)
    assert (re.fullmatch(regex, route) is not None if regex else pattern == route) is same
