"""Runs in a namespace whose Locust files connect to another host, which counts what it receives.

``python -m tests.e2e.support.guard.runs FOLDER`` prints their outcome as one JSON document, and with
``beside`` after it the outcome of the same files under Locust alone.
"""

import json
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from slocheck.errors import UsageError
from slocheck.pipeline.target.guard import sole_use
from tests.e2e.support.cli import slocheck, write_spec
from tests.e2e.support.guard.namespace import ELSEWHERE
from tests.e2e.support.plain_locust import locust_alone
from tests.e2e.support.servers.load_server import LoadServer, response

BESIDE = "beside"
WAYS = '''
import asyncio, http.client, os, socket, threading, urllib.request, _socket

import gevent.monkey
import gevent.socket
import httpx
import requests
import urllib3
from locust import FastHttpUser, HttpUser, User, constant, task
from requests.adapters import HTTPAdapter
from slocheck.users import LeanHttpUser

IP, PORT = "{ip}", {port}
NAME, LOCAL = "elsewhere.example", "pointed.localhost"
URL = f"http://{{NAME}}:{{PORT}}/x"
HERE = "/ok"
PlainSocket = gevent.monkey.get_original("socket", "socket")


class RetryingAdapter(HTTPAdapter):
    """Resends by itself what failed."""

    def send(self, request, **options):
        response = super().send(request, **options)
        return response if response.ok else super().send(request, **options)


class Loyal(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def ask(self):
        self.client.get(HERE, name="here")


def stray(user):
    """Try each way of a user once, hide every error, and note what was tried."""
    for name in sorted(vars(type(user))):
        if name.startswith("by_"):
            try:
                getattr(user, name)()
            except Exception:
                pass
            with open("tried", "a") as file:
                file.write(f"{{type(user).__name__}}.{{name}}\\n")


class Straying:
    wait_time = constant(3600)
    tasks = [stray]


class Plain(Straying, HttpUser):
    fixed_count = 1

    def by_absolute_url(self):
        self.client.get(URL, name="strayed")

    def by_credentials(self):
        self.client.get(f"@{{IP}}:{{PORT}}/x", name="strayed")

    def by_proxies(self):
        self.client.get(HERE, name="proxied", proxies={{"http": f"http://{{IP}}:{{PORT}}"}})

    def by_proxies_of_the_session(self):
        self.client.proxies = {{"http": f"http://{{IP}}:{{PORT}}"}}
        self.client.get(HERE, name="proxied")

    def by_redirect_through_an_adapter(self):
        self.client.mount("http://", HTTPAdapter())
        self.client.get(f"/redirect/{{IP}}:{{PORT}}", name="redirected")

    def by_retries(self):
        self.client.mount("http://", HTTPAdapter(max_retries=urllib3.Retry(3, status_forcelist=[404])))
        self.client.get("/status/404", name="retried")

    def by_retries_of_its_own(self):
        self.client.mount("http://", RetryingAdapter())
        self.client.get("/status/410", name="retried by itself")

    def by_swallowing_it(self):
        with self.client.get(URL, name="strayed", catch_response=True) as response:
            response.success()

    def by_the_base_url(self):
        self.client.base_url = f"http://{{IP}}:{{PORT}}"
        self.client.get("/x", name="strayed")


class Late(Straying, HttpUser):
    fixed_count = 1

    def __init__(self, environment):
        self.host = f"http://{{IP}}:{{PORT}}"
        super().__init__(environment)

    def by_its_late_host(self):
        self.client.get("/x", name="strayed")


class LateLean(Straying, LeanHttpUser):
    fixed_count = 1

    def __init__(self, environment):
        self.host = f"http://{{LOCAL}}:{{PORT}}"
        super().__init__(environment)

    def by_its_late_host(self):
        self.client.get("/x", name="strayed")


class Fast(Straying, FastHttpUser):
    fixed_count = 1
    proxy_host, proxy_port = IP, PORT

    def by_absolute_url(self):
        self.client.get(f"http://{{LOCAL}}:{{PORT}}/x", name="strayed")

    def by_credentials(self):
        self.client.get(f"@{{IP}}:{{PORT}}/x", name="strayed")

    def by_its_proxy(self):
        self.client.get(HERE, name="proxied")

    def by_redirect(self):
        self.client.get(f"/redirect/{{IP}}:{{PORT}}", name="redirected")


class Own(Straying, User):
    fixed_count = 1

    def by_asyncio(self):
        async def connect():
            await asyncio.open_connection(IP, PORT)

        gevent.get_hub().threadpool.apply(asyncio.run, (connect(),))

    def by_an_unpatched_thread(self):
        def connect():
            PlainSocket().connect((IP, PORT))

        gevent.get_hub().threadpool.apply(connect)

    def by_c_socket(self):
        _socket.socket().connect((IP, PORT))

    def by_connect_ex(self):
        socket.socket().connect_ex((IP, PORT))

    def by_create_connection(self):
        socket.create_connection((LOCAL, PORT))

    def by_datagram(self):
        socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", (IP, PORT))

    def by_datagram_message(self):
        PlainSocket(type=socket.SOCK_DGRAM).sendmsg([b"x"], [], 0, (IP, PORT))

    def by_environment(self):
        os.environ["http_proxy"] = "http://127.0.0.1:1"
        urllib.request.urlopen(f"{{self.host}}/past-the-environment")
        httpx.get(f"{{self.host}}/past-the-environment")

    def by_http_client(self):
        http.client.HTTPConnection(NAME, PORT).request("GET", "/x")

    def by_httpx(self):
        httpx.get(URL)

    def by_mapped_address(self):
        PlainSocket(socket.AF_INET6).connect((f"::ffff:{{IP}}", PORT))

    def by_name(self):
        PlainSocket().connect((NAME, PORT))

    def by_requests(self):
        requests.Session().get(URL)

    def by_urllib(self):
        urllib.request.urlopen(URL)
'''

