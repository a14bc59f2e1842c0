"""Archived evidence: refused by name where it is damaged in any bit, and read within bounds."""

import gzip
import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slocheck.errors import UsageError
from slocheck.evidence.recording import EndpointRecording, FailureClass, Recording, SliceCounts
from slocheck.pipeline import evidence_file
from slocheck.pipeline.archive import EVIDENCE_FILE, SPEC_FILE, Archive, load_evidence
from slocheck.pipeline.evidence_file import FREE_BYTES, MAX_FILE, decoded, encoded, sealed
from slocheck.pipeline.regrade import regrade
from slocheck.spec.model import Endpoint
from tests.builders.evidence import make_evidence
from tests.builders.reports import report

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


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    """Return a file of evidence with something in it changed, and checksums that fit."""
    document = json.loads(gzip.decompress(encoded(make_evidence(), SPEC.encode())))
    change(document["evidence"])
    return sealed(json.dumps(document).encode(), SPEC.encode())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is damaged and mended again."""
    return archived(tmp_path_factory.mktemp("reports"))


def damage(run: Path, name: str, damaged: bytes) -> str:
    """Damage a file of a run and grade it; returns what is said, and mends it."""
    whole = (run / name).read_bytes()
    (run / name).write_bytes(damaged)
    try:
        with pytest.raises(UsageError, match="damaged") as caught:
            regrade([str(run)], Archive(run.parent))
    finally:
        (run / name).write_bytes(whole)
    return str(caught.value)


FILES = st.sampled_from([EVIDENCE_FILE, SPEC_FILE])
PLACES = st.floats(0, 1, exclude_max=True)


@settings(deadline=None)
@given(name=FILES, place=PLACES)
def test_a_bit_that_flips_is_noticed(run: Path, name: str, place: float) -> None:
    """Wherever it is, the head of the file included: the run is refused, and the damaged file is named."""
    content = bytearray((run / name).read_bytes())
    bit = int(place * 8 * len(content))
    content[bit // 8] ^= 1 << bit % 8
    assert name in damage(run, name, bytes(content)).partition(": ")[0]
    assert regrade([str(run)], Archive(run.parent)).assessment.exit_code == 0


@settings(deadline=None)
@given(name=FILES, place=PLACES)
def test_a_file_that_was_cut_off_or_goes_on_is_noticed(run: Path, name: str, place: float) -> None:
    """At any length, nothing at all included."""
    content = (run / name).read_bytes()
    for damaged in (content[: int(place * len(content))], content + b"\0", content + content):
        assert name in damage(run, name, damaged).partition(": ")[0]


def test_each_bit_of_the_head_counts(run: Path) -> None:
    """What gunzip would not look at, such as a time or the checksums themselves, is not free to change."""
    content = (run / EVIDENCE_FILE).read_bytes()
    for bit in range(8 * content.index(b"\0", 30)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(UsageError, match=f"^{EVIDENCE_FILE}: damaged"):
            decoded(Path(EVIDENCE_FILE), bytes(damaged))


def test_the_spec_of_another_run_is_noticed(tmp_path: Path) -> None:
    """Whole in itself, but not the one that the run was made with."""
    path = archived(tmp_path)
    said = damage(path, SPEC_FILE, SPEC.replace("10s", "20s").encode())
    assert said.startswith(f"{path / SPEC_FILE}: the spec that the run was made with cannot be read (damaged")
    (path / SPEC_FILE).unlink()
    with pytest.raises(UsageError, match=f"{SPEC_FILE}: .*No such file"):
        regrade([str(path)], Archive(tmp_path))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """A run with a server side, numbers that are not finite, and texts that are not Unicode."""
    evidence = make_evidence(generator_error="half \ud83d", planned_window_s=float("inf"))
    path = tmp_path / EVIDENCE_FILE
    for each in (evidence, report().evidence):
        path.write_bytes(encoded(each, b""))
        again = load_evidence(tmp_path)
        assert encoded(again, b"") == path.read_bytes()
        assert gzip.decompress(path.read_bytes()).startswith(b'{"evidence":{"schema_version":')


def _first_slice(evidence: dict[str, Any]) -> dict[str, Any]:
    counts: dict[str, Any] = evidence["recording"]["endpoints"][0]["slices"][0]
    return counts


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda e: e.pop("health"), "evidence.health: missing"),
        (lambda e: e.update(more=1), "evidence: an unknown field 'more'"),
        (lambda e: e.update(ending="soon"), "evidence.ending: not a Ending"),
        (lambda e: e.update(overrides=[]), "evidence.overrides: not a Overrides"),
        (lambda e: _first_slice(e).update(ok=1.5), "slices[0].ok: not a whole number"),
        (lambda e: _first_slice(e).update(ok=True), "slices[0].ok: not a whole number"),
        (lambda e: _first_slice(e).update(ok=10**30), "slices[0].ok: not a whole number"),
        (lambda e: _first_slice(e).update(latencies={"5": -1}), "latencies: a count below 0"),
        (lambda e: _first_slice(e).update(latencies={"9" * 5000: 1}), "is not an index"),
        (lambda e: _first_slice(e).update(over={}), "over: not a list"),
        (lambda e: _first_slice(e).update(failures={"bad": 1}), "failures: not a FailureClass"),
        (lambda e: e["provenance"].update(git_dirty=0), "git_dirty: neither true nor false"),
        (lambda e: e["provenance"].update(host=None), "host: not a text"),
        (lambda e: e.update(alpha_share="1"), "alpha_share: not a whole number"),
    ],
)
def test_what_is_wrong_in_a_whole_file_is_named(
    run: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    """The first value that is not of its type ends the reading; the message says where it is."""
    assert said in damage(run, EVIDENCE_FILE, changed(change))


def _endpoints(items: bytes) -> bytes:
    document = b'{"evidence": {"schema_version": 4, "recording": {"thresholds_ns": [1], "endpoints": [%s]}}}'
    return document % items


def test_evidence_that_says_little_is_read() -> None:
    """Eight hours of refused connections, second by second, pack to almost nothing."""
    refused = SliceCounts(0, failures={FailureClass.REFUSED: 1}, statuses={0: 1}, failed_latencies={1: 1})
    slices = tuple(replace(refused, second=second) for second in range(8 * 3600))
    whole = Recording((), (EndpointRecording(Endpoint("GET", "/"), slices),), (), 0, len(slices))
    assert decoded(Path("e"), encoded(make_evidence(whole), b"")).recording == whole


BOMBS = {
    "many wrong items": _endpoints(b",".join([b"{}"] * 300_000)),
    "many lists": _endpoints(b",".join([b"[]"] * 300_000)),
    "many numbers": _endpoints(b",".join([b"1.5"] * 300_000)),
    "many keys": _endpoints(b"{%s}" % b",".join(b'"%d":[1]' % number for number in range(200_000))),
    "deep": b"[" * 1_000_000,
    "deep and short": b"[" * 50_000,
    "long number": _endpoints(b"9" * 100_000),
    "zeros": bytes(60 << 20),
}


def resealed(plain: bytes) -> bytes:
    """Return a packed file with checksums that fit, however well it packs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evidence_file, "FREE_BYTES", MAX_FILE)
        return sealed(plain, b"")


@pytest.mark.parametrize("seal", [True, False], ids=["with checksums", "without"])
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_read_within_bounds(tmp_path: Path, name: str, *, seal: bool) -> None:
    """A small file that unpacks to millions of items takes tens of megabytes at most, and is refused."""
    (tmp_path / EVIDENCE_FILE).write_bytes(resealed(BOMBS[name]) if seal else gzip.compress(BOMBS[name]))
    tracemalloc.start()
    try:
        with pytest.raises(UsageError, match="damaged, or not evidence of slocheck"):
            load_evidence(tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 20 * FREE_BYTES
    finally:
        tracemalloc.stop()


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    """Neither packed nor unpacked."""
    path = tmp_path / EVIDENCE_FILE
    with path.open("wb") as file:
        file.truncate(MAX_FILE + 1)
    with pytest.raises(UsageError, match="larger than 268,435,456 bytes"):
        evidence_file.read_bounded(path, MAX_FILE)
    with pytest.raises(UsageError, match="unpacks to more than 4,194,304 bytes"):
        decoded(path, resealed(BOMBS["zeros"]))
