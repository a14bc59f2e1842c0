"""The pages and the build files are right."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from slocheck import __version__, errors
from slocheck.spec.loader import parse_spec

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), ROOT / "reports" / "README.md"]

_DEMO = "tests/e2e/docs/test_readme.py::test_the_demo_ends_with_a_grade"
_TERMINALS = "tests/e2e/docs/test_readme.py::test_the_two_terminals"
_AGAIN = "tests/e2e/docs/test_readme.py::test_a_run_is_graded_and_reported_again"
_WORLD = (
    "tests/e2e/load/test_file_world.py"
    "::test_a_file_finds_its_options_its_environment_and_the_runner_as_in_locust"
)
_REPLAY = "tests/e2e/cli/test_replay.py::test_a_slow_target_fails_by_its_baseline_alone"
_RUNS = "tests/cli/test_runs_commands.py::test_the_commands_of_the_page"
_FULL = "tests/e2e/reference_api/test_full_stack.py::test_a_run_on_all_parts"
_MAKE = "tests/test_repository.py::test_make_targets_run_what_the_readme_says"

_MACHINES = "tests/e2e/machines/test_namespaces.py::test_three_machines_send_what_one_would"
KUBERNETES = (
    "docker build --tag registry.example.com/slocheck:0.1.0 --file Containerfile .",
    "docker push registry.example.com/slocheck:0.1.0",
    "kubectl create secret generic slocheck-shop-api-coordinator --from-file=coordinator.token",
    "kubectl create secret generic slocheck-shop-api-workers --from-file=worker.token",
    'kubectl create secret generic slocheck-shop-api-environment --from-literal=SHOP_TOKEN="$SHOP_TOKEN"',
    (
        "slocheck export kubernetes slo.yaml --target http://shop.default.svc:8080 --workers 3 "
        "--image registry.example.com/slocheck:0.1.0 -o slocheck.yaml"
    ),
    "kubectl apply --filename slocheck.yaml",
    "job=slocheck-shop-api-coordinator",
    "kubectl delete job slocheck-shop-api-coordinator slocheck-shop-api-workers",
)
COVERED = {
    "make demo": _DEMO,
    "make demo-full": _MAKE,
    "make test": _MAKE,
    "make install": _MAKE,
    "make faults": _MAKE,
    "source .venv/bin/activate": _MAKE,
    "slocheck demo --serve": _TERMINALS,
    "slocheck demo --ladder": "tests/e2e/docs/test_ladder.py::test_the_ladder_climbs_step_by_step",
    "slocheck demo --full": _FULL,
    "slocheck demo --full --ladder": _FULL,
    "slocheck validate": _TERMINALS,
    "slocheck run --dry-run": _TERMINALS,
    "slocheck run": _TERMINALS,
    "slocheck init --service shop-api --target http://127.0.0.1:8000 --dir my-slo": (
        "tests/e2e/docs/test_readme.py::test_init_writes_a_spec_that_validates"
    ),
    "slocheck list": _RUNS,
    "slocheck history shop-api": _RUNS,
    "slocheck history --format html -o trend.html": _RUNS,
    "slocheck compare 20260102T030005Z-abcdef latest": _RUNS,
    "slocheck prune --keep 50 --dry-run": _RUNS,
    "slocheck run --baseline reports --max-regression 10%": _REPLAY,
    "slocheck run slo.yaml -- --region eu --audit": _WORLD,
    "slocheck grade latest --gate bronze": _AGAIN,
    "slocheck grade latest --collect": (
        "tests/e2e/sources/test_prometheus_faults.py::test_a_run_is_completed_once_prometheus_is_back"
    ),
    "slocheck report latest --format markdown": _AGAIN,
    "slocheck report latest --format html -o report.html": _AGAIN,
    "slocheck token": "tests/load/messaging/test_token_files.py::test_the_command_makes_both_files",
    (
        "slocheck worker --join 10.0.0.5:5557 --token-file worker.token --allow-target api.example.com"
    ): _MACHINES,
    (
        "slocheck run --workers 3 --listen 10.0.0.5:5557 --token-file coordinator.token "
        "--allow-target api.example.com"
    ): _MACHINES,
    **dict.fromkeys(
        KUBERNETES, "tests/exporters/test_kubernetes_page.py::test_the_page_works_as_it_is_written"
    ),
    "pip install --constraint constraints.txt .": (
        "tests/test_packaging.py::test_all_files_of_the_package_are_in_the_wheel"
    ),
    "python -m slocheck.reference_api --port 0 --delays-ms 20 70 --error-rate 0.01 --seed 1": (
        "tests/e2e/docs/test_demo_api.py::test_the_command_of_the_readme_serves"
    ),
}
"""Each command that a page shows in a console block, and the test that runs it."""


def fenced(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[str]:
    """Return the commands of a page's console blocks, one a line, and the first line of each script."""
    blocks = [block for language in ("console", "bash", "shell") for block in fenced(page, language)]
    lines = [line for block in blocks for line in block.replace("\\\n", "").splitlines()]
    scripts = [block.partition("\n")[0] for block in fenced(page, "sh")]
    return [" ".join(line.removeprefix("$ ").split()) for line in (*lines, *scripts) if line.strip()]


