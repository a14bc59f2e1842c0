"""Checks before any load: the target may be loaded, it responds, and no other run loads it.

It also checks whether the host of the metric source may get the credentials that the spec names.
"""

import errno
import hashlib
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from ipaddress import IPv4Address
from urllib.parse import urlsplit

from slocheck.allowed_targets import (
    ALLOW_METRICS,
    ALLOW_TARGET,
    VARIABLES,
    AllowedTargets,
    IpAddress,
    address_of,
    host_name,
    is_localhost_name,
)
from slocheck.documents.http import host_and_port
from slocheck.errors import TargetError, UsageError
from slocheck.masking import strip_url
from slocheck.pipeline.target.port_protocol import responds_in_plain, speaks_only_tls
from slocheck.spec.model import SourceBlock, Target
from slocheck.tls import tls_context

PROBE_TIMEOUT_S = 10.0
_NOT_THE_SCHEME = (ssl.SSLCertVerificationError, socket.gaierror, UnicodeError, ConnectionRefusedError)
"""Errors that another scheme would not cure."""


def guard_target(
    url: str, allowed: Sequence[str], ask: Callable[[str], bool] | None = None
) -> tuple[str, ...]:
    """Refuse a target that is neither this machine nor allowed by the user; raises UsageError.

    Only ``localhost`` and names below it can be this machine, and only if all of their addresses are, as the
    hosts file may say otherwise. Any other name has to be allowed, whatever its addresses.

    Args:
        url: The target's URL.
        allowed: Hosts that the user named, with ``--allow-target`` or in the environment.
        ask: Asks a person at the terminal; None: there is none.

    Returns:
        All hosts that the load may connect to in addition to this machine.
    """
    shown = _not_allowed(url, allowed)
    if not shown:
        return tuple(allowed)
    if ask is not None and ask(f"{shown} is not this machine. Send requests there?"):
        return (*allowed, host_and_port(url)[0])
    raise UsageError(_leave_needed(url, allowed))


def _leave_needed(url: str, allowed: Sequence[str]) -> str:
    """Say how to allow a run against a target; empty if it is allowed."""
    shown = _not_allowed(url, allowed)
    if not shown:
        return ""
    return (
        f"target {strip_url(url)}: {shown} is not this machine; load against it has to be allowed "
        f"outside the spec: {_how_to_allow(ALLOW_TARGET, host_and_port(url)[0])}"
    )


def _not_allowed(url: str, allowed: Sequence[str]) -> str:
    """Return a target's host with its address if it may not be loaded; empty if it may."""
    host = host_and_port(url)[0]
    elsewhere = _elsewhere(host, AllowedTargets.of(allowed))
    if elsewhere is None:
        return ""
    return f"{host} ({elsewhere})" if elsewhere not in ("", host) else host


def guard_credentials(source: SourceBlock, allowed: Sequence[str]) -> None:
    """Refuse to send credentials to a host that only the spec names; raises UsageError.

    Otherwise, anyone who can change the spec could have any variable or file of this machine sent anywhere.
    This covers the keys of ``auth``, a client certificate, and what ``${NAME}`` puts into an address.

    Args:
        source: The metric source's block.
        allowed: Hosts that the user named, with ``--allow-metrics`` or in the environment, or by an address
            on the command line.
    """
    if not source.sends_secrets:
        return
    rule = AllowedTargets.of(allowed, option=ALLOW_METRICS)
    for url in source.addresses:
        host = host_and_port(url)[0]
        elsewhere = _elsewhere(host, rule)
        if elsewhere is not None:
            shown = f"{host} ({elsewhere})" if elsewhere not in ("", host) else host
            raise UsageError(
                f"{source.kind} {strip_url(url)}: {shown} is not this machine, and only the spec names it; "
                "credentials and the values of variables are not sent there unless it is named outside the "
                f"spec: {_how_to_allow(ALLOW_METRICS, host)}"
            )


def _how_to_allow(option: str, host: str) -> str:
    return f"{option} {host} (or {VARIABLES[option]}={host})"


