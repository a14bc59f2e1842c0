"""A mapping against the labels that the series have: what is missing, and what replaces it."""

from dataclasses import replace

import pytest

from slocheck.plan.families import families_of
from slocheck.plan.mapping_labels import compare_labels
from slocheck.spec.blocks.metric_source.preset import shipped_preset
from tests.builders.specs import make_spec

MAPPING = shipped_preset("prom-client")
ENDPOINT = '  e: {indicator: error_rate, endpoint: POST /orders, silver: "< 1%"}\n'
SPEC = make_spec(ENDPOINT, more='scrape: ["http://127.0.0.1:1/metrics"]\n')
LABELS = {"method": "POST", "route": "/orders", "status_code": "200"}


def series(
    labels: dict[str, str], *, on_histogram: dict[str, str] | None = None
) -> list[tuple[str, dict[str, str]]]:
    """Return one bucket and one counter."""
    return [
        (
            "http_request_duration_seconds_bucket",
            {**(labels if on_histogram is None else on_histogram), "le": "+Inf"},
        ),
        ("http_requests_total", labels),
    ]


def test_a_mapping_that_fits_stays_as_it_is() -> None:
    """Nothing is reported or changed; also if there are no series yet."""
    for each in (series(LABELS), []):
        compared = compare_labels(MAPPING, families_of(each, {}), SPEC.objectives)
        assert (compared.mapping, compared.notes) == (MAPPING, ())


def test_the_counter_stands_in_for_the_histograms_status() -> None:
    """It is still known which requests failed."""
    found = families_of(series(LABELS, on_histogram={"method": "POST", "route": "/orders"}), {})
    compared = compare_labels(MAPPING, found, SPEC.objectives)
    assert compared.mapping == replace(MAPPING, histogram_status_label=None)
    (note,) = compared.notes
    assert note.startswith("http_request_duration_seconds has no label status_code: which requests failed is")


def test_a_missing_label_is_named_with_the_cure() -> None:
    """The label that holds the route is named, and the key to write it under."""
    compared = compare_labels(
        MAPPING,
        families_of(series({"method": "POST", "path": "/orders", "status": "200"}), {}),
        SPEC.objectives,
    )
    cure = "(it has method, path, status): write route_label: path under preset"
    assert f"http_requests_total has no label route {cure}" in compared.notes
    assert any(
        "has no label status_code" in note and "write status_label: status" in note for note in compared.notes
    )


@pytest.mark.parametrize(
    ("labels", "methods", "routes"),
    [
        pytest.param({"method": "post"}, {"POST": "post"}, {}, id="lower case"),
        pytest.param({"route": "orders"}, {}, {"/orders": "orders"}, id="no slash"),
        pytest.param({"route": "/orders/"}, {}, {"/orders": "/orders/"}, id="a slash at the end"),
        pytest.param({"route": "/items"}, {}, {}, id="another route"),
    ],
)
def test_values_are_taken_as_the_series_write_them(
    labels: dict[str, str], methods: dict[str, str], routes: dict[str, str]
) -> None:
    """A method in other letters, a route with other slashes: the same requests."""
    compared = compare_labels(MAPPING, families_of(series({**LABELS, **labels}), {}), SPEC.objectives)
    assert (compared.mapping.methods, compared.mapping.routes) == (methods, routes)


def test_two_routes_that_differ_by_a_slash_are_two() -> None:
    """The one written like the endpoint is used; neither is if both differ."""
    both = [*series(LABELS), *series({**LABELS, "route": "/orders/"})]
    assert compare_labels(MAPPING, families_of(both, {}), SPEC.objectives).mapping.routes == {}
    others = [*series({**LABELS, "route": "orders"}), *series({**LABELS, "route": "/orders/"})]
    assert compare_labels(MAPPING, families_of(others, {}), SPEC.objectives).mapping.routes == {}


@pytest.mark.parametrize(
    ("status", "named"),
    [
        pytest.param("PERMISSION_DENIED", True, id="of another protocol"),
        pytest.param("200 OK", False, id="words after the code"),
        pytest.param("error", False, id="an outcome"),
    ],
)
def test_a_status_label_without_statuses_is_named(status: str, named: bool) -> None:
    """Which requests failed cannot be read from it; the note says what it has instead."""
    found = families_of(series({**LABELS, "status_code": status}), {})
    notes = compare_labels(MAPPING, found, SPEC.objectives).notes
    assert len(notes) == 2 * named
    assert all(f"no HTTP status in the label status_code, but {status}: " in note for note in notes)
