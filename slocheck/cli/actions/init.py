"""What ``slocheck init`` does: write a spec and a scenario to begin with."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urljoin

import yaml

from slocheck.cli.messages import say
from slocheck.documents.units import format_rate
from slocheck.errors import SpecError, UsageError
from slocheck.importers.curl import from_curl
from slocheck.importers.har import from_har
from slocheck.importers.model import Imported, ImportedStep, split_address
from slocheck.importers.openapi import from_openapi
from slocheck.importers.text import scenario_text
from slocheck.named_files import asked, write_atomically
from slocheck.reporters.escape import for_terminal, slug
from slocheck.scenario.loader import parse_scenario
from slocheck.spec.loader import parse_spec

DEFAULT_SERVICE = "my-api"
DEFAULT_TARGET = "http://127.0.0.1:8000"
REQUESTS_PER_SECOND = 100
"""The rate that the written spec sends: enough to prove its gate in a minute."""

MAX_DOCUMENT = 32 * 2**20
_FLAG_OF = {"service": "--service", "target.url": "--target"}


@dataclass(frozen=True, slots=True)
class Source:
    """What the files are made of, as typed: at most one of the first four.

    Attributes:
        url: An address to request.
        openapi: An OpenAPI document.
        har: A HAR file.
        curl: A curl command.
        all_methods: Also take requests other than GET and HEAD.
    """

    url: str | None = None
    openapi: Path | None = None
    har: Path | None = None
    curl: str | None = None
    all_methods: bool = False

    @property
    def given(self) -> int:
        """How many of the sources were given."""
        return sum(item is not None for item in (self.url, self.openapi, self.har, self.curl))


def write_files(
    folder: Path, source: Source, *, service: str | None, target: str | None, force: bool
) -> None:
    """Write slo.yaml and its scenario below `folder`; raises UsageError if a file is already there."""
    try:
        found = _imported(source, target)
    except RecursionError as error:
        raise UsageError("--openapi, --har: the file is nested too deep to be read") from error
    found = replace(
        found,
        service=found.service or DEFAULT_SERVICE if service is None else service,
        target=found.target if target is None else target,
    )
    rendered = _render(found)
    existing = [str(folder / name) for name in rendered if asked((folder / name).exists)]
    if existing and not force:
        raise UsageError(f"{', '.join(existing)}: already there; add --force to overwrite, or --dir DIR")
    for name, content in rendered.items():
        path = folder / name
        _make_folder(path.parent)
        write_atomically(path, content.encode())
        path.chmod(0o644)  # written as private files; these are meant to be shared
        print(for_terminal(f"wrote {path}"))
    for text in found.left_out:
        say(f"left out: {text}")
    spec = shlex.quote(str(folder / "slo.yaml"))
    print(for_terminal(f"next: slocheck validate {spec}, then slocheck run {spec}"))


def _imported(source: Source, target: str | None) -> Imported:
    """Return what the source says; without one, a request for the front page."""
    if source.given > 1:
        raise UsageError("--url, --openapi, --har, --curl: give only one of them")
    if source.url is not None:
        base, path = split_address(source.url, "--url")
        return Imported(base, (ImportedStep("GET", path),))
    if source.openapi is not None:
        document = _document(source.openapi, "--openapi")
        what = f"--openapi: {source.openapi}"
        return from_openapi(document, what=what, target=target, all_methods=source.all_methods)
    if source.har is not None:
        document = _document(source.har, "--har")
        return from_har(document, what=f"--har: {source.har}", all_methods=source.all_methods)
    if source.curl is not None:
        return from_curl(source.curl, all_methods=source.all_methods)
    return Imported(DEFAULT_TARGET, (ImportedStep("GET", "/"),))


def _document(path: Path, flag: str) -> Any:
    """Read a document in JSON or YAML; raises UsageError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_DOCUMENT + 1)
        if len(data) > MAX_DOCUMENT:
            raise UsageError(f"{flag}: {path}: is larger than {MAX_DOCUMENT // 2**20} MiB")
        text = data.decode("utf-8-sig")
        return json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or "it is neither JSON nor YAML"
        raise UsageError(f"{flag}: {path}: cannot be read: {reason}") from error


def _render(found: Imported) -> Mapping[str, str]:
    """Return the files to write, name to text; raises UsageError for what would not load."""
    for flag, text in (("--service", found.service), ("--target", found.target)):
        if not text.isprintable():
            raise UsageError(f"{flag}: has characters that cannot be printed; write plain text")
    name = f"scenarios/{slug(found.service)}.yaml"
    rate = format_rate(Fraction(max(1, REQUESTS_PER_SECOND // len(found.steps))))
    # a JSON string is a YAML string in double quotes
    values = {
        "service": json.dumps(found.service, ensure_ascii=False),
        "target": json.dumps(found.target),
        "page": json.dumps(urljoin(found.target, "/metrics")),
        "scenario": name,
        "rate": rate,
    }
    template = (files("slocheck.cli") / "templates" / "slo.yaml.tmpl").read_text("utf-8")
    spec, scenario = Template(template).substitute(values), scenario_text(found)
    try:
        parse_spec(spec.encode(), "slo.yaml")
        parse_scenario(scenario.encode(), name, environment={}, read=lambda _name, _most: b"")
    except SpecError as error:
        problem = error.problems[0]
        raise UsageError(f"{_FLAG_OF.get(problem.where, problem.where)}: {problem.what}") from error
    return {"slo.yaml": spec, name: scenario}


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--dir: {folder} cannot be created: {error.strerror}; name another folder"
        ) from error
