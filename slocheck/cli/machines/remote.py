"""The options of ``slocheck run`` for workers on other machines."""

import ipaddress

from slocheck.allowed_targets import address_of, is_localhost_name
from slocheck.cli.options import RunOptions
from slocheck.cli.typed import address_typed, seconds_typed
from slocheck.documents.http import host_and_port
from slocheck.errors import UsageError
from slocheck.load.messaging.machine_messages import Listening
from slocheck.load.messaging.token_files import COORDINATOR, read_token_file
from slocheck.masking import strip_url

MAX_WORKERS = 500
DEFAULT_JOIN_TIMEOUT = "2m"


def listening(options: RunOptions) -> Listening | None:
    """Return how the run waits for workers of other machines; None if it has its own.

    Raises:
        UsageError: Options that do not go together, or a token file that cannot be used.
    """
    given = {
        "--workers": options.workers is not None,
        "--listen": options.listen is not None,
        "--token-file": options.token_file is not None,
    }
    if not any(given.values()):
        if options.join_timeout is not None:
            raise UsageError("--join-timeout goes with --workers and --listen")
        return None
    if missing := [name for name, there in given.items() if not there]:
        raise UsageError(
            f"workers on other machines need --workers, --listen and --token-file; {' and '.join(missing)} "
            "is missing. `slocheck token` makes the file"
        )
    assert options.workers is not None
    assert options.listen is not None
    assert options.token_file is not None
    if "processes" in options.origins and options.origins["processes"] == "--processes":
        raise UsageError("--processes: each `slocheck worker` says how many processes it has")
    if not 1 <= options.workers <= MAX_WORKERS:
        raise UsageError(f"--workers: {options.workers} is not a count; write 1 to {MAX_WORKERS}")
    host, port = address_typed("--listen", options.listen)
    token = read_token_file(options.token_file, COORDINATOR)
    within_s = seconds_typed("--join-timeout", options.join_timeout or DEFAULT_JOIN_TIMEOUT)
    return Listening(host, port, token.key, token.shared_secret, options.workers, within_s)


def refuse_loopback_target(url: str, listening: Listening | None) -> None:
    """Refuse a loopback target for workers that may be on other machines; raises UsageError."""
    if listening is None or is_loopback(listening.host) or not is_loopback(host_and_port(url)[0]):
        return
    raise UsageError(
        f"target {strip_url(url)}: is a loopback address, and each worker's machine would load itself; name "
        "the target by an address that all workers reach"
    )


def is_loopback(host: str) -> bool:
    """Tell whether a host as typed is this machine's loopback; an address of all interfaces is not."""
    address = address_of(host)
    try:
        unspecified = ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        unspecified = False
    return not unspecified and (address.is_loopback if address else is_localhost_name(host))
