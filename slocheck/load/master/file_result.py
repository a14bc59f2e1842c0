"""What the Locust file says of its finished run, combined from the master and the workers."""

from collections import Counter
from collections.abc import Sequence

from slocheck.evidence.forbidden import ForbiddenConnection, merged
from slocheck.evidence.model import FileResult
from slocheck.load.listeners import LISTENER_S, Listeners
from slocheck.load.messaging.messages import EndReport, FileDone


def file_result(
    listeners: Listeners, end_reports: Sequence[EndReport], forbidden: Sequence[ForbiddenConnection] = ()
) -> FileDone:
    """Return what the Locust file says of the run, from all processes.

    The exit code is the master's, which has the statistics of all workers, or else one that a worker's tasks
    and listeners set during the load. One that a worker's last listeners set only causes a warning: they
    see the statistics of that worker alone, and the master runs the same listeners.

    Args:
        listeners: The master's, which have seen the last events.
        end_reports: The workers' last reports.
        forbidden: Hosts that the master's last listeners tried to reach and were not allowed to.
    """
    own = listeners.result
    errors = Counter(own.listener_errors)
    for each in end_reports:
        errors.update(each.listener_errors)
    codes = [(own.exit_code, own.exit_place), *((each.exit_code, each.exit_place) for each in end_reports)]
    code, place = next((pair for pair in codes if pair[0]), (0, ""))
    late = next((each.late_code for each in end_reports if each.late_code), 0)
    warnings = [
        f"{name} was still running after {LISTENER_S:g} s, and was ended"
        for name in dict.fromkeys(
            (*listeners.unfinished, *(name for each in end_reports for name in each.unfinished))
        )
    ]
    if late and not code:
        warnings.append(
            f"a listener set exit code {late} in a worker after the load, from the statistics of that worker "
            "alone: it does not count; set it where environment.runner is the master"
        )
    places = merged((*forbidden, *(place for each in end_reports for place in each.forbidden)))
    return FileDone(FileResult(code, place, dict(errors), tuple(warnings)), places)
