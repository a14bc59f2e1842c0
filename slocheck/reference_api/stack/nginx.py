"""nginx in front of several replicas of the API: balancing, keep-alive, HTTP/2, passive health checks.

The idea: more processes serve more requests, and one that dies takes none with it. Each request goes to the
replica with the fewest open ones; connections to clients and to replicas are kept, as opening one costs a
round trip, three with TLS.

What goes wrong with the naive form: without ``zone`` each worker of nginx counts for itself, so a replica is
not the least loaded one and a dead one is found dead once a worker; without HTTP/1.1 and an empty
``Connection`` header every request opens a connection; the default of ten seconds to connect makes a dead
host cost that much; and repeating a POST on another replica orders twice. Here nginx repeats what is safe to
repeat, and a POST only if it was never sent: a client that gets a 502 repeats its order with the same key.

In production: the same file (``deploy/nginx.conf``), a second nginx, and active health checks, which nginx
only has in its commercial edition: Kubernetes' readiness probes do that.
"""

from collections.abc import Sequence
from pathlib import Path

from slocheck.reference_api.http.http2 import Certificate
from slocheck.reference_api.stack.processes import Server, Servers
from slocheck.reference_api.stack.programs import HOST, find, free_port

KEPT_CONNECTIONS = 32
_TEMPLATE = """\
# One nginx before several replicas of the API; slocheck/reference_api/stack/nginx.py says why it is so.
worker_processes {workers};
worker_rlimit_nofile 20000;
error_log stderr warn;
pid {pid};
{foreground}
events {{
    worker_connections 8192;  # each request takes two: the client's and the replica's
}}

http {{
    access_log off;
    server_tokens off;
{folders}
    upstream api_servers {{
        zone api_servers 128k;  # one count of connections and failures for all workers
        least_conn;
{servers}
        keepalive {kept};  # idle connections to replicas that each worker keeps
    }}

    server {{
{listen}
        keepalive_timeout 75s;  # longer than a user of a load waits between two requests
        keepalive_requests 100000;

        location / {{
            proxy_pass http://api_servers;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;

            proxy_connect_timeout 2s;
            proxy_send_timeout 30s;
            proxy_read_timeout 30s;

            # another replica is asked if this one refuses, breaks off or is too slow; not for a POST that
            # was sent, which could then be done twice: that would take `non_idempotent`, which stays out
            proxy_next_upstream error timeout;
            proxy_next_upstream_tries 3;
            proxy_next_upstream_timeout 10s;
        }}
    }}
}}
"""


def configuration(
    upstreams: Sequence[str],
    *,
    listen: str,
    folder: Path | None = None,
    certificate: Certificate | None = None,
    fail_timeout: str = "10s",
) -> str:
    """Return nginx.conf.

    Args:
        upstreams: Replicas as ``host:port``; a name with several addresses stands for as many replicas.
        listen: Address or port.
        folder: A private one, for an nginx beside others on this machine; None: the usual places.
        certificate: Makes it speak TLS, and HTTP/2 to clients that offer it.
        fail_timeout: Three failures within this time take a replica out of use for as long.
    """
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = [f"    {kind}_temp_path {folder}/{kind};" for kind in kinds] if folder else []
    servers = [f"        server {name} max_fails=3 fail_timeout={fail_timeout};" for name in upstreams]
    lines = [f"        listen {listen};"]
    if certificate is not None:
        lines = [
            f"        listen {listen} ssl http2;",
            f"        ssl_certificate {certificate.chain};",
            f"        ssl_certificate_key {certificate.key};",
            "        ssl_protocols TLSv1.2 TLSv1.3;",
        ]
    return _TEMPLATE.format(
        workers=2 if folder else "auto",
        pid=f"{folder}/nginx.pid" if folder else "/run/nginx.pid",
        foreground="daemon off;\n" if folder else "",
        folders="".join(f"{line}\n" for line in folders),
        servers="\n".join(servers),
        kept=KEPT_CONNECTIONS,
        listen="\n".join(lines),
    )


def start_nginx(
    servers: Servers,
    upstreams: Sequence[str],
    *,
    certificate: Certificate | None = None,
    fail_timeout: str = "10s",
    name: str = "nginx",
) -> Server:
    """Start an nginx of our own; raises UsageError if it is not installed, MeasurementError."""
    program = find("nginx", package="nginx")
    port = free_port()
    folder = servers.make_folder(name)
    folder.chmod(0o711)  # its workers are another user when we are root
    text = configuration(
        upstreams,
        listen=f"{HOST}:{port}",
        folder=folder,
        certificate=certificate,
        fail_timeout=fail_timeout,
    )
    file = folder / "nginx.conf"
    file.write_text(text, encoding="utf-8")
    return servers.start(name, [program, "-e", "stderr", "-c", str(file)], port=port)
