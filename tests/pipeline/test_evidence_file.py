"""Archived evidence: refused by name where it is damaged in any bit, and read within bounds."""

import gzip
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slocheck.errors import UsageError
from slocheck.pipeline.archive import SPEC_FILE, Archive
from slocheck.pipeline.evidence_file import EVIDENCE_FILE, load_evidence
from slocheck.pipeline.manifest import MANIFEST_FILE, manifest_of
from slocheck.pipeline.regrade import regrade
from tests.builders.evidence import make_evidence

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SPEC = """\
service: x
target: {url: "http://127.0.0.1:1"}
workload: {scenario: x.py, users: 10, duration: 60s}
tiers: [only]
objectives: {latency_p50: {only: "< 10s"}}
gate: only
"""


def archived(root: Path) -> Path:
    """Archive a run; returns its folder."""
    with Archive(root).create(NOW) as folder:
        folder.save_evidence(make_evidence(), SPEC)
        return folder.path


def replace_evidence(path: Path, content: bytes) -> None:
    """Put other evidence into a run's folder, with the manifest that belongs to it."""
    files = {SPEC_FILE: (path / SPEC_FILE).read_bytes(), EVIDENCE_FILE: content}
    (path / EVIDENCE_FILE).write_bytes(content)
    (path / MANIFEST_FILE).write_bytes(manifest_of(files))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not gzip", id="not gzip"),
        pytest.param(gzip.compress(b"{"), id="cut JSON"),
        pytest.param(gzip.compress(b"[]"), id="another form"),
        pytest.param(gzip.compress(b'{"evidence": {"schema_version": 4}}'), id="fields missing"),
        pytest.param(gzip.compress(b"x" * 1000)[:-10], id="cut gzip"),
    ],
)
def test_damaged_evidence_is_refused(tmp_path: Path, content: bytes) -> None:
    """Damage is named, with the file, and never graded."""
    (tmp_path / EVIDENCE_FILE).write_bytes(content)
    with pytest.raises(UsageError, match=f"{EVIDENCE_FILE}: damaged"):
        load_evidence(tmp_path)


@pytest.mark.parametrize(
    ("version", "message"),
    [
        pytest.param(2, "format 2, which only development versions before slocheck 0.1.0 read", id="older"),
        pytest.param(99, "format 99, which a newer slocheck wrote.*upgrade it", id="newer"),
    ],
)
@pytest.mark.parametrize("fields", [pytest.param(True, id="whole"), pytest.param(False, id="other fields")])
def test_evidence_of_another_format_is_refused(
    tmp_path: Path, version: int, message: str, *, fields: bool
) -> None:
    """It is not misread, nor called damaged: the message says which version reads it."""
    path = archived(tmp_path)
    document = json.loads(gzip.decompress((path / EVIDENCE_FILE).read_bytes()))
    kept = document["evidence"] if fields else {"unknown": 1}
    document["evidence"] = {**kept, "schema_version": version}
    replace_evidence(path, gzip.compress(json.dumps(document).encode()))
    with pytest.raises(UsageError, match=message):
        load_evidence(path)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is damaged and mended again."""
    return archived(tmp_path_factory.mktemp("reports"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from([EVIDENCE_FILE, SPEC_FILE, MANIFEST_FILE]), place=st.floats(0, 1, exclude_max=True)
)
def test_a_bit_that_flips_is_noticed(run: Path, name: str, place: float) -> None:
    """In any of the three files, wherever it is: the run is refused, and the damaged file is named."""
    whole = (run / name).read_bytes()
    bit = int(place * 8 * len(whole))
    damaged = bytearray(whole)
    damaged[bit // 8] ^= 1 << bit % 8
    (run / name).write_bytes(damaged)
    try:
        with pytest.raises(UsageError, match="damaged") as caught:
            regrade([str(run)], Archive(run.parent))
    finally:
        (run / name).write_bytes(whole)
    assert name in str(caught.value)
    assert regrade([str(run)], Archive(run.parent)).assessment.exit_code == 0


@pytest.mark.parametrize("name", [SPEC_FILE, MANIFEST_FILE])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    """Evidence alone cannot be trusted, nor graded."""
    path = archived(tmp_path)
    (path / name).unlink()
    with pytest.raises(UsageError, match=f"{name}: .*damaged: it cannot be read|{name}: damaged"):
        regrade([str(path)], Archive(tmp_path))


ITEM = b'{"evidence": {"schema_version": 4, "recording": {"thresholds_ns": [1], "endpoints": [%s]}}}'
BOMBS = {
    "many wrong items": ITEM % b",".join([b"{}"] * 300_000),
    "many numbers": ITEM % b",".join([b"1.5"] * 300_000),
    "deep": b"[" * 1_000_000,
    "zeros": bytes(60 << 20),
}
READ = """
import resource, sys
from pathlib import Path
from slocheck.errors import UsageError
from slocheck.pipeline.evidence_file import load_evidence
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    load_evidence(Path(sys.argv[1]))
except UsageError as error:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, error)
"""


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_read_within_bounds(tmp_path: Path, name: str) -> None:
    """A small file that unpacks to millions of items takes at most 100 MB, and is refused."""
    path = archived(tmp_path)
    replace_evidence(path, gzip.compress(BOMBS[name]))
    done = subprocess.run([sys.executable, "-c", READ, path], capture_output=True, text=True, check=True)
    kilobytes, _, said = done.stdout.partition(" ")
    assert int(kilobytes) < 100_000, said
    assert re.search("damaged|unpacks to more", said)
