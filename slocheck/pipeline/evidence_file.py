"""Evidence as files: gzip around JSON with checksums in its head, and the counts as columns beside it.

The head is a constant and two checksums, of the rest of the file and of the spec, as the comment of a gzip
file, so that `zcat` shows what is in it. The JSON has the checksum of the columns. A file damaged in
any bit is refused. The checksums are against damage, not against forgery. Both are read back
within bounds of memory.
"""

import hashlib
import json
import os
import re
import zlib
from collections.abc import Callable
from gzip import compress
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

from slocheck.documents.texts import each_text, valid_text
from slocheck.errors import UsageError, reason_of
from slocheck.evidence.columns import Columns
from slocheck.evidence.model import SCHEMA_VERSION, Evidence
from slocheck.evidence.plain_values import WrongValueError, plain, typed
from slocheck.evidence.recording import Recording
from slocheck.evidence.series import RawSeries
from slocheck.pipeline.recording_file import TooLargeError, most_of, packed, unpacked

RECORDING_FILE = "recording.bin"
"""The counts of a run, next to its evidence."""
COUNTS = "counts_sha256"
"""The key under which the evidence has that file's checksum."""
MAX_FILE = 1 << 28
"""Most bytes that are read of a file, packed."""
BYTES_PER_OBJECT = 16
"""Fewest bytes of plain JSON for each object and list; slocheck's evidence has 30."""
MAX_SECONDS = 10_000_000
"""Of a warm-up and of a window; a load of months."""
FREE_OBJECTS = 1 << 17
"""Braces and brackets that any file may have, as texts contain some, too."""

_HEAD = b"\x1f\x8b\x08\x10\0\0\0\0\0\xffslocheck sha256 "
"""A gzip header with a comment and without a time, up to where the checksums begin."""
_DIGEST = 64
_SEAL = len(_HEAD) + 2 * _DIGEST + 2
"""Bytes before the packed content: the head, the file's checksum, a space, the spec's, and a zero byte."""
_GZIP_HEAD = 10
_LOOKED_AT = 1 << 16
_VERSION = re.compile(rb'"schema_version":\s*(\d{1,9})\b')


class Files(NamedTuple):
    """The files of a run's evidence.

    Attributes:
        evidence: All but the counts of requests.
        recording: These, see `recording_file`.
    """

    evidence: bytes
    recording: bytes


def encoded(evidence: Evidence, spec: bytes) -> Files:
    """Return the files of a run's evidence; TooLargeError if one could not be read again."""
    if why := _too_long(evidence.recording):
        raise TooLargeError(why)
    recording = packed(evidence.recording.parts())
    return Files(evidence_of(evidence, spec, recording), recording)


