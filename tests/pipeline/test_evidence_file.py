"""Archived evidence: refused by name where it is damaged in any bit, and read within bounds."""

import gzip
import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slocheck.documents.texts import valid_text
from slocheck.errors import SaveError, UsageError
from slocheck.evidence.columns import WIDTH, Columns, Counts, Sparse
from slocheck.evidence.recording import EndpointRecording, FailureClass, Recording, SliceCounts
from slocheck.pipeline import evidence_file, recording_file
from slocheck.pipeline.archive import EVIDENCE_FILE, SPEC_FILE, Archive, load_evidence, replace_evidence
from slocheck.pipeline.evidence_file import MAX_FILE, RECORDING_FILE, decoded, encoded, sealed
from slocheck.pipeline.recording_file import FIRST_LINE, FREE_BYTES, packed, unpacked
from slocheck.pipeline.regrade import regrade
from slocheck.spec.model import Endpoint
from tests.builders.evidence import make_evidence
from tests.builders.recordings import make_recording, make_slice
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
    document = json.loads(gzip.decompress(encoded(make_evidence(), SPEC.encode()).evidence))
    change(document["evidence"])
    return sealed(json.dumps(document).encode(), SPEC.encode())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is damaged and repaired again."""
    return archived(tmp_path_factory.mktemp("reports"))


def damage(run: Path, name: str, damaged: bytes) -> str:
    """Damage a file of a run and grade it; returns the message, and repairs the file."""
    whole = (run / name).read_bytes()
    (run / name).write_bytes(damaged)
    try:
        with pytest.raises(UsageError, match="damaged") as caught:
            regrade([str(run)], Archive(run.parent))
    finally:
        (run / name).write_bytes(whole)
    return str(caught.value)


FILES = st.sampled_from([EVIDENCE_FILE, RECORDING_FILE, SPEC_FILE])
PLACES = st.floats(0, 1, exclude_max=True)


@settings(deadline=None)
@given(name=FILES, place=PLACES)
def test_a_bit_that_flips_is_noticed(run: Path, name: str, place: float) -> None:
    """Wherever the bit is, the file's header included: the run is refused, and the damaged file is named."""
    content = bytearray((run / name).read_bytes())
    bit = int(place * 8 * len(content))
    content[bit // 8] ^= 1 << bit % 8
    assert name in damage(run, name, bytes(content)).partition(": ")[0]
    assert regrade([str(run)], Archive(run.parent)).assessment.exit_code == 0


@settings(deadline=None)
@given(name=FILES, place=PLACES)
def test_a_file_that_was_cut_off_or_goes_on_is_noticed(run: Path, name: str, place: float) -> None:
    """At any length, empty included."""
    content = (run / name).read_bytes()
    for damaged in (content[: int(place * len(content))], content + b"\0", content + content):
        assert name in damage(run, name, damaged).partition(": ")[0]


def test_each_bit_of_the_head_counts(run: Path) -> None:
    """Not even bytes that gunzip ignores, such as a time or the checksums themselves, may change."""
    content = (run / EVIDENCE_FILE).read_bytes()
    for bit in range(8 * content.index(b"\0", 30)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(UsageError, match=f"^{EVIDENCE_FILE}: damaged"):
            decoded(Path(EVIDENCE_FILE), bytes(damaged), bytes)


def test_the_spec_of_another_run_is_noticed(tmp_path: Path) -> None:
    """Intact, but not the one that the run was made with."""
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
        files = encoded(each, b"")
        path.write_bytes(files.evidence)
        (tmp_path / RECORDING_FILE).write_bytes(files.recording)
        again = load_evidence(tmp_path)
        assert again == replace(each, generator_error=valid_text(each.generator_error))
        assert gzip.decompress(path.read_bytes()).startswith(b'{"evidence":{"schema_version":')


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda e: e.pop("health"), "evidence.health: missing"),
        (lambda e: e.update(more=1), "evidence: an unknown field 'more'"),
        (lambda e: e.update(ending="soon"), "evidence.ending: not a Ending"),
        (lambda e: e.update(overrides=[]), "evidence.overrides: not a Overrides"),
        (lambda e: e.update(recording=[]), "evidence.recording: not a Recording"),
        (lambda e: e["recording"].update(window_s=1.5), "recording.window_s: not a whole number"),
        (lambda e: e["recording"].update(window_s=True), "recording.window_s: not a whole number"),
        (lambda e: e["recording"].update(window_s=10**30), "recording.window_s: not a whole number"),
        (lambda e: e["recording"].update(window_s=10**15), "does not have 0 to 10,000,000 seconds"),
        (lambda e: e["recording"].update(warmup_s=10**15), "does not have 0 to 10,000,000 seconds"),
        (lambda e: e["recording"].update(warmup_s=-5), "does not have 0 to 10,000,000 seconds"),
        (
            lambda e: e["recording"]["thresholds_ns"].pop(),
            "counts over 10 thresholds, and the evidence names 9",
        ),
        (lambda e: e["recording"].update(thresholds_ns={}), "recording.thresholds_ns: not a list"),
        (lambda e: e["recording"].pop("counts_sha256"), "recording.bin: damaged"),
        (lambda e: e["recording"]["endpoints"].append({}), "it has 1 endpoints, not 2"),
        (lambda e: e["recording"].update(endpoints=[5]), "recording.endpoints[0]: not a EndpointRecording"),
        (lambda e: e["health"].update(exceptions={"x": "1"}), "health.exceptions: not a whole number"),
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
    document = b'{"evidence": {"schema_version": 5, "recording": {"thresholds_ns": [1], "endpoints": [%s]}}}'
    return document % items


def test_evidence_that_says_little_is_read() -> None:
    """Eight hours of refused connections, second by second, pack to almost nothing."""
    refused = SliceCounts(0, failures={FailureClass.REFUSED: 1}, statuses={0: 1}, failed_latencies={1: 1})
    slices = tuple(replace(refused, second=second) for second in range(8 * 3600))
    whole = Recording((), (EndpointRecording.of(Endpoint("GET", "/"), slices),), (), 0, len(slices))
    files = encoded(make_evidence(whole), b"")
    assert decoded(Path("e"), files.evidence, lambda: files.recording).recording == whole


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
        patch.setattr(recording_file, "FREE_BYTES", MAX_FILE)
        return sealed(plain, b"")


@pytest.mark.parametrize("seal", [True, False], ids=["with checksums", "without"])
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_read_within_bounds(tmp_path: Path, name: str, *, seal: bool) -> None:
    """A small file that unpacks to millions of items takes tens of megabytes at most, and is refused."""
    (tmp_path / EVIDENCE_FILE).write_bytes(resealed(BOMBS[name]) if seal else gzip.compress(BOMBS[name]))
    tracemalloc.start()
    try:
        with pytest.raises(UsageError, match="damaged"):
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
        decoded(path, resealed(BOMBS["zeros"]), bytes)


ONE = Columns(
    np.array([3, 5]),
    Counts(np.ones((2, 3), dtype=np.int64), np.ones((2, WIDTH + 1), dtype=np.int64)),
    (Sparse(np.array([1, 3]), np.array([7, 7, 9], dtype=np.uint16), np.array([1, 1, 2])),) * 4,
    whole=True,
)


NOTHING = b'{"endpoints": [{"packed": 0, "columns": []}]}\n'


def altered(**changes: Any) -> Columns:
    """Return columns with something wrong in each sparse column, or in the seconds."""
    seconds = changes.pop("seconds", ONE.seconds)
    sparse = tuple(replace(each, **changes) for each in ONE.sparse)
    return replace(ONE, seconds=seconds, sparse=sparse)


def test_columns_are_read_as_they_were_written() -> None:
    """Of several endpoints, with and without rows, in the smallest types."""
    empty = EndpointRecording.of(Endpoint("GET", "/"), ()).columns
    assert unpacked(packed([ONE, empty, ONE]), 3) == [ONE, empty, ONE]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (altered(seconds=np.array([5, 3])), "seconds are not in order"),
        (altered(seconds=np.array([5, 5])), "seconds are not in order"),
        (altered(ends=np.array([3, 1])), "entries do not belong to rows"),
        (altered(ends=np.array([1, 4])), "entries do not belong to rows"),
        (altered(ends=np.array([3])), "entries do not belong to rows"),
        (altered(counts=np.array([1, 0, 1])), "a key has no count"),
        (altered(counts=np.array([1, 1])), "a key has no count"),
        (altered(counts=np.array([1, -1, 1])), "a count is below 0, or too large"),
        (altered(counts=np.array([1, 1 << 62, 1])), "a count is below 0, or too large"),
        (altered(keys=np.array([7, 9, 7])), "keys are not in order"),
        (altered(keys=np.array([7, 7, 1000])), "a key is out of its range"),
        (altered(keys=np.array([7, -7, 9])), "a key is out of its range"),
    ],
)
def test_columns_that_cannot_be_are_refused(columns: Columns, said: str) -> None:
    """Whatever the checksum says: counts that slocheck cannot have written are refused."""
    with pytest.raises(ValueError, match=said):
        unpacked(packed([columns]), 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(lambda file: file[:-1], "does not unpack", id="cut off"),
        pytest.param(lambda file: file + b"x", "cut off, or goes on", id="goes on"),
        pytest.param(lambda file: b"x" + file, "does not begin", id="another file"),
        pytest.param(lambda _file: FIRST_LINE, "0 endpoints, not 1", id="no second line"),
        pytest.param(lambda _file: FIRST_LINE + b"[" * 50_000 + b"\n", "second line", id="deep"),
        pytest.param(lambda file: file.replace(b'"u1"', b'"f8"', 1), "cannot be", id="no whole numbers"),
        pytest.param(lambda file: file.replace(b'"u1"', b'["u1"]', 1), "cannot be", id="a list as a type"),
        pytest.param(lambda file: file.replace(b'"u1"', b"null", 1), "cannot be", id="no type"),
        pytest.param(lambda file: file.replace(b'"u1", 2', b'"u1", -2', 1), "cannot be", id="below 0"),
        pytest.param(lambda file: file.replace(b'"u1", 2', b'"u1", 1', 1), "does not unpack", id="less"),
        pytest.param(
            lambda file: file.replace(b'"u1", 2', b'"u1", 999999999', 1), "unpacks to more", id="bomb"
        ),
        pytest.param(
            lambda _file: FIRST_LINE + b'{"endpoints": [{"packed": 0, "columns": []}]}\n',
            "missing",
            id="none",
        ),
    ],
)
def test_a_file_of_columns_that_was_changed_is_refused(change: Callable[[bytes], bytes], said: str) -> None:
    """Its stated sizes are checked before memory is allocated."""
    with pytest.raises(ValueError, match=said):
        unpacked(change(packed([ONE])), 1)


