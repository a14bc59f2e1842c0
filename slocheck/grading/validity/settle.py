"""Faults of the metric source for which the client's recording of the same requests makes up."""

from collections.abc import Sequence
from dataclasses import replace

from slocheck.grading.assessment import Finding, LevelResult, ObjectiveResult, Side, Verdict
from slocheck.spec.model import SourceChoice


def settle(findings: Sequence[Finding], results: Sequence[ObjectiveResult]) -> tuple[Finding, ...]:
    """Return the findings without the objectives that the client's recording settles.

    Only if both sides are graded, a good scrape lies on each side of what is missing, and the server
    counted nobody else's requests: then all that it served unseen was the client's. A fault that leaves no
    objective open does not make the run invalid.
    """
    settled = frozenset(result.objective.name for result in results if _is_settled(result))
    return tuple(_without(finding, settled) if finding.client_saw else finding for finding in findings)


def _without(finding: Finding, settled: frozenset[str]) -> Finding:
    if finding.valid or not settled & finding.affects:
        return finding
    left = finding.affects - settled
    if left:
        return replace(finding, affects=left)
    message = f"{finding.message}; the client knows the outcome of its requests in that time"
    return replace(finding, valid=True, message=message, affects=left)


def _is_settled(result: ObjectiveResult) -> bool:
    """Tell whether each level that the gate needs is met on both sides, or breached on the client's."""
    if result.objective.source is not SourceChoice.BOTH or not result.needed:
        return False
    return all(_level_is_settled(level) for level in result.needed)


def _level_is_settled(level: LevelResult) -> bool:
    client, server = (next((one for one in level.sides if one.side is side), None) for side in Side)
    if client is None or server is None:
        return False
    if client.verdict is Verdict.BREACHED:
        return True
    return level.verdict is Verdict.MET and client.verdict is Verdict.MET and server.own_only