def _elsewhere(host: str, allowed: AllowedTargets) -> str | None:
    """Return an address of a host that may not be loaded, empty if unknown; None if it may be loaded."""
    if allowed.names_host(host) or allowed.allows_address(host):
        return None
    if not is_localhost_name(host):
        return ""
    return next((each for each in _addresses_of(host) if not allowed.allows_address(each)), None)


def _addresses_of(host: str) -> list[str]:
    """Return the distinct addresses of a host; empty if it is unknown."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def probe_target(target: Target) -> None:
    """Connect once, with a TLS handshake if the URL asks for it; raises TargetError.

    No request is sent, as the target would count it and the recording would not. If the URL is plain and the
    port turns out to speak TLS, the port is asked whether it speaks HTTP as well.
    """
    secure = urlsplit(target.url).scheme == "https"
    address = host_and_port(target.url)
    context = tls_context(target.tls, where="target.tls") if secure else None
    try:
        with socket.create_connection(address, timeout=PROBE_TIMEOUT_S) as plain:
            if context:
                context.wrap_socket(plain, server_hostname=address[0]).close()
        wrong_scheme = not secure and speaks_only_tls(address)
    except (OSError, UnicodeError) as error:
        why = _why(error)
        if secure and not isinstance(error, _NOT_THE_SCHEME) and responds_in_plain(address):
            why = "the port speaks plain HTTP, not TLS; write http:// in its address"
        raise TargetError(f"target {strip_url(target.url)}: {why}") from error
    if wrong_scheme:
        raise TargetError(
            f"target {strip_url(target.url)}: the port speaks TLS, not plain HTTP; "
            "write https:// in its address"
        )


def _why(error: OSError | UnicodeError) -> str:
    """Return why a connection failed and what to do about it."""
    match error:
        case ssl.SSLError():
            return (
                f"TLS failed: {error}; name the authority with `target.tls.ca: FILE`, "
                "or accept any certificate with `target.tls.insecure: true` (every report will say so)"
            )
        case socket.gaierror() | UnicodeError():  # a name that cannot be looked up
            return "unknown host; check the name in its address"
        case ConnectionRefusedError():
            return "connection refused; nothing listens there. Start the target, or correct its address"
        case TimeoutError():
            return f"no response within {PROBE_TIMEOUT_S:g} s; is it up, and is the address right?"
        case _:
            return f"cannot be reached: {error}"


@contextmanager
def sole_use(url: str, *, allow_concurrent: bool) -> Iterator[None]:
    """Hold the lock on the target, as two runs would measure each other's load; raises UsageError.

    The lock is an abstract Unix socket for each address of the target's name; all addresses of this machine
    share one. The kernel frees it with the process, there is no folder to own or clean up, and all users of
    the machine share it.
    """
    with ExitStack() as held:
        for name in () if allow_concurrent else _lock_names(url):
            lock = held.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            try:
                lock.bind(name)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                raise UsageError(
                    f"target {strip_url(url)}: another slocheck run is loading it, and each would measure "
                    "the other's load; wait for it, or pass --allow-concurrent"
                ) from None
        yield


def _lock_names(url: str) -> list[str]:
    """Return the names of the locks of all addresses behind a URL, always in the same order."""
    host, port = host_and_port(url)
    # an unknown host is locked by its name; the connection that follows reports it
    addresses = {_same_machine(address) for address in _addresses_of(host)} or {host_name(host)}
    digests = (hashlib.sha256(f"{address} {port}".encode()).hexdigest() for address in addresses)
    return [f"\0slocheck-{digest[:32]}" for digest in sorted(digests)]


def _same_machine(text: str) -> str:
    """Return one spelling for an IP address, the same for all of this machine's, as a server may use each."""
    address = address_of(text)
    return "this machine" if address is not None and _is_own(address) else str(address)


def _is_own(address: IpAddress) -> bool:
    """Tell whether an address is this machine's, for which the kernel would choose it as the source."""
    if address.is_loopback:
        return True
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as unsent:
        unsent.connect((str(address), 1))  # this only chooses the route; nothing is sent
        return address_of(unsent.getsockname()[0]) == address
    return False
