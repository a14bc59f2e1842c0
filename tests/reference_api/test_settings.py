"""The switches of the reference API by their names on the command line."""

import pytest

from slocheck.errors import UsageError
from slocheck.reference_api.settings import STRATEGIES, Settings, read_strategies, with_strategies


@pytest.mark.parametrize(
    ("text", "on"),
    [
        pytest.param("all", set(STRATEGIES), id="all"),
        pytest.param("none", set(), id="none"),
        pytest.param("", set(), id="nothing is none"),
        pytest.param("index, cache-aside", {"index", "cache-aside"}, id="names, with a space"),
    ],
)
def test_exactly_the_named_strategies_are_on(text: str, on: set[str]) -> None:
    """Each name is one switch, and the others are off."""
    settings = with_strategies(Settings(), read_strategies(text))
    assert {name for name in STRATEGIES if getattr(settings, name.replace("-", "_"))} == on


def test_an_unknown_strategy_is_refused_by_name() -> None:
    """The message lists those that there are."""
    with pytest.raises(UsageError, match="no strategy 'magic'; write all, none or some of index, one-query"):
        with_strategies(Settings(), ["index", "magic"])
