"""Who may import whom, read from the source, and how docs/development/architecture.md names it."""

import ast
import re
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from slocheck import __version__
from tests.benchmarks.start import first_line

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "slocheck"

PACKAGES = (
    *("users", "cli", "pipeline"),
    *("importers", "exporters", "reporters", "sources", "load"),
    *("masking", "tls", "allowed_targets", "named_files"),
    *("grading", "comparison", "statistics", "indicators", "evidence", "plan", "promql", "scenario", "spec"),
    *("documents", "reference_api", "assets", "errors"),
)
"""All parts of slocheck, from the top: each imports only from those below it."""

CORE = (
    *(
        "grading",
        "comparison",
        "statistics",
        "indicators",
        "evidence",
        "plan",
        "promql",
        "scenario",
        "spec",
        "documents",
    ),
)
ADAPTERS = ("importers", "exporters", "reporters", "sources", "load", "reference_api")
"""Replaceable parts, which never import each other."""

PURE_MODULES = {
    *("bisect", "collections", "csv", "dataclasses", "decimal", "difflib", "enum", "fractions", "functools"),
    *(
        "hashlib",
        "heapq",
        "itertools",
        "json",
        "math",
        "numpy",
        "operator",
        "promql_parser",
        "re",
        "statistics",
    ),
    *("abc", "string", "types", "typing", "yaml"),
}
"""What the core may import from outside: nothing that touches a file, a socket, a clock or a process."""

READERS = {
    "documents/nearby.py": {"contextlib", "pathlib"},
    "spec/loader.py": {"os", "pathlib"},
    "spec/presets/__init__.py": {"importlib"},
    "scenario/loader.py": {"pathlib"},
}
"""The files of the core that read files: the given document, what it names, and its neighbours."""

IMPURE_CALLS = frozenset({"open", "print", "input", "exec", "eval", "compile", "__import__"})

HEAVY = (
    *(
        "pandas",
        "locust",
        "gevent",
        "numpy",
        "scipy",
        "rich",
        "yaml",
        "httpx",
        "requests",
        "jinja2",
        "pydantic",
    ),
)

MOST_AT_FIRST = 350
"""Modules that a run loads before its first line, Python's own and the parser's among them."""

LONGEST_FILE = 400
MOST_FILES = 15
MEDIAN_FUNCTION = 9
LONGEST_FUNCTION = 50


def python_files(*parts: str) -> list[Path]:
    """Return the Python files of modules or packages below ``slocheck``."""
    found: list[Path] = []
    for part in parts:
        module = PACKAGE / f"{part}.py"
        found += [module] if module.is_file() else sorted((PACKAGE / part).rglob("*.py"))
    return found


def module_of(path: Path) -> str:
    """Return the dotted name of a file's module."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def module_graph() -> dict[str, set[str]]:
    """Return each module of slocheck and the modules of slocheck that it imports."""
    paths = {module_of(path): path for path in PACKAGE.rglob("*.py")}
    graph: dict[str, set[str]] = {}
    for module, path in paths.items():
        names = [name if name in paths else name.rpartition(".")[0] for name in imports_of(path)]
        graph[module] = {name for name in names if name in paths} - {module}
    return graph


def siblings(package: str, graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Return each module or package directly inside `package`, and those of its siblings that it imports."""

    def part(module: str) -> str:
        inside = module.removeprefix(f"{package}.")
        return inside.partition(".")[0] if inside != module else ""

    parts: dict[str, set[str]] = {}
    for module, imported in graph.items():
        if own := part(module):
            parts.setdefault(own, set()).update({part(name) for name in imported} - {own, ""})
    return parts


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
    assert not above
    assert part not in ADAPTERS or not known & set(ADAPTERS)


def test_modules_import_without_circles() -> None:
    """No module imports itself by way of others, not even from inside a function."""
    list(TopologicalSorter(module_graph()).static_order())  # raises CycleError, which names the cycle


