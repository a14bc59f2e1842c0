"""What ``slocheck run --url`` stands for: a spec with its scenario, made of flags."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from slocheck.cli.messages import say
from slocheck.cli.options import DEFAULT_SPEC, RunOptions
from slocheck.documents.units import split_comparison
from slocheck.errors import SpecError, UsageError
from slocheck.importers.model import Imported, Step, split_address
from slocheck.importers.text import spec_text
from slocheck.pipeline.archive import Archive, write_atomically
from slocheck.spec.loader import parse_spec

TIER = "slo"
COMMENT = "Written by slocheck run --url; save it, change it, and run it with: slocheck run FILE"
DEFAULT_DURATION = "1m"
DEFAULT_WARMUP = "5s"
LIMITS = {
    "p50": "latency_p50",
    "p95": "latency_p95",
    "p99": "latency_p99",
    "error_rate": "error_rate",
    "availability": "availability",
}
"""The objective that each flag is the limit of."""

_COMPARISONS = {"availability": ">="}
SAID_BY_SPEC = ("url", *LIMITS, "rate", "users", "duration", "warmup")
"""Options that the spec says."""

FLAG_OF = {
    **{f"objectives.{name}.{TIER}": f"--{flag.replace('_', '-')}" for flag, name in LIMITS.items()},
    **{f"workload.{name}": f"--{name}" for name in ("rate", "users", "duration", "warmup")},
}


def limits(options: RunOptions) -> dict[str, str]:
    """Return the limit that the flags set for each objective; a bare value gets its comparison."""
    given = {name: getattr(options, flag) for flag, name in LIMITS.items()}
    return {
        name: text if split_comparison(text)[0] else f"{_COMPARISONS.get(name, '<')} {text}"
        for name, text in given.items()
        if text is not None
    }


def url_spec(options: RunOptions) -> str:
    """Return the text of the spec that the flags stand for.

    Raises:
        UsageError: A flag is missing, or does not go with ``--url``.
    """
    refused = {
        "SPEC": options.spec != DEFAULT_SPEC,
        "--target": options.target is not None,
        "--scenario": options.scenario is not None,
    }
    for name, written in refused.items():
        if written:
            raise UsageError(f"--url stands for a spec of its own, so that {name} has no place; leave it out")
    objectives = limits(options)
    if not objectives:
        raise UsageError("--url needs a limit; add one such as --p95 200ms or --error-rate 1%")
    if (options.rate is None) == (options.users is None):
        raise UsageError("--url needs a load; add --rate 50/s (open model) or --users 20 (closed model)")
    target, path = split_address(options.url or "", "--url")
    found = Imported(target, (Step("GET", path),), service=urlsplit(target).netloc)
    load = {"rate": options.rate} if options.rate is not None else {"users": str(options.users)}
    load |= {"warmup": options.warmup or DEFAULT_WARMUP, "duration": _duration(options)}
    return spec_text(found, workload=load, objectives=objectives, tier=TIER, comment=COMMENT)


def _duration(options: RunOptions) -> str:
    return options.max_duration or options.duration or DEFAULT_DURATION


@contextmanager
def options_of_url(options: RunOptions) -> Iterator[RunOptions]:
    """Yield the options of a run of the spec that the flags stand for, which is saved in the reports folder.

    A dry run leaves no file.

    Raises:
        UsageError: A flag is missing or wrong; the message names it.
    """
    text = url_spec(options)
    try:
        parse_spec(text.encode(), "slo.yaml")
    except SpecError as error:
        problem = error.problems[0]
        raise UsageError(f"{FLAG_OF.get(problem.where, '--url')}: {problem.what}") from error
    if not options.quiet:
        for line in text.splitlines():
            say(line)
    with TemporaryDirectory() as temporary:
        path = _saved(text, Path(temporary) if options.dry_run else options.reports)
        said: dict[str, Any] = dict.fromkeys(SAID_BY_SPEC)
        yield replace(options, spec=path, **said)


def _saved(text: str, folder: Path) -> Path:
    """Write the spec into a folder under a name that follows from it; returns its path."""
    Archive(folder).probe()
    path = folder / f"url-{hashlib.sha256(text.encode()).hexdigest()[:8]}.yaml"
    write_atomically(path, text.encode())
    return path


def refuse_limits(options: RunOptions) -> None:
    """Refuse the flags that only go with ``--url``; raises UsageError."""
    for name in LIMITS:
        if getattr(options, name) is not None:
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"{flag} goes with --url; the limits of a spec stand in the spec")
