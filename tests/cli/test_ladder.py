"""The options of the ladder: valid combinations, and what is added in which order."""

import pytest

from slocheck.cli import exit_code_of
from slocheck.cli.actions.demo.ladder import EMBEDDED, chosen, parts_text, windows
from slocheck.errors import UsageError
from slocheck.reference_api.settings import STRATEGIES, Settings

REAL = Settings(
    database_url="postgresql://user:secret@host/shop",
    replica_url="postgresql://r/shop",
    redis_url="redis://r",
)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        pytest.param(["--serve", "--ladder"], "leave one out", id="serve"),
        pytest.param(["--ladder", "--port", "8000"], "--port does not go with --ladder", id="port"),
        pytest.param(["--full", "--serve"], "leave out --serve and --port", id="full and serve"),
        pytest.param(["--full", "--port", "8000"], "leave out --serve and --port", id="full and port"),
        pytest.param(["--full", "--redis", "redis://h"], "leave out --redis", id="full has its own"),
        pytest.param(["--rate", "10/s"], "--rate goes with --ladder or --full", id="rate alone"),
        pytest.param(["--redis", "redis://h"], "--redis goes with --ladder", id="redis alone"),
        pytest.param(["--ladder", "--strategies", "magic"], "no strategy 'magic'", id="unknown strategy"),
        pytest.param(["--ladder", "--strategies", "index,index"], "added once", id="twice"),
        pytest.param(["--ladder", "--database", "mysql://h/shop"], "is not an address", id="a database"),
        pytest.param(["--ladder", "--duration", "20"], "--duration: '20' has no unit", id="no unit"),
    ],
)
def test_what_does_not_go_together_is_refused(
    words: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, before anything is sent; the message names the option."""
    assert exit_code_of(["demo", *words]) == 2
    assert why in capsys.readouterr().err


def test_what_is_added_follows_the_parts() -> None:
    """The replica and the cache in front of Redis are steps only if these parts exist."""
    assert chosen("", Settings()) == EMBEDDED
    added = [name for name in chosen("", REAL) if name not in EMBEDDED]
    assert added == ["memory-cache", "replica"]
    assert set(chosen("", REAL)) <= set(STRATEGIES)
    assert chosen("index, cache-aside", Settings()) == ("index", "cache-aside")


def test_the_parts_are_named_without_their_addresses() -> None:
    """An address may hold a password."""
    assert parts_text(REAL) == "PostgreSQL with a replica and Redis"
    assert parts_text(Settings()) == "SQLite and a cache in the process"


def test_the_last_step_is_longer() -> None:
    """Its error rate needs more requests; a short window has a short warm-up."""
    assert windows("20s") == ("20s", "50s", "5s")
    assert windows("2s") == ("2s", "5s", "1s")
    assert windows("3s") == ("3s", "7.5s", "1s")
    with pytest.raises(UsageError, match="--duration"):
        windows("soon")
