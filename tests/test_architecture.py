"""Who may know whom, read from the source: see CONTRIBUTING.md."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "slocheck"

PACKAGES = (
    *("users", "cli", "pipeline"),
    *("reporters", "sources", "load"),
    *("masking", "grading", "statistics", "indicators", "evidence", "plan", "promql", "scenario", "spec"),
    *("documents", "reference_api", "tls", "assets", "errors"),
)
"""All parts of slocheck, top floor first: each imports only from those below it."""

CORE = (
    *("grading", "statistics", "indicators", "evidence", "plan", "promql", "scenario", "spec", "documents"),
)
ADAPTERS = ("reporters", "sources", "load", "reference_api")
"""Replaceable parts, which never import each other."""

NOT_YET = {
    ("statistics/proportion.py", "grading"),
}

PURE_MODULES = {
    *(
        "abc",
        "bisect",
        "collections",
        "csv",
        "dataclasses",
        "decimal",
        "difflib",
        "enum",
        "fractions",
        "functools",
    ),
    *("hashlib", "itertools", "json", "math", "numpy", "operator", "pydantic", "re", "scipy", "statistics"),
    *("string", "types", "typing", "yaml"),
}
"""What the core may import from outside: nothing that touches a file, a socket, a clock or a process."""

READERS = {
    "spec/loader.py": {"os", "pathlib"},
    "spec/presets/__init__.py": {"importlib"},
    "scenario/loader.py": {"pathlib"},
}
"""The files of the core that read: the document that they are given, and what is named in it."""

IMPURE_CALLS = frozenset({"open", "print", "input", "exec", "eval", "compile", "__import__"})

HEAVY = ("pandas", "locust", "gevent", "numpy", "scipy")

LONGEST_FILE = 400
LONGEST_FUNCTION = 50
LONGER_FUNCTIONS = {"slocheck/cli/commands/run.py:run"}
"""Functions over the ceiling for a reason: a command's signature is its options, one a line."""


def python_files(*parts: str) -> list[Path]:
    """Return the Python files of modules or packages below ``slocheck``."""
    found: list[Path] = []
    for part in parts:
        module = PACKAGE / f"{part}.py"
        found += [module] if module.is_file() else sorted((PACKAGE / part).rglob("*.py"))
    return found


def imports_of(path: Path) -> Iterator[str]:
    """Yield the full name of all that a file imports, inside of functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_part(name: str) -> str:
    """Return the part of slocheck that an imported name belongs to, empty for anything else."""
    parts = name.split(".")
    return parts[1] if parts[0] == "slocheck" and len(parts) > 1 else ""


def named(path: Path) -> str:
    """Name a file's parameter after its path."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", python_files(*CORE), ids=named)
def test_the_core_does_no_input_or_output(path: Path) -> None:
    """The core imports itself and pure libraries, and calls nothing that reads, writes or runs."""
    allowed = PURE_MODULES | READERS.get(path.relative_to(PACKAGE).as_posix(), set())
    for name in imports_of(path):
        if name.startswith("slocheck."):
            assert own_part(name) in (*CORE, "errors", "__version__"), name
        elif not name.startswith("urllib.parse."):
            assert name.partition(".")[0] in allowed, name
    called = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & IMPURE_CALLS


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=named)
def test_imports_lead_downwards(path: Path) -> None:
    """A part imports itself and the parts below it, and an adapter imports no other adapter."""
    inside = path.relative_to(PACKAGE)
    part = inside.parts[0].removesuffix(".py")
    if part in ("__init__", "__main__"):
        return
    known = {own_part(name) for name in imports_of(path)} - {"", "__version__", part}
    above = {name for name in known if PACKAGES.index(name) < PACKAGES.index(part)}
    assert {(inside.as_posix(), name) for name in above} <= NOT_YET
    assert part not in ADAPTERS or not known & set(ADAPTERS)


@pytest.mark.parametrize("path", [*PACKAGE.rglob("*.py")], ids=named)
def test_only_the_load_engine_knows_locust(path: Path) -> None:
    """Locust patches the process that imports it; only the load processes may be patched."""
    if path.is_relative_to(PACKAGE / "load"):
        return
    found = {name.partition(".")[0] for name in imports_of(path)}
    assert not found & {"locust", "gevent", "geventhttpclient", "greenlet"}


@pytest.mark.parametrize("path", sorted((ROOT / "scenarios").glob("*.py")), ids=named)
def test_scenarios_are_plain_locust_files(path: Path) -> None:
    """A scenario runs under Locust alone."""
    assert not {name for name in imports_of(path) if name.partition(".")[0] == "slocheck"}


def test_only_the_command_line_knows_adapters_by_name() -> None:
    """The pipeline meets engines, sources and reporters as interfaces."""
    for path in python_files("pipeline"):
        assert not {own_part(name) for name in imports_of(path)} & set(ADAPTERS), named(path)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import slocheck.cli", id="import"),
        pytest.param("from slocheck.cli import exit_code_of; exit_code_of(['--help'])", id="help"),
        pytest.param("from slocheck.cli import exit_code_of; exit_code_of(['run', '--help'])", id="run help"),
        pytest.param(
            "from slocheck.cli import exit_code_of; exit_code_of(['demo', '--help'])", id="demo help"
        ),
    ],
)
def test_help_is_light(code: str) -> None:
    """Asking for help loads no load generator and no numerics."""
    report = f"import sys\n{code}\nprint('loaded:', *[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split() == ["loaded:"]


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function without its docstring, which may be as long as it needs to be."""
    first = function.body[0]
    documented = ast.get_docstring(function) is not None
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def test_files_and_functions_stay_short() -> None:
    """What does not fit on a few screens is two things."""
    long = []
    for path in (path for part in ("slocheck", "tests", "scenarios") for path in (ROOT / part).rglob("*.py")):
        text = path.read_text()
        if text.count("\n") > LONGEST_FILE:
            long.append(named(path))
        functions = (
            node
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        )
        long += [f"{named(path)}:{node.name}" for node in functions if code_lines(node) > LONGEST_FUNCTION]
    assert set(long) - LONGER_FUNCTIONS == set()
