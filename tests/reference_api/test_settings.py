"""The switches of the reference API by their names on the command line."""

import subprocess
import sys

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


EXTRA = ("granian", "opentelemetry", "psycopg", "psycopg_pool", "redis", "starlette_compress", "taskiq")
EMBEDDED = f"""
import sys
sys.modules.update(dict.fromkeys({EXTRA!r}))  # importing None fails like importing what is not installed
import slocheck.cli.actions.demo.ladder
from tests.reference_api.shops import NO_FAULTS, client_of, with_app
from slocheck.reference_api.settings import Settings

async def ask(app):
    async with client_of(app) as client:
        for path in ("/items", "/search?q=oak", "/users/1", "/users/1/orders"):
            assert (await client.get(path)).status_code == 200
        assert (await client.post("/checkout", json={{"item": 1, "quantity": 1}})).status_code == 201

with_app(ask, Settings(items=50), NO_FAULTS)
"""


def test_the_default_needs_nothing_that_an_extra_installs() -> None:
    """With all strategies on, the shop and its ladder run on what slocheck itself depends on."""
    done = subprocess.run([sys.executable, "-c", EMBEDDED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
