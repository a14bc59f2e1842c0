"""Locust files that cannot be run as they are: each is refused before any load, with what to write."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.e2e.support.cli import slocheck, write_spec

IMPORTS = "from locust import HttpUser, LoadTestShape, events, task\n"
USER = "\nclass U(HttpUser):\n    @task\n    def t(self):\n        pass\n"
OPTION = """
@events.init_command_line_parser.add_listener
def options(parser):
    parser.add_argument("--user-file", "-x", required={required})
"""
SHAPE = """
class Steps(LoadTestShape):
    def tick(self):
{body}
"""
MANY = """
@events.init_command_line_parser.add_listener
def options(parser):
    from argparse import BooleanOptionalAction
    parser.add_argument("--page", nargs="+", type=int)
    parser.add_argument("--tag", action="append")
    parser.add_argument("--loud", action="count", default=0)
    parser.add_argument("--cache", action=BooleanOptionalAction, default=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--colour")

@events.init.add_listener
def check(environment, **_):
    o = environment.parsed_options
    raise ValueError(o.page, o.tag, o.loud, o.cache, o.quick)
"""
BOTH = (
    "give it after two dashes (slocheck run -- --user-file VALUE), "
    "or in the spec (workload: {options: {user-file: VALUE}})"
)
CASES: dict[str, tuple[str, tuple[str, ...], str]] = {
    "fine": (IMPORTS + OPTION.format(required=False) + USER, (), "fine"),
    "given": (IMPORTS + OPTION.format(required=True) + USER, ("--user-file=a",), "fine"),
    "missing": (
        IMPORTS + OPTION.format(required=True) + USER,
        (),
        f"missing.py: the following arguments are required: --user-file/-x; {BOTH}",
    ),
    "unknown": (
        IMPORTS + OPTION.format(required=False) + USER,
        ("--user-fil=a",),
        f"unknown.py: unrecognized arguments: --user-fil=a; {BOTH}",
    ),
    "none": (IMPORTS + USER, ("--colour", "red"), "the Locust file adds no options"),
    "locusts": (IMPORTS + USER, ("--users", "5"), "--users: is Locust's own option"),
    "positional": (IMPORTS + USER, ("U",), "U: is not an option of the Locust file"),
    "many": (
        IMPORTS + USER + MANY,
        ("--page=1\0" + "2", "--tag=a\0b", "--loud=3", "--cache=false", "--quick=true"),
        "many.py: cannot be used: ValueError: ([1, 2], ['a', 'b'], 3, False, True) (",
    ),
    "one value": (
        IMPORTS + USER + MANY,
        ("--colour=red\0blue",),
        "one value.py: --colour: takes one value; a list fits an option with nargs or action='append'",
    ),
    "a flag": (IMPORTS + USER + MANY, ("--quick=maybe",), "--quick: ignored explicit argument 'maybe'"),
    "leaving": (IMPORTS + USER + "\nimport os\nos._exit(3)\n", (), "leaving.py:9: ends the process while"),
    "signalling": (
        IMPORTS + USER + "\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n",
        (),
        "signalling.py:9: ends the process while it is imported",
    ),
    "alone": (
        IMPORTS + USER + "\nfrom locust import run_single_user\nrun_single_user(U)\n",
        (),
        "alone.py:9: raises while it is imported: OwnRunError: calls run_single_user(), which would send",
    ),
    "options": (
        IMPORTS + USER + OPTION.format(required=True) + "\n    raise SystemExit(2)\n",
        (),
        "options.py: a listener of init_command_line_parser raises sys.exit(2) in ",
    ),
    "late": (
        IMPORTS + USER + "\nimport gevent\nraise gevent.Timeout(5)\n",
        (),
        "late.py:9: raises while it is imported: Timeout: 5 seconds",
    ),
    "late listener": (
        IMPORTS
        + USER
        + "\n@events.init.add_listener\ndef wait(**_):\n    import gevent\n    raise gevent.Timeout(5)\n",
        (),
        "late listener.py: cannot be used: a listener of init raises Timeout: 5 seconds in ",
    ),
    "library": (
        IMPORTS
        + "from locust.env import Environment\n"
        + USER
        + "\nEnvironment(user_classes=[U]).create_local_runner()\n",
        (),
        "library.py:9: raises while it is imported: OwnRunError: makes its own runner, which would",
    ),
    "guarded": (
        IMPORTS + USER + "\nif __name__ == '__main__':\n    import locust\n    locust.run_single_user(U)\n",
        (),
        "fine",
    ),
    "hosts": (
        IMPORTS + USER.replace("    @", "    host = 'http://a.example'\n    @")
        + USER.replace("class U", "class V").replace("    @", "    host = 'http://b.example/'\n    @"),
        (),
        "hosts.py: U.host is http://a.example, V.host is http://b.example: a run loads one target",
    ),
    "syntax": ("class\n", (), "syntax.py:1: not valid Python"),
    "nothing": ("import json\n", (), "nothing.py: has no user class"),
    "raising": (IMPORTS + "\nimport json\njson.loads('{')\n", (), "raising.py:4: raises while it is"),
    "tests": ("def test_shop(session):\n    pass\n", (), "test_shop is a test in the style of pytest"),
    "steps": (
        IMPORTS + USER + SHAPE.format(body="""
        t = self.get_run_time()
        if t < 10:
            return (10, 100)
        if t < 20:
            return (20, 1)
        return (5, 100) if t < 60 else None"""),
        (),
        "write workload: {users: [{users: 10, for: 10s}, {to: 20, for: 10s}, {users: 5, for: 40s}]} there",
    ),
    "curve": (
        IMPORTS + USER + SHAPE.format(body="""
        t = self.get_run_time()
        return None if t > 600 else (round(t * t / 1000), 100)"""),
        (),
        "write workload: {users: [{to: 0, for: 11s}, ",
    ),
    "reactive": (
        IMPORTS + USER + SHAPE.format(body="        return (self.get_current_user_count() + 1, 1)"),
        (),
        "tick() asks for more than the run time (AttributeError",
    ),
    "wait": (
        IMPORTS + USER.replace("    @", "    wait_time = 1\n    @"),
        (),
        "wait.py: U.wait_time is 1, which is not a function; write locust.constant(1)",
    ),
    "wait of a set": (
        IMPORTS.replace("task", "TaskSet, constant, task")
        + "\nclass S(TaskSet):\n    wait_time = (1, 2)\n    @task\n    def t(self):\n        pass\n"
        + "\nclass U(HttpUser):\n    wait_time = constant(1)\n    tasks = {S: 1}\n",
        (),
        "wait of a set.py: S.wait_time is (1, 2), which is not a function",
    ),
    "no wait": (
        IMPORTS + USER.replace("    @", "    wait_time = None\n    min_wait = max_wait = 1\n    @"),
        (),
        "fine",
    ),
    "classes": (
        IMPORTS + USER + SHAPE.format(body="        return (2, 1, [U]) if self.get_run_time() < 5 else None"),
        (),
        "slocheck cannot do that: it chooses user classes by time",
    ),
    "first version": (
        "from locust import HttpLocust\nclass U(HttpLocust):\n    pass\n",
        (),
        "first version.py:2: raises while it is imported: ImportError: The HttpLocust class has been renamed",
    ),
    "relative": (
        "from .pages import home\n" + IMPORTS + USER,
        (),
        "relative.py:1: raises while it is imported: ImportError: attempted relative import",
    ),
    "stateful": (
        IMPORTS + USER + SHAPE.format(body="""
        self.n = getattr(self, "n", 0) + 1
        return (self.n, 1) if self.get_run_time() < 5 else None"""),
        (),
        "its ticks depend on more than the run time",
    ),
}  # fmt: skip
DRIVER = """
import os, sys
from slocheck.load.file_end import initialised
from slocheck.load.listeners import Listeners
from slocheck.load.file_calls.process_exits import ProcessExits
from slocheck.load.users.environment import ScenarioError, load_environment
from tests.builders.load_plans import make_plan

leave = os._exit
for number, (path, *options) in enumerate(eval(sys.stdin.read())):
    if os.fork() == 0:
        ProcessExits().install()
        listeners = Listeners()
        listeners.install()
        try:
            environment = load_environment(make_plan("http://127.0.0.1:9", path, options=tuple(options)))
            said = initialised(environment, None, listeners)
            said = f"{os.path.basename(path)}: cannot be used: {said}" if said else "fine"
        except ScenarioError as error:
            said = str(error)
        print(f"{os.path.basename(path)}\\t{said}", flush=True)
        leave(0)
    os.wait()
"""


@pytest.fixture(scope="module")
def responses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return what is said about each file, imported in its own process."""
    folder = tmp_path_factory.mktemp("files")
    asked = []
    for name, (text, options, _) in CASES.items():
        (folder / f"{name}.py").write_text(text)
        asked.append((str(folder / f"{name}.py"), *options))
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(DRIVER)],
        input=repr(asked), capture_output=True, text=True, timeout=240, check=True,
    )  # fmt: skip
    lines = [line.split("\t", 1) for line in done.stdout.splitlines() if "\t" in line]
    return {name.removesuffix(".py"): said for name, said in lines}


