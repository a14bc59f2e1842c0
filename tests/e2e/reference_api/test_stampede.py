"""The stampede scenario, sent by the real command to the reference API."""

from pathlib import Path

from tests.reference_api.measuring.expiries import CHOICES, measure


def test_the_scenario_makes_one_query_with_the_lock(tmp_path: Path) -> None:
    """Hundreds of requests want one cold key: one asks the database, and those that come meanwhile wait."""
    found = measure(CHOICES["lock"], tmp_path, rate=200, seconds=1, items=2_000, ttl=1_000.0)
    assert found.requests > 100
    assert found.queries == 1