def test_columns_that_pack_too_well_are_stored() -> None:
    """No run is written that would be refused as a bomb when read; one made of zeros is refused."""
    second = np.arange(400_000)
    rows = len(second)
    many = Columns(
        second,
        Counts(np.ones((rows, 3), dtype=np.int64), np.ones((rows, WIDTH), dtype=np.uint16)),
        (Sparse(second + 1, np.full(rows, 200, dtype=np.uint16), np.ones(rows, dtype=np.uint16)),) * 4,
        whole=True,
    )
    assert unpacked(packed([many]), 1) == [many]


def sent_nothing(rows: int, thresholds: int) -> Columns:
    """Return seconds in which nothing was counted, so that hardly a column is stored."""
    nothing = Sparse(np.zeros(rows, np.int64), np.zeros(0, np.uint16), np.zeros(0, np.uint16))
    counts = Counts(np.zeros((rows, 3), np.int64), np.zeros((rows, WIDTH + thresholds), np.uint16))
    return Columns(np.arange(rows), counts, (nothing,) * 4, whole=True)


def test_many_columns_are_refused_before_they_are_made() -> None:
    """A hundred thousand thresholds times as many seconds in a small file would take 18 GiB."""
    whole = packed([sent_nothing(100_000, 1)])
    line = whole.split(b"\n")[1]
    head = json.loads(line)
    head["endpoints"][0]["columns"][20:20] = [["u1", 0]] * 100_000
    bomb = whole.replace(line, json.dumps(head).encode())
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="it unpacks to more than"):
            unpacked(bomb, 1)
        assert tracemalloc.get_traced_memory()[1] < 20 * FREE_BYTES
    finally:
        tracemalloc.stop()