@pytest.mark.parametrize("name", list(CASES))
def test_a_file_is_taken_or_refused_with_what_to_write(responses: dict[str, str], name: str) -> None:
    """The message says where, what, and what to write instead."""
    assert CASES[name][2] in responses[name]


def test_validate_and_dry_run_import_the_file_as_a_run_does(tmp_path: Path) -> None:
    """What a run would refuse, they refuse with the same message; else they say what it sends first."""
    text = IMPORTS + OPTION.format(required=True) + USER + "\n    def on_start(self):\n        pass\n"
    write_spec(
        tmp_path, "http://127.0.0.1:9", scenario=text, workload="rate: 20/s, max_users: 100, duration: 10s"
    )
    for arguments in (("validate",), ("run", "--dry-run")):
        done = slocheck(*arguments, cwd=tmp_path)
        assert (done.returncode, BOTH in done.stderr) == (2, True), done.stderr
    logins = "100 logins (on_start) before the schedule, 20/s, in about 5s: not graded"
    for arguments in (("validate",), ("run", "--dry-run")):
        taken = slocheck(*arguments, "--", "--user-file", "a.csv", cwd=tmp_path)
        assert taken.returncode == 0, taken.stderr
        assert logins in " ".join(taken.stdout.split())
        assert ("1 user class: U" in taken.stdout) == (arguments == ("validate",))
