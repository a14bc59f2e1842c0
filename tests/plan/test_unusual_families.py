"""Histograms whose names or labels say less than usual: what is taken of them."""

import pytest

from slocheck.plan.mapping_match import Match, match_mapping, match_without_labels
from slocheck.spec.blocks.metric_source.preset import shipped_presets
from tests.plan.test_mapping_match import families, found


def test_what_recording_rules_computed_is_not_a_second_service() -> None:
    """Beside the raw series it is the same once more; alone it is what there is."""
    labels = '{method="GET",route="/a",status="200"}'
    raw, recorded = (f"{name}_http_request_seconds_bucket{labels}" for name in ("shop", "path:shop"))
    assert found(recorded, raw).histogram == "shop_http_request_seconds"
    assert found(recorded).histogram == "path:shop_http_request_seconds"
    rate = 'job:http_requests:rate5m{job="shop",status="200"}'
    assert match_mapping(families(rate), shipped_presets()) is None


def test_a_histogram_without_labels_is_taken_if_it_gets_none() -> None:
    """Before requests were served it may get some yet; of two, none is taken."""
    histogram = "shop_http_request_seconds_bucket"
    assert match_mapping(families(histogram), shipped_presets()) is None
    alone = match_without_labels(families(histogram))
    assert alone is not None
    assert alone.mapping.histogram == "shop_http_request_seconds"
    assert match_without_labels(families(histogram, "b_http_request_seconds_bucket")) is None


@pytest.mark.parametrize(
    ("name", "les", "is_found"),
    [
        pytest.param("shop", ("0.1", "5", "+Inf"), True, id="seconds"),
        pytest.param("shop", ("100", "1000", "+Inf"), False, id="sizes, maybe"),
        pytest.param("shop_body", ("0.5", "1", "+Inf"), False, id="something else of requests"),
    ],
)
def test_the_labels_of_requests_tell_a_latency_whose_name_does_not(
    name: str, les: tuple[str, ...], is_found: bool
) -> None:
    """As express-prom-bundle writes it with a name of the user's; beside a named latency it is not used."""
    series = f'{name}_bucket{{method="GET",route="/a",status="200"}}'
    match = match_mapping(families(series, les=les), shipped_presets())
    assert isinstance(match, Match) == is_found
    if isinstance(match, Match):
        assert match.mapping.histogram == name
        named = 'b_request_seconds_bucket{route="/a"}'
        assert found(series, named, les=les).histogram == "b_request_seconds"
