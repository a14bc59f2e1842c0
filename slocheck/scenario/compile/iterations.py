"""The values of iterations, drawn in blocks; seed, feeder name and iteration number determine each value.

Draw i of a feeder belongs to iteration i, whichever process runs it: every process walks the same stream
of a counter-based generator (Philox, Salmon et al. 2011) and takes its own share of the words.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from slocheck.scenario.compile.value_slots import Column
from slocheck.scenario.model import CsvFeeder, Feeder, ListFeeder, RangeFeeder, UuidFeeder, ZipfFeeder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Words = NDArray[np.uint64]
    Positions = NDArray[np.int64]

BLOCK = 1024
"""Iterations that a process draws at once: about 0.1 ms of work, the most by which it may delay a request."""

_FLOWS, _FEEDERS = 0, 1
_UUID_LENGTH = 36
_DASHES = (8, 13, 18, 23)


class _Stream:
    """A process's share of the words of one stream."""

    def __init__(self, seed: int, key: Sequence[int], *, index: int, processes: int, words: int = 1) -> None:
        import numpy as np  # noqa: PLC0415 - --help stays light

        self._bits = np.random.Philox(np.random.SeedSequence(seed, spawn_key=tuple(key)))
        self._index = index
        self._processes = processes
        self._words = words

    def next(self) -> "Words":
        """Return the words of the next block, of shape (BLOCK, words per iteration)."""
        raw: Words = self._bits.random_raw(BLOCK * self._processes * self._words)
        return raw.reshape(-1, self._words)[self._index :: self._processes]

    def uniform(self) -> "NDArray[np.float64]":
        """Return a number in [0, 1), of 53 bits, for each iteration of the next block."""
        import numpy as np  # noqa: PLC0415 - --help stays light

        return (self.next()[:, 0] >> np.uint64(11)).astype(np.float64) * 2.0**-53


def iterate(
    columns: Sequence[Column], weights: Sequence[float], *, seed: int, index: int, processes: int
) -> Iterator[tuple[int, list[object]]]:
    """Return what `CompiledScenario.iterations` yields; loads numpy and builds all tables first."""
    choose = _chooser(weights, seed, index, processes)
    feeders = {column.feeder.name: column.feeder for column in columns if column.feeder is not None}
    draws = {name: _drawer(feeder, seed, index, processes) for name, feeder in feeders.items()}
    arrays: dict[int, Any] = {}
    fills = [_filler(column, arrays) for column in columns]

    def blocks() -> Iterator[Iterator[tuple[int, list[object]]]]:
        number = index
        while True:
            drawn = {name: draw(number) for name, draw in draws.items()}
            lists = [fill(drawn) for fill in fills]
            rows = map(list, zip(*lists, strict=True)) if lists else ([] for _ in range(BLOCK))
            yield zip(choose(), rows, strict=True)
            number += BLOCK * processes

    return chain.from_iterable(blocks())


def _chooser(weights: Sequence[float], seed: int, index: int, processes: int) -> Callable[[], list[int]]:
    """Return a function that chooses a flow for each iteration of the next block."""
    import numpy as np  # noqa: PLC0415 - --help stays light

    if len(weights) == 1:
        return lambda: [0] * BLOCK
    stream = _Stream(seed, [_FLOWS], index=index, processes=processes)
    cumulative = np.cumsum(weights)
    cumulative /= cumulative[-1]
    return lambda: np.searchsorted(cumulative, stream.uniform(), side="right").tolist()


def _filler(column: Column, arrays: dict[int, Any]) -> Callable[[dict[str, Any]], list[object]]:
    """Return a function from a block's draws to the values of one slot.

    Args:
        column: What fills the slot.
        arrays: The tables of the columns so far, by identity, because feeders of one file share them.
    """
    import numpy as np  # noqa: PLC0415 - --help stays light

    if column.feeder is None:
        empty: list[object] = [None] * BLOCK
        return lambda _: empty
    name = column.feeder.name
    if isinstance(column.feeder, UuidFeeder):
        return lambda drawn: drawn[name]
    if column.table is not None:
        table = arrays.get(id(column.table))
        if table is None:
            table = arrays[id(column.table)] = np.empty(len(column.table), dtype=object)
            table[:] = column.table
        return lambda drawn: table[drawn[name]].tolist()
    assert isinstance(column.feeder, RangeFeeder | ZipfFeeder)
    first = column.feeder.first
    return lambda drawn: (drawn[name] + first).tolist()


def _drawer(feeder: Feeder, seed: int, index: int, processes: int) -> Callable[[int], Any]:
    """Return a function from the number of a block's first iteration to its positions (UUIDs: texts)."""
    import numpy as np  # noqa: PLC0415 - --help stays light

    def stream(words: int = 1) -> _Stream:
        return _Stream(seed, [_FEEDERS, *feeder.name.encode()], index=index, processes=processes, words=words)

    match feeder:
        case UuidFeeder():
            pairs = stream(words=2)
            return lambda _: _uuids(pairs.next())
        case ZipfFeeder():
            shares = stream()
            cumulative = zipf_cumulative(feeder)
            return lambda _: np.searchsorted(cumulative, shares.uniform(), side="right")
        case RangeFeeder():
            count, random = feeder.last - feeder.first + 1, feeder.random
        case ListFeeder():
            count, random = len(feeder.items), feeder.random
        case CsvFeeder():
            count, random = feeder.table.rows, feeder.random
    if random:
        whole = stream()
        # the remainder of 64 bits: its bias is below count / 2**64
        return lambda _: (whole.next()[:, 0] % np.uint64(count)).astype(np.int64)
    steps = np.arange(BLOCK, dtype=np.int64) * processes
    return lambda number: (steps + number) % count


def zipf_cumulative(feeder: ZipfFeeder) -> "NDArray[np.float64]":
    """Return the cumulative probabilities of a Zipf feeder's ranks; the last is 1."""
    import numpy as np  # noqa: PLC0415 - --help stays light

    cumulative = np.arange(1, feeder.last - feeder.first + 2, dtype=np.float64)
    np.power(cumulative, -feeder.exponent, out=cumulative)
    np.cumsum(cumulative, out=cumulative)
    cumulative /= cumulative[-1]
    return cumulative


def _uuids(words: "Words") -> list[str]:
    """Return a UUID of version 4 (RFC 9562) for each pair of words."""
    import numpy as np  # noqa: PLC0415 - --help stays light

    pairs = words.copy()
    pairs[:, 0] = (pairs[:, 0] & np.uint64(0xFFFFFFFFFFFF0FFF)) | np.uint64(0x4000)
    pairs[:, 1] = (pairs[:, 1] & np.uint64(0x3FFFFFFFFFFFFFFF)) | np.uint64(0x8000000000000000)
    digits = np.frombuffer(pairs.astype(">u8").tobytes().hex().encode(), dtype=np.uint8).reshape(-1, 32)
    letters = np.full((len(pairs), _UUID_LENGTH), ord("-"), dtype=np.uint8)
    letters[:, [place for place in range(_UUID_LENGTH) if place not in _DASHES]] = digits
    text = letters.tobytes().decode()
    return [text[at : at + _UUID_LENGTH] for at in range(0, len(text), _UUID_LENGTH)]
