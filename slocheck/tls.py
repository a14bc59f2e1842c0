"""How a server's certificate is checked, for everything that connects to one."""

import ssl

from slocheck.errors import UsageError
from slocheck.named_files import read_named
from slocheck.spec.model import Tls

LARGEST_PEM = 1 << 24


def tls_context(tls: Tls, *, where: str) -> ssl.SSLContext:
    """Return a context that checks certificate and host name, unless the spec says not to.

    Args:
        tls: As the spec says.
        where: Its key path in the spec, for messages.

    Raises:
        UsageError: A file that cannot be read, or that is not what it should be.
    """
    check_tls_files(tls, where=where)
    try:
        context = ssl.create_default_context(cafile=tls.ca)
    except OSError as error:  # an SSLError is one
        raise UsageError(f"{where}.ca: {tls.ca}: {error}; name a PEM file of certificates") from error
    try:
        if tls.cert:
            context.load_cert_chain(tls.cert, tls.key)
    except OSError as error:
        raise UsageError(
            f"{where}.cert: {tls.cert}: {error}; name PEM files, and the key that belongs to cert"
        ) from error
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def check_tls_files(tls: Tls, *, where: str) -> None:
    """Make sure that the certificate files can be read.

    Raises:
        UsageError: One that cannot, by name.
    """
    for key, path in (("ca", tls.ca), ("cert", tls.cert), ("key", tls.key)):
        if path is None:
            continue
        try:
            read_named(path, most=LARGEST_PEM)
        except OSError as error:
            raise UsageError(f"{where}.{key}: {path}: {error.strerror}; name a PEM file") from None