AT_IMPORT = """
import socket
from locust import HttpUser, task

try:
    socket.create_connection(("elsewhere.example", {port}))
except OSError:
    pass


class Plain(HttpUser):
    @task
    def ask(self):
        self.client.get("/ok")
"""

IN_INIT = """
import requests
from locust import HttpUser, events, task


@events.init.add_listener
def on_init(**_):
    requests.get("http://elsewhere.example:{port}/token")


class Plain(HttpUser):
    @task
    def ask(self):
        self.client.get("/ok")
"""

WITH_TOKEN = """
import contextlib
import socket

import requests
from locust import FastHttpUser, constant, events, task


@events.test_start.add_listener
def on_start(**_):
    requests.get("http://elsewhere.example:{port}/token")


@events.quitting.add_listener
def on_quitting(**_):
    with contextlib.suppress(OSError):
        socket.create_connection(("10.77.0.3", 80))


class Plain(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def ask(self):
        self.client.get("/ok")
"""


class Elsewhere:
    """Another host: it counts connections and datagrams on one port.

    Attributes:
        port: Of both.
        received: Connections and datagrams until now.
    """

    def __init__(self) -> None:
        self.received = 0
        self._stream = socket.create_server((ELSEWHERE, 0))
        self.port = self._stream.getsockname()[1]
        self._datagrams = socket.socket(type=socket.SOCK_DGRAM)
        self._datagrams.bind((ELSEWHERE, self.port))
        for serve in (self._accept, self._receive):
            threading.Thread(target=serve, daemon=True).start()

    def _accept(self) -> None:
        while True:
            peer, _ = self._stream.accept()
            self.received += 1
            with peer:
                peer.recv(65536)
                peer.sendall(response())

    def _receive(self) -> None:
        while True:
            self._datagrams.recv(65536)
            self.received += 1


class Lab:
    """The two servers, and the runs against the one that may be loaded."""

    def __init__(self, folder: Path, target: LoadServer, elsewhere: Elsewhere) -> None:
        self._folder, self._target, self._elsewhere = folder, target, elsewhere

    def run(self, scenario: str, *arguments: str, url: str = "", duration: str = "12s") -> dict[str, Any]:
        """Run a Locust file and return how it ended, and what the other host received meanwhile."""
        before = self._elsewhere.received
        text = scenario.format(ip=ELSEWHERE, port=self._elsewhere.port)
        workload = f"users: 8, spawn_rate: 100/s, warmup: 0s, duration: {duration}"
        write_spec(self._folder, url or self._target.url, scenario=text, workload=workload)
        done = slocheck("run", "--json", *arguments, cwd=self._folder)
        return {
            "code": done.returncode,
            "stderr": done.stderr,
            "result": json.loads(done.stdout) if done.stdout else None,
            "received": self._elsewhere.received - before,
        }

    def alone(self, scenario: str) -> dict[str, Any]:
        """Run a Locust file under Locust itself and return how it ended, and what the other host received."""
        before = self._elsewhere.received
        text = scenario.format(ip=ELSEWHERE, port=self._elsewhere.port)
        code, _, _ = locust_alone(self._folder, self._target.url, text, users=8, error_code=1)
        return {"code": code, "received": self._elsewhere.received - before}


def _is_refused_under_another_address() -> bool:
    """Tell whether a target counts as already loaded under another address of this machine."""
    with sole_use(f"http://{ELSEWHERE}:1", allow_concurrent=False):
        try:
            with sole_use("http://127.0.0.1:1", allow_concurrent=False):
                return False
        except UsageError:
            return True


def main(folder: Path, *, beside: bool) -> None:
    """Make all runs and print their outcome; with `beside`, those under Locust alone."""
    with LoadServer() as target:
        elsewhere = Elsewhere()
        lab = Lab(folder, target, elsewhere)
        if beside:
            sys.stdout.write(json.dumps({"ways": lab.alone(WAYS), "import": lab.alone(AT_IMPORT)}))
            return
        runs = {
            "ways": lab.run(WAYS),
            "import": lab.run(AT_IMPORT),
            "init": lab.run(IN_INIT),
            "token": lab.run(WITH_TOKEN),
            "allowed": lab.run(WITH_TOKEN, "--allow-target", "elsewhere.example", duration="1s"),
            "localhost": lab.run(AT_IMPORT, url=f"http://pointed.localhost:{elsewhere.port}"),
        }
        noted = folder / "tried"
        tried = noted.read_text().split() if noted.exists() else []
        made = {"runs": runs, "tried": tried, "counts": target.counts, "port": elsewhere.port}
        made["refused"] = _is_refused_under_another_address()
        sys.stdout.write(json.dumps(made))


if __name__ == "__main__":
    main(Path(sys.argv[1]), beside=sys.argv[2:] == [BESIDE])
