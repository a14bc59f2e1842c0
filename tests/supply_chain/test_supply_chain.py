"""What is installed and released: pinned by hashes, built twice to the same bytes, listed in full."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml
from packaging.requirements import Requirement

from tests.supply_chain import mutation
from tests.supply_chain.sbom import ROOT, document, locked, needed, normal
from tests.test_packaging import PROJECT

IGNORED = (".venv", ".git", ".*_cache", ".hypothesis", "__pycache__", "dist", "reports")
CONSTRAINTS = ROOT / "constraints.txt"


def test_every_locked_version_has_hashes_and_is_the_constraints_own() -> None:
    """It has all that a checkout needs, nothing else, and no address; pip can check each line."""
    lines = CONSTRAINTS.read_text().splitlines()
    pins = {normal(line.partition("==")[0]): line.partition("==")[2] for line in lines if "==" in line}
    lock, text = locked(), (ROOT / "requirements.lock").read_text()
    assert {name: pins.get(name) for name in lock} == {name: version for name, (version, _) in lock.items()}
    assert all(hashes for _, hashes in lock.values())
    assert len(lock) == text.count("==")
    assert "://" not in text
    wanted = [
        *PROJECT["dependencies"],
        *PROJECT["optional-dependencies"]["dev"],
        *PROJECT["optional-dependencies"]["reference-api"],
    ]
    assert {normal(Requirement(each).name) for each in wanted} <= lock.keys()
    assert needed().keys() - {"slocheck"} <= lock.keys()


def test_make_installs_by_hashes_alone() -> None:
    """No step of it may fetch a file that the lock does not know."""
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", "install"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    steps = [line for line in done.stdout.splitlines() if "pip install" in line]
    assert len(steps) == 2
    assert "--require-hashes --requirement requirements.lock" in steps[0]
    assert "--no-deps --no-build-isolation --editable ." in steps[1]


def _built(folder: Path, *, age: int, mask: int, zone: str) -> dict[str, bytes]:
    """Build wheel and sdist from a copy of the checkout whose files have this age; returns them by name."""
    copy = folder / "copy"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*IGNORED))
    for path in copy.rglob("*"):
        os.utime(path, (age, age))
        path.chmod(path.stat().st_mode & ~mask)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", folder / "out"],
        cwd=copy,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000", "TZ": zone, "PYTHONHASHSEED": str(age % 7)},
        check=True,
        capture_output=True,
    )
    return {path.name: path.read_bytes() for path in (folder / "out").iterdir()}


def test_two_builds_give_the_same_bytes(tmp_path: Path) -> None:
    """From two folders, with files of another age and mode, in another time zone."""
    first = _built(tmp_path / "one", age=1_600_000_000, mask=0o000, zone="UTC")
    second = _built(tmp_path / "another", age=1_750_000_000, mask=0o022, zone="Asia/Tokyo")
    assert sorted(name.rpartition(".")[2] for name in first) == ["gz", "whl"]
    assert first == second


SCHEMA = {
    "type": "object",
    "required": [
        "bomFormat",
        "specVersion",
        "serialNumber",
        "version",
        "metadata",
        "components",
        "dependencies",
    ],
    "properties": {
        "bomFormat": {"const": "CycloneDX"},
        "specVersion": {"const": "1.6"},
        "serialNumber": {"pattern": "^urn:uuid:[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$"},
        "version": {"type": "integer", "minimum": 1},
        "components": {
            "type": "array",
            "uniqueItems": True,
            "items": {
                "required": ["type", "name", "version", "purl", "bom-ref"],
                "properties": {"type": {"const": "library"}, "purl": {"pattern": "^pkg:pypi/[^@]+@.+"}},
            },
        },
    },
}
"""Of CycloneDX 1.6, what is used here."""


def test_the_bill_of_materials_lists_what_a_run_needs() -> None:
    """Each package once, as it is installed, with its hashes; every reference leads somewhere."""
    command = [sys.executable, "-m", "tests.supply_chain.sbom"]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    text = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    ).stdout
    bom = json.loads(text)
    jsonschema.validate(bom, SCHEMA)
    assert bom["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    assert bom["metadata"]["component"]["name"] == "slocheck"
    listed = {part["bom-ref"]: part for part in bom["components"]}
    names = {part["name"] for part in listed.values()}
    assert {normal(Requirement(each).name) for each in PROJECT["dependencies"]} <= names
    assert not names & {"ruff", "mypy", "hypothesis", "hatchling"}
    known = {bom["metadata"]["component"]["bom-ref"], *listed}
    assert {part["ref"] for part in bom["dependencies"]} == known
    assert {ref for part in bom["dependencies"] for ref in part["dependsOn"]} <= known
    lock = locked()
    for part in listed.values():
        if lock[part["name"]][0] == part["version"]:
            assert {each["value"] for each in part["properties"]} == set(lock[part["name"]][1])
    assert "timestamp" not in json.dumps({**document(), "metadata": {}})


def test_the_release_builds_twice_and_publishes_without_a_password() -> None:
    """Only the publishing job gets an identity, and it runs nothing of the checkout."""
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text()
    flow = yaml.safe_load(text)
    assert flow["permissions"] == {}
    jobs = flow["jobs"]
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert jobs["publish"]["environment"] == "pypi"
    assert [step for step in jobs["publish"]["steps"] if "checkout" in step.get("uses", "")] == []
    (script,) = (step["run"] for step in jobs["publish"]["steps"] if "run" in step)
    assert re.search(r"uv==[\d.]+ --hash=sha256:[0-9a-f]{64}'", script)
    assert "--require-hashes" in script
    assert all(
        "id-token" not in job.get("permissions", {}) for name, job in jobs.items() if name != "publish"
    )
    assert "secrets." not in text
    steps = "\n".join(step.get("run", "") for step in jobs["build"]["steps"])
    for needed_step in ("make check", "make dist", "make --silent sbom", "cmp "):
        assert needed_step in steps


@pytest.mark.parametrize("flow", [".github/workflows/ci.yml", ".github/workflows/release.yml", "action.yml"])
def test_actions_of_others_are_named_by_their_commit(flow: str) -> None:
    """A tag can be moved to other code; a comment has the version for people."""
    used = re.findall(r"uses: *(.+)", (ROOT / flow).read_text())
    assert used
    assert [one for one in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", one)] == []


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        pytest.param(
            "def f(a: int = 1) -> bool:\n    return a < 2", ["1 -> 2", "a < 2 -> a <= 2", "2 -> 3"], id="<"
        ),
        pytest.param("x = a and not b", ["a and (not b) -> a or not b"], id="and"),
        pytest.param(
            "y = a + b if c else 0", ["-> a + b if not c else 0", "a + b -> a - b", "0 -> 1"], id="if"
        ),
        pytest.param("x = True", ["True -> False"], id="a truth"),
        pytest.param("'text'", [], id="nothing"),
    ],
)
def test_mutants_change_one_place_each(code: str, changes: list[str]) -> None:
    """Each says where it is and its result; annotations and texts are left alone."""
    found = [what for what, _ in mutation.changed(ast.parse(code))]
    assert len(found) == len(changes)
    for change in changes:
        assert any(what.endswith(change) for what in found), (change, found)
