"""Counts of a second as plain values, and back: columns as bytes, which are checked before they are used.

An array is its type and its bytes, in little-endian order and in the smallest of four types that holds it.
Each array's length follows from those before it. So what is read takes memory in proportion to the
message, whatever sizes the message states. In a line of JSON the bytes are in Base64.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slocheck.documents.texts import shorten, valid_text
from slocheck.evidence.columns import TIMES, WIDTH, Columns, Counts, Sparse, Whole, chosen_rows
from slocheck.evidence.histogram import MAX_INDEX
from slocheck.evidence.merge import MAX_MESSAGE, Delta
from slocheck.evidence.parts.batch import NO_COUNTS, Batch
from slocheck.evidence.recording import BEFORE_LOAD, ErrorExample, FailureClass, SlowRequest
from slocheck.load.messaging.reading import (
    MAX_SECOND,
    MAX_STATUS,
    Reading,
    a_count,
    a_list,
    a_second,
    a_text,
    a_whole,
    flat,
    pairs_of,
)
from slocheck.load.recording.lags import NO_LAGS, Lags
from slocheck.spec.model import Endpoint

MAX_ROWS = 1 << 20
"""Most rows of a batch; the limit of a message's bytes is reached before."""
MAX_THRESHOLDS = 1000
_TYPES: dict[str, np.dtype[Any]] = {
    "u1": np.dtype("<u1"), "u2": np.dtype("<u2"), "u4": np.dtype("<u4"), "i8": np.dtype("<i8"),
}  # fmt: skip
_UNSIGNED = {name: int(np.iinfo(_TYPES[name]).max) for name in ("u1", "u2", "u4")}
_NO_KEY = 0xFFFF
"""Replaces a key that is out of every range."""
_DAMAGED = Endpoint("", "(damaged)")
_NO_ROWS = np.zeros(0, dtype=np.int64)
_OUT_OF_RANGE = "a number out of its range"
Array = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class SparseParts:
    """A sparse column as it arrived: as many entries as there have to be, and nothing else is certain.

    Attributes:
        ends: Shape (R,).
        keys: Shape (E,).
        counts: As many.
    """

    ends: Array
    keys: Array
    counts: Array


@dataclass(frozen=True, slots=True)
class BatchParts:
    """A batch as it arrived: arrays of the right lengths, whose numbers may be wrong.

    Attributes:
        endpoints: What was asked; one whose name cannot be read has a stand-in.
        damaged: The places of these.
        rows: R.
        thresholds: T.
        seconds: Shape (R,).
        places: Shape (R,).
        wide: Shape (R, 3).
        narrow: Shape (R, `WIDTH` + T).
        sparse: The four sparse columns.
    """

    endpoints: tuple[Endpoint, ...]
    damaged: list[int]
    rows: int
    thresholds: int
    seconds: Array
    places: Array
    wide: Array
    narrow: Array
    sparse: tuple[SparseParts, ...]


def text_of_bytes(value: object) -> str:
    """Return what encodes bytes in a line of JSON; raises TypeError for anything else."""
    if not isinstance(value, bytes):
        raise TypeError(f"{type(value).__name__} cannot be sent")
    return b64encode(value).decode()


def plain_array(values: NDArray[Any]) -> list[Any]:
    """Return an array of whole numbers as its type and its bytes."""
    lowest, highest = (int(values.min()), int(values.max())) if values.size else (0, 0)
    kind = next((name for name, most in _UNSIGNED.items() if lowest >= 0 and highest <= most), "i8")
    return [kind, values.astype(_TYPES[kind]).tobytes()]


