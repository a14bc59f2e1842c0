"""Several runs of one plan put together: their samples, and for display their recordings."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from slocheck.evidence.columns import rows_of
from slocheck.evidence.merge import RecordingBuilder
from slocheck.evidence.model import Evidence
from slocheck.evidence.recording import Recording
from slocheck.indicators.samples import Display, NoData, Rate, Sample, Scalar, Share, Slices


def pool(samples: Sequence[Sample], *, ratio: bool = False) -> Sample:
    """Return one sample for several runs, in their order; if one run has no data, neither has the pool.

    `ratio`: the displayed value is a share of all requests, and so is that of the pool. A
    percentile of several runs lies between theirs.
    """
    first = samples[0]
    if len(samples) == 1:
        return first
    missing = next((sample for sample in samples if isinstance(sample, NoData)), None)
    if missing is not None:
        return missing
    shares = [sample for sample in samples if isinstance(sample, Share)]
    if len(shares) == len(samples):
        return _pool_shares(shares, ratio=ratio)
    rates = [sample for sample in samples if isinstance(sample, Rate)]
    if len(rates) == len(samples):
        return _pool_rates(rates)
    assert isinstance(first, Scalar)
    return NoData("values of a query cannot be pooled over runs; grade each run by itself")


def _pool_shares(shares: Sequence[Share], *, ratio: bool) -> Share:
    uncertain = [share for share in shares if share.low != share.high]
    total = sum(share.total for share in shares)
    return Share(
        total,
        sum((share.low * share.total for share in shares), Fraction(0)) / total,
        sum((share.high * share.total for share in shares), Fraction(0)) / total,
        _pool_displays(shares, ratio=ratio),
        _pool_slices([share.slices for share in shares if share.slices is not None], len(shares)),
        tuple(dict.fromkeys(note for share in shares for note in share.notes)),
        # the client may settle what a bucket leaves open, but nothing else
        bool(uncertain) and all(share.bucket_limited for share in uncertain),
        sum(share.outage for share in shares),
        own_only=all(share.own_only for share in shares),
    )


def _pool_displays(shares: Sequence[Share], *, ratio: bool) -> Display:
    """Return the ratio of all runs together; of percentiles, the range that they span."""
    known = [
        (share.display.low, share.display.high, share.total)
        for share in shares
        if share.display.low is not None and share.display.high is not None
    ]
    if not known:
        return Display(None, None)
    if ratio:
        total = sum(size for _, _, size in known)
        return Display(
            sum(low * size for low, _, size in known) / total,
            sum(high * size for _, high, size in known) / total,
        )
    return Display(min(low for low, _, _ in known), max(high for _, high, _ in known))


def _pool_slices(parts: Sequence[Slices], runs: int) -> Slices | None:
    """Put slices end to end; None if a run has none, or not the same references."""
    if len(parts) < runs or len({len(part.references) for part in parts}) > 1:
        return None
    uncertain = any(part.bad_upper is not None for part in parts)
    return Slices(
        tuple(n for part in parts for n in part.n),
        tuple(bad for part in parts for bad in part.bad),
        tuple(bad for part in parts for bad in part.bad_upper or part.bad) if uncertain else None,
        tuple(
            tuple(count for series in same for count in series)
            for same in zip(*(part.references for part in parts), strict=True)
        ),
        tuple(len(part.n) for part in parts),
        sum(part.slice_s * len(part.n) for part in parts) / max(1, sum(len(part.n) for part in parts)),
        near=any(part.near for part in parts),
    )


def _pool_rates(rates: Sequence[Rate]) -> Rate:
    """Weigh each run's rate by its slices."""
    lengths = tuple(len(rate.slices.n) if rate.slices else 0 for rate in rates)
    total = sum(lengths)
    if not all(lengths):
        return min(rates, key=lambda rate: rate.low)

    def mean(values: Sequence[Fraction]) -> Fraction:
        weighted = (value * length for value, length in zip(values, lengths, strict=True))
        return sum(weighted, Fraction(0)) / total

    return Rate(
        mean([rate.low for rate in rates]),
        mean([rate.high for rate in rates]),
        mean([rate.offered for rate in rates]),
        mean([rate.ceiling for rate in rates]),
        _pool_slices([rate.slices for rate in rates if rate.slices], len(rates)),
        tuple(dict.fromkeys(note for rate in rates for note in rate.notes)),
        closed=any(rate.closed for rate in rates),
        server_alone=any(rate.server_alone for rate in rates),
    )


def pool_recordings(recordings: Sequence[Recording]) -> Recording:
    """Return one recording whose window is all windows end to end, without their warm-ups.

    Its thresholds are those that were counted in every run.
    """
    counted = set(recordings[0].thresholds_ns).intersection(*(each.thresholds_ns for each in recordings))
    builder = RecordingBuilder(tuple(sorted(counted)))
    begin = 0
    for recording in recordings:
        window = recording.window
        chosen = [recording.thresholds_ns.index(threshold) for threshold in builder.thresholds_ns]
        for item in recording.endpoints:
            inside = rows_of(item.columns, item.columns.within(window))
            if not inside.counts.thresholds:
                inside = inside.with_thresholds(len(recording.thresholds_ns))
            inside = inside.with_only(chosen)
            if len(inside.seconds):
                builder.add_columns(
                    item.endpoint, replace(inside, seconds=inside.seconds + begin - window.start)
                )
        for error in recording.errors:
            builder.add_error(error)
        begin += len(window)
    return builder.recording(0, begin).added_up()


def pooled(runs: Sequence[Evidence]) -> Evidence:
    """Return evidence that shows several runs as one; for display only, never graded."""
    first = runs[0]
    recording = pool_recordings([run.recording for run in runs])
    return replace(
        first,
        provenance=replace(
            first.provenance,
            run_id="+".join(run.provenance.run_id for run in runs),
            ended=runs[-1].provenance.ended,
        ),
        planned_window_s=sum(run.planned_window_s for run in runs),
        recording=recording,
        server=None,
        server_error="with several runs, the server's samples are in each run's own report"
        if first.server
        else "",
    )
