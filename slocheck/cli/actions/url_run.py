"""The spec that ``slocheck run --url`` is short for, made of flags."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from slocheck.cli.messages import say
from slocheck.cli.options import RunOptions
from slocheck.documents.units import UnitError, parse_duration, parse_rate, split_comparison
from slocheck.errors import SpecError, UsageError
from slocheck.named_files import write_atomically
from slocheck.pipeline.archive import Archive
from slocheck.pipeline.earlier.prune import url_spec_name
from slocheck.scenario.loader import parse_scenario
from slocheck.spec.loader import parse_spec

TIER = "slo"
COMMENT = "Written by slocheck run --url; save it and run it with: slocheck run FILE"
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
_NO_PLACE = ("spec", "target", "scenario", "prometheus", "file_options")
"""Options that go with a spec that the user wrote."""
MOST_SERVICE = 100
"""Characters of a service's name."""
SAID_BY_SPEC = ("url", *LIMITS, "rate", "users", "duration", "warmup")
"""Options whose values are in the spec."""

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
    """Return the text of the spec that the flags describe.

    Raises:
        UsageError: A flag is missing, or does not go with ``--url``.
    """
    from slocheck.importers.model import (  # noqa: PLC0415 - most runs have a spec
        Imported,
        ImportedStep,
        split_address,
    )
    from slocheck.importers.text import spec_text  # noqa: PLC0415 - as above

    _refuse_without_place(options.origins)
    objectives = limits(options)
    if not objectives:
        raise UsageError("--url needs a limit; add one such as --p95 200ms or --error-rate 1%")
    load = _load(options)
    target, path = split_address(options.url or "", "--url")
    found = Imported(target, (ImportedStep("GET", path),), service=_service(options.url or ""))
    return spec_text(found, workload=load, objectives=objectives, tier=TIER, comment=COMMENT)


def _refuse_without_place(origins: Mapping[str, str]) -> None:
    """Refuse what goes with a spec that the user wrote, by the name under which it was given."""
    for name in filter(origins.__contains__, _NO_PLACE):
        given, what = origins[name], "does not apply; leave it out"
        if name == "file_options":
            given, what = "the words after --", "do not apply; leave them out"
        elif given.startswith("SLOCHECK_"):
            what = "does not apply; unset it"
        raise UsageError(f"--url makes its own spec, so {given} {what}")


def _load(options: RunOptions) -> dict[str, str]:
    """Return the keys of the workload block, each checked before it is written; raises UsageError."""
    refuse_two_loads(options)
    if options.rate is None and options.users is None:
        raise UsageError("--url needs a load; add --rate 50/s (open model) or --users 20 (closed model)")
    longest = options.duration if options.max_duration is None else options.max_duration
    named = "duration" if options.max_duration is None else "max_duration"
    written = {
        "rate": _checked(options, "rate", options.rate, parse_rate),
        "users": None if options.users is None else str(options.users),
        "warmup": _checked(options, "warmup", options.warmup, parse_duration) or DEFAULT_WARMUP,
        "duration": _checked(options, named, longest, parse_duration) or DEFAULT_DURATION,
    }
    return {key: text for key, text in written.items() if text is not None}


def _checked(options: RunOptions, name: str, text: str | None, parse: Callable[[str], object]) -> str | None:
    """Return a quantity as typed if it is one: so that nothing else gets into the spec's YAML."""
    try:
        if text is not None:
            parse(text)
    except UnitError as error:
        raise UsageError(f"{options.origins.get(name, f'--{name}')}: {error}") from error
    return text


def _service(url: str) -> str:
    """Return the service name for an address: its host and path, so each path is a service.

    A name that would be too long is cut, and ends with a checksum of the whole.
    """
    parts = urlsplit(url)
    name = (parts.netloc + parts.path).rstrip("/")
    if len(name) <= MOST_SERVICE:
        return name
    checksum = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: MOST_SERVICE - len(checksum) - 1]}~{checksum}"


@contextmanager
def options_of_url(options: RunOptions) -> Iterator[RunOptions]:
    """Yield the options of a run of the spec that the flags describe, which is saved in the reports folder.

    A dry run leaves no file.

    Raises:
        UsageError: A flag is missing or wrong; the message names it.
    """
    text = url_spec(options)
    try:
        parse_spec(text.encode(), "slo.yaml")
        parse_scenario(text.encode(), "slo.yaml", environment={}, read=lambda _name, _most: b"")
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
    path = folder / url_spec_name(text.encode())
    write_atomically(path, text.encode())
    return path


def refuse_two_loads(options: RunOptions) -> None:
    """Refuse a rate next to a number of users, wherever each was given; raises UsageError."""
    if options.rate is None or options.users is None:
        return
    users, rate = (options.origins.get(name, f"--{name}") for name in ("users", "rate"))
    raise UsageError(
        f"{users}, {rate}: one is the closed model, the other the open model; give only one of them"
    )


def refuse_limits(options: RunOptions) -> None:
    """Refuse the flags that only go with ``--url``; raises UsageError."""
    for name in LIMITS:
        if getattr(options, name) is not None:
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"{flag} goes with --url; a spec has its own limits")
