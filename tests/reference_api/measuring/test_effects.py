"""The counted effects of the strategies, and the table of all of them in the docs."""

import re
from pathlib import Path

import pytest

from slocheck.cli.actions.demo.ladder import EMBEDDED
from slocheck.reference_api.settings import STRATEGIES
from tests.reference_api.measuring.effects import Effect, effects, measure

PAGE = (Path(__file__).parents[3] / "docs" / "reference-api" / "strategies.md").read_text("utf-8")
ON_SERVERS = {"replica", "memory-cache"}
"""What the ladder adds if there is a replica, or Redis."""
AT_EXPIRIES = {"early-recompute"}


@pytest.mark.parametrize("effect", effects(), ids=lambda effect: effect.counted)
def test_a_strategy_spares_what_the_docs_say(effect: Effect) -> None:
    """Without it the count is what the page says, and with it, too; of compressed bytes, within a tenth."""
    without, with_it = measure(effect)
    row = re.search(
        rf"^{effect.strategy} +{re.escape(effect.counted)} +([\d,]+) +([\d,]+)$", PAGE, re.MULTILINE
    )
    assert row is not None, f"{effect.counted} is not in the table"
    said = [int(number.replace(",", "")) for number in row.groups()]
    assert without == said[0]
    assert with_it == said[1] or (effect.strategy == "compression" and abs(with_it / said[1] - 1) < 0.1)


def test_every_strategy_has_a_measured_effect_and_a_row() -> None:
    """By counts, by the ladder, on real servers, or at expiries; and the module that a row names is there."""
    measured = {effect.strategy for effect in effects()} | set(EMBEDDED) | ON_SERVERS | AT_EXPIRIES
    assert measured == set(STRATEGIES)
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    assert set(STRATEGIES) <= {
        name for switches, _, _ in rows for name in re.findall(r"`([a-z-]+)`", switches)
    }
    root = Path(__file__).parents[3]
    for _, modules, _ in rows:
        for name in re.findall(r"`([\w/]+/|[\w/]+\.py)`", modules):
            assert any((base / name).exists() for base in (root / "slocheck" / "reference_api", root)), name
