"""Starting the master process. Loads next to nothing, so that a run can start it before it loads the rest."""

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
"""What Locust itself reads, whatever its command line says, and what would change how it works here."""

SCRUBBED = frozenset({"GEVENT_RESOLVER"})
"""Names are looked up where the connect guard sees it: by the system's own functions."""
PROXIES = frozenset(
    f"{kind}_proxy" for kind in ("http", "https", "all", "ftp", "ws", "wss", "socks", "socks4", "socks5")
)
NO_PROXY = "no_proxy"
"""In small letters. No client of the load gets to see them: it goes straight to its target."""


def child_environment() -> dict[str, str]:
    """Return the children's environment: ours, without what turns Locust into another program.

    The working folder is kept out of the module path (a ``random.py`` next to a Locust file must not
    replace Python's), so the path of a slocheck that is run from its sources is added to it.
    """
    kept = {key: value for key, value in os.environ.items() if not _is_scrubbed(key)}
    root = str(Path(slocheck.__file__).parents[1])
    if root not in site.getsitepackages():
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, (kept.get("PYTHONPATH"), root)))
    return kept


def _is_scrubbed(key: str) -> bool:
    return key in WITHHELD or key in SCRUBBED or key.lower() in (*PROXIES, NO_PROXY)


def start_master() -> subprocess.Popen[bytes]:
    """Start a master in a process group of its own; it waits for its plan on standard input."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", MODULE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=child_environment(),
        start_new_session=True,
    )


class Launch:
    """A master that is started ahead: it imports Locust while the command line still loads and checks.

    A context manager: at its end a master that was not taken is killed. It knows no target yet.
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
