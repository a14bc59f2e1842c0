"""A private PostgreSQL primary with one streaming replica, from Debian's binaries.

PostgreSQL refuses to run as root, so under root both run as the user `postgres`, who owns their folder.
A second server on one machine takes no load off the first: it is here to show routing and failure. In
production the replica is another machine, and something (Patroni, a managed service) promotes it
when the primary dies.
"""

import os
import pwd
import secrets
import signal
from collections.abc import Sequence
from pathlib import Path

import psycopg

from slocheck.errors import UsageError
from slocheck.reference_api.stack.processes import Server, Servers
from slocheck.reference_api.stack.programs import HOST, find, free_port

_PACKAGE = "postgresql"
FOLDERS = "/usr/lib/postgresql/*/bin"
_USER = "postgres"
_SETTINGS = (
    f"listen_addresses={HOST}",
    "max_connections=100",
    "shared_buffers=64MB",
    "shared_preload_libraries=pg_stat_statements",  # the view works only if it was loaded at the start
    "wal_level=replica",
    "wal_keep_size=256MB",  # a replica that was away catches up without a new copy
    "hot_standby=on",
)


class PostgresServer:
    """One server; it keeps its port and its data across a stop, a crash and the next start.

    Args:
        servers: The stack that it belongs to.
        name: ``postgres-primary`` or ``postgres-replica``; also the name of its data folder and log.
        folder: Where its data and its socket are.
        password: Of the user `postgres`, over TCP.
        settings: Settings besides the usual ones, ``name=value``.

    Attributes:
        port: On 127.0.0.1.
        url: What a client connects to.
        data: The data folder.
    """

    def __init__(
        self, servers: Servers, name: str, *, folder: Path, password: str, settings: Sequence[str] = ()
    ) -> None:
        self.port = free_port()
        self.url = f"postgresql://{_USER}:{password}@{HOST}:{self.port}/{_USER}"
        self.data = folder / name
        self._servers = servers
        self._name = name
        self._settings = (*_SETTINGS, f"unix_socket_directories={folder}", f"port={self.port}", *settings)
        self._server: Server | None = None

    @property
    def pid(self) -> int:
        """Process id of the postmaster; 0 before the first start."""
        return 0 if self._server is None else self._server.pid

    def start(self) -> None:
        """Start it and wait until it accepts connections; raises MeasurementError."""
        options = [word for setting in self._settings for word in ("-c", setting)]
        self._server = self._servers.start(
            self._name,
            [_program("postgres"), "-D", str(self.data), *options],
            port=self.port,
            ready=self._accepts,
            user=_owner(),
            stop_signal=signal.SIGINT,  # does not wait for clients to leave, as SIGTERM would
        )

    def stop(self) -> None:
        """End it in order."""
        if self._server is not None:
            self._server.stop()

    def kill(self) -> None:
        """End it as a crash would: nothing is written, and its connections break."""
        if self._server is not None:
            # not SIGKILL: its children would hold the shared memory against the next start for a moment
            self._server.send(signal.SIGQUIT)
            self._server.stop()

    def _accepts(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


def start_primary_and_replica(
    servers: Servers, *, durable: bool = True
) -> tuple[PostgresServer, PostgresServer]:
    """Start an empty primary and a replica that follows it.

    Args:
        servers: Stops both at its end and removes their data.
        durable: Whether a commit waits for the disk, as it must in production.

    Raises:
        UsageError: PostgreSQL is not installed, or this is root and there is no user `postgres`.
        MeasurementError: One of them did not start; with the end of its log.
    """
    folder = servers.make_folder("postgres", user=_owner())
    password = secrets.token_hex(16)
    settings = () if durable else ("fsync=off", "full_page_writes=off")
    primary, replica = (
        PostgresServer(servers, f"postgres-{role}", folder=folder, password=password, settings=settings)
        for role in ("primary", "replica")
    )
    _create(servers, primary.data, _secret(folder, password))
    primary.start()
    _copy(servers, primary, replica)
    replica.start()
    return primary, replica


def _secret(folder: Path, password: str) -> Path:
    """Write the password where only the servers' user reads it."""
    path = folder / "password"
    path.touch(mode=0o600)
    path.write_text(password)
    owner = _owner()
    if owner is not None:
        os.chown(path, pwd.getpwnam(owner).pw_uid, -1)
    return path


def _create(servers: Servers, data: Path, secret: Path) -> None:
    """Make an empty database cluster."""
    login = ["--username", _USER, "--auth", "scram-sha-256", "--pwfile", str(secret)]
    storage = ["--encoding", "UTF8", "--no-locale", "--no-sync"]
    command = [_program("initdb"), "--pgdata", str(data), *login, *storage]
    servers.run("initdb", command, user=_owner())


def _copy(servers: Servers, primary: PostgresServer, replica: PostgresServer) -> None:
    """Copy the primary's data, with what makes the copy follow it."""
    options = ["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--pgdata", str(replica.data)]
    command = [_program("pg_basebackup"), "--dbname", primary.url, *options]
    servers.run("pg_basebackup", command, user=_owner())


def _owner() -> str | None:
    """Return the user that the servers run as; None: as this process does. Raises UsageError."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(_USER).pw_name
    except KeyError:
        raise UsageError(f"there is no user {_USER}; as root: apt-get install {_PACKAGE}") from None


def _program(name: str) -> str:
    return find(name, package=_PACKAGE, folders=FOLDERS)
