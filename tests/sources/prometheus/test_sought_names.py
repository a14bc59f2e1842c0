"""Which metrics Prometheus is queried for when a mapping is searched."""

import re
from dataclasses import replace

import pytest

from slocheck.sources.prometheus.families import sought_names
from slocheck.spec.blocks.metric_source.preset import shipped_presets
from slocheck.spec.model import AUTO, Preset


@pytest.mark.parametrize("preset", shipped_presets(), ids=lambda preset: preset.name)
def test_the_metrics_of_every_preset_are_asked_for(preset: Preset) -> None:
    """`preset: auto` could find none of them otherwise."""
    for name in filter(None, (preset.histogram, preset.counter, preset.cache_hits, preset.cache_misses)):
        assert re.fullmatch(sought_names(AUTO), name)


@pytest.mark.parametrize("name", ["status_codes_counter", "shop_api_time_ms_bucket", "web_seconds_bucket"])
def test_what_a_page_would_show_is_asked_for(name: str) -> None:
    """The words are those by which a family is found on a scraped page."""
    assert re.fullmatch(sought_names(AUTO), name)


def test_a_mapping_is_looked_at_whatever_its_names_are() -> None:
    """Otherwise its labels could not be compared, and it would seem to have no series."""
    pattern = sought_names(replace(AUTO, histogram="orders.timer", counter="checkouts"))
    assert all(re.fullmatch(pattern, name) for name in ("orders.timer_bucket", "orders.timer", "checkouts"))
    assert not re.fullmatch(pattern, "ordersXtimer_bucket")
    assert not re.fullmatch(sought_names(AUTO), "orders.timer_bucket")
