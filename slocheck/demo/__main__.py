"""``python -m slocheck.demo``: serve the reference API on loopback until told to stop.

Prints one JSON line with the port as soon as the port is bound. Ends on INT or TERM, and when its
standard input ends, so that it never outlives the process that started it.
"""

import argparse
import json
import os
import signal
import socket
import sys
import threading

import uvicorn

from slocheck.demo.api import create_app
from slocheck.demo.faults import Faults


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m slocheck.demo", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--delays-ms", type=float, nargs="*", default=[], help="latencies to plant")
    parser.add_argument("--error-rate", type=float, default=0.0, help="share of requests to fail, 0..1")
    parser.add_argument("--seed", type=int, default=0, help="of the planted faults")
    return parser.parse_args()


def main() -> None:
    """Bind, say where, serve."""
    arguments = _arguments()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", arguments.port))
    except OSError as error:
        sys.stdout.write(json.dumps({"error": error.strerror}) + "\n")
        raise SystemExit(2) from error
    sys.stdout.write(json.dumps({"port": listener.getsockname()[1]}) + "\n")
    sys.stdout.flush()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    faults = Faults(arguments.delays_ms, arguments.error_rate, arguments.seed)
    config = uvicorn.Config(create_app(faults), log_level="warning", access_log=False, lifespan="off")
    uvicorn.Server(config).run(sockets=[listener])


def _end_with_parent() -> None:
    """Wait for the end of standard input, then end as if asked to."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


main()
