"""The bundle for other machines: all that a scenario names, nothing else, identified by its hash."""

import json
from pathlib import Path

import pytest

from slocheck.errors import UsageError
from slocheck.load.messaging import bundle as bundles
from slocheck.load.messaging.bundle import BundleError, collect, digest, packed, scenario_in, unpacked
from slocheck.scenario.loader import load_scenario
from slocheck.spec.model import Tls
from tests.builders.load_plans import make_plan

SCENARIO = """
headers: {Authorization: "Bearer ${API_TOKEN}", X-Key: "${file:key.txt}"}
feeders: {row: {csv: data/ids.csv}}
flows:
  - name: look
    steps:
      - get: "/items/{row.id}"
"""
VARIABLES = {"API_TOKEN": "canary-1", "UNUSED": "not for others"}


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """Write a scenario that names a CSV file, a secret file and a variable."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ids.csv").write_text("id\n1\n2\n")
    (tmp_path / "key.txt").write_text("canary-2\n")
    path = tmp_path / "browse.yaml"
    path.write_text(SCENARIO)
    return path


def test_a_scenario_is_the_same_on_the_other_side(scenario: Path, tmp_path: Path) -> None:
    """With files and variables of the coordinator only; a variable that it does not use stays there."""
    plan = make_plan("http://127.0.0.1:9", str(scenario))
    text = packed(collect(plan, VARIABLES, {}))
    expected = load_scenario(scenario, VARIABLES)
    for path in (scenario, tmp_path / "data" / "ids.csv", tmp_path / "key.txt"):
        path.unlink()
    found = unpacked(text, digest(text))
    assert scenario_in(found) == expected
    assert found.variables == {"API_TOKEN": "canary-1"}
    assert "not for others" not in text
    assert packed(found) == text


def test_only_what_was_announced_is_taken(scenario: Path) -> None:
    """A bundle with another hash, or data that is not a bundle, is an error."""
    text = packed(collect(make_plan("http://127.0.0.1:9", str(scenario)), VARIABLES, {}))
    with pytest.raises(BundleError, match="does not have the hash"):
        unpacked(text, digest(text + " "))
    for junk in ("", "{}", "[]", "null", "[" * 5000, json.dumps({**json.loads(text), "files": {"a": 7}})):
        with pytest.raises(BundleError, match="not a bundle"):
            unpacked(junk, digest(junk))


def test_a_bundle_has_a_largest_size(scenario: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit counts all files together; the message says what to do."""
    plan = make_plan("http://127.0.0.1:9", str(scenario))
    size = sum(len(path.read_bytes()) for path in scenario.parent.rglob("*.*") if path.is_file())
    monkeypatch.setattr(bundles, "MAX_BUNDLE_BYTES", size)
    collect(plan, VARIABLES, {})
    monkeypatch.setattr(bundles, "MAX_BUNDLE_BYTES", size - 1)
    with pytest.raises(UsageError, match=r"take at most .* shorten its CSV files"):
        collect(plan, VARIABLES, {})


def test_a_locust_file_never_travels(tmp_path: Path) -> None:
    """Only its hashes are in it; certificates for the target are, whatever the scenario."""
    file = tmp_path / "browse.py"
    file.write_text("SECRET_CODE = 1\n")
    (tmp_path / "ca.pem").write_text("PEM")
    plan = make_plan("https://127.0.0.1:9", str(file), tls=Tls(ca=str(tmp_path / "ca.pem")))
    found = collect(plan, VARIABLES, {"browse.py": "ab" * 32})
    assert (found.scenario, found.files, found.variables) == (None, {}, {})
    assert (found.tls, found.manifest) == ({"ca": b"PEM"}, {"browse.py": "ab" * 32})
    assert "SECRET_CODE" not in packed(found)
