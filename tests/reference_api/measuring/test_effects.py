"""The counted effects of the strategies, and the table of all of them in the docs."""

import ast
import re
from pathlib import Path

import pytest

from slocheck.cli.actions.demo.ladder import EMBEDDED
from slocheck.reference_api.settings import STRATEGIES
from tests.reference_api.measuring.effects import Effect, effects, measure

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "reference-api" / "strategies.md").read_text("utf-8")
ON_SERVERS = {"replica", "memory-cache"}
"""What the ladder adds if there is a replica, or Redis."""
AT_EXPIRIES = {"early-recompute"}


@pytest.mark.parametrize("effect", effects(), ids=lambda effect: effect.counted)
def test_a_strategy_spares_what_the_docs_say(effect: Effect) -> None:
    """Without and with it the count is what the page says; for compressed bytes, within a tenth."""
    without, with_it = measure(effect)
    row = re.search(
        rf"^{effect.strategy} +{re.escape(effect.counted)} +([\d,]+) +([\d,]+)$", PAGE, re.MULTILINE
    )
    assert row is not None, f"{effect.counted} is not in the table"
    said = [int(number.replace(",", "")) for number in row.groups()]
    assert without == said[0]
    assert with_it == said[1] or (effect.strategy == "compression" and abs(with_it / said[1] - 1) < 0.1)


def rows() -> list[tuple[str, str, str]]:
    """Return switch, modules and effect of each row of the table."""
    head, _, *body = re.findall(r"^\| [^|]+ \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    assert head[0] == "switch"
    return body


def modules_of(cell: str) -> list[Path]:
    """Return the files that a row names; for a package its ``__init__``."""
    named = [
        ROOT / "slocheck" / "reference_api" / name for name in re.findall(r"`([\w/]+/|[\w/]+\.py)`", cell)
    ]
    return [path / "__init__.py" if path.is_dir() else path for path in named if "deploy" not in path.parts]


def test_every_strategy_has_a_measured_effect_and_a_row() -> None:
    """By counts, by the ladder, on real servers, or at expiries; and the modules of each row exist."""
    measured = {effect.strategy for effect in effects()} | set(EMBEDDED) | ON_SERVERS | AT_EXPIRIES
    assert measured == set(STRATEGIES)
    assert set(STRATEGIES) <= {name for switch, _, _ in rows() for name in re.findall(r"`([a-z-]+)`", switch)}
    for _, modules, _ in rows():
        assert all(path.is_file() for path in modules_of(modules)), modules


def test_each_strategys_module_teaches() -> None:
    """One module of its row says what goes wrong with the naive form, and what to use in production."""
    for _, modules, _ in rows():
        said = [ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "" for path in modules_of(modules)]
        assert not said or any("naive form" in text and "In production" in text for text in said), modules
