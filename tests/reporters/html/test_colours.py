"""Colours contrast with their background, and the tiers' colours are used for nothing else."""

import re
from importlib.resources import files

import pytest

from slocheck.reporters.html.charts import distributions, lines, over_time, svg

WHITE, BLACK = "#ffffff", "#161d25"
"""The background in the light and in the dark theme."""

TIERS = {*lines.MEDALS, lines.OTHER_TIER}
STATUSES = {colour for shades in over_time._STATUS_COLOURS.values() for colour in shades[:1]}
MARKS = {*(look.colour for look in lines.LOOKS), *STATUSES, distributions.HEAT_COLOUR}
STYLE = files("slocheck.reporters.html").joinpath("page", "style.css").read_text(encoding="utf-8")


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str) -> float:
    """Return the contrast of two colours, 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(two)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def dark(css: str) -> list[str]:
    """Return the colours that a class of a chart has in the dark theme."""
    theme = STYLE[STYLE.index("prefers-color-scheme: dark") :]
    return re.findall(rf"\.{css}\b[^{{}}]*\{{ (?:fill|stroke): (#[0-9a-f]{{6}})", theme)


@pytest.mark.parametrize("colour", sorted({svg.INK, svg.MUTED, *TIERS}))
def test_texts_of_charts_can_be_read(colour: str) -> None:
    """4.5 to 1, as WCAG asks of text; a limit's name has its colour."""
    assert contrast(colour, WHITE) >= 4.5


@pytest.mark.parametrize("colour", sorted(MARKS))
def test_lines_and_areas_can_be_seen(colour: str) -> None:
    """3 to 1, as WCAG asks of what a graphic needs to be understood."""
    assert contrast(colour, WHITE) >= 3


def test_the_dark_theme_has_its_own_colours() -> None:
    """Each line and each tier has one that can be seen on the dark background, and read if it is text."""
    for css in (*(look.css.split()[-1] for look in lines.LOOKS), "t0", "t1", "t2", "t3", "s50", "s40"):
        assert dark(css), css
        assert all(contrast(colour, BLACK) >= 4.5 for colour in dark(css)), css


def test_a_tiers_colour_is_nobody_elses() -> None:
    """A line or an area of that colour would look like a limit."""
    assert not TIERS & MARKS
    assert len({look.dash for look in lines.LOOKS}) == len(lines.LOOKS)
