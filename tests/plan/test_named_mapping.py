"""A mapping that the spec names, compared with the service's metrics: used, refused, or not there yet."""

from pathlib import Path

import pytest

from slocheck.plan.families import Family, families_of
from slocheck.plan.mapping_match import Match, Unclear
from slocheck.plan.named_mapping import check_mapping
from slocheck.spec.blocks.metric_source.preset import parse_preset, shipped_preset, shipped_presets
from slocheck.spec.model import Preset
from tests.plan.test_mapping_match import PAGES, page_families

FAST = shipped_preset("fastapi-instrumentator")
HISTOGRAM, COUNTER = "http_request_duration_seconds_bucket", "http_requests_total"
TARGET = {"job": "shop", "instance": "127.0.0.1:80"}
ALIEN = {"verb": "GET", "place": "/a", "grade": "200"}


def seen(*series: tuple[str, dict[str, str]]) -> tuple[Family, ...]:
    """Return the families as Prometheus has them: each series with its target's labels."""
    return families_of(((name, {**TARGET, **labels}) for name, labels in series), {}, of_targets=TARGET)


def checked(mapping: Preset, families: tuple[Family, ...]) -> Match | Unclear | None:
    """Compare a mapping with families, given the shipped presets."""
    return check_mapping(mapping, families, shipped_presets())


@pytest.mark.parametrize(
    "series",
    [
        pytest.param((), id="nothing"),
        pytest.param(((HISTOGRAM, {"le": "1"}), (COUNTER, {})), id="no labels but those of the target"),
        pytest.param((("another_total", {"handler": "/a", "status": "2xx"}),), id="other families alone"),
    ],
)
def test_without_labelled_series_of_its_own_nothing_is_there_yet(
    series: tuple[tuple[str, dict[str, str]], ...],
) -> None:
    """A fresh service may have its histogram at 0 without labels; Prometheus gives it those of its target."""
    assert checked(FAST, seen(*series)) is None


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param({"method": "GET", "handler": "/a", "status": "2xx"}, id="all"),
        pytest.param({"method": "GET", "handler": "/a"}, id="the route alone"),
        pytest.param({"status": "2xx"}, id="the status alone"),
    ],
)
def test_a_label_for_route_or_status_is_enough(labels: dict[str, str]) -> None:
    """What else is missing is a warning: something can be measured."""
    match = checked(FAST, seen((HISTOGRAM, {**labels, "le": "1"}), (COUNTER, labels)))
    assert isinstance(match, Match)
    assert match.mapping == FAST
    assert match.said.startswith("preset fastapi-instrumentator: histogram http_request_duration_seconds")


def test_alien_labels_are_refused_with_a_mapping_to_complete() -> None:
    """The method alone says nothing about routes; the message names what is missing and what is there."""
    for labels in (ALIEN, {"method": "GET", "tenant": "x"}):
        unclear = checked(FAST, seen((HISTOGRAM, {**labels, "le": "1"}), (COUNTER, labels)))
        assert isinstance(unclear, Unclear)
        assert f"{{{', '.join(sorted(labels))}}}" in unclear.why
        assert "none of the labels that preset fastapi-instrumentator names (handler, status)" in unclear.why
        assert "preset:\n  histogram: http_request_duration_seconds" in unclear.text
        assert "route_label: LABEL" in unclear.text


def test_another_preset_that_fits_is_named() -> None:
    """The families are of prom-client: its name and its whole mapping are there to paste."""
    labels = {"method": "GET", "route": "/a", "status_code": "200"}
    unclear = checked(FAST, seen((HISTOGRAM, {**labels, "le": "1"}), (COUNTER, labels)))
    assert isinstance(unclear, Unclear)
    assert "preset prom-client fits: write its name, or this mapping" in unclear.why
    assert "  route_label: route\n  status_label: status_code" in unclear.to_paste


def test_a_mapping_of_ones_own_is_held_to_the_same() -> None:
    """Its families may have names that slocheck does not search for; a mapping without labels needs none."""
    own = parse_preset(b"histogram: work\nroute_label: where\n", "slo.yaml", "custom")
    unclear = checked(own, seen(("work_bucket", {"place": "x", "le": "1"})))
    assert isinstance(unclear, Unclear)
    assert "work {place} has none of the labels that the mapping of the spec names (where)" in unclear.why
    assert "histogram: work" in unclear.to_paste
    plain = parse_preset(b"histogram: work\n", "slo.yaml", "custom")
    assert isinstance(checked(plain, seen(("work_bucket", {"le": "1"}))), Match)


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.txt")), ids=lambda page: page.stem)
def test_a_real_page_fits_a_preset_or_refuses_it(page: Path) -> None:
    """Whatever preset is named for the page of a library: never a crash, and never a silent misfit."""
    families = page_families(page.read_text())
    for preset in shipped_presets():
        match = checked(preset, families)
        labels = {label for family in families for label in family.labels}
        assert not isinstance(match, Match) or {preset.route_label, preset.status_label} & labels
        assert not isinstance(match, Unclear) or "preset:\n  " in match.text