def evidence_of(evidence: Evidence, spec: bytes, recording: bytes) -> bytes:
    """Return the file of a run's evidence next to its counts' file, which may have been written before.

    Texts that are not valid Unicode are written out. Raises TooLargeError if it could not be read again.
    """
    document = plain(each_text(evidence, valid_text, untouched=(Columns, RawSeries)))
    document["recording"][COUNTS] = hashlib.sha256(recording).hexdigest()
    text = json.dumps({"evidence": document}, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return sealed(text.encode(), spec)


def sealed(document: bytes, spec: bytes) -> bytes:
    """Return a document as a gzip file with its own checksum and that of the spec.

    What would be packed too well to be read again, such as hours of nothing but refused connections, is
    stored as it is. Raises TooLargeError if it could not be read again either way.
    """
    body = compress(document, compresslevel=6, mtime=0)
    if len(document) > most_of(len(body)):
        body = compress(document, compresslevel=0, mtime=0)
    if len(document) > most_of(len(body)) or _SEAL + len(body) > MAX_FILE:
        raise TooLargeError(f"it has {len(document):,} bytes, {len(body):,} of them when packed")
    rest = _digest(spec) + b"\0" + body[_GZIP_HEAD:]
    return _HEAD + _digest(rest) + b" " + rest


def fits_spec(content: bytes, spec: bytes) -> bool:
    """Tell whether evidence that `decoded` has read was written with exactly this spec."""
    return content[_SEAL - _DIGEST - 1 : _SEAL - 1] == _digest(spec)


def decoded(path: Path, content: bytes, read_counts: Callable[[], bytes]) -> Evidence:
    """Return the evidence of files' bytes; raises UsageError when one is damaged or of another version.

    Args:
        path: Of the evidence, for messages.
        content: Its bytes.
        read_counts: Reads the counts' file, which is asked for once the evidence is known to be whole.
    """
    if content[: len(_HEAD)] != _HEAD:
        _refuse_unsealed(path, content)
    if content[len(_HEAD) : len(_HEAD) + _DIGEST + 1] != _digest(content[_SEAL - _DIGEST - 1 :]) + b" ":
        _refuse(path, "its checksum does not match")
    try:
        unpacked_text = _unpacked(content)
        _check_version(path, unpacked_text)
        document = _document(unpacked_text)
    except (zlib.error, ValueError, RecursionError) as error:
        _refuse(path, str(error), error)
    with_counts(path.with_name(RECORDING_FILE), document, read_counts)
    try:
        evidence: Evidence = typed(Evidence, document)
    except WrongValueError as error:
        _refuse(path, f"evidence{error}", error)
    if why := _too_long(evidence.recording) or _not_of_this_run(evidence.recording):
        _refuse(path.with_name(RECORDING_FILE), why)
    return evidence


def _too_long(recording: Recording) -> str:
    """Say that a run has more seconds than a load can have, each of which takes memory; else empty."""
    fits = 0 <= recording.warmup_s <= MAX_SECONDS and recording.window_s <= MAX_SECONDS
    return "" if fits else f"its warm-up or window does not have 0 to {MAX_SECONDS:,} seconds"


def _not_of_this_run(recording: Recording) -> str:
    """Say which counts are not over the thresholds that the evidence names; empty if all are."""
    thresholds = len(recording.thresholds_ns)
    for part in recording.parts():
        counts = part.counts
        if counts.thresholds != thresholds:
            return f"it has counts over {counts.thresholds} thresholds, and the evidence names {thresholds}"
        if np.any(counts.over > counts.ok[:, np.newaxis]):
            return "more requests are over a threshold than there were"
    return ""


def with_counts(path: Path, document: dict[str, Any], read_counts: Callable[[], bytes]) -> None:
    """Put the columns of each endpoint into a document that names their file's checksum.

    What is not there, or not of its type, is left for `typed` to refuse.
    """
    recording = document.get("recording")
    if not isinstance(recording, dict) or not isinstance(recording.get("endpoints"), list):
        return
    items, checksum = recording["endpoints"], recording.pop(COUNTS, None)
    try:
        counts = read_counts()
        if hashlib.sha256(counts).hexdigest() != checksum:
            _refuse(path, "its checksum is not the one in the evidence")
        columns = unpacked(counts, len(items))
    except (zlib.error, ValueError) as error:
        _refuse(path, str(error), error)
    except MemoryError as error:
        raise UsageError(
            f"{path}: reading it takes more memory than there is; read it on a machine with more"
        ) from error
    for item, part in zip(items, columns, strict=True):
        if isinstance(item, dict):
            item["columns"] = part


def read_bounded(path: Path, most: int) -> bytes:
    """Read a file of at most `most` bytes; raises UsageError."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            content = file.read(min(most, size) + 1)  # the requested size is allocated at once
    except OSError as error:
        raise UsageError(f"{path}: damaged: it cannot be read: {reason_of(error)}") from error
    if len(content) > most:
        _refuse(path, f"larger than {most:,} bytes")
    return content


def _refuse(path: Path, why: str, error: Exception | None = None) -> NoReturn:
    raise UsageError(f"{path}: damaged, or not evidence of slocheck: {why}") from error


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()


def _refuse_unsealed(path: Path, packed: bytes) -> NoReturn:
    """Refuse a file without a checksum; if its format is another one, say that."""
    try:
        start = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(packed, _LOOKED_AT)
        _check_version(path, start)
    except (zlib.error, ValueError) as error:
        _refuse(path, str(error), error)
    _refuse(path, "it has no checksum")


def _unpacked(packed: bytes) -> bytes:
    """Return a file's content; raises ValueError and zlib.error."""
    most = most_of(len(packed))
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    plain = unpacking.decompress(packed, most)
    if not unpacking.eof:
        unpacking.decompress(unpacking.unconsumed_tail, 1)
    if not unpacking.eof or unpacking.unused_data:
        raise ValueError(f"cut off, or unpacks to more than {most:,} bytes")
    return plain


def _document(text: bytes) -> dict[str, Any]:
    """Return the evidence as plain values; raises ValueError and RecursionError."""
    if text.count(b"{") + text.count(b"[") > FREE_OBJECTS + len(text) // BYTES_PER_OBJECT:
        raise ValueError("it has more objects and lists than evidence of its size")
    document = json.loads(text, parse_constant=_no_constant)
    if not isinstance(document, dict) or document.keys() != {"evidence"}:
        raise ValueError("evidence is missing")
    evidence = document["evidence"]
    if not isinstance(evidence, dict):
        raise WrongValueError("evidence: not a Evidence")
    return evidence


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _check_version(path: Path, plain: bytes) -> None:
    """Raise UsageError for evidence of another format, which would be misread.

    Raises:
        ValueError: It does not say its format.
    """
    found = _VERSION.search(plain, 0, _LOOKED_AT)
    if found is None:
        raise ValueError("it does not say which format it has")
    version = int(found[1])
    if version < SCHEMA_VERSION:
        raise UsageError(
            f"{path}: evidence format {version}, which only development versions before slocheck 0.1.0 read "
            f"and write; this slocheck reads format {SCHEMA_VERSION}: run again"
        )
    if version > SCHEMA_VERSION:
        raise UsageError(
            f"{path}: evidence format {version}, which a newer slocheck wrote; "
            f"this slocheck reads format {SCHEMA_VERSION}: upgrade it to read the run"
        )
