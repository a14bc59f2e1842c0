"""What ``slocheck run --dry-run`` shows: the plan, and what it could prove."""

from functools import partial

from rich.console import Console
from rich.table import Table
from rich.text import Text

from slocheck.cli.adapters import queries_of
from slocheck.grading.planning import requests_needed
from slocheck.grading.statistics import alpha_for
from slocheck.masking import strip_url
from slocheck.plan import proof_needs
from slocheck.reporters.escape import for_terminal
from slocheck.spec.model import Spec


def show_plan(spec: Spec, console: Console) -> None:
    """Print what a run of `spec` would do; nothing is sent."""
    workload = spec.workload
    lines = [
        f"target    {strip_url(spec.target.url)}",
        f"scenario  {workload.scenario}",
        f"load      closed model: {workload.users:,} users, {workload.spawn_rate:g} started a second",
        (
            f"phases    {workload.warmup:g} s warm-up (not graded), {workload.duration:g} s window, "
            f"at most {workload.drain:g} s drain"
        ),
        f"gate      {spec.gate}",
        *(f"query     {text}" for text in queries_of(spec)),
    ]
    for line in lines:
        console.print(Text(for_terminal(line)), soft_wrap=True)
    console.print(_needs_table(spec))
    console.print(
        "Counts are for independent requests. Neighbours in a queue are alike, so a real run needs more; "
        "its report says how many its requests were worth.",
        soft_wrap=True,
    )


def _needs_table(spec: Spec) -> Table:
    """Tabulate how many requests without a bad one prove each limit."""
    table = Table("objective", "level", "limit", "requests without a bad one", "a second", box=None)
    if spec.confidence is None:
        table.caption = "confidence: none grades the observed values; no number of requests is demanded"
        needs = proof_needs(spec, lambda _: 1)
    else:
        needs = proof_needs(spec, partial(requests_needed, alpha=alpha_for(spec.confidence)))
    for need in needs:
        table.add_row(
            Text(for_terminal(need.objective)),
            Text(for_terminal(need.level)),
            Text(for_terminal(need.limit)),
            f"{need.requests:,}" if need.requests is not None else "-",
            f"{need.per_second:,.1f}" if need.per_second is not None else "-",
        )
    return table
