"""The counts of a recording as a file: columns of whole numbers, packed endpoint by endpoint.

    slocheck recording 1
    {"endpoints": [{"packed": 5120, "columns": [["u2", 600], ...]}, ...]}
    <zlib stream of the first endpoint's columns><of the second one's>...

Each column is little-endian, of the smallest type that holds it: ``u1``, ``u2``, ``u4`` or ``i8``. Their
order is that of `FIXED`, then one for each threshold, then ends, keys and counts for each of `SPARSE`. A
column in which every count is 0 has the length 0. Reading checks all of it before it is believed, and never
takes more memory than `most_of` allows for the file's size.
"""

import json
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slocheck.evidence.columns import CLASSES, PLAIN, TIMES, WIDTH, Columns, Counts, Sparse, Whole, narrowed
from slocheck.evidence.histogram import MAX_INDEX

MAX_PLAIN = 1 << 30
"""Bytes that a file may unpack to."""
MAX_RATIO = 50
"""Times its size that a file may unpack to; evidence of slocheck unpacks to ten times, more or less."""
FREE_BYTES = 1 << 22
"""What a small file may unpack to whatever its size is."""
FIRST_LINE = b"slocheck recording 1\n"
FIXED = ("seconds", *TIMES, *PLAIN, *CLASSES)
SPARSE = ("statuses", "latencies", "failed_latencies", "service_times")
MAX_STATUS = 999
MAX_HEAD = 1 << 24
"""Bytes of the second line."""

_KINDS = {name: np.dtype(f"<{name}") for name in ("u1", "u2", "u4", "i8")}
_LARGEST = float(1 << 62)
"""Of the sum of a column, so that sums of sums are still exact."""

Column = NDArray[np.integer[Any]]


def most_of(packed: int) -> int:
    """Return how many bytes a file of so many bytes may unpack to."""
    return min(MAX_PLAIN, max(FREE_BYTES, MAX_RATIO * packed))


def packed(parts: Sequence[Columns]) -> bytes:
    """Return the file of some endpoints' columns.

    What would be packed too well to be read again, such as hours of nothing but refused connections, is
    stored as it is.
    """
    found = _packed(parts, 4)
    return found if _size(parts) <= most_of(len(found)) else _packed(parts, 0)


def _packed(parts: Sequence[Columns], level: int) -> bytes:
    heads, bodies = [], []
    for part in parts:
        columns = [_smallest(column) for column in _columns(part.added_up())]
        body = zlib.compress(b"".join(column.tobytes() for column in columns), level)
        heads.append({"packed": len(body), "columns": [_described(column) for column in columns]})
        bodies.append(body)
    return b"".join((FIRST_LINE, json.dumps({"endpoints": heads}).encode(), b"\n", *bodies))


def _columns(part: Columns) -> Iterator[Column]:
    """Yield all columns in the file's order."""
    yield part.seconds
    for column in (*part.counts.wide.T, *part.counts.narrow.T):
        yield column if np.any(column) else column[:0]
    for sparse in part.sparse:
        yield from (sparse.ends, sparse.keys, sparse.counts)


def _smallest(column: Column) -> Column:
    least, most = int(column.min(initial=0)), int(column.max(initial=0))
    bounds = {"u1": 1 << 8, "u2": 1 << 16, "u4": 1 << 32, "i8": 1 << 63}
    kind = next(name for name, bound in bounds.items() if (least >= 0 or name == "i8") and most < bound)
    return column.astype(_KINDS[kind])


def _described(column: Column) -> tuple[str, int]:
    return column.dtype.str[1:].replace("|", ""), len(column)


def _size(parts: Sequence[Columns]) -> int:
    """Return how many bytes columns take, packed or not."""
    return sum(_bytes(len(part.seconds), part.counts.thresholds, part.sparse) for part in parts)


def _bytes(rows: int, thresholds: int, sparse: Sequence[Sparse]) -> int:
    return rows * 2 * (WIDTH + thresholds + 16) + sum(4 * len(each.keys) for each in sparse)


