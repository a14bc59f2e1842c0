"""Starts the services of `tests/e2e/libraries`, each in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LIBRARIES = Path(__file__).parents[2] / "libraries"
NODE_PACKAGES = Path(sys.prefix) / "node" / "node_modules"
"""Where make puts what `package.json` names."""


@contextmanager
def starlette_shop() -> Iterator[str]:
    """Serve with starlette_exporter; gives the base URL."""
    with _served(sys.executable, str(LIBRARIES / "starlette_app.py")) as url:
        yield url


@contextmanager
def express_shop() -> Iterator[str]:
    """Serve with express-prom-bundle; gives the base URL."""
    with _served("node", str(LIBRARIES / "express_app.js")) as url:
        yield url


@contextmanager
def _served(*command: str) -> Iterator[str]:
    """Run a service that prints its port; it is killed at the end."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "NODE_PATH": str(NODE_PACKAGES)}
    )
    assert process.stdout is not None
    try:
        port = process.stdout.readline().strip()
        assert port, f"{command[-1]} did not start"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()