@pytest.mark.parametrize("package", sorted({path.parent for path in PACKAGE.rglob("*.py")}), ids=named)
def test_packages_import_without_circles(package: Path) -> None:
    """The modules and packages inside a package have an order, too: each imports only those below it."""
    parts = siblings(module_of(package / "__init__.py"), module_graph())
    list(TopologicalSorter(parts).static_order())  # raises CycleError, which names the cycle


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
    """The pipeline uses engines, sources and reporters only through interfaces."""
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
    """Asking for help loads no load generator, no numerics and none of what only a command needs."""
    report = f"import sys\n{code}\nprint('loaded:', *[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split() == ["loaded:"]


def test_a_run_begins_before_anything_heavy_is_loaded() -> None:
    """The load's master is started, and the first line printed, with little loaded but the command line."""
    found = first_line()
    assert found["order"] == ["started", f"slocheck {__version__}: none.yaml"]
    modules = found["modules"]
    packages = {"cli", "documents", "load", "pipeline", "reporters"}
    alone = {"allowed_targets", "errors", "masking", "named_files"}
    own = {name.split(".")[1] for name in modules if name.startswith("slocheck.")}
    assert own == packages | alone
    assert [name for name in modules if name in HEAVY] == []
    assert len(modules) < MOST_AT_FIRST


def test_a_run_loads_only_what_it_needs_before_the_load() -> None:
    """No load generator, no template engine and no HTTP client of a source; nothing that only tests need."""
    late = (
        "locust",
        "gevent",
        "scipy",
        "pandas",
        "requests",
        "jinja2",
        "junitparser",
        "prometheus_api_client",
        "pydantic",
        "slocheck.importers.model",
    )
    code = f"import sys, slocheck.cli.actions.run\nprint([name for name in {late!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function, docstring and all."""
    return (function.end_lineno or 0) - function.lineno + 1


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function without its docstring, which may be as long as it needs to be."""
    first = function.body[0]
    documented = ast.get_docstring(function) is not None
    return lines_of(function) - ((first.end_lineno or 0) - first.lineno + 1 if documented else 0)


def test_files_and_functions_stay_short() -> None:
    """A file that does not fit on a few screens should be two."""
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
        long += [f"{named(path)}:{node.name}" for node in functions if lines_of(node) > LONGEST_FUNCTION]
    assert not long


def test_no_two_classes_share_a_name() -> None:
    """A name means one thing wherever it is read; private classes belong to their module."""
    names = Counter(
        node.name
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_the_median_function_is_short() -> None:
    """Most functions do one thing."""
    lengths = [
        code_lines(node)
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert statistics.median(lengths) <= MEDIAN_FUNCTION


@pytest.mark.parametrize("top", ["slocheck", "tests", "docs", "scenarios"])
def test_folders_stay_small(top: str) -> None:
    """A folder can be read at a glance."""
    folders = [ROOT / top, *(path for path in (ROOT / top).rglob("*") if path.is_dir())]
    counts = {
        named(folder): sum(file.is_file() for file in folder.iterdir())
        for folder in folders
        if not {"__pycache__", ".hypothesis"} & set(folder.parts)
    }
    assert {folder: count for folder, count in counts.items() if count > MOST_FILES} == {}


def map_rows() -> list[str]:
    """Return the names in the first column of the table of packages, in order."""
    page = (ROOT / "docs" / "development" / "architecture.md").read_text()
    table = page.partition("## Packages")[2].partition("\n## ")[0]
    return [row.rstrip("/") for row in re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)]


def test_the_map_lists_the_packages_in_their_order() -> None:
    """docs/development/architecture.md has one row for each package, in the order of imports."""
    assert tuple(map_rows()) == PACKAGES


def test_each_package_is_in_the_order() -> None:
    """No package or module of slocheck is left out of the order, and nothing in the order is gone."""
    files = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert files | folders == set(PACKAGES)


def test_the_map_names_files_that_exist() -> None:
    """Each path of slocheck, tests or docs that the map names is there."""
    page = (ROOT / "docs" / "development" / "architecture.md").read_text()
    paths = re.findall(r"`((?:slocheck|tests|docs|scenarios)/[^` {<]*)`", page)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
