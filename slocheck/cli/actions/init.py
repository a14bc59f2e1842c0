"""What ``slocheck init`` does: write a spec and a scenario to begin with."""

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template

from slocheck.errors import SpecError, UsageError
from slocheck.pipeline.archive import write_atomically
from slocheck.reporters.escape import for_terminal
from slocheck.spec.loader import parse_spec

_FLAG_OF = {"service": "--service", "target.url": "--target"}


def write_files(folder: Path, *, service: str, target: str, force: bool) -> None:
    """Write slo.yaml and its scenario below `folder`; raises UsageError if a file is already there."""
    rendered = _render(service=service, target=target)
    existing = [str(folder / name) for name in rendered if (folder / name).exists()]
    if existing and not force:
        raise UsageError(f"{', '.join(existing)}: already there; add --force to overwrite, or --dir DIR")
    for name, content in rendered.items():
        path = folder / name
        _make_folder(path.parent)
        write_atomically(path, content.encode())
        print(for_terminal(f"wrote {path}"))
    spec = folder / "slo.yaml"
    print(for_terminal(f"next: slocheck validate {spec}, then slocheck run {spec}"))


def _render(*, service: str, target: str) -> Mapping[str, str]:
    """Return the files to write, name to text; raises UsageError for an unusable name or address."""
    for flag, text in (("--service", service), ("--target", target)):
        if not text.isprintable():
            raise UsageError(f"{flag}: has characters that cannot be printed; write plain text")
    templates = files("slocheck.cli") / "templates"
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
        raise UsageError(
            f"--dir: {folder} cannot be created: {error.strerror}; name another folder"
        ) from error
