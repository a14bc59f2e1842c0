"""Settings of all tests."""

import os
import signal

import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import providers

# a busy machine is not a failure, and the same commit has the same result; `make explore` looks further
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=2000)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "repeatable")
settings.load_profile(PROFILE)
if PROFILE == "repeatable":
    # else examples contain constants of modules that earlier tests imported in this process
    vars(providers)["is_local_module_file"] = lambda _: False

LONGEST = (
    "verdicts/test_until_decided",
    "sources/test_prometheus_faults",
    "cli/test_exit_codes",
    "cli/test_streams",
    "clients/test_lean_client",
    "verdicts/test_server_truth",
    "sources/test_auto_preset",
    "load/test_processes",
    "machines/test_namespaces",
    "load/test_open_model",
    "machines/test_joining",
    "cli/test_replay",
)
"""The end-to-end tests that take longest, which mostly wait: begun first, none is left alone at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the longest files first, then the other end-to-end tests, then all others, by their names."""
    places = {f"tests/e2e/{name}.py": place for place, name in enumerate(LONGEST)}

    def place(item: pytest.Item) -> int:
        file = item.nodeid.partition("::")[0]
        return places.get(file, len(LONGEST) + (not file.startswith("tests/e2e/")))

    items.sort(key=place)


for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:  # under nohup, or in the background of a script
        signal.signal(number, signal.SIG_DFL if number != signal.SIGINT else signal.default_int_handler)
