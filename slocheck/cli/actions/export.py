"""What ``slocheck export`` does: collect what a run needs, and write it for another tool."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from slocheck.allowed_targets import address_of, is_localhost_name
from slocheck.cli.export_options import ExportOptions
from slocheck.cli.messages import say
from slocheck.cli.options import allowed_metrics
from slocheck.cli.output import write_out
from slocheck.cli.typed import seconds_typed
from slocheck.errors import UsageError
from slocheck.exporters import EXPORTERS
from slocheck.exporters.request import MAX_NAME, Request
from slocheck.masking import errors_masked, mask, secrets_of
from slocheck.pipeline.scenario_file import check_scenario, scenario_of, scenario_path
from slocheck.scenario.credentials import written_out
from slocheck.scenario.loader import parse_scenario, read_scenario_file, scenario_bytes
from slocheck.scenario.model import Scenario
from slocheck.spec.loader import load_spec, with_overrides
from slocheck.spec.model import Overrides, Spec

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_MOST_FILE_BYTES = 1 << 20


def export(options: ExportOptions) -> int:
    """Write a spec for another tool; returns the exit code.

    Raises:
        UsageError: `run` would refuse the spec, or what it needs cannot be exported.
    """
    if options.kind not in EXPORTERS:
        raise UsageError(f"there is no export {options.kind!r}; write {', '.join(EXPORTERS)}")
    spec = with_overrides(load_spec(options.spec), Overrides(target=options.target))
    with errors_masked(secrets_of(spec)):
        for warning in check_scenario(spec):
            say(f"warning: {warning}")
        request = _request(spec, options)
        text = EXPORTERS[options.kind](request)
    write_out(text, options.to)
    host = urlsplit(spec.target.url).hostname
    say(f"the manifests allow {request.workers} workers to load {host}")
    return 0


@dataclass(slots=True)
class _Files:
    """The files of a run, by their path in the working folder; those with secrets are kept apart.

    Attributes:
        secrets: Values that must not be exported.
    """

    secrets: tuple[str, ...]
    plain: dict[str, bytes] = field(default_factory=dict)
    secret: set[str] = field(default_factory=set)

    def add(self, path: Path, data: bytes, *, may_be_secret: bool = True) -> str:
        """Add a file; returns its path in the working folder.

        Raises:
            UsageError: It is outside of the working folder, or holds a secret and has to be readable.
        """
        place = _place(path)
        if not _holds(data, self.secrets):
            self.plain[place] = data
        elif may_be_secret:
            self.secret.add(place)
        else:
            raise UsageError(
                f"{place}: holds a secret, which an export would show; write ${{NAME}} there, and give the "
                "variable to the pods"
            )
        return place


def _request(spec: Spec, options: ExportOptions) -> Request:
    host = urlsplit(spec.target.url).hostname or ""
    address = address_of(host)
    if is_localhost_name(host) or (address is not None and address.is_loopback):
        raise UsageError(
            f"target {spec.target.url} is this machine; name the service's address with --target"
        )
    scenario = scenario_of(spec)
    files = _Files((*secrets_of(spec), *(scenario.secrets if scenario else ())))
    spec_file = files.add(options.spec, _read(options.spec), may_be_secret=False)
    path = scenario_path(spec)
    scenario_file = files.add(path, _read(path), may_be_secret=False)
    if scenario:
        _refuse_credentials(scenario)
    for name, data in _named_by(path).items() if scenario else ():
        files.add(path.parent / name, data)
    _add_credentials(files, spec)
    for more in options.file or ():
        files.add(more, _read(more))
    return Request(
        spec=spec,
        name=_name(options.name, spec.service),
        image=options.image,
        workers=options.workers,
        target=options.target,
        files=files.plain,
        secret_files=tuple(sorted(files.secret)),
        spec_file=spec_file,
        scenario_file=scenario_file,
        join_s=seconds_typed("--join-timeout", options.join_timeout),
        allowed_metrics=allowed_metrics(options.allow_metrics),
    )


def _refuse_credentials(scenario: Scenario) -> None:
    """Raise UsageError for a credential that is in the scenario as plain text."""
    for text in written_out(scenario):
        raise UsageError(
            f"{scenario.path}:{text.position} {text.where}: holds a credential in plain text, which an "
            "export would show; write ${NAME} there, and give the variable to the pods"
        )


def _add_credentials(files: _Files, spec: Spec) -> None:
    """Add certificates; keys, tokens and passwords are secret files, whatever they contain."""
    source = spec.metric_source
    for tls in (spec.target.tls, *((source.tls,) if source else ())):
        for certificate in (tls.ca, tls.cert):
            if certificate:
                files.add(_relative(certificate), _read(Path(certificate)))
        if tls.key:
            files.secret.add(_place(_relative(tls.key)))
    if source:
        for secret in (source.auth.bearer_token_file, source.auth.password_file):
            if secret:
                files.secret.add(_place(_relative(secret)))


def _named_by(scenario: Path) -> Mapping[str, bytes]:
    """Return the files that a declarative scenario names, by name."""
    found = dict[str, bytes]()

    def read(name: str, most: int) -> bytes:
        data = read_scenario_file(scenario, name, most)
        found[name] = max(found.get(name, b""), data, key=len)
        return data

    parse_scenario(scenario_bytes(scenario), str(scenario), environment=os.environ, read=read)
    return found


def _relative(path: str) -> Path:
    if Path(path).is_absolute():
        raise UsageError(
            f"{path}: is an absolute path, which another machine does not have; write a relative one"
        )
    return Path(path)


def _place(path: Path) -> str:
    """Return a file's path in the working folder; raises UsageError if it is elsewhere."""
    place = os.path.relpath(path)
    if place.startswith(".."):
        raise UsageError(f"{path}: is outside of the working folder; change to a folder that holds all files")
    return Path(place).as_posix()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; name a file that can be read") from error
    if len(data) > _MOST_FILE_BYTES:
        raise UsageError(f"{path}: is larger than {_MOST_FILE_BYTES:,} bytes; build it into an image instead")
    return data


def _holds(data: bytes, secrets: tuple[str, ...]) -> bool:
    text = data.decode("utf-8", "surrogateescape")
    return mask(text, secrets) != text


def _name(given: str | None, service: str) -> str:
    """Return a DNS label: the one given, or one made of the service's name."""
    if given is None:
        cleaned = re.sub(r"[^a-z0-9]+", "-", service.lower()).strip("-")
        return f"slocheck-{cleaned}"[:MAX_NAME].rstrip("-")
    if len(given) > MAX_NAME or not _NAME.fullmatch(given):
        raise UsageError(
            f"--name {given!r}: write a name of at most {MAX_NAME} lower-case letters, digits and hyphens"
        )
    return given
