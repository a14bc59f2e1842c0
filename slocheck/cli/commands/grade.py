"""``slocheck grade``: archived runs again, without load."""

from slocheck.cli.options import DEFAULT_REPORTS, Gate, Json, OtherSpec, Reports, RunArguments


def grade(
    runs: RunArguments,
    *,
    spec: OtherSpec = None,
    gate: Gate = None,
    reports: Reports = DEFAULT_REPORTS,
    json: Json = False,
) -> int:
    """Grade archived runs again, without load; several runs are graded as one larger sample.

    The archive is not changed. The exit code is the verdict.
    """
    from slocheck.cli.actions.archived import grade as action  # noqa: PLC0415 - --help stays light

    return action(runs, spec=spec, gate=gate, reports=reports, as_json=json)
