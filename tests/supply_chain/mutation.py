"""How many mutants the tests detect: ``python -m tests.supply_chain.mutation [--mutants N] [--part P]``.

One thing at a time is changed in a copy of the code that verdicts rest on: a comparison, an operator, a
number, a condition. A mutant is killed if a test of that code fails, or takes too long. Of each part so many
are made, drawn by the seed.
"""

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "statistics": (("slocheck/statistics",), ("tests/statistics",)),
    "grading": (("slocheck/grading",), ("tests/grading",)),
    "units": (("slocheck/documents/units.py",), ("tests/documents",)),
    "exit codes": (
        ("slocheck/grading/outcome.py", "slocheck/errors.py"),
        ("tests/grading", "tests/cli/test_messages.py", "tests/pipeline/test_interrupts.py"),
    ),
}
"""Part to its modules and their tests; a module of two parts counts for the later one."""
TIMEOUT_S = 900
MOST_SHOWN = 4000
"""Characters of what failing tests print."""
_SWAPPED: Mapping[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Add: ast.Sub, ast.Sub: ast.Add,
    ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: to the `number`-th place of a module that can be changed."""

    part: str
    module: str
    number: int


def changed(tree: ast.Module) -> Iterator[tuple[str, ast.Module]]:
    """Yield each place's description and a copy of the module with that place changed."""
    for number, _ in enumerate(_places(tree)):
        mutant = copy.deepcopy(tree)
        node = list(_places(mutant))[number]
        before = _shown(node)
        _change(node)
        yield f"line {node.lineno}: {before} -> {_shown(node)}", mutant


def _shown(node: ast.expr | ast.stmt) -> str:
    """Return a place as text; of a statement what it depends on."""
    return f"if {ast.unparse(node.test)}" if isinstance(node, ast.If) else ast.unparse(node)


def _places(tree: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    """Yield what can be changed; annotations are not, they do nothing."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for node in value if isinstance(value, list) else [value]:
            if not isinstance(node, ast.AST):
                continue
            if _can_change(node):
                assert isinstance(node, ast.expr | ast.stmt)
                yield node
            yield from _places(node)


def _can_change(node: ast.AST) -> bool:
    match node:
        case ast.Compare():
            return type(node.ops[0]) in _SWAPPED
        case ast.BinOp() | ast.BoolOp():
            return type(node.op) in _SWAPPED
        case ast.Constant():
            return isinstance(node.value, int | float)
        case ast.If() | ast.IfExp():
            return True
        case _:
            return False


def _change(node: ast.expr | ast.stmt) -> None:
    match node:
        case ast.Compare():
            node.ops[0] = _SWAPPED[type(node.ops[0])]()
        case ast.BinOp() | ast.BoolOp():
            node.op = _SWAPPED[type(node.op)]()
        case ast.Constant(value=bool(value)):
            node.value = not value
        case ast.Constant(value=int(value) | float(value)):
            node.value = value + 1
        case ast.If() | ast.IfExp():
            node.test = ast.UnaryOp(ast.Not(), node.test)


def all_mutants() -> list[Mutant]:
    """Return every mutant that can be made."""
    part_of = {
        path: part
        for part, (names, _) in PARTS.items()
        for name in names
        for path in (sorted((ROOT / name).rglob("*.py")) if (ROOT / name).is_dir() else [ROOT / name])
    }
    return [
        Mutant(part, path.relative_to(ROOT).as_posix(), number)
        for path, part in part_of.items()
        for number, _ in enumerate(_places(ast.parse(path.read_text())))
    ]


def killed(mutant: Mutant, folder: Path) -> tuple[bool, str]:
    """Tell whether the tests detect a mutant in this copy of the project, and describe it."""
    path = folder / mutant.module
    original = path.read_text()
    what, tree = next(
        each for number, each in enumerate(changed(ast.parse(original))) if number == mutant.number
    )
    path.write_text(ast.unparse(tree))
    try:
        return bool(_failure(folder, _tests_of(mutant, folder))), f"{mutant.module} {what}"
    finally:
        path.write_text(original)


def _tests_of(mutant: Mutant, folder: Path) -> tuple[str, ...]:
    """Return the tests of the mutant's part, those of its own module first: they detect it soonest."""
    module = Path(mutant.module)
    own = Path("tests", *module.parts[1:-1], f"test_{module.name}")
    return (*([own.as_posix()] if (folder / own).exists() else []), *PARTS[mutant.part][1])


def _failure(folder: Path, tests: tuple[str, ...]) -> str:
    """Return the end of what failing tests print, those with many examples last; empty if they pass."""
    return _failure_of(folder, tests, "not hypothesis") or _failure_of(folder, tests, "hypothesis")


def _failure_of(folder: Path, tests: tuple[str, ...], marked: str) -> str:
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", marked),
        "--timeout=0",  # of a single test: on a busy machine one may take longer than it has elsewhere
        "--hypothesis-seed=0",
        *tests,
    ]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"they take longer than {TIMEOUT_S} s"
    passed = done.returncode in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    return "" if passed else f"{done.stdout}{done.stderr}"[-MOST_SHOWN:]


def _sample(mutants: list[Mutant], count: int, draw: random.Random) -> list[Mutant]:
    return draw.sample(mutants, min(count, len(mutants)))


def main() -> int:
    """Make mutants, print those that survive, and the score of each part; returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mutants", type=int, default=10, metavar="N", help="of each part")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", action="append", choices=PARTS, help="only this one; may be repeated")
    options = parser.parse_args()
    possible, draw = all_mutants(), random.Random(options.seed)
    drawn = [
        mutant
        for part in options.part or PARTS
        for mutant in _sample([each for each in possible if each.part == part], options.mutants, draw)
    ]
    made, found = Counter[str](), Counter[str]()
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "copy"
        ignore = shutil.ignore_patterns(".venv", ".git", ".*_cache", ".hypothesis", "__pycache__")
        shutil.copytree(ROOT, folder, ignore=ignore)
        tests = {test for part in options.part or PARTS for test in PARTS[part][1]}
        if failure := _failure(folder, tuple(sorted(tests))):
            sys.stderr.write(f"{failure}\nthe tests fail without any change\n")
            return 1
        for mutant in drawn:
            noticed, what = killed(mutant, folder)
            made[mutant.part] += 1
            found[mutant.part] += noticed
            sys.stdout.write(f"{'killed  ' if noticed else 'SURVIVED'} {what}\n")
            sys.stdout.flush()
    sys.stdout.write(f"\n{len(possible):,} mutants can be made, {len(drawn)} were (seed {options.seed})\n")
    for part in PARTS:
        if made[part]:
            share = found[part] / made[part]
            sys.stdout.write(f"{part:<12} {found[part]:>3} of {made[part]:>3} killed, {share:.0%}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
