"""nginx on one core: a small JSON response to everything, plain and under TLS."""

import subprocess
import time
from pathlib import Path
from socket import create_connection
from typing import Self

import trustme

from tests.support.ports import free_port

BODY = '{"id": 42, "name": "a product", "price": 12.5, "in_stock": true}'
CONFIG = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600s;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port}; listen 127.0.0.1:{tls} ssl;
    ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.pem;
    location / {{ default_type application/json; return 200 '{body}'; }}
  }}
}}
"""


class BenchServer:
    """The server, pinned to a core; a context manager.

    Attributes:
        url: Plain base URL.
        tls_url: The same under TLS.
        ca: Path of its authority's certificate.
        pid: Of the process, once it was entered.
    """

    def __init__(self, folder: Path, core: int) -> None:
        port, tls = free_port(), free_port()
        self.url, self.tls_url = f"http://127.0.0.1:{port}", f"https://127.0.0.1:{tls}"
        self.ca = folder / "ca.pem"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca)
        certificate = authority.issue_cert("127.0.0.1")
        certificate.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
        self._config = folder / "nginx.conf"
        self._config.write_text(CONFIG.format(folder=folder, port=port, tls=tls, body=BODY))
        self._port, self._core = port, core
        self.pid = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            ["taskset", "-c", str(self._core), "nginx", "-c", str(self._config)], stderr=subprocess.DEVNULL
        )
        self.pid = self._process.pid
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                create_connection(("127.0.0.1", self._port), 1).close()
            except OSError:
                continue
            return self
        raise RuntimeError("nginx does not respond")

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
