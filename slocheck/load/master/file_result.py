"""What the Locust file says of its run when it is over, here and in the workers, put together."""

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

    The exit code is the master's, which has the statistics of all, or else one that a worker's tasks and
    listeners set during the load. What a worker's last listeners set is warned of, not taken: they go by the
    statistics of that worker alone, and the master has the same listeners.

    Args:
        listeners: Of the master, which has fired the last events.
        end_reports: Of the workers.
        forbidden: Where the master's last listeners tried to connect to, and were not allowed to.
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
