"""A Locust file under Locust itself, without slocheck."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.builders.load_plans import write_scenario
from tests.support.waiting import wait_until


def locust_alone(
    folder: Path,
    url: str,
    text: str,
    until: Callable[[], bool] | None = None,
    *,
    users: int = 2,
    error_code: int = 0,
) -> tuple[int, list[dict[str, Any]], str]:
    """Run a Locust file under Locust itself for 2 s, or until a condition holds.

    Returns exit code, which is `error_code` if a request failed, statistics, and output.
    """
    limit = [] if until else ["-t", "2s"]
    with subprocess.Popen(
        [sys.executable, "-m", "locust", "-f", write_scenario(folder, text), "--headless", "--json",
         "-H", url, "-u", str(users), "-r", "10", "--stop-timeout", "30",
         "--exit-code-on-error", str(error_code), *limit],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
    ) as running:  # fmt: skip
        if until:
            try:
                wait_until(lambda: until() or running.poll() is not None, "Locust has sent what it should")
            finally:
                running.terminate()
        out, said = running.communicate(timeout=120)
    found = json.loads(out) if out.lstrip().startswith("[") else []
    return running.returncode, found, said
