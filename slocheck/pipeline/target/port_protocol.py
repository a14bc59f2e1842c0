"""Finds out whether a port speaks TLS or plain HTTP, before a run whose URL may have the wrong scheme."""

import socket
import ssl
from contextlib import suppress

PATIENCE_S = 2.0
"""How long to wait for a response; a server that does not understand may say nothing at all."""

_REQUEST = b"HEAD / HTTP/1.1\r\nHost: %b:%d\r\nConnection: close\r\n\r\n"
_ENOUGH = 4096
_TLS_RECORDS = (b"\x15", b"\x16")
"""First bytes of a TLS response: an alert or a handshake."""

Address = tuple[str, int]
"""Host and port."""


def speaks_only_tls(address: Address) -> bool:
    """Tell whether a port accepts TLS and refuses plain HTTP.

    A plain port sees the first message of a TLS handshake, which is not a request. Only a port that goes
    on with the handshake is sent a request, because some speak both.
    """
    return _greeted(address).startswith(_TLS_RECORDS) and _refused(_plain_response(address))


def responds_in_plain(address: Address) -> bool:
    """Tell whether a port that failed at TLS serves plain HTTP.

    It does if more than a refusal comes back, or if it refuses the handshake in HTTP as a malformed request.
    """
    response = _plain_response(address)
    return response.startswith(b"HTTP/") and (
        not _refused(response) or _greeted(address).startswith(b"HTTP/")
    )


def _greeted(address: Address) -> bytes:
    """Send the first message of a handshake and a line's end; return how the response begins.

    The end of the line keeps a plain server from waiting for the rest of a line.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):  # raised once the message is written
        context.wrap_bio(incoming, outgoing, server_hostname=address[0]).do_handshake()
    try:
        with socket.create_connection(address, timeout=PATIENCE_S) as plain:
            plain.sendall(outgoing.read() + b"\r\n\r\n")
            return plain.recv(5)
    except OSError:
        return b""


def _plain_response(address: Address) -> bytes:
    """Return the head of the response to a plain request; empty without a response."""
    host, port = address
    name = f"[{host}]".encode() if ":" in host else host.encode("idna")
    response = b""
    try:
        with socket.create_connection(address, timeout=PATIENCE_S) as plain:
            plain.sendall(_REQUEST % (name, port))
            while b"\r\n\r\n" not in response and len(response) < _ENOUGH:
                block = plain.recv(_ENOUGH)
                if not block:
                    break
                response += block
    except OSError:
        pass
    return response


def _refused(response: bytes) -> bool:
    """Tell whether a response is that of a TLS port: nothing, no HTTP, a 400, or a redirect to https."""
    first, _, head = response.partition(b"\r\n")
    words = first.split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/"):  # noqa: PLR2004 - version and status
        return True
    return words[1] == b"400" or b"\nlocation: https://" in b"\n" + head.lower()
