"""Evidence as a file: gzip around JSON with checksums in its head, read back within bounds of memory.

The head is a constant and two checksums, of the rest of the file and of the spec, as the comment of a gzip
file, so that `zcat` shows what is in it. A file that was damaged in any bit is not what was written. The
checksums are against damage, not against forgery.
"""

import hashlib
import json
import os
import re
import zlib
from gzip import compress
from pathlib import Path
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict

from slocheck.documents.texts import each_text, valid_text
from slocheck.errors import UsageError
from slocheck.evidence.model import SCHEMA_VERSION, Evidence
from slocheck.evidence.plain_values import WrongValueError, typed
from slocheck.evidence.recording import SliceCounts
from slocheck.evidence.series import RawSeries

MAX_FILE = 1 << 28
MAX_PLAIN = 1 << 30
"""Bytes of a file, packed and unpacked."""
MAX_RATIO = 50
"""Times its size that a file may unpack to; evidence of slocheck unpacks to ten times, more or less."""
FREE_BYTES = 1 << 22
"""What a small file may unpack to whatever its size is."""
BYTES_PER_OBJECT = 16
"""Of plain JSON for each object and list, at least; there are 30 in evidence of slocheck."""
FREE_OBJECTS = 1 << 17
"""Braces and brackets that any file may have: they stand in texts, too."""

_HEAD = b"\x1f\x8b\x08\x10\0\0\0\0\0\xffslocheck sha256 "
"""A gzip head with a comment and without a time, up to where the checksums begin."""
_DIGEST = 64
_SEAL = len(_HEAD) + 2 * _DIGEST + 2
"""Bytes before what is packed: the head, the file's checksum, a space, the spec's, and a zero."""
_GZIP_HEAD = 10
_LOOKED_AT = 1 << 16
_VERSION = re.compile(rb'"schema_version":\s*(\d{1,9})\b')


class _Document(BaseModel):
    """The file as a whole: NaN and infinity are kept, as strings."""

    model_config = ConfigDict(ser_json_inf_nan="strings")

    evidence: Evidence


def encoded(evidence: Evidence, spec: bytes) -> bytes:
    """Return the file of a run's evidence; texts that are not valid Unicode are written out."""
    valid = each_text(evidence, valid_text, untouched=(SliceCounts, RawSeries))
    return sealed(_Document(evidence=valid).model_dump_json().encode(), spec)


def sealed(plain: bytes, spec: bytes) -> bytes:
    """Return a document as a gzip file with the checksums of itself and of the spec beside it.

    What would be packed too well to be read again, such as hours of nothing but refused connections, is
    stored as it is.
    """
    packed = compress(plain, compresslevel=6, mtime=0)
    if len(plain) > _most(len(packed)):
        packed = compress(plain, compresslevel=0, mtime=0)
    rest = _digest(spec) + b"\0" + packed[_GZIP_HEAD:]
    return _HEAD + _digest(rest) + b" " + rest


def fits_spec(packed: bytes, spec: bytes) -> bool:
    """Tell whether evidence that `decoded` has read was written with this spec, to the bit."""
    return packed[_SEAL - _DIGEST - 1 : _SEAL - 1] == _digest(spec)


def decoded(path: Path, packed: bytes) -> Evidence:
    """Return the evidence of a file's bytes; raises UsageError when it is damaged or of another version."""
    if packed[: len(_HEAD)] != _HEAD:
        _refuse_unsealed(path, packed)
    if packed[len(_HEAD) : len(_HEAD) + _DIGEST + 1] != _digest(packed[_SEAL - _DIGEST - 1 :]) + b" ":
        _refuse(path, "its checksum is another")
    try:
        plain = _unpacked(packed)
        _check_version(path, plain)
        return _parsed(plain)
    except (zlib.error, ValueError, RecursionError) as error:
        _refuse(path, str(error), error)


def read_bounded(path: Path, most: int) -> bytes:
    """Read a file of at most `most` bytes; raises UsageError."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            content = file.read(min(most, size) + 1)  # memory is taken for all that is asked for
    except OSError as error:
        raise UsageError(f"{path}: damaged: it cannot be read: {error.strerror or error}") from error
    if len(content) > most:
        _refuse(path, f"larger than {most:,} bytes")
    return content


def _refuse(path: Path, why: str, error: Exception | None = None) -> NoReturn:
    raise UsageError(f"{path}: damaged, or not evidence of slocheck: {why}") from error


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()


def _refuse_unsealed(path: Path, packed: bytes) -> NoReturn:
    """Refuse a file without a checksum: by its format, where that is another one."""
    try:
        start = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(packed, _LOOKED_AT)
        _check_version(path, start)
    except (zlib.error, ValueError) as error:
        _refuse(path, str(error), error)
    _refuse(path, "it has no checksum")


def _most(packed: int) -> int:
    """Return how many bytes a file of so many bytes may unpack to."""
    return min(MAX_PLAIN, max(FREE_BYTES, MAX_RATIO * packed))


def _unpacked(packed: bytes) -> bytes:
    """Return a file's content; raises ValueError and zlib.error."""
    most = _most(len(packed))
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    plain = unpacking.decompress(packed, most)
    if not unpacking.eof:
        unpacking.decompress(unpacking.unconsumed_tail, 1)
    if not unpacking.eof or unpacking.unused_data:
        raise ValueError(f"cut off, or unpacks to more than {most:,} bytes")
    return plain


def _parsed(plain: bytes) -> Evidence:
    """Return the evidence; raises ValueError and RecursionError."""
    if plain.count(b"{") + plain.count(b"[") > FREE_OBJECTS + len(plain) // BYTES_PER_OBJECT:
        raise ValueError("it has more objects and lists than evidence of its size")
    document = json.loads(plain, parse_constant=_no_constant)
    if not isinstance(document, dict) or document.keys() != {"evidence"}:
        raise ValueError("evidence is missing")
    try:
        evidence: Evidence = typed(Evidence, document["evidence"])
    except WrongValueError as error:
        raise ValueError(f"evidence{error}") from error
    return evidence


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _check_version(path: Path, plain: bytes) -> None:
    """Raise UsageError for evidence of another format, which could only be misread.

    Raises:
        ValueError: It does not say which format it has.
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
