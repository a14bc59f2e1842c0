"""What ``slocheck demo --ladder`` does: one workload, with one more strategy at each step."""

import sys
from collections.abc import Iterator

from slocheck.assets import asset
from slocheck.cli import output, wiring
from slocheck.cli.actions.demo import scraping, shipped_spec
from slocheck.cli.actions.run import GRADED, load
from slocheck.cli.demo_options import DemoOptions
from slocheck.cli.messages import say
from slocheck.cli.options import RunOptions
from slocheck.cli.typed import worker_count
from slocheck.documents.units import parse_duration
from slocheck.errors import UsageError
from slocheck.evidence.model import Ending
from slocheck.grading.report import Report
from slocheck.load.launch import Launch
from slocheck.masking import secrets_of
from slocheck.named_files import write_atomically
from slocheck.pipeline.archive import Archive
from slocheck.pipeline.interrupts import Interrupts
from slocheck.pipeline.provenance import command_line
from slocheck.pipeline.run import RunRequest
from slocheck.pipeline.run import run as run_pipeline
from slocheck.pipeline.scenario_file import scenario_of
from slocheck.reference_api.server import ReferenceApi
from slocheck.reference_api.settings import STRATEGIES, Settings, with_strategies
from slocheck.reporters import ladder
from slocheck.reporters.ladder.lines import step_lines, summary_lines
from slocheck.reporters.ladder.model import Climb, ClimbStep

NONE = "none"
SCENARIO = "ladder.yaml"
ITEMS = 20_000
"""Items of the shop: enough that a query without its index is slow by itself."""
SEED = 1
DURATION = "20s"
RATE = "1100/s"
"""Above the 1,000/s of the top tier, and within what two cores can serve and send."""
WARMUP_S = 5.0
"""Longest warm-up: half of a shorter window is enough."""
LAST_FACTOR = 2.5
"""How many times as long the last step is: an error rate below 0.01 % needs 46,050 requests without one."""

EMBEDDED = (
    *("bounded", "cache-aside", "invalidation", "index", "one-query", "pool", "keyset"),
    *("lock", "jobs", "cache-headers"),
)
"""What the ladder adds, in this order, with SQLite and a cache in the process."""


def climb(options: DemoOptions, launch: Launch) -> int:
    """Make all steps, print each, and write the page; returns 0 if the last step was graded.

    If a step fails or is interrupted, the steps before it are still shown.
    """
    settings = Settings(
        database_url=options.database, replica_url=options.replica, redis_url=options.redis, items=ITEMS
    )
    names = chosen(options.strategies, settings)
    steps: list[ClimbStep] = []
    try:
        for step in _steps(settings, names, options, launch):
            before = steps[-1] if steps else None
            output.print_lines([*step_lines(step, before, len(steps) + 1, len(names) + 1), ""])
            steps.append(step)
    finally:
        if steps:
            _show(Climb(tuple(steps), parts_text(settings)), options)
    last = steps[-1].report.assessment
    return 0 if last.outcome in GRADED else last.exit_code


def _steps(
    settings: Settings, names: tuple[str, ...], options: DemoOptions, launch: Launch
) -> Iterator[ClimbStep]:
    """Measure the API without a strategy, then with one more each time; an interrupted step is the last."""
    window, longest, warmup = windows(options.duration or DURATION)
    for number, name in enumerate((NONE, *names)):
        duration = longest if number == len(names) else window
        chosen_so_far = with_strategies(settings, names[:number])
        report = _measure(chosen_so_far, options, launch, duration=duration, warmup=warmup)
        yield ClimbStep(name, STRATEGIES.get(name, "no strategy"), report)
        if report.evidence.ending is Ending.INTERRUPTED:
            return


def _show(found: Climb, options: DemoOptions) -> None:
    """Print the climb and write its page; raises SaveError."""
    output.print_lines(summary_lines(found))
    page = options.reports / f"ladder-{found.steps[0].report.evidence.provenance.run_id}.html"
    write_atomically(page, ladder.render(found).encode("utf-8", "backslashreplace"))
    say(f"the climb on one page: {page}")


def windows(text: str) -> tuple[str, str, str]:
    """Return the length of each step's window, of the last one's, and of the warm-up; raises UsageError."""
    try:
        seconds = float(parse_duration(text))
    except ValueError as error:
        raise UsageError(f"--duration: {error}") from error
    return text, f"{LAST_FACTOR * seconds:g}s", f"{max(1, int(min(WARMUP_S, seconds / 2)))}s"


def chosen(text: str, settings: Settings) -> tuple[str, ...]:
    """Return the strategies to add, in order.

    Raises:
        UsageError: One is unknown, or named twice.
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip()) or tuple(_all(settings))
    with_strategies(settings, names)
    if len(set(names)) < len(names):
        raise UsageError("--strategies: each strategy is added once; leave the second one out")
    return names


def _all(settings: Settings) -> Iterator[str]:
    """Yield the strategies that the parts allow."""
    for name in EMBEDDED:
        yield name
        if name == "pool" and settings.replica_url:
            yield "replica"
        if name == "cache-aside" and settings.redis_url:
            yield "memory-cache"


def parts_text(settings: Settings) -> str:
    """Say what the API runs on, without addresses, as they may hold a password."""
    database = "PostgreSQL" if settings.database_url.startswith("postgres") else "SQLite"
    replica = " with a replica" if settings.replica_url else ""
    cache = "Redis" if settings.redis_url else "a cache in the process"
    return f"{database}{replica} and {cache}"


def _measure(
    settings: Settings, options: DemoOptions, launch: Launch, *, duration: str, warmup: str
) -> Report:
    """Make one run against a new API; returns its report, which is kept like any other."""
    with ReferenceApi(settings=settings) as api:
        of_run = RunOptions(
            spec=shipped_spec(),
            target=api.url,
            scenario=str(asset(SCENARIO)),
            rate=options.rate or RATE,
            duration=duration,
            warmup=warmup,
            gate="gold",
            reports=options.reports,
            seed=SEED,
            quiet=options.quiet,
        )
        spec, overrides = load(of_run)
        spec = scraping(spec, api.url)
        request = RunRequest(
            spec=spec,
            overrides=overrides,
            archive=Archive(options.reports),
            scenario=scenario_of(spec),
            command=command_line(sys.argv[1:]),
            seed=SEED,
            processes=worker_count(of_run.processes),
        )
        with (
            Interrupts() as interrupts,
            output.observer(spec, secrets_of(spec), quiet=options.quiet) as observer,
        ):
            sources = wiring.source_factory(())
            result = run_pipeline(request, wiring.adapters(observer, interrupts, sources, launch=launch))
    if result.save_error is not None:
        raise result.save_error
    return result.report
