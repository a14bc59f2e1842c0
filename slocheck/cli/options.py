"""Options of the commands. Imported for ``--help``, so this loads little but Typer."""

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import typer

from slocheck.allowed_targets import ALLOW_METRICS, ALLOW_TARGET, VARIABLES

O = TypeVar("O", bound="Typed")  # noqa: E741 - of options

DEFAULT_SPEC = Path("slo.yaml")
DEFAULT_REPORTS = Path("reports")
GATE_OPTION = "--gate"
FILE_OPTION = "--file-option"
TAKE_FILE_OPTIONS = ("run", "validate")
"""The commands that pass what follows ``--`` to the Locust file."""

SpecArgument = Annotated[Path, typer.Argument(metavar="SPEC", help="The SLO spec.", show_default=True)]
NEWEST = "the newest run with evidence"
RunOrNewest = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help=f"A run's folder, its evidence file, or `latest`; default: {NEWEST}.",
        show_default=False,
    ),
]
RunArguments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="RUN",
        help="A run's folder, its evidence file, or `latest`; default: `latest`; several are graded as one.",
        show_default=False,
    ),
]
OtherSpec = Annotated[
    Path | None, typer.Option("--spec", metavar="SPEC", help="Grade against this spec, not the archived one.")
]
Gate = Annotated[
    str | None, typer.Option(metavar="TIER", help="The tier that decides the exit code; default: the spec's.")
]
Reports = Annotated[
    Path,
    typer.Option(
        "--reports", metavar="DIR", envvar="SLOCHECK_REPORTS", help="The folder where runs are kept."
    ),
]
Json = Annotated[
    bool,
    typer.Option("--json", envvar="SLOCHECK_JSON", help="Print the result to stdout as one JSON document."),
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Show statistics, all validity checks and all failures.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress on stderr.")]


AllowMetrics = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-metrics",
        metavar="HOST",
        help="Send the metric source's credentials to this host, not only to this machine; repeatable.",
    ),
]

Collect = Annotated[
    bool,
    typer.Option(
        "--collect",
        help="First ask the Prometheus of each run for what it did not deliver after the load.",
    ),
]

MaxRegression = Annotated[
    str | None,
    typer.Option(
        metavar="SHARE",
        envvar="SLOCHECK_MAX_REGRESSION",
        help="How much worse than before an objective may get; default: 10%.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE", help="Write here instead of to stdout; `-` is stdout."),
]
RunsArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's folder, its name, `latest`, or a folder of runs.")
]

FileOptions = Annotated[list[str] | None, typer.Option(FILE_OPTION, hidden=True)]


def options_apart(words: Sequence[str]) -> list[str]:
    """Return a command line on which the words after ``--`` are options of the Locust file.

    They are split off before anything is parsed: a parser would treat them as its own.
    """
    head, tail = list(words), list[str]()
    if "--" in head:
        at = head.index("--")
        head, tail = head[:at], head[at + 1 :]
    command = next((word for word in head if not word.startswith("-")), "")
    if command == "report":
        return _with_gate(list(words))
    if not tail or command not in TAKE_FILE_OPTIONS:
        return list(words)
    return [*head, *(f"{FILE_OPTION}={word}" for word in tail)]


