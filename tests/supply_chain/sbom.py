"""The software bill of materials of what is installed with slocheck: ``python -m tests.supply_chain.sbom``.

CycloneDX 1.6 as JSON: slocheck, each package that it needs at run time on this Python, directly or not, with
version, licence and the hashes of its files from requirements.lock, and dependencies. The same installation
gives the same bytes; the time is that of SOURCE_DATE_EPOCH, if it is set.
"""

import json
import os
import re
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements.lock"


def normal(name: str) -> str:
    """Return a package's name in its one spelling."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return the version of each package of the lock, and the SHA-256 of each of its files."""
    text = LOCK.read_text()
    found = {}
    for match in re.finditer(
        r"^([\w.-]+)==(\S+)((?: \\\n +--hash=sha256:[0-9a-f]{64})+)$", text, re.MULTILINE
    ):
        hashes = re.findall(r"sha256:([0-9a-f]{64})", match[3])
        found[normal(match[1])] = (match[2], tuple(hashes))
    return found


def needed(name: str = "slocheck") -> dict[str, tuple[Distribution, tuple[str, ...]]]:
    """Return a package and what it needs at run time on this Python, each with what that needs directly."""
    found: dict[str, tuple[Distribution, tuple[str, ...]]] = {}
    waiting: list[tuple[str, frozenset[str]]] = [(normal(name), frozenset())]
    while waiting:
        current, extras = waiting.pop(0)
        installed = distribution(current)
        wanted = list(_requirements(installed, extras))
        direct = {normal(each.name) for each in wanted} | set(found[current][1] if current in found else ())
        if current in found and direct == set(found[current][1]):
            continue
        found[current] = (installed, tuple(sorted(direct)))
        waiting += [(normal(each.name), frozenset(each.extras)) for each in wanted]
    return found


def _requirements(installed: Distribution, extras: frozenset[str]) -> Iterator[Requirement]:
    for text in installed.requires or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in (*extras, "")):
            yield requirement


def document() -> dict[str, object]:
    """Return the bill of materials as plain values."""
    packages, hashes = needed(), locked()
    references = {name: f"pkg:pypi/{name}@{installed.version}" for name, (installed, _) in packages.items()}
    components = [
        _component(installed, references[name], hashes.get(name)) for name, (installed, _) in packages.items()
    ]
    when = os.environ.get("SOURCE_DATE_EPOCH")
    time = {"timestamp": datetime.fromtimestamp(int(when), UTC).isoformat()} if when else {}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, ' '.join(references.values()))}",
        "version": 1,
        "metadata": {**time, "component": {**components[0], "type": "application"}},
        "components": components[1:],
        "dependencies": [
            {"ref": references[name], "dependsOn": [references[each] for each in direct]}
            for name, (_, direct) in packages.items()
        ],
    }


def _component(
    installed: Distribution, reference: str, lock: tuple[str, tuple[str, ...]] | None
) -> dict[str, object]:
    component: dict[str, object] = {
        "type": "library",
        "bom-ref": reference,
        "name": normal(installed.metadata["Name"]),
        "version": installed.version,
        "purl": reference,
    }
    if "License-Expression" in installed.metadata:
        component["licenses"] = [{"expression": installed.metadata["License-Expression"]}]
    if lock and lock[0] == installed.version:
        component["properties"] = [{"name": "slocheck:file:sha256", "value": each} for each in lock[1]]
    return component


if __name__ == "__main__":
    sys.stdout.write(json.dumps(document(), indent=2) + "\n")
