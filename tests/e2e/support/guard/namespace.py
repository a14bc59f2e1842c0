"""A network namespace with an address that is not loopback, and a hosts file as wanted."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ELSEWHERE = "10.77.0.2"
"""An address that is not loopback and can be reached in the namespace."""
_SET_UP = """
set -e
ip link set lo up
ip addr add {address}/32 dev lo
mount --bind "$1" /etc/hosts
shift
exec "$@"
"""


def run_inside(module: str, folder: Path, *arguments: str, hosts: Mapping[str, str]) -> Any:
    """Run a module of the tests in a new namespace and return the JSON document that it prints.

    Args:
        module: Its dotted name; it is given the folder and the arguments.
        folder: Where it may write.
        arguments: What else it is told.
        hosts: Further names and their addresses.
    """
    names = {"localhost": "127.0.0.1", **hosts}
    file = folder / "hosts"
    file.write_text("".join(f"{address} {name}\n" for name, address in names.items()))
    done = subprocess.run(
        [*_unshare(), "sh", "-c", _SET_UP.format(address=ELSEWHERE), "sh", str(file),
         sys.executable, "-m", module, str(folder), *arguments],
        cwd=Path(__file__).parents[4], capture_output=True, text=True, timeout=240, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def _unshare() -> Sequence[str]:
    own_user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    return ("unshare", *own_user, "--net", "--mount")