def read_array(plain: Any, size: int) -> Array:
    """Return an array of that many numbers; ValueError, TypeError or LookupError if it is not one."""
    kind, data = a_list(plain)
    dtype = _TYPES[a_text(kind)]
    length = size * dtype.itemsize
    if isinstance(data, str) and len(data) == -(-length // 3) * 4:
        data = b64decode(data, validate=True)
    if not isinstance(data, bytes) or len(data) != length:
        raise ValueError("too few or too many numbers")
    found: Array = np.frombuffer(data, dtype=dtype)
    return found


def plain_delta(delta: Delta) -> list[Any]:
    """Return a delta as plain values."""
    return [
        _plain_batch(delta.batch),
        [
            [*_plain_endpoint(e.endpoint), e.failure.value, e.count, valid_text(e.message), e.second]
            for e in delta.errors
        ],
        [
            [*_plain_endpoint(one.endpoint), one.latency_ns, one.second, one.status, one.failure or ""]
            for one in delta.slowest
        ],
    ]


def read_delta(plain: Any, reading: Reading) -> Delta:
    """Return a delta from plain values; rows and errors that cannot be read are named in `reading`.

    Raises:
        ValueError, TypeError: It is not a delta at all.
    """
    batch, errors, slowest = plain
    return Delta(
        batch=reading.one("requests", batch, lambda parts: _batch(parts, reading), NO_COUNTS),
        errors=read_errors(errors, reading),
        slowest=read_slowest(slowest, reading),
    )


def read_errors(plain: Any, reading: Reading) -> tuple[ErrorExample, ...]:
    """Return failed requests by message from plain values; those that cannot be read are named."""
    return reading.each("error", plain, lambda parts: _error(*parts))


def read_slowest(plain: Any, reading: Reading) -> tuple[SlowRequest, ...]:
    """Return slow responses from plain values; those that cannot be read are named."""
    return reading.each("slowest", plain, lambda parts: _slow_request(*parts))


def _plain_endpoint(endpoint: Endpoint) -> tuple[str, str]:
    return valid_text(endpoint.method), valid_text(endpoint.name)


def _plain_batch(batch: Batch) -> list[Any]:
    """Return a batch as plain values; nothing for one without rows."""
    if not len(batch):
        return []
    columns = batch.columns
    return [
        flat(map(_plain_endpoint, batch.endpoints)),
        [len(batch), columns.counts.thresholds, *(len(sparse.keys) for sparse in columns.sparse)],
        *map(plain_array, (columns.seconds, batch.places, columns.counts.wide, columns.counts.narrow)),
        *(plain_array(part) for each in columns.sparse for part in (each.ends, each.keys, each.counts)),
    ]


def batch_parts(plain: Any) -> BatchParts:
    """Return what a batch is made of; raises one of `JUNK` if lengths do not fit."""
    names, sizes, seconds, places, wide, narrow, *sparse = a_list(plain)
    endpoints, damaged = _endpoints(a_list(names))
    rows, thresholds, *entries = a_list(sizes)
    a_whole(rows, 0, MAX_ROWS)
    width = WIDTH + a_whole(thresholds, 0, MAX_THRESHOLDS)
    return BatchParts(
        endpoints,
        damaged,
        rows,
        thresholds,
        read_array(seconds, rows),
        read_array(places, rows),
        read_array(wide, rows * len(TIMES)).reshape(rows, len(TIMES)),
        read_array(narrow, rows * width).reshape(rows, width),
        tuple(sparse_parts(entries, sparse, rows)),
    )


def _batch(plain: Any, reading: Reading) -> Batch:
    """Return the rows of a batch that can be read; raises one of `JUNK` if none can."""
    if plain == []:
        return NO_COUNTS
    parts = batch_parts(plain)
    columns = Columns(
        parts.seconds.astype(np.int64),
        Counts(parts.wide.astype(np.int64), parts.narrow),
        tuple(_sparse(each, parts.rows) for each in parts.sparse),
    )
    batch = Batch(parts.endpoints, parts.places.astype(np.int64), columns)
    return _without_unsound(batch, parts.damaged, reading)


def _endpoints(names: list[Any]) -> tuple[tuple[Endpoint, ...], list[int]]:
    """Return the endpoints, and the places of those whose names cannot be read."""
    if all(type(name) is str for name in names):
        return _named(tuple(names)), []
    found, damaged = list[Endpoint](), []
    for place, (method, name) in enumerate(pairs_of(names)):
        readable = isinstance(method, str) and isinstance(name, str)
        found.append(Endpoint(a_text(method), a_text(name)) if readable else _DAMAGED)
        damaged += [] if readable else [place]
    return tuple(found), damaged


@lru_cache(maxsize=256)
def _named(names: tuple[str, ...]) -> tuple[Endpoint, ...]:
    """Return endpoints by their names, which are those of the report before, or of another worker."""
    return tuple(Endpoint(a_text(method), a_text(name)) for method, name in pairs_of(list(names)))


def sparse_parts(sizes: list[Any], arrays: list[Any], rows: int) -> Iterator[SparseParts]:
    """Yield sparse columns as they arrived; raises one of `JUNK` if lengths do not fit."""
    of_three = zip(sizes, arrays[::3], arrays[1::3], arrays[2::3], strict=True)
    for size, ends, keys, counts in of_three:
        a_count(size)
        yield SparseParts(read_array(ends, rows), read_array(keys, size), read_array(counts, size))


def _sparse(parts: SparseParts, rows: int) -> Sparse:
    """Return a sparse column; raises ValueError if its entries do not belong to a row each."""
    ends, keys = parts.ends.astype(np.int64), parts.keys
    whole = not rows or (ends[0] >= 0 and not (ends[1:] < ends[:-1]).any())
    if not whole or (ends[-1] if rows else 0) != len(keys):
        raise ValueError("entries that belong to no row")
    if keys.dtype.itemsize > np.dtype(np.uint16).itemsize:
        keys = np.where((keys >= 0) & (keys < _NO_KEY), keys, _NO_KEY)
    return Sparse(ends, keys.astype(np.uint16, copy=False), parts.counts)


def _without_unsound(batch: Batch, damaged: list[int], reading: Reading) -> Batch:
    """Return the rows that can be counted; names the others."""
    known = (batch.places >= 0) & (batch.places < len(batch.endpoints))
    if damaged:
        known &= ~np.isin(batch.places, damaged)
    good = known & sound(batch.columns)
    for row in np.flatnonzero(~good):
        name = batch.endpoints[batch.places[row]] if known[row] else _DAMAGED
        reading.lose("requests", f"{name}, second {batch.columns.seconds[row]}", ValueError(_OUT_OF_RANGE))
    return batch.chosen(good)


def sound(columns: Columns) -> NDArray[np.bool_]:
    """Tell for each row whether its numbers are within their ranges, shape (R,)."""
    good: NDArray[np.bool_] = (columns.seconds >= BEFORE_LOAD) & (columns.seconds <= MAX_SECOND)
    for numbers in (columns.counts.wide, columns.counts.narrow):
        if numbers.dtype == np.int64 and numbers.size:
            good &= numbers.min(axis=1) >= 0
    highest = (MAX_STATUS, MAX_INDEX, MAX_INDEX, MAX_INDEX)
    for sparse, most in zip(columns.sparse, highest, strict=True):
        good[_rows_with_bad_entries(sparse, most)] = False
    return good


def _rows_with_bad_entries(sparse: Sparse, highest: int) -> Whole:
    """Return the rows with a key beyond `highest`, out of order or there twice, or with a count below 0."""
    bad = sparse.keys > highest
    if sparse.counts.dtype == np.int64:
        bad |= sparse.counts < 0
    if len(bad):
        begins = np.zeros(len(bad) + 1, dtype=np.bool_)
        begins[sparse.ends] = True
        bad[1:] |= (sparse.keys[1:] <= sparse.keys[:-1]) & ~begins[1:-1]
    if not bad.any():
        return _NO_ROWS
    found: Whole = np.searchsorted(sparse.ends, np.flatnonzero(bad), side="right")
    return found


def plain_lags(lags: Lags) -> list[Any]:
    """Return histograms by second as plain values; nothing for none."""
    counts = lags.counts
    if not len(lags.seconds):
        return []
    sizes = [len(lags.seconds), len(counts.keys)]
    arrays: tuple[NDArray[Any], ...] = (lags.seconds, counts.ends, counts.keys, counts.counts)
    return [sizes, *map(plain_array, arrays)]


def lag_parts(plain: Any) -> tuple[Array, SparseParts]:
    """Return the seconds and the counts of delays; raises one of `JUNK` if lengths do not fit."""
    (rows, entries), seconds, *arrays = a_list(plain)
    a_whole(rows, 0, MAX_ROWS)
    (counts,) = sparse_parts([entries], arrays, rows)
    return read_array(seconds, rows), counts


def read_lags(plain: Any, reading: Reading) -> Lags:
    """Return histograms by second from plain values; those that cannot be read are named in `reading`.

    Raises:
        ValueError, TypeError: They are not histograms at all.
    """
    if plain == []:
        return NO_LAGS
    seconds, parts = lag_parts(plain)
    lags = Lags(seconds.astype(np.int64), _sparse(parts, len(seconds)))
    good = sound_lags(lags)
    for row in np.flatnonzero(~good):
        reading.lose("lag", f"second {lags.seconds[row]}", ValueError(_OUT_OF_RANGE))
    kept = np.flatnonzero(good)
    return Lags(lags.seconds[kept], lags.counts if good.all() else chosen_rows(lags.counts, kept))


def sound_lags(lags: Lags) -> NDArray[np.bool_]:
    """Tell for each histogram whether its numbers are within their ranges, shape (R,)."""
    good: NDArray[np.bool_] = np.abs(lags.seconds) <= MAX_SECOND
    good[_rows_with_bad_entries(lags.counts, MAX_INDEX)] = False
    return good


def _error(method: Any, name: Any, *plain: Any) -> ErrorExample:
    failure, count, message, second = plain
    endpoint = Endpoint(a_text(method), a_text(name))
    shown = shorten(a_text(message), MAX_MESSAGE)
    return ErrorExample(endpoint, FailureClass(failure), a_count(count), shown, a_second(second))


def _slow_request(method: Any, name: Any, *plain: Any) -> SlowRequest:
    latency, second, status, failure = plain
    return SlowRequest(
        Endpoint(a_text(method), a_text(name)),
        a_count(latency),
        a_second(second),
        a_whole(status, 0, MAX_STATUS),
        FailureClass(failure) if failure else None,
    )
