"""``slocheck grade``: archived runs again, without load."""

from slocheck.cli.options import (
    DEFAULT_REPORTS,
    AllowMetrics,
    Collect,
    Gate,
    Json,
    OtherSpec,
    Reports,
    RunArguments,
    Verbose,
)
from slocheck.errors import UsageError


def grade(
    runs: RunArguments = None,
    *,
    spec: OtherSpec = None,
    gate: Gate = None,
    reports: Reports = DEFAULT_REPORTS,
    json: Json = False,
    verbose: Verbose = False,
    collect: Collect = False,
    allow_metrics: AllowMetrics = None,
) -> int:
    """Grade archived runs again, without load; several runs are graded as one larger sample.

    Without --collect no metric source is queried, and the archive is not changed. The exit code is the
    verdict.
    """
    runs = runs or []
    if collect:
        from slocheck.cli.actions.collect import collect_and_grade  # noqa: PLC0415 - --help stays light

        return collect_and_grade(
            runs,
            spec=spec,
            gate=gate,
            reports=reports,
            as_json=json,
            verbose=verbose,
            allow_metrics=allow_metrics,
        )
    from slocheck.cli.actions.archived import grade as action  # noqa: PLC0415 - as above

    if allow_metrics:
        raise UsageError("--allow-metrics goes with --collect: without it no metric source is queried")
    return action(runs, spec=spec, gate=gate, reports=reports, as_json=json, verbose=verbose)
