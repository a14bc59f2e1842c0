"""The counts of a recording as a file: columns of whole numbers, packed endpoint by endpoint.

    slocheck recording 1
    {"endpoints": [{"packed": 5120, "columns": [["u2", 600], ...]}, ...]}
    <zlib stream of the first endpoint's columns><of the second one's>...

Each column is little-endian, of the smallest type that holds it: ``u1``, ``u2``, ``u4`` or ``i8``. Their
order is that of `FIXED`, then one for each threshold, then ends, keys and counts for each of `SPARSE`. A
column in which every count is 0 may have the length 0. Reading checks all of it before it is used, and
never takes more memory than `check_size` allows for the file's size; nothing is written that it refuses.
"""

import json
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slocheck.evidence.columns import CLASSES, PLAIN, TIMES, Columns, Counts, Sparse, Whole, narrowed
from slocheck.evidence.histogram import MAX_INDEX

MAX_PLAIN = 1 << 30
"""Bytes that a file of evidence may unpack to."""
MAX_COUNTS = 1 << 33
"""Bytes of memory that the counts may take while they are read."""
MAX_COUNTS_FILE = 1 << 31
"""Bytes of their file: more than a day of twenty endpoints with a hundred requests a second each."""
MAX_RATIO = 50
"""Times its size that a file may unpack to; evidence of slocheck unpacks to ten times, more or less."""
FREE_BYTES = 1 << 22
"""What a small file may unpack to whatever its size is."""
FIRST_LINE = b"slocheck recording 1\n"
FIXED = ("seconds", *TIMES, *PLAIN, *CLASSES)
SPARSE = ("statuses", "latencies", "failed_latencies", "service_times")
MAX_STATUS = 999
MAX_HEAD = 1 << 22
"""Bytes of the second line."""
MAX_COLUMNS = 1 << 18
"""Lists and objects in it; each takes more memory than bytes."""

_KINDS = {name: np.dtype(f"<{name}") for name in ("u1", "u2", "u4", "i8")}
_LARGEST = float(1 << 62)
"""Of the sum of a column, so that sums of sums are still exact."""

Column = NDArray[np.integer[Any]]
Described = Sequence[tuple[str, int]]
"""A type and a length for each column of an endpoint."""


class TooLargeError(ValueError):
    """A file would be too large to be read, or takes too much memory; the text says how much."""


def most_of(packed: int, most: int = MAX_PLAIN) -> int:
    """Return how many bytes a file of this size may unpack to."""
    return min(most, max(FREE_BYTES, MAX_RATIO * packed))


def check_size(size: int, head: bytes, endpoints: Sequence[Described]) -> None:
    """Raise TooLargeError for a file that would not be read; also called before one is written.

    Args:
        size: Of the whole file.
        head: Its second line, without its end.
        endpoints: What that line says about each endpoint.
    """
    if size > MAX_COUNTS_FILE:
        raise TooLargeError(f"it has more than {MAX_COUNTS_FILE:,} bytes")
    _check_head(head)
    if sum(map(_memory, endpoints)) > most_of(size, MAX_COUNTS):
        raise TooLargeError(f"it unpacks to more than {most_of(size, MAX_COUNTS):,} bytes")


def _check_head(head: bytes) -> None:
    if len(head) >= MAX_HEAD or head.count(b"[") + head.count(b"{") > MAX_COLUMNS:
        raise TooLargeError(f"its second line describes more than {MAX_COLUMNS:,} columns")


def _memory(described: Described) -> int:
    """Return how many bytes an endpoint takes while it is read: its columns, and the tables made of them."""
    sizes = [_KINDS[kind].itemsize for kind, _ in described]
    plain = sum(size * length for size, (_, length) in zip(sizes, described, strict=True))
    first, last = 1 + len(TIMES), len(described) - 3 * len(SPARSE)
    rows = described[0][1]
    width = max(2, *sizes[first:last])
    entries = sum(length for _, length in described[last + 1 :: 3])
    return plain + rows * (8 * first + width * (last - first) + 8 * len(SPARSE)) + 4 * entries


