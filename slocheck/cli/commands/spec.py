"""``slocheck validate``, ``slocheck schema`` and ``slocheck init``: all about slo.yaml, no load."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slocheck.errors import SpecError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_TARGET = "http://127.0.0.1:8000"
DEFAULT_SERVICE = "my-api"
_FLAG_OF = {"service": "--service", "target.url": "--target"}


def validate(
    spec: Annotated[Path, typer.Argument(help="The SLO spec.", metavar="SPEC")] = Path("slo.yaml"),
    *,
    ask: Annotated[
        bool, typer.Option("--probe", help="Ask the metric source whether each objective can be measured.")
    ] = False,
) -> int:
    """Check a spec without sending load, and say what it means."""
    from slocheck.cli.scenario_check import check_scenario  # noqa: PLC0415 - --help stays light
    from slocheck.reporters.terminal.spec import summary  # noqa: PLC0415
    from slocheck.spec.loader import load_spec  # noqa: PLC0415

    loaded = load_spec(spec)
    warnings = check_scenario(loaded, spec.parent / loaded.workload.scenario)
    typer.echo(summary(loaded))
    for warning in warnings:
        typer.echo(f"warning: {warning}", err=True)
    if not ask:
        return 0
    from slocheck.cli.probe import probe  # noqa: PLC0415 - loads the metric sources

    lines, code = probe(loaded)
    typer.echo("\n".join(lines))
    return code


def schema(
    *,
    scenario: Annotated[bool, typer.Option("--scenario", help="That of scenarios/*.yaml instead.")] = False,
) -> int:
    """Print the JSON Schema of slo.yaml, for editors."""
    import json  # noqa: PLC0415 - --help stays light

    from slocheck.scenario.schema import scenario_schema  # noqa: PLC0415
    from slocheck.spec.schema import json_schema  # noqa: PLC0415

    typer.echo(json.dumps(scenario_schema() if scenario else json_schema(), indent=2))
    return 0


def init(
    *,
    service: Annotated[
        str | None, typer.Option(metavar="NAME", help="The service's name.", show_default=DEFAULT_SERVICE)
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="URL", envvar="SLOCHECK_TARGET", help="Its base URL.", show_default=DEFAULT_TARGET
        ),
    ] = None,
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="Where slo.yaml and scenarios/ go.")
    ] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
) -> int:
    """Write a commented slo.yaml and a scenario that run as they are."""
    from slocheck.pipeline.archive import write_atomically  # noqa: PLC0415 - --help stays light

    files = _render(
        service=_answer("Name of the service", service, DEFAULT_SERVICE),
        target=_answer("Base URL of the API under load", target, DEFAULT_TARGET),
    )
    existing = [str(folder / name) for name in files if (folder / name).exists()]
    if existing and not force:
        raise UsageError(f"{', '.join(existing)}: already there; add --force to overwrite, or --dir DIR")
    for name, content in files.items():
        path = folder / name
        _make_folder(path.parent)
        write_atomically(path, content.encode())
        path.chmod(0o644)  # written as private files; these are meant to be shared
        typer.echo(f"wrote {path}")
    typer.echo(f"next: slocheck validate {folder / 'slo.yaml'}, then slocheck run {folder / 'slo.yaml'}")
    return 0


def _answer(question: str, given: str | None, default: str) -> str:
    """Return the flag's value; ask only a person who sits at a terminal and gave none."""
    if given is not None:
        return given
    if not sys.stdin.isatty():
        return default
    return str(typer.prompt(question, default=default))


def _render(*, service: str, target: str) -> "Mapping[str, str]":
    """Return the files to write: name to text; raises UsageError for an unusable name or address."""
    import json  # noqa: PLC0415 - --help stays light
    from importlib.resources import files  # noqa: PLC0415
    from string import Template  # noqa: PLC0415

    from slocheck.spec.loader import parse_spec  # noqa: PLC0415

    for flag, text in (("--service", service), ("--target", target)):
        if not text.isprintable():
            raise UsageError(f"{flag}: has characters that cannot be printed; write plain text")
    templates = files("slocheck.cli.commands") / "templates"
    # a JSON string is a YAML string in double quotes
    quoted = {"service": json.dumps(service, ensure_ascii=False), "target": json.dumps(target)}
    spec = Template((templates / "slo.yaml.tmpl").read_text("utf-8")).substitute(quoted)
    try:
        parse_spec(spec.encode(), "slo.yaml")
    except SpecError as error:
        problem = error.problems[0]
        raise UsageError(f"{_FLAG_OF.get(problem.where, problem.where)}: {problem.what}") from error
    return {"slo.yaml": spec, "scenarios/smoke.py": (templates / "smoke.py.tmpl").read_text("utf-8")}


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--dir: {folder} cannot be made: {error.strerror}; name another folder") from error
