"""A machine whose requests fared differently from the others' by more than chance explains."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.machines import MachineHealth
from slocheck.evidence.model import Evidence
from slocheck.evidence.warnings import RunWarning
from slocheck.spec.formatting import format_seconds
from slocheck.statistics.paired import PairedShares, Whole, compare_paired

ERROR_RATE = 0.01
"""Error rate of all comparisons of a run together (Bonferroni)."""
LEAST_SLOWER = 0.01
"""Difference in the share of slow responses, 0..1, that is worth a warning."""
LEAST_CUT_OFF = 10
"""Requests of a machine that have to fail, all of them, before it is taken to be cut off from the target."""
_TYPICAL, _SLOW = 0.5, 0.05
"""Shares of responses over a threshold that show a longer network path, and a longer tail."""


@dataclass(frozen=True, slots=True)
class _Measure:
    """Something that is counted of each machine: bad requests and all of them, shape (M, B) each.

    Attributes:
        threshold_ns: The latency that is counted against; 0: requests that were not ok are counted.
    """

    bad: Whole
    total: Whole
    threshold_ns: int = 0


def machine_differences(run: Evidence) -> Iterator[RunWarning]:
    """Yield a warning for each machine whose requests failed, or were slow, more often than the others'."""
    machines = run.health.machines
    measures = _measures(machines, run.recording.thresholds_ns)
    allowed = ERROR_RATE / max(1, len(machines) * len(measures))
    for number, machine in enumerate(machines):
        if text := _cut_off(machine, [*machines[:number], *machines[number + 1 :]]):
            yield RunWarning("machine-differs", text)
            continue
        for measure in measures:
            found = _against_others(measure, number)
            if found and found.p_value < allowed and found.one - found.other > _least(measure):
                yield RunWarning("machine-differs", _text(machine, measure, found))
                break


def _cut_off(machine: MachineHealth, others: Sequence[MachineHealth]) -> str:
    """Say that none of a machine's requests succeeded while most of the others' did; empty otherwise.

    Its users wait for responses that do not come, so it soon sends nothing that could be compared in blocks.
    """
    sent, bad = sum(machine.load.sent), sum(machine.load.not_ok)
    rest_sent = sum(sum(other.load.sent) for other in others)
    rest_bad = sum(sum(other.load.not_ok) for other in others)
    if sent < LEAST_CUT_OFF or bad < sent or 2 * rest_bad >= rest_sent:
        return ""
    return (
        f"all {sent:,} requests of {machine.machine} failed or had an unexpected response, compared with "
        f"{rest_bad / rest_sent:.2%} of the other machines' requests; check that it reaches the target"
    )


def _least(measure: _Measure) -> float:
    return LEAST_SLOWER if measure.threshold_ns else 0.0


def _against_others(measure: _Measure, number: int) -> PairedShares | None:
    bad, total = measure.bad, measure.total
    others = bad.sum(axis=0) - bad[number], total.sum(axis=0) - total[number]
    return compare_paired((bad[number], total[number]), others)


def _measures(machines: Sequence[MachineHealth], thresholds_ns: Sequence[int]) -> list[_Measure]:
    """Return what is compared: requests that were not ok, typical latencies, and slow ones."""
    loads = [machine.load for machine in machines]
    blocks = {(load.block_s, len(load.sent), len(load.not_ok), len(load.over)) for load in loads}
    if len(loads) <= 1 or len(blocks) != 1:
        return []
    sent = np.array([load.sent for load in loads], dtype=np.int64)
    not_ok = np.array([load.not_ok for load in loads], dtype=np.int64)
    measures = [_Measure(not_ok, sent)]
    if any(len(block) != len(thresholds_ns) for load in loads for block in load.over) or not thresholds_ns:
        return measures
    ok = sent - not_ok
    over = np.array([load.over for load in loads], dtype=np.int64).reshape(*sent.shape, len(thresholds_ns))
    shares = over.sum(axis=(0, 1)) / max(1, int(ok.sum()))
    places = dict.fromkeys(int(np.abs(shares - share).argmin()) for share in (_TYPICAL, _SLOW))
    return measures + [_Measure(over[:, :, place], ok, thresholds_ns[place]) for place in places]


def _text(machine: MachineHealth, measure: _Measure, found: PairedShares) -> str:
    if not measure.threshold_ns:
        return (
            f"{found.one:.2%} of the requests of {machine.machine} failed or had an unexpected response, "
            f"compared with {found.other:.2%} of the other machines' requests, which is more than chance; "
            "the target or a proxy may limit requests by their source"
        )
    latency = format_seconds(measure.threshold_ns / NS_PER_SECOND)
    return (
        f"{found.one:.1%} of the responses to {machine.machine} took {latency} or longer, "
        f"compared with {found.other:.1%} of those to the other machines, which is more than chance; "
        "it may be further away from the target, or slower itself"
    )
