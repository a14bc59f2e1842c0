"""What a wheel carries: all that a run needs, found without the checkout."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and unpack it, as an installer does."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_shipped_spec_and_scenario_are_found_beside_each_other(unpacked: Path) -> None:
    """From a wheel, too, the spec's relative path leads to the scenario."""
    code = (
        "from slocheck.assets import asset\n"
        "print(asset('slo.yaml'))\nprint(asset('browse.py'))\nprint(asset('scenarios/browse.py'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        cwd=unpacked.parent,
        check=True,
        capture_output=True,
        text=True,
    )
    spec, scenario, again = map(Path, done.stdout.split())
    assert spec.is_relative_to(unpacked)
    assert spec.read_bytes() == (ROOT / "slo.yaml").read_bytes()
    assert scenario == again == spec.parent / "scenarios" / "browse.py"
    assert scenario.read_bytes() == (ROOT / "scenarios" / "browse.py").read_bytes()


def test_all_files_of_the_package_are_in_the_wheel(unpacked: Path) -> None:
    """Presets, templates and the marker of types are packed; tests and runs are not."""
    packed = {
        path.relative_to(unpacked).as_posix()
        for path in unpacked.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts  # of a test that imports the unpacked package
    }
    own = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "slocheck").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "slocheck/py.typed" in own
    assert own <= packed
    extra = {name for name in packed - own if ".dist-info/" not in name}
    shipped = ("slo.yaml", *(f"scenarios/{name}" for name in ("browse.py", "browse.yaml", "ladder.yaml")))
    assert extra == {f"slocheck/templates/{name}" for name in shipped}


def test_each_dependency_is_pinned_to_a_version_that_it_allows() -> None:
    """The constraints name plain versions, no addresses, and cover all direct dependencies."""
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    pins = {}
    for line in lines:
        name, _, version = line.partition("==")
        assert version, line
        assert not set(line) & set("/@: "), line
        pins[_normal(name)] = version
    assert len(pins) == len(lines)
    for text in (*PROJECT["dependencies"], *EXTRAS["dev"], *EXTRAS["reference-api"]):
        wanted = Requirement(text)
        assert wanted.specifier.contains(pins[_normal(wanted.name)]), text


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