def packed(parts: Sequence[Columns]) -> bytes:
    """Return the file of some endpoints' columns; TooLargeError if it could not be read again.

    What would be packed too well to be read, such as hours of nothing but refused connections, is stored as
    it is, its columns of zeros included.
    """
    try:
        return _packed(parts, 4)
    except TooLargeError:
        return _packed(parts, 0)


def _packed(parts: Sequence[Columns], level: int) -> bytes:
    heads, bodies, endpoints = [], [], []
    for part in parts:
        columns = [_smallest(column) for column in _columns(part.added_up(), zeros=not level)]
        body = zlib.compress(b"".join(column.tobytes() for column in columns), level)
        endpoints.append([_described(column) for column in columns])
        heads.append({"packed": len(body), "columns": endpoints[-1]})
        bodies.append(body)
    head = json.dumps({"endpoints": heads}).encode()
    check_size(len(FIRST_LINE) + len(head) + 1 + sum(map(len, bodies)), head, endpoints)
    return b"".join((FIRST_LINE, head, b"\n", *bodies))


def _columns(part: Columns, *, zeros: bool) -> Iterator[Column]:
    """Yield all columns in the file's order; without `zeros`, nothing of those that are 0 throughout."""
    yield part.seconds
    for column in (*part.counts.wide.T, *part.counts.narrow.T):
        yield column if zeros or np.any(column) else column[:0]
    for sparse in part.sparse:
        yield from (sparse.ends, sparse.keys, sparse.counts)


def _smallest(column: Column) -> Column:
    least, most = int(column.min(initial=0)), int(column.max(initial=0))
    bounds = {"u1": 1 << 8, "u2": 1 << 16, "u4": 1 << 32, "i8": 1 << 63}
    kind = next(name for name, bound in bounds.items() if (least >= 0 or name == "i8") and most < bound)
    return column.astype(_KINDS[kind])


def _described(column: Column) -> tuple[str, int]:
    return column.dtype.str[1:].replace("|", ""), len(column)


def unpacked(content: bytes, endpoints: int) -> list[Columns]:
    """Return the columns of a file's endpoints; ValueError and zlib.error if it is damaged."""
    if not content.startswith(FIRST_LINE):
        raise ValueError("it does not begin as counts of slocheck do")
    end = content.find(b"\n", len(FIRST_LINE), len(FIRST_LINE) + MAX_HEAD)
    head = content[len(FIRST_LINE) : max(0, end)]
    heads = _heads(head) if head else []
    if len(heads) != endpoints:
        raise ValueError(f"it has {len(heads)} endpoints, not {endpoints}")
    check_size(len(content), head, [described for _, described in heads])
    at, found = end + 1, []
    for length, described in heads:
        found.append(_endpoint(content[at : at + length], described))
        at += length
    if at != len(content):
        raise ValueError("it is cut off, or goes on")
    return found


def _heads(line: bytes) -> list[tuple[int, list[tuple[str, int]]]]:
    """Return what the second line says about each endpoint: its packed size, and its columns."""
    _check_head(line)
    try:
        plain = json.loads(line)["endpoints"]
        heads = [(each["packed"], [(kind, size) for kind, size in each["columns"]]) for each in plain]
    except (LookupError, TypeError, ValueError, RecursionError) as error:
        raise ValueError("its second line does not describe its columns") from error
    for length, described in heads:
        sizes = [length, *(size for _, size in described)]
        if any(type(size) is not int or size < 0 for size in sizes) or not all(
            isinstance(kind, str) and kind in _KINDS for kind, _ in described
        ):
            raise ValueError("its second line describes columns that cannot be")
        if len(described) < len(FIXED) + 3 * len(SPARSE):
            raise ValueError("columns are missing")
    return heads


def _endpoint(body: bytes, described: Described) -> Columns:
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
    if len(columns[0]) != rows:
        raise ValueError(f"{name}: entries do not belong to rows")
    ends, keys, counts = columns[0].astype(np.int64), columns[1], _counts(columns[2])
    lengths = np.diff(ends, prepend=0)
    if np.any(lengths < 0) or (int(ends[-1]) if rows else 0) != len(keys):
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
