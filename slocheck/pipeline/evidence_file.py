"""Evidence as a file: gzip around JSON, read back within bounds of memory."""

import io
import zlib
from gzip import GzipFile, compress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import SchemaValidator

from slocheck.documents.texts import each_text, valid_text
from slocheck.documents.words import quantity
from slocheck.errors import UsageError
from slocheck.evidence.model import SCHEMA_VERSION, Evidence
from slocheck.evidence.recording import SliceCounts
from slocheck.evidence.series import RawSeries
from slocheck.pipeline import manifest

EVIDENCE_FILE = "evidence.json.gz"
MAX_FILE = 1 << 28
MAX_PLAIN = 1 << 30
"""Bytes of a file, packed and unpacked."""

MAX_RATIO = 100
"""Times its size that a file may unpack to; evidence of slocheck unpacks to ten times, more or less."""

FREE_BYTES = 1 << 24
"""What a small file may unpack to whatever its size is."""

_SEQUENCES = ("tuple", "list", "set", "frozenset")


class _Document(BaseModel):
    """The file as a whole: NaN and infinity are kept, as strings."""

    model_config = ConfigDict(ser_json_inf_nan="strings")

    evidence: Evidence


class _Version(BaseModel):
    """The one field that every format of the evidence has."""

    schema_version: int


class _AnyDocument(BaseModel):
    """The file in any format, read for its version alone."""

    evidence: _Version


def _fail_fast(schema: Any) -> Any:
    """Return a schema whose sequences stop at their first wrong item.

    An error takes hundreds of times the bytes of an item, and a damaged file may have millions of them.
    """
    if isinstance(schema, dict):
        changed = {key: _fail_fast(part) for key, part in schema.items()}
        return changed | {"fail_fast": True} if schema.get("type") in _SEQUENCES else changed
    return [_fail_fast(part) for part in schema] if isinstance(schema, list) else schema


_VALIDATOR = SchemaValidator(_fail_fast(_Document.__pydantic_core_schema__), None, _use_prebuilt=False)


def encoded(evidence: Evidence) -> bytes:
    """Return the file of a run's evidence; texts that are not valid Unicode are written out."""
    valid = each_text(evidence, valid_text, untouched=(SliceCounts, RawSeries))
    plain = _Document(evidence=valid).model_dump_json()
    return compress(plain.encode(), compresslevel=6, mtime=0)


def load_evidence(folder: Path) -> Evidence:
    """Read a run back; raises UsageError when it is damaged or of another version."""
    path = folder / EVIDENCE_FILE
    packed = manifest.read_bounded(path, MAX_FILE)
    if (folder / manifest.MANIFEST_FILE).exists():
        manifest.check(path, packed)
    try:
        plain = _unpacked(path, packed)
        _check_version(path, plain)
        evidence: Evidence = _VALIDATOR.validate_json(plain).evidence
    except ValidationError as error:
        count = quantity(error.error_count(), "field")
        raise UsageError(f"{path}: damaged, or not evidence of slocheck: {count} cannot be read") from None
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise UsageError(f"{path}: damaged, or not evidence of slocheck: {error}") from error
    manifest.check(path, packed)
    return evidence


def _unpacked(path: Path, packed: bytes) -> bytes:
    most = min(MAX_PLAIN, max(FREE_BYTES, MAX_RATIO * len(packed)))
    with GzipFile(fileobj=io.BytesIO(packed)) as file:
        plain = file.read(most + 1)
        if len(plain) > most:
            raise UsageError(f"{path}: unpacks to more than {most} bytes; not evidence of slocheck")
    return plain


def _check_version(path: Path, plain: bytes) -> None:
    """Raise UsageError for evidence of another format, which could only be misread."""
    version = _AnyDocument.model_validate_json(plain).evidence.schema_version
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