def unpacked(content: bytes, endpoints: int) -> list[Columns]:
    """Return the columns of a file's endpoints; ValueError and zlib.error if it is damaged."""
    if not content.startswith(FIRST_LINE):
        raise ValueError("it does not begin as counts of slocheck do")
    end = content.find(b"\n", len(FIRST_LINE), len(FIRST_LINE) + MAX_HEAD)
    heads = _heads(content[len(FIRST_LINE) : end]) if end > 0 else []
    if len(heads) != endpoints:
        raise ValueError(f"it has {len(heads)} endpoints, not {endpoints}")
    left, at, found = most_of(len(content)), end + 1, []
    for length, described in heads:
        left -= sum(_KINDS[kind].itemsize * size for kind, size in described)
        if left < 0:
            raise ValueError(f"it unpacks to more than {most_of(len(content)):,} bytes")
        found.append(_endpoint(content[at : at + length], described))
        at += length
        left -= _bytes(len(found[-1].seconds), found[-1].counts.thresholds, ())
    if at != len(content):
        raise ValueError("it is cut off, or goes on")
    return found


def _heads(line: bytes) -> list[tuple[int, list[tuple[str, int]]]]:
    """Return what the second line says of each endpoint: its packed size, and its columns."""
    try:
        plain = json.loads(line)["endpoints"]
        heads = [(each["packed"], [(kind, size) for kind, size in each["columns"]]) for each in plain]
    except (LookupError, TypeError, ValueError, RecursionError) as error:
        raise ValueError("its second line does not describe its columns") from error
    for length, described in heads:
        sizes = [length, *(size for _, size in described)]
        if any(type(size) is not int or size < 0 for size in sizes) or not all(
            kind in _KINDS for kind, _ in described
        ):
            raise ValueError("its second line describes columns that cannot be")
        if len(described) < len(FIXED) + 3 * len(SPARSE):
            raise ValueError("columns are missing")
    return heads


def _endpoint(body: bytes, described: Sequence[tuple[str, int]]) -> Columns:
    size = sum(_KINDS[kind].itemsize * length for kind, length in described)
    unpacking = zlib.decompressobj()
    plain = unpacking.decompress(body, size + 1)
    if len(plain) != size or not unpacking.eof or unpacking.unused_data:
        raise ValueError("an endpoint does not unpack to what it is described as")
    columns, at = [], 0
    for kind, length in described:
        columns.append(np.frombuffer(plain, _KINDS[kind], length, at))
        at += columns[-1].nbytes
    last = len(columns) - 3 * len(SPARSE)
    rows = len(columns[0])
    return Columns(
        _ascending(columns[0].astype(np.int64), "seconds"),
        Counts(
            _table(columns[1 : 1 + len(TIMES)], rows).astype(np.int64),
            narrowed(_table(columns[1 + len(TIMES) : last], rows)),
        ),
        tuple(
            _sparse(name, columns[place : place + 3], rows)
            for name, place in zip(SPARSE, range(last, len(columns), 3), strict=True)
        ),
        whole=True,
    )


def _table(columns: Sequence[Column], rows: int) -> Column:
    """Return columns side by side; one without entries is 0 throughout."""
    kind = max((column.dtype for column in columns), key=lambda each: each.itemsize)
    table: Column = np.zeros((rows, len(columns)), dtype=max(kind, np.dtype(np.uint16)))
    for number, column in enumerate(columns):
        if len(column) not in (0, rows):
            raise ValueError("columns differ in their length")
        if len(column):
            table[:, number] = _counts(column)
    return table


def _counts(column: Column) -> Column:
    if int(column.min(initial=0)) < 0 or float(column.sum(dtype=np.float64)) >= _LARGEST:
        raise ValueError("a count is below 0, or too large")
    return column


def _ascending(column: Whole, name: str) -> Whole:
    if np.any(column[1:] <= column[:-1]):
        raise ValueError(f"{name} are not in order")
    return column


def _sparse(name: str, columns: Sequence[Column], rows: int) -> Sparse:
    ends, keys, counts = columns[0].astype(np.int64), columns[1], _counts(columns[2])
    lengths = np.diff(ends, prepend=0)
    if len(ends) != rows or np.any(lengths < 0) or (int(ends[-1]) if rows else 0) != len(keys):
        raise ValueError(f"{name}: entries do not belong to rows")
    if len(counts) != len(keys) or not np.all(counts):
        raise ValueError(f"{name}: a key has no count")
    if len(keys) and not 0 <= int(keys.min()) <= int(keys.max()) <= _highest(name):
        raise ValueError(f"{name}: a key is out of its range")
    found = Sparse(ends, keys.astype(np.uint16), narrowed(counts))
    _ascending((found.rows << 16) + found.keys, f"{name}: keys")
    return found


def _highest(name: str) -> int:
    return MAX_STATUS if name == SPARSE[0] else MAX_INDEX
