"""Which hosts a run may connect to: the one rule of the checks before the load and of every connection in it.

Loopback is always allowed. Everything else has to be named by the user, outside of the spec. An address
is allowed if it is loopback or was named itself; a name, if it was named. Only whoever looks a name up can
tell which addresses it has: the caller does, and asks about each.

The same rule says which hosts may get the credentials of the metric source.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from slocheck.documents.units import shown
from slocheck.errors import UsageError

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
LOCALHOST = "localhost"
ALLOW_TARGET, ALLOW_METRICS = "--allow-target", "--allow-metrics"
VARIABLES = {ALLOW_TARGET: "SLOCHECK_ALLOW_TARGETS", ALLOW_METRICS: "SLOCHECK_ALLOW_METRICS"}
"""Options that name hosts, and the environment variables that do the same."""
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_LONGEST_NAME = 253


@dataclass(frozen=True, slots=True)
class AllowedTargets:
    """The hosts that the user named.

    Attributes:
        names: In the form of `host_name`.
        addresses: In the form of `address_of`.
    """

    names: frozenset[str] = frozenset()
    addresses: frozenset[IpAddress] = frozenset()

    @classmethod
    def of(cls, hosts: Iterable[str], *, option: str = ALLOW_TARGET) -> Self:
        """Return the rule for hosts as typed; raises UsageError for what is neither a name nor an address."""
        names, addresses = set(), set()
        for host in filter(None, map(str.strip, hosts)):
            address, name = address_of(host), host_name(host)
            if address is not None:
                addresses.add(address)
            elif len(name) <= _LONGEST_NAME and _NAME.fullmatch(name):
                names.add(name)
            else:
                raise UsageError(
                    f"{option} {shown(host)} (or {VARIABLES[option]}): is not a host; write a name "
                    "or an address alone, such as api.example.com, without scheme, port and path"
                )
        return cls(frozenset(names), frozenset(addresses))

    def names_host(self, host: str) -> bool:
        """Tell whether the user named this host, which is a name or an address."""
        address = address_of(host)
        return host_name(host) in self.names if address is None else address in self.addresses

    def allows_address(self, text: str) -> bool:
        """Tell whether an IP address may be connected to, whatever name it was found by."""
        address = address_of(text)
        return address is not None and (address.is_loopback or address in self.addresses)


def address_of(text: str) -> IpAddress | None:
    """Return where an IP address leads on Linux; None for what is not one.

    An IPv4 address mapped into IPv6 leads to the IPv4 address, the unspecified one (0.0.0.0, ::) to
    loopback. A scope (``%eth0``) and brackets are dropped.
    """
    try:
        address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    address = mapped or address
    if address.is_unspecified:
        return ipaddress.ip_address("127.0.0.1" if isinstance(address, ipaddress.IPv4Address) else "::1")
    return address


def host_name(text: str) -> str:
    """Return one spelling of a host's name: lower case, without a final dot, as DNS asks for it."""
    name = text.strip().rstrip(".").lower()
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return name


def is_localhost_name(host: str) -> bool:
    """Tell whether a name is meant for this machine; where it leads is for the hosts file to say."""
    name = host_name(host)
    return name == LOCALHOST or name.endswith(f".{LOCALHOST}")