def _with_gate(words: list[str]) -> list[str]:
    """Return the words of `report`, in which ``--gate`` may stand without a tier: then it is the spec's."""
    following = [*words[1:], "-"]
    return [
        f"{word}=" if word == GATE_OPTION and after.startswith("-") else word
        for word, after in zip(words, following, strict=True)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What all options have.

    Attributes:
        origins: How each option that was given was given, by its field: ``--target``, or the name of its
            variable, such as ``SLOCHECK_TARGET``. Those with their default are not in it.
    """

    origins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions(Typed):
    """The options of ``slocheck run``, as typed."""

    spec: SpecArgument = DEFAULT_SPEC
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Send GETs to this address, without a spec; needs a load and a limit, and shows the spec "
            "that it is short for.",
        ),
    ] = None
    p50: Annotated[str | None, typer.Option("--p50", metavar="D", help="With --url: limit of p50.")] = None
    p95: Annotated[
        str | None, typer.Option("--p95", metavar="D", help="With --url: limit of p95, such as 200ms.")
    ] = None
    p99: Annotated[str | None, typer.Option("--p99", metavar="D", help="With --url: limit of p99.")] = None
    error_rate: Annotated[
        str | None, typer.Option(metavar="SHARE", help="With --url: limit of the error rate, such as 1%.")
    ] = None
    availability: Annotated[
        str | None,
        typer.Option(metavar="SHARE", help="With --url: least availability, such as 99.9%."),
    ] = None
    target: Annotated[
        str | None,
        typer.Option(metavar="URL", envvar="SLOCHECK_TARGET", help="Load this address, not the spec's."),
    ] = None
    prometheus: Annotated[
        str | None,
        typer.Option(
            metavar="URL", envvar="SLOCHECK_PROMETHEUS", help="Ask this Prometheus, not the spec's."
        ),
    ] = None
    gate: Annotated[
        str | None,
        typer.Option(
            metavar="TIER",
            envvar="SLOCHECK_GATE",
            help="The tier that decides the exit code; default: the spec's.",
        ),
    ] = None
    scenario: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            envvar="SLOCHECK_SCENARIO",
            help="Run this scenario, relative to the working folder.",
        ),
    ] = None
    users: Annotated[
        int | None,
        typer.Option(metavar="N", envvar="SLOCHECK_USERS", help="Number of virtual users (closed model)."),
    ] = None
    rate: Annotated[
        str | None,
        typer.Option(metavar="R", envvar="SLOCHECK_RATE", help="Arrival rate, such as 200/s (open model)."),
    ] = None
    duration: Annotated[
        str | None,
        typer.Option(
            metavar="D", envvar="SLOCHECK_DURATION", help="Length of the measured window, such as 30s or 5m."
        ),
    ] = None
    warmup: Annotated[
        str | None,
        typer.Option(
            metavar="D", envvar="SLOCHECK_WARMUP", help="Load before the window, which is not graded."
        ),
    ] = None
    processes: Annotated[
        str,
        typer.Option(
            metavar="N",
            envvar="SLOCHECK_PROCESSES",
            help="Worker processes, one per core; auto: all cores but one.",
        ),
    ] = "1"
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            envvar="SLOCHECK_WORKERS",
            help="Send the load from this many other machines, each with `slocheck worker`.",
        ),
    ] = None
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", envvar="SLOCHECK_LISTEN", help="With --workers: wait for them here."
        ),
    ] = None
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            envvar="SLOCHECK_TOKEN_FILE",
            help="With --workers: the coordinator's file of `slocheck token`.",
        ),
    ] = None
    join_timeout: Annotated[
        str | None,
        typer.Option(metavar="D", help="With --workers: how long to wait for them; default: 2m."),
    ] = None
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            envvar="SLOCHECK_SEED",
            help="Seed of arrivals, data and random numbers; absent: one is drawn and recorded.",
        ),
    ] = None
    reports: Reports = DEFAULT_REPORTS
    publish: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            envvar="SLOCHECK_PUBLISH",
            help="Copy the run's reports here as well, under fixed names, for a CI server to collect.",
        ),
    ] = None
    json: Json = False
    until_decided: Annotated[
        bool, typer.Option("--until-decided", help="End as soon as the gate is decided, met or breached.")
    ] = False
    max_duration: Annotated[
        str | None,
        typer.Option(metavar="D", help="The longest window with --until-decided; default: the spec's."),
    ] = None
    quiet: Quiet = False
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be sent and what it can prove; send nothing.")
    ] = False
    exit_zero: Annotated[
        bool,
        typer.Option(
            "--exit-zero", help="Exit 0 for any verdict of a finished run; errors keep their codes."
        ),
    ] = False
    allow_target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST",
            help="Allow connections to this host, not only to this machine; repeatable.",
        ),
    ] = None
    allow_metrics: AllowMetrics = None
    allow_concurrent: Annotated[
        bool, typer.Option("--allow-concurrent", help="Allow another run against the same target.")
    ] = False
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            envvar="SLOCHECK_BASELINE",
            help="Compare with this run, with `latest`, or with the runs of a folder; from five earlier runs "
            "on, a proven change for the worse fails the run.",
        ),
    ] = None
    max_regression: MaxRegression = None
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            "-v",
            help="Show statistics, all validity checks and paths, and what the Locust file prints and logs.",
        ),
    ] = False
    file_options: FileOptions = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateOptions(Typed):
    """The options of ``slocheck validate``, as typed."""

    spec: SpecArgument = DEFAULT_SPEC
    probe: Annotated[
        bool,
        typer.Option(
            "--probe",
            help="Send each GET step once to the target, and ask the metric source what can be measured; "
            "exit 4 if a response is not accepted or an objective cannot be measured.",
        ),
    ] = False
    allow_target: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-target",
            metavar="HOST",
            help="Allow connections to this host, not only to this machine; repeatable.",
        ),
    ] = None
    allow_metrics: AllowMetrics = None
    allow_concurrent: Annotated[
        bool, typer.Option("--allow-concurrent", help="Allow --probe while a run loads the target.")
    ] = False
    reports: Reports = DEFAULT_REPORTS
    file_options: FileOptions = None


def allowed_targets(named: Sequence[str] | None) -> tuple[str, ...]:
    """Return the hosts that the user allows, by the flag and by SLOCHECK_ALLOW_TARGETS."""
    return (*(named or ()), *_listed(ALLOW_TARGET))


def allowed_metrics(named: Sequence[str] | None, *addresses: str | None) -> tuple[str, ...]:
    """Return the hosts that may get the metric source's credentials.

    Args:
        named: By the flag; those of SLOCHECK_ALLOW_METRICS are added.
        addresses: Typed on the command line; what is not one is refused where it is used.
    """
    hosts = []
    for address in filter(None, addresses):
        with suppress(ValueError):
            hosts.append(urlsplit(address).hostname or "")
    return (*(named or ()), *_listed(ALLOW_METRICS), *hosts)


def _listed(option: str) -> list[str]:
    return os.environ.get(VARIABLES[option], "").replace(",", " ").split()


def takes(options: type[O]) -> Callable[[Callable[[O], int]], Callable[..., int]]:
    """Give a command the fields of a dataclass for its options, so that each is declared only once."""

    def decorate(command: Callable[[O], int]) -> Callable[..., int]:
        def call(context: typer.Context, **typed: object) -> int:
            return command(options(**typed, origins=origins(context)))

        mine, fields = inspect.signature(call).parameters, inspect.signature(options).parameters
        shown = [mine["context"].replace(kind=inspect.Parameter.KEYWORD_ONLY)]
        shown += [item for name, item in fields.items() if name != "origins"]
        call.__doc__ = command.__doc__
        call.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]  # read by Typer
        return call

    return decorate


def origins(context: typer.Context) -> Mapping[str, str]:
    """Return how each parameter that was given was given, by its name: see `Typed`."""
    found = {}
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source is None or parameter.name is None:
            continue
        if source.name == "ENVIRONMENT":
            found[parameter.name] = str(parameter.envvar)
        elif source.name == "COMMANDLINE":
            is_flag = parameter.param_type_name == "option"
            found[parameter.name] = parameter.opts[0] if is_flag else parameter.name.upper()
    return found
