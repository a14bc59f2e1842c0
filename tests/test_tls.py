"""How certificates are checked, and what is said about files that cannot be used."""

import ssl
from pathlib import Path

import pytest
import trustme

from slocheck.errors import UsageError
from slocheck.spec.model import Tls
from slocheck.tls import tls_context


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an authority, a client certificate, its key, and a text file."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    client = authority.issue_cert("client")
    client.private_key_pem.write_to_path(folder / "key.pem")
    client.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    (folder / "text.pem").write_text("no certificate\n")
    return folder


def tls_of(folder: Path, *, insecure: bool = False, ca: str = "", cert: str = "", key: str = "") -> Tls:
    """Return a spec's TLS block with files of the folder."""
    authority, certificate, its_key = (str(folder / name) if name else None for name in (ca, cert, key))
    return Tls(authority, certificate, its_key, insecure=insecure)


def test_certificate_and_name_are_checked(files: Path) -> None:
    """The system's authorities, or the one that the spec names; a client certificate is loaded."""
    usual = tls_context(Tls(), where="tls")
    assert (usual.verify_mode, usual.check_hostname) == (ssl.CERT_REQUIRED, True)
    own = tls_context(tls_of(files, ca="ca.pem", cert="cert.pem", key="key.pem"), where="tls")
    assert own.verify_mode is ssl.CERT_REQUIRED
    assert len(own.get_ca_certs()) == 1


def test_any_certificate_is_accepted_only_on_demand(files: Path) -> None:
    """Neither the certificate nor the name is checked then."""
    context = tls_context(tls_of(files, cert="cert.pem", key="key.pem", insecure=True), where="tls")
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        pytest.param(("none.pem", "", ""), r"target\.tls\.ca: .*none\.pem: No such file", id="no authority"),
        pytest.param(("", "none.pem", ""), r"target\.tls\.cert: .*none\.pem: No such", id="no certificate"),
        pytest.param(("", "cert.pem", "none.pem"), r"target\.tls\.key: .*No such", id="no key"),
        pytest.param(("text.pem", "", ""), r"target\.tls\.ca: .*text\.pem: .*; name a PEM", id="no PEM"),
        pytest.param(("", "cert.pem", "ca.pem"), r"target\.tls\.cert: .*; name PEM", id="not a key"),
    ],
)
def test_files_that_cannot_be_used_are_the_users_error(
    files: Path, names: tuple[str, str, str], message: str
) -> None:
    """Found before anything is sent; the key of the spec is named."""
    ca, cert, key = names
    with pytest.raises(UsageError, match=message):
        tls_context(tls_of(files, ca=ca, cert=cert, key=key), where="target.tls")
