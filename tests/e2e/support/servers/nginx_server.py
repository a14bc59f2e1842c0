"""A real nginx before something else: balancing, TLS, basic authentication; for tests."""

import os
import signal
import subprocess
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha1
from pathlib import Path
from typing import Self

import psutil
import trustme

from tests.support.ports import free_port
from tests.support.processes import running
from tests.support.waiting import wait_until

CONFIG = """\
{user} daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream behind {{ {servers} }}
  server {{
    listen 127.0.0.1:{port}{ssl};
    {tls}
    {auth}
    location / {{ proxy_pass http://behind; }}
  }}
}}
"""


class NginxServer:
    """A running nginx; a context manager.

    Args:
        tmp_path: Its configuration, certificates and logs go into a new folder there.
        balance: Addresses behind it, asked in turn.
        tls: Whether it speaks TLS, with a certificate of its own authority.
        client_certificate: Whether it demands one of that authority.
        login: User and password that it demands; None: none.
    """

    def __init__(
        self,
        tmp_path: Path,
        *,
        balance: Sequence[str],
        tls: bool = False,
        client_certificate: bool = False,
        login: tuple[str, str] | None = None,
    ) -> None:
        self.folder = tmp_path / "nginx"
        self.folder.mkdir()
        self.port = free_port()
        self._tls, self._client_certificate, self._login = tls, client_certificate, login
        self._process: subprocess.Popen[bytes] | None = None
        self._certificates()
        self._configure(balance)

    @property
    def url(self) -> str:
        """Base URL."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def ca(self) -> Path:
        """Certificate of the authority."""
        return self.folder / "ca.pem"

    @property
    def client(self) -> Path:
        """A client's certificate and key, in one file."""
        return self.folder / "client.pem"

    def _certificates(self) -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca)
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
            self.folder / "server.pem"
        )
        authority.issue_cert("client.example").private_key_and_cert_chain_pem.write_to_path(self.client)

    def _configure(self, balance: Sequence[str]) -> None:
        pem = self.folder / "server.pem"
        tls = f"ssl_certificate {pem}; ssl_certificate_key {pem};" if self._tls else ""
        if self._client_certificate:
            tls += f" ssl_client_certificate {self.ca}; ssl_verify_client on;"
        auth = ""
        if self._login:
            user, password = self._login
            digest = b64encode(sha1(password.encode()).digest()).decode()
            (self.folder / "users").write_text(f"{user}:{{SHA}}{digest}\n", encoding="utf-8")
            auth = f"auth_basic closed; auth_basic_user_file {self.folder / 'users'};"
        (self.folder / "nginx.conf").write_text(
            CONFIG.format(
                # as root, nginx would drop its workers to a user who cannot read the folder
                user="user root;" if os.geteuid() == 0 else "",
                folder=self.folder,
                servers=" ".join(f"server {address};" for address in balance),
                port=self.port,
                ssl=" ssl" if self._tls else "",
                tls=tls,
                auth=auth,
            ),
            encoding="utf-8",
        )

    def reload(self, *, balance: Sequence[str]) -> None:
        """Put other addresses behind it; returns when no worker with the old ones is left."""
        assert self._process is not None
        old = self._workers()
        self._configure(balance)
        self._process.send_signal(signal.SIGHUP)
        wait_until(lambda: bool(now := self._workers()) and not now & old, "nginx reloaded")

    def _workers(self) -> set[int]:
        """Return the process ids of its live workers."""
        assert self._process is not None
        return {child.pid for child in running(psutil.Process(self._process.pid).children())}

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            ["nginx", "-c", str(self.folder / "nginx.conf"), "-e", str(self.folder / "error.log")]
        )
        wait_until((self.folder / "nginx.pid").exists, "nginx started")
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
