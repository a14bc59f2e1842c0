"""Write the tables of docs/presets.md from the shipped presets: python -m tests.spec.preset_table."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from slocheck.documents.units import format_duration
from slocheck.spec.blocks.metric_source.preset import PRESET_KEYS, shipped_preset
from slocheck.spec.metric_units import SHORT_UNITS
from slocheck.spec.presets import PRESET_NAMES
from tests.plan.test_mapping_match import CAPTURED, PAGES

CHECKED = {
    **{
        CAPTURED[library]: f"{library} {version}"
        for library, version in (page.stem.rsplit("-", 1) for page in sorted(PAGES.glob("*.txt")))
        if library in CAPTURED
    },
    "aspnet": "its documentation",
    "ingress-nginx": "its source of March 2026",
    "istio": "the queries of istioctl and of its dashboards",
    "kong": "its source, 3.10",
    "otel-old": "opentelemetry-fastapi 0.66b1, except for its route label",
    "prom-client": "slocheck's reference API",
    "prometheus-net": "its source of January 2024",
    "spring": "the source of Spring Framework 6 and of Micrometer",
}
"""What a preset was checked against: a page in tests/sources/pages, or its library's documentation.

From a source were taken the names, labels, unit and times of flushes; no such page was seen.
"""
PAGE = Path(__file__).parents[2] / "docs" / "presets.md"
BEGIN, END = "<!-- {0}: begin -->\n", "<!-- {0}: end -->\n"


def _code(value: str | None) -> str:
    return f"`{value}`" if value else "-"


def preset_rows() -> Iterator[str]:
    """Yield one row for each preset: family, labels, unit, lag."""
    heads = ["preset", "histogram", "counter", "method", "route", "status", "status on the histogram"]
    heads += ["unit", "lag", "checked against"]
    yield f"| {' | '.join(heads)} |"
    yield f"| {' | '.join('---' for _ in heads)} |"
    for name in PRESET_NAMES:
        one = shipped_preset(name)
        own = one.histogram and one.counter == f"{one.histogram}_count"
        cells = (
            *(f"`{name}`", _code(one.histogram), "its `_count`" if own else _code(one.counter)),
            *(_code(one.method_label), _code(one.route_label), _code(one.status_label)),
            _code(one.histogram_status_label),
            "-" if one.histogram is None else SHORT_UNITS[one.unit_seconds],
            format_duration(Fraction(one.lag)) if one.lag else "-",
            CHECKED.get(name, "nothing yet"),
        )
        yield f"| {' | '.join(cells)} |"


def key_rows() -> Iterator[str]:
    """Yield one row for each key of a mapping."""
    yield "| key | meaning |"
    yield "| --- | --- |"
    for key in PRESET_KEYS:
        yield f"| `{key.name}` | {key.doc} |"


def note_rows() -> Iterator[str]:
    """Yield what a user should know of each preset."""
    for name in PRESET_NAMES:
        yield f"- **{name}**: {shipped_preset(name).notes}"


PARTS = {"presets": preset_rows, "notes": note_rows, "keys": key_rows}


def written(page: str) -> str:
    """Return the page with its generated parts as they should be."""
    for name, rows in PARTS.items():
        begin, end = BEGIN.format(name), END.format(name)
        before, rest = page.split(begin)
        page = before + begin + "\n".join(["", *rows(), "", ""]) + end + rest.split(end)[1]
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
