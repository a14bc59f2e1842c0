"""The first line of a process of the load: whether it is a run's master or the workers of one machine."""

import signal

from slocheck.load.logs import show_logs
from slocheck.load.master import startup as master
from slocheck.load.messaging import protocol
from slocheck.load.messaging.machine_messages import JoinRun
from slocheck.load.messaging.messages import PrepareLoad
from slocheck.load.messaging.parent_pipe import ParentPipe


def main() -> int:
    """Run what the first line of standard input asks for; returns the exit code."""
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
