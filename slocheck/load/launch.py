"""Starting the master process. Imports next to nothing, so a run can start it before it loads the rest."""

import contextlib
import os
import signal
import site
import subprocess
import sys
from pathlib import Path
from typing import Self

import slocheck

MODULE = "slocheck.load"
WITHHELD = frozenset({
    "LOCUST_PLAYWRIGHT", "LOCUST_SKIP_MONKEY_PATCH", "LOCUST_SKIP_URLLIB3_PATCH",
    "LOCUST_WAIT_FOR_WORKERS_REPORT_AFTER_RAMP_UP", "LOCUST_WORKER_ADDITIONAL_WAIT_BEFORE_READY_AFTER_STOP",
})  # fmt: skip
"""Variables that Locust reads whatever its command line says, and that would change how it works here."""

SCRUBBED = frozenset({"GEVENT_RESOLVER"})
"""Names are looked up by the system's own functions, where the connect guard sees it."""
PROXIES = frozenset(
    f"{kind}_proxy" for kind in ("http", "https", "all", "ftp", "ws", "wss", "socks", "socks4", "socks5")
)
NO_PROXY = "no_proxy"
"""In lower case. Clients of the load never see them: the load goes straight to its target."""


def child_environment() -> dict[str, str]:
    """Return the children's environment: ours, without variables that change what Locust does.

    The working folder is kept out of the module path, because a ``random.py`` next to a Locust file must not
    replace Python's. So a slocheck that is run from its sources adds its own path.
    """
    kept = {key: value for key, value in os.environ.items() if not _is_scrubbed(key)}
    root = str(Path(slocheck.__file__).parents[1])
    if root not in site.getsitepackages():
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, (kept.get("PYTHONPATH"), root)))
    return kept


def _is_scrubbed(key: str) -> bool:
    return key in WITHHELD or key in SCRUBBED or key.lower() in (*PROXIES, NO_PROXY)


def start_master() -> subprocess.Popen[bytes]:
    """Start a master in its own process group; it waits for its plan on standard input."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", MODULE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=child_environment(),
        start_new_session=True,
    )


class Launch:
    """A master that is started ahead: it imports Locust while the command line loads and checks the spec.

    A context manager that kills a master that was not taken. The master does not know the target yet.
    """

    def __init__(self, *, ahead: bool) -> None:
        """Start a master now if `ahead`, else when it is asked for."""
        self._ahead = start_master() if ahead else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if (unused := self._ahead) is not None:
            self._ahead = None
            with unused, contextlib.suppress(ProcessLookupError):
                os.killpg(unused.pid, signal.SIGKILL)

    def take(self) -> subprocess.Popen[bytes]:
        """Return the master that was started ahead, or a new one for a further run."""
        taken, self._ahead = self._ahead, None
        return taken or start_master()
