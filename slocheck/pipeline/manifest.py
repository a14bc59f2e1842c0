"""The list of a run's files with their hashes: what is damaged in any bit is refused, whatever it holds.

It is independent of how a file is encoded. It protects against damage, not against forgery: whoever can write
the files can write the list.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from slocheck.errors import UsageError

MANIFEST_FILE = "manifest.json"
_MAX_MANIFEST = 1 << 16


def manifest_of(files: Mapping[str, bytes]) -> bytes:
    """Return the manifest of files, by name."""
    return json.dumps({"sha256": {name: _hash(content) for name, content in files.items()}}).encode()


def read_whole(path: Path, most: int) -> bytes:
    """Read a file of at most `most` bytes, and compare it with the manifest beside it.

    Raises:
        UsageError: It is missing, larger, or not what was written.
    """
    content = read_bounded(path, most)
    check(path, content)
    return content


def read_bounded(path: Path, most: int) -> bytes:
    """Read a file of at most `most` bytes; raises UsageError."""
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise UsageError(f"{path}: damaged: it cannot be read: {error.strerror or error}") from error
    if len(content) > most:
        raise UsageError(f"{path}: damaged, or not of slocheck: larger than {most} bytes")
    return content


def check(path: Path, content: bytes) -> None:
    """Raise UsageError where this is not what the manifest says that the file holds."""
    place = path.with_name(MANIFEST_FILE)
    plain = read_bounded(place, _MAX_MANIFEST)
    try:
        hashes = json.loads(plain)["sha256"]
        known = hashes[path.name]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{place}: damaged: it does not say what {path.name} holds") from error
    if known != _hash(content):
        raise UsageError(f"{path}: damaged: it is not what {MANIFEST_FILE} says that was written")


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
