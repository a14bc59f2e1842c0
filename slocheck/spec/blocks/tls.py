"""The keys of slo.yaml for TLS: how a server's certificate is checked."""

from typing import Any

from slocheck.documents import types
from slocheck.documents.reader import Key, Section, Value, ValueType, object_schema
from slocheck.spec.model import Tls

_PATH: ValueType[str | None] = types.text()

CA = Key("ca", _PATH, None, "file with the certificate authority to trust")
CERT = Key("cert", _PATH, None, "file with the client certificate")
CERT_KEY = Key("key", _PATH, None, "file with the client certificate's key")
INSECURE = Key("insecure", types.BOOLEAN, default=False, doc="accept any certificate; every report says so")
TLS_KEYS: tuple[Key[Any], ...] = (CA, CERT, CERT_KEY, INSECURE)


def _read_tls(value: Value) -> Tls:
    section = Section(value, TLS_KEYS)
    tls = Tls(section.get(CA), section.get(CERT), section.get(CERT_KEY), section.get(INSECURE))
    if section.has(CERT_KEY) and not section.has(CERT):
        value.refuse("has a key without a certificate; write cert: FILE")
    if tls.insecure and tls.ca:
        value.refuse("trusts a ca and accepts any certificate; remove ca or insecure")
    return tls


TLS = Key("tls", ValueType(_read_tls, object_schema(TLS_KEYS)), Tls(), "how the certificate is checked")
