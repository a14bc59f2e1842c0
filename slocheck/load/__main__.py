"""A process of the load: ``python -m slocheck.load``, started by the engine or by ``slocheck worker``.

The first line of standard input says whether it is a run's master or the workers of one machine.
"""

import signal
import sys

from slocheck.load.logs import show_logs
from slocheck.load.messaging import protocol
from slocheck.load.messaging.machine_messages import JoinRun
from slocheck.load.messaging.messages import PrepareLoad
from slocheck.load.messaging.parent_pipe import ParentPipe
from slocheck.load.users.locust_import import import_locust


def main() -> int:
    """Run what the first line asks for; returns the exit code."""
    import_locust()
    from slocheck.load.master import startup as master  # noqa: PLC0415 - Locust patches sockets first

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    show_logs()
    parent = ParentPipe()
    match protocol.decode_command(parent.line()):
        case PrepareLoad() as first:
            return master.main(first, parent)
        case JoinRun() as join:
            from slocheck.load.machine import startup as machine  # noqa: PLC0415 - not for a master

            return machine.main(join, parent)
        case other:
            raise AssertionError(f"not a first line: {other!r}")


sys.exit(main())
