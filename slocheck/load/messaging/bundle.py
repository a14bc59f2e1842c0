"""The bundle that is sent to other machines: a declarative scenario and its files, identified by its hash.

It is data: texts, bytes and digests, read with bounds. A Locust file is never in it, only the hashes of its
files.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from slocheck.errors import UsageError
from slocheck.load.messaging.machine_messages import Bundle
from slocheck.named_files import read_named
from slocheck.plan.load_plan import LoadPlan
from slocheck.scenario.loader import parse_scenario, read_scenario_file, scenario_bytes
from slocheck.scenario.model import Scenario
from slocheck.tls import LARGEST_PEM

MAX_BUNDLE_BYTES = 1 << 25
"""Bytes of all files together: what is signed and sent as one message, with room for its encoding."""


class BundleError(ValueError):
    """What was received is not the bundle that was announced, or not a bundle."""


class _Asked(Mapping[str, str]):
    """Variables that remember which of them were read."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.asked: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        value = self._variables[name]
        self.asked[name] = value
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


def collect(plan: LoadPlan, variables: Mapping[str, str], manifest: Mapping[str, str]) -> Bundle:
    """Return all files that a plan names.

    Args:
        plan: The plan.
        variables: Environment of this process.
        manifest: What a Locust file consists of; nothing for a declarative scenario.

    Raises:
        UsageError: A file cannot be read, the scenario is wrong, or all of it is too large.
    """
    tls = {key: _pem(path) for key in ("ca", "cert", "key") if (path := getattr(plan.tls, key)) is not None}
    if not plan.declarative:
        return Bundle(plan.scenario, tls=tls, manifest=manifest)
    path, asked, files = Path(plan.scenario), _Asked(variables), dict[str, bytes]()

    def read(name: str, most: int) -> bytes:
        data = read_scenario_file(path, name, most)
        files[name] = max(files.get(name, b""), data, key=len)
        return data

    data = scenario_bytes(path)
    parse_scenario(data, str(path), environment=asked, read=read)
    bundle = Bundle(plan.scenario, data, files, asked.asked, tls)
    size = len(data) + sum(map(len, (*files.values(), *tls.values())))
    if size > MAX_BUNDLE_BYTES:
        raise UsageError(
            f"{plan.scenario}: with the files that it names it has {size:,} bytes; workers on other machines "
            f"take at most {MAX_BUNDLE_BYTES:,}; shorten its CSV files"
        )
    return bundle


def _pem(path: str) -> bytes:
    try:
        return read_named(path, most=LARGEST_PEM)
    except OSError as error:
        raise UsageError(f"target.tls: {path}: {error.strerror}; name a PEM file") from None


def packed(bundle: Bundle) -> str:
    """Return a bundle as text, always the same for the same content."""
    return json.dumps(
        {
            "path": bundle.path,
            "scenario": None if bundle.scenario is None else _text(bundle.scenario),
            "files": {name: _text(data) for name, data in bundle.files.items()},
            "variables": dict(bundle.variables),
            "tls": {name: _text(data) for name, data in bundle.tls.items()},
            "manifest": dict(bundle.manifest),
        },
        sort_keys=True,
    )


def digest(text: str) -> str:
    """Return the SHA-256 of a packed bundle, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def unpacked(text: str, announced: str) -> Bundle:
    """Return the bundle in a text; raises BundleError unless it has the hash that was announced."""
    if digest(text) != announced:
        raise BundleError("the scenario's bundle does not have the hash that was announced")
    try:
        plain = json.loads(text)
        return Bundle(
            path=_str(plain["path"]),
            scenario=None if plain["scenario"] is None else _bytes(plain["scenario"]),
            files={_str(name): _bytes(data) for name, data in plain["files"].items()},
            variables={_str(name): _str(value) for name, value in plain["variables"].items()},
            tls={_str(name): _bytes(data) for name, data in plain["tls"].items()},
            manifest={_str(name): _str(value) for name, value in plain["manifest"].items()},
        )
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise BundleError(f"not a bundle: {error!r}") from error


def scenario_in(bundle: Bundle) -> Scenario:
    """Return the declarative scenario in a bundle; no file and no variable of this machine is read.

    Raises:
        SpecError: It is not valid here.
    """

    def read(name: str, most: int) -> bytes:
        if name not in bundle.files:
            raise FileNotFoundError(2, "it did not come with the scenario")
        return bundle.files[name][: most + 1]

    return parse_scenario(bundle.scenario or b"", bundle.path, environment=bundle.variables, read=read)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: Any) -> bytes:
    return base64.b64decode(_str(text), validate=True)


def _str(plain: Any) -> str:
    if not isinstance(plain, str):
        raise TypeError("not a text")
    return plain
