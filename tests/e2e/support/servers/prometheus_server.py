"""A real Prometheus with its own configuration, port and data, for tests."""

import json
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from tests.support.ports import free_port
from tests.support.waiting import wait_until

Targets = Mapping[str, Sequence[str]]


def scrape_configs(targets: Targets) -> list[dict[str, Any]]:
    """Return the scrape configuration: each URL keeps its own scheme and path."""
    configs = []
    for job, urls in targets.items():
        statics = []
        for url in urls:
            parts = urlsplit(url)
            labels = {"__scheme__": parts.scheme, "__metrics_path__": parts.path or "/metrics"}
            statics.append({"targets": [parts.netloc], "labels": labels})
        configs.append({"job_name": job, "static_configs": statics})
    return configs


class PrometheusServer:
    """A running Prometheus; a context manager.

    Attributes:
        port: Where it listens; the same after a restart.
    """

    def __init__(
        self, folder: Path, targets: Targets, scrape_interval: str = "1s", extra_args: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self._interval = scrape_interval
        self._extra_args = tuple(extra_args)
        self._process: subprocess.Popen[bytes] | None = None
        self._targets = targets
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the process and wait until it responds and has scraped every target."""
        self._configure()
        with (self.folder / "prometheus.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={self.folder / 'prometheus.json'}",
                    f"--storage.tsdb.path={self.folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                    "--log.level=warn",
                    *self._extra_args,
                ],
                stdout=log,
                stderr=log,
            )
        wait_until(self._ready, f"Prometheus ready; see {self.folder / 'prometheus.log'}")
        self.wait_scraped()

    def _configure(self) -> None:
        config = {
            "global": {"scrape_interval": self._interval, "scrape_timeout": self._interval},
            "scrape_configs": scrape_configs(self._targets),
        }
        (self.folder / "prometheus.json").write_text(json.dumps(config), encoding="utf-8")

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "prometheus.log").read_text(encoding="utf-8")
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5):
                return True
        except OSError:
            return False

    def wait_scraped(self) -> None:
        """Wait until each target has been scraped since this call, and no other is known."""
        since = time.time()
        wanted = sorted((job, urlsplit(url).netloc) for job, urls in self._targets.items() for url in urls)

        def scraped() -> bool:
            found = self.query("timestamp(up)")
            known = sorted((one["metric"]["job"], one["metric"]["instance"]) for one in found)
            return known == wanted and all(float(one["value"][1]) >= since for one in found)

        wait_until(scraped, "every target scraped")

    def query(self, text: str) -> list[dict[str, Any]]:
        """Return the result of an instant query."""
        form = urllib.parse.urlencode({"query": text}).encode()
        with urllib.request.urlopen(f"{self.url}/api/v1/query", form, timeout=10) as response:
            result: list[dict[str, Any]] = json.load(response)["data"]["result"]
            return result

    def value(self, text: str) -> float | None:
        """Return the value of a query with a single result; None without one."""
        found = self.query(text)
        return float(found[0]["value"][1]) if found else None

    def wait_value(self, text: str, value: float) -> None:
        """Wait until a query has a single result with this value."""
        wait_until(lambda: self.value(text) == value, f"{text} == {value}")

    def reload(self, targets: Targets) -> None:
        """Scrape these targets from now on; returns when all have been scraped."""
        assert self._process is not None
        self._targets = targets
        self._configure()
        self._process.send_signal(signal.SIGHUP)
        self.wait_scraped()

    def restart(self) -> None:
        """Stop in order and start again on the same port and data."""
        self.stop()
        self.start()

    def stop(self) -> None:
        """Stop the process; may be called twice."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_prometheus(
    tmp_path: Path, targets: Targets, scrape_interval: str = "1s", extra_args: Sequence[str] = ()
) -> PrometheusServer:
    """Start a Prometheus; returns when it has scraped every target (use it in a ``with``).

    Args:
        tmp_path: Its configuration, log and data go into a new folder there.
        targets: Job name to metrics URLs.
        scrape_interval: As Prometheus writes it.
        extra_args: More flags.
    """
    server = PrometheusServer(tmp_path / "prometheus", targets, scrape_interval, extra_args)
    try:
        server.start()
    except BaseException:
        server.stop()
        raise
    return server
