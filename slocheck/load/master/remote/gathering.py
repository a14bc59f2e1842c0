"""Reads what many machines report in a few numpy calls for all of them, not for each.

Their columns are put one after the other and checked together. If all of them are sound, as they are unless a
message is damaged, that is all; else each report is read by itself, so that what is lost of it is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from slocheck.documents.words import quantity
from slocheck.evidence.columns import Columns, Counts, Sparse, Whole
from slocheck.evidence.merge import Delta, errors_together, slowest_together
from slocheck.evidence.parts.batch import NO_COUNTS, Batch, in_a_row, in_one
from slocheck.evidence.recording import ErrorExample, SlowRequest
from slocheck.load.messaging.deltas import (
    BatchParts,
    SparseParts,
    batch_parts,
    lag_parts,
    read_delta,
    read_errors,
    read_lags,
    read_slowest,
    sound,
    sound_lags,
)
from slocheck.load.messaging.reading import JUNK, Reading, a_list
from slocheck.load.recording.lags import NO_LAGS, Lags
from slocheck.spec.model import Endpoint

_NOBODY = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What several senders counted, one after the other.

    Attributes:
        delta: Their counts, which are not added up.
        owners: The sender of each row, by its number, shape (R,).
        lags: How late their arrivals were handed out.
        lag_owners: The sender of each of these histograms, shape (L,).
        lost: What could not be read and a verdict depends on, with its sender's number.
        unseen: The same of what is only shown.
    """

    delta: Delta
    owners: Whole
    lags: Lags = field(default_factory=lambda: NO_LAGS)
    lag_owners: Whole = field(default_factory=lambda: _NOBODY)
    lost: tuple[tuple[int, str], ...] = ()
    unseen: tuple[tuple[int, str], ...] = ()


def gathered(arrived: Sequence[tuple[Any, Any]], thresholds: int) -> Gathered:
    """Return reports as one.

    Args:
        arrived: Counts and delays of each sender as plain values: see `plain_delta` and `plain_lags`.
        thresholds: Latencies that requests have to be counted against.
    """
    try:
        return _all_at_once(arrived, thresholds)
    except JUNK:
        return _one_by_one(arrived, thresholds)


def of_one(delta: Delta, thresholds: int) -> Gathered:
    """Return what one sender counted, which was read before."""
    kept, misfit = _fitting(delta, thresholds)
    lost = ((0, misfit),) if misfit else ()
    return Gathered(kept, np.zeros(len(kept.batch), dtype=np.int64), lost=lost)


def _fitting(delta: Delta, thresholds: int) -> tuple[Delta, str]:
    """Return a delta without what was counted against other thresholds, and what is wrong with that."""
    counted = delta.batch.columns.counts.thresholds
    if counted in (0, thresholds):
        return delta, ""
    what = f"requests: counted against {quantity(counted, 'threshold')}"
    return replace(delta, batch=NO_COUNTS), what


def of_lags(lags: Lags) -> Gathered:
    """Return the delays of one sender, which were read before."""
    return Gathered(Delta(), _NOBODY, lags, np.zeros(len(lags.seconds), dtype=np.int64))


def _one_by_one(arrived: Sequence[tuple[Any, Any]], thresholds: int) -> Gathered:
    """Read each report by itself."""
    deltas, lags = list[Delta](), list[Lags]()
    lost, unseen = list[tuple[int, str]](), list[tuple[int, str]]()
    for number, plain in enumerate(arrived):
        reading = Reading()
        delta, delays = _alone(*plain, reading)
        kept, misfit = _fitting(delta, thresholds)
        deltas.append(kept)
        lags.append(delays)
        lost += [(number, text) for text in (*reading.lost, *([misfit] if misfit else []))]
        unseen += [(number, text) for text in reading.unseen]
    numbers = range(len(deltas))
    return Gathered(
        Delta(
            in_one([delta.batch for delta in deltas]),
            errors_together(error for delta in deltas for error in delta.errors),
            slowest_together(request for delta in deltas for request in delta.slowest),
        ),
        _each(numbers, [len(delta.batch) for delta in deltas]),
        Lags(np.concatenate([each.seconds for each in lags]), in_a_row([each.counts for each in lags])),
        _each(numbers, [len(each.seconds) for each in lags]),
        tuple(lost),
        tuple(unseen),
    )


def _alone(plain_delta: Any, plain_lags: Any, reading: Reading) -> tuple[Delta, Lags]:
    """Return one report's counts and delays as far as they can be read."""
    delta = reading.one("delta", plain_delta, lambda plain: read_delta(plain, reading), Delta())
    return delta, reading.one("lag", plain_lags, lambda plain: read_lags(plain, reading), NO_LAGS)