def named(page: Path) -> str:
    """Name a page's parameter after its path."""
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_each_command_shown_is_run_by_a_test(page: Path) -> None:
    """A command that is shown and never run is wrong sooner or later."""
    assert [command for command in commands(page) if command not in COVERED] == []


def test_the_tests_that_cover_commands_exist() -> None:
    """The map names only existing tests and commands."""
    for test in COVERED.values():
        file, _, name = test.partition("::")
        functions = {
            node.name
            for node in ast.parse((ROOT / file).read_text()).body
            if isinstance(node, ast.FunctionDef)
        }
        assert name in functions, test
    assert COVERED.keys() <= {command for page in PAGES for command in commands(page)}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_whole_specs_on_pages_are_valid(page: Path) -> None:
    """A spec that can be copied from a page is accepted as it is."""
    for block in fenced(page, "yaml"):
        if "service:" in block and "objectives:" in block:
            parse_spec(block.encode(), named(page))


def test_the_readme_lists_every_exit_code() -> None:
    """All codes that the errors and signals map to are in the table, beside the verdicts' own."""
    table = (ROOT / "README.md").read_text().partition("## Exit codes")[2].partition("\n## ")[0]
    listed = {
        int(code) for row in re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE) for code in row.split(",")
    }
    raised = {value.exit_code for value in vars(errors).values() if hasattr(value, "exit_code")}
    assert listed == raised | set(errors.SIGNAL_EXIT_CODES.values()) | {0, 1, 3}


def test_the_readme_begins_with_the_two_commands() -> None:
    """The page begins with what to type."""
    assert commands(ROOT / "README.md")[:2] == ["make demo", "make test"]


@pytest.mark.parametrize(
    ("target", "command"),
    [
        pytest.param("demo", ".venv/bin/slocheck demo", id="demo"),
        pytest.param("demo-full", ".venv/bin/slocheck demo --full --ladder", id="demo-full"),
        pytest.param("test", ".venv/bin/python -m pytest", id="test"),
        pytest.param("lint", ".venv/bin/ruff check .", id="lint"),
        pytest.param("types", ".venv/bin/mypy", id="types"),
        pytest.param("check", ".venv/bin/python -m pytest", id="check"),
        pytest.param("faults", ".venv/bin/python -m tests.faults", id="faults"),
        pytest.param("install", ".venv/bin/pip install", id="install"),
    ],
)
def test_make_targets_run_what_the_readme_says(target: str, command: str) -> None:
    """Each target, run anew, runs its command in the environment that it makes."""
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", target], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert any(line.startswith(command) for line in done.stdout.splitlines()), done.stdout


def test_the_demo_needs_no_debian_package() -> None:
    """Only the tests need servers."""
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", "demo"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert "apt-get" not in done.stdout


def test_continuous_integration_runs_the_test_command() -> None:
    """The same command here, there and on the page."""
    assert "make test" in (ROOT / ".ci" / "run").read_text()
    assert ".ci/run" in (ROOT / ".github" / "workflows" / "ci.yml").read_text()


def test_the_changelog_knows_the_version() -> None:
    """The version that the package reports has its section."""
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text()
