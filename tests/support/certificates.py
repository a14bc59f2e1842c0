"""A certificate for a server on loopback, of an authority that nobody else trusts."""

import ssl
from pathlib import Path

import trustme

from slocheck.reference_api.http.http2 import Certificate


def certified(folder: Path) -> tuple[Certificate, ssl.SSLContext]:
    """Return a certificate for 127.0.0.1, and what trusts it."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    certificate = Certificate(folder / "chain.pem", folder / "key.pem")
    issued.private_key_pem.write_to_path(certificate.key)
    certificate.chain.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    return certificate, trust