def _all_at_once(arrived: Sequence[tuple[Any, Any]], thresholds: int) -> Gathered:
    """Read reports together; raises one of `JUNK` if anything in them is not as it has to be."""
    reading = Reading()
    parts, owners, delays, delayed = list[BatchParts](), list[int](), list[tuple[Any, SparseParts]](), []
    errors, slowest = list[ErrorExample](), list[SlowRequest]()
    for number, (plain_delta, plain_lags) in enumerate(arrived):
        batch, plain_errors, plain_slowest = a_list(plain_delta)
        if batch != []:
            parts.append(batch_parts(batch))
            owners.append(number)
        if plain_lags != []:
            delays.append(lag_parts(plain_lags))
            delayed.append(number)
        errors += read_errors(plain_errors, reading)
        slowest += read_slowest(plain_slowest, reading)
    if reading.lost or reading.unseen:
        raise ValueError("a damaged entry")
    delta = Delta(_one_batch(parts, thresholds), errors_together(errors), slowest_together(slowest))
    lags = _one_lags(delays)
    lag_owners = _each(delayed, [len(seconds) for seconds, _ in delays])
    return Gathered(delta, _each(owners, [each.rows for each in parts]), lags, lag_owners)


def _each(numbers: Sequence[int], counts: Sequence[int]) -> Whole:
    """Return each number as often as its count says."""
    return np.repeat(np.asarray(numbers, dtype=np.int64), np.asarray(counts, dtype=np.int64))


def _one_batch(parts: Sequence[BatchParts], thresholds: int) -> Batch:
    """Return the rows of all batches; raises ValueError if one of them is not sound."""
    if not parts:
        return NO_COUNTS
    if any(each.damaged or not each.rows or each.thresholds != thresholds for each in parts):
        raise ValueError("names, or thresholds that do not fit")
    rows = np.asarray([each.rows for each in parts])
    endpoints, places = _places(parts, rows)
    columns = Columns(
        np.concatenate([each.seconds for each in parts]).astype(np.int64),
        Counts(
            np.concatenate([each.wide for each in parts]).astype(np.int64),
            np.concatenate([each.narrow for each in parts]),
        ),
        tuple(_one_sparse(columns, rows) for columns in zip(*(each.sparse for each in parts), strict=True)),
    )
    if not sound(columns).all():
        raise ValueError("a number out of its range")
    return Batch(endpoints, places, columns)


def _places(parts: Sequence[BatchParts], rows: Whole) -> tuple[tuple[Endpoint, ...], Whole]:
    """Return the endpoints of all batches and each row's place among them; raises ValueError.

    Batches of the same endpoints in the same order share one object for them: see `deltas`.
    """
    known: dict[Endpoint, int] = {}
    begins: dict[int, int] = {}
    table: list[int] = []
    for each in parts:
        if id(each.endpoints) not in begins:
            begins[id(each.endpoints)] = len(table)
            table += [known.setdefault(endpoint, len(known)) for endpoint in each.endpoints]
    own = np.concatenate([each.places for each in parts]).astype(np.int64)
    if (own < 0).any() or (own >= np.repeat([len(each.endpoints) for each in parts], rows)).any():
        raise ValueError("an endpoint that is not there")
    places = own + np.repeat([begins[id(each.endpoints)] for each in parts], rows)
    return tuple(known), np.asarray(table, dtype=np.int64)[places]


def _one_lags(delays: Sequence[tuple[Any, SparseParts]]) -> Lags:
    """Return all histograms; raises ValueError if one of them is not sound."""
    if not delays:
        return NO_LAGS
    rows = np.asarray([len(seconds) for seconds, _ in delays])
    if not rows.all():
        raise ValueError("no second")
    seconds = np.concatenate([seconds for seconds, _ in delays]).astype(np.int64)
    lags = Lags(seconds, _one_sparse([counts for _, counts in delays], rows))
    if not sound_lags(lags).all():
        raise ValueError("a number out of its range")
    return lags


def _one_sparse(parts: Sequence[SparseParts], rows: Whole) -> Sparse:
    """Return sparse columns, one after the other; raises ValueError if an entry belongs to no row.

    Args:
        parts: As they arrived.
        rows: How many rows each has, at least one.
    """
    sizes = np.asarray([len(each.keys) for each in parts])
    until = np.cumsum(sizes)
    ends = np.concatenate([each.ends for each in parts]).astype(np.int64)
    ends += np.repeat(until - sizes, rows)
    if ends[0] < 0 or (ends[1:] < ends[:-1]).any() or (ends[np.cumsum(rows) - 1] != until).any():
        raise ValueError("entries that belong to no row")
    keys = np.concatenate([each.keys for each in parts])
    if keys.dtype.itemsize > np.dtype(np.uint16).itemsize:
        raise ValueError("not a key")
    return Sparse(ends, keys.astype(np.uint16, copy=False), np.concatenate([each.counts for each in parts]))
