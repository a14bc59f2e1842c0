"""Evidence of a complete, valid run, with one thing changed at a time."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from slocheck.evidence.model import SCHEMA_VERSION, Ending, Evidence, LoadHealth, Provenance, WorkerHealth
from slocheck.evidence.recording import Recording
from slocheck.spec.model import FailureRule, Overrides
from tests.builders.recordings import make_recording

PROVENANCE = Provenance(
    run_id="20260102T030405Z-abcdef",
    command="slocheck run slo.yaml",
    started="2026-01-02T03:04:05.000Z",
    ended="2026-01-02T03:05:10.000Z",
    slocheck="0.1.0",
    versions={"python": "3.11.7", "locust": "2.47.0"},
    host="loader",
    cores=2,
    git_sha="0123456789abcdef0123456789abcdef01234567",
    git_dirty=False,
    spec_sha256="0" * 64,
    scenario_sha256="1" * 64,
    scenario="browse.py",
    target="http://127.0.0.1:8000",
    seed=42,
)

WORKER = WorkerHealth("worker-1", cpu=0.3, loop_lag_p99=0.002, complete=True)
HEALTH = LoadHealth(planned_users=10, users=10, workers=(WORKER,))


def make_evidence(recording: Recording | None = None, **changes: Any) -> Evidence:
    """Return a complete, valid run with this recording and these fields changed."""
    recorded = recording if recording is not None else make_recording()
    length = timedelta(seconds=recorded.warmup_s + recorded.window_s)
    ended = (datetime.fromisoformat(PROVENANCE.started) + length).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    evidence = Evidence(
        schema_version=SCHEMA_VERSION,
        provenance=replace(PROVENANCE, ended=ended),
        overrides=Overrides(),
        planned_window_s=float(recorded.window_s),
        ending=Ending.COMPLETE,
        signal="",
        recording=recorded,
        health=HEALTH,
        failures=FailureRule(),
    )
    return replace(evidence, **changes)