@settings(deadline=None, max_examples=15)
@given(
    st.integers(1, 24), st.integers(1, 20_000), st.integers(0, 80), st.sampled_from([1, 2, 1 << 17, 1 << 40])
)
def test_whatever_is_written_is_read(endpoints: int, rows: int, thresholds: int, most: int) -> None:
    """Writing has the same bounds as reading, however well the counts pack."""
    rows = min(rows, 1_000_000 // (endpoints * (thresholds + 30)))
    one = sent_nothing(rows, thresholds)
    narrow = one.counts.narrow.astype(np.int64)
    narrow[:, 5] = np.arange(rows) % 2 * (most - 1) + 1
    one = replace(one, counts=replace(one.counts, narrow=narrow))
    assert unpacked(packed([one] * endpoints), endpoints) == [one] * endpoints


def test_a_run_that_could_not_be_read_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what is lost, and what to do."""
    monkeypatch.setattr(recording_file, "MAX_COUNTS_FILE", 100)
    with (
        Archive(tmp_path).create(NOW) as folder,
        pytest.raises(SaveError, match=r"the evidence is not kept.*more than 100 bytes.*run for a shorter"),
    ):
        folder.save_evidence(make_evidence(), SPEC)
    assert not (folder.path / EVIDENCE_FILE).exists()


def test_a_run_that_this_machine_has_no_memory_for_is_refused_by_name() -> None:
    """A long run that was made on a larger machine is not damaged."""

    def exhausted() -> bytes:
        raise MemoryError

    with pytest.raises(UsageError, match=r"^recording.bin: reading it takes more memory than there is"):
        decoded(Path("e"), encoded(make_evidence(), b"").evidence, exhausted)


def test_a_completed_run_is_read_whichever_zlib_packed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its counts stay as they are, and the evidence has the checksum of these very bytes."""
    path = archived(tmp_path)
    evidence = load_evidence(path)
    monkeypatch.setattr(
        recording_file, "_packed", lambda parts, _level: b"as another zlib packs" * len(parts)
    )
    replace_evidence(path, replace(evidence, server_error="asked again"))
    assert load_evidence(path) == replace(evidence, server_error="asked again")


def test_more_requests_over_a_threshold_than_were_sent_are_refused() -> None:
    """Whatever the checksums say: a share of slow requests above 1 is not graded."""
    one = make_recording([make_slice(0, {20: 5})])
    narrow = one.endpoints[0].columns.counts.narrow.copy()
    narrow[0, WIDTH] = 6
    counts = replace(one.endpoints[0].columns.counts, narrow=narrow)
    columns = replace(one.endpoints[0].columns, counts=counts)
    files = encoded(make_evidence(replace(one, endpoints=(replace(one.endpoints[0], columns=columns),))), b"")
    with pytest.raises(UsageError, match=r"recording.bin: damaged.*more requests are over a threshold"):
        decoded(Path("e"), files.evidence, lambda: files.recording)
