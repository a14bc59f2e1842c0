"""Wrapped clients: intercepted calls of a stub, transactions, an API object, a session that retries."""

import functools
import socket
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

from locust import HttpUser, User, constant, events, task
from locust.clients import HttpSession
from locust.exception import LocustError


class Stub:
    """Like one generated from a protocol definition: its methods know nothing about Locust."""

    def __init__(self, host):
        parts = urlsplit(host)
        self._address = (parts.hostname, parts.port)

    def GetItem(self, number):
        with socket.create_connection(self._address, timeout=5) as sock:
            sock.sendall(f"GET /items/{number} HTTP/1.0\r\n\r\n".encode())
            return b"".join(iter(lambda: sock.recv(4096), b""))

    def Buy(self, number):
        self.GetItem(number)
        raise ConnectionError("UNAVAILABLE")


class Intercepted:
    def __init__(self, environment, stub):
        self._environment, self._stub = environment, stub

    def __getattr__(self, name):
        method = getattr(self._stub, name)

        @functools.wraps(method)
        def call(*args, **kwargs):
            told = {"request_type": "grpc", "name": name, "start_time": time.time(), "response_length": 0}
            told |= {"exception": None, "context": None, "response": None}
            begun = time.perf_counter()
            try:
                told["response"] = method(*args, **kwargs)
                told["response_length"] = len(told["response"])
            except ConnectionError as error:
                told["exception"] = error
            told["response_time"] = (time.perf_counter() - begun) * 1000
            self._environment.events.request.fire(**told)
            return told["response"]

        return call


class GrpcUser(User):
    abstract = True
    stub_class = None

    def __init__(self, environment):
        super().__init__(environment)
        for value, name in ((self.host, "host"), (self.stub_class, "stub_class")):
            if value is None:
                raise LocustError(f"You must specify the {name}.")
        self.stub = Intercepted(environment, self.stub_class(self.host))


class Caller(GrpcUser):
    fixed_count = 1
    stub_class = Stub

    @task
    def call(self):
        self.stub.GetItem(1)
        self.stub.GetItem(number=2)
        self.stub.Buy(1)
        self.stop()


@contextmanager
def transaction(name):
    begun, failed = time.perf_counter(), None
    try:
        yield
    except ValueError as error:
        failed = error
    took = (time.perf_counter() - begun) * 1000
    events.request.fire(
        request_type="TRANSACTION",
        name=name,
        response_time=took,
        response_length=0,
        exception=failed,
        context={},
    )


class Api:
    def __init__(self, user):
        self.client = user.client

    def item(self, number):
        with self.client.get(f"/items/{number}", name="/items/[id]", catch_response=True) as response:
            if response.json().get("id") != number:
                response.failure("another item")
                return None
            return response.json()


class Retrying(HttpSession):
    def get(self, url, **kwargs):
        response = super().get(url, **kwargs)
        return super().get(url, **kwargs) if response.status_code >= 500 else response


class Buyer(HttpUser):
    fixed_count = 1
    wait_time = constant(0)

    def __init__(self, environment):
        super().__init__(environment)
        self.client = Retrying(
            base_url=self.host,
            request_event=environment.events.request,
            user=self,
            pool_manager=self.pool_manager,
        )

    @task
    def buy(self):
        with transaction("checkout"):
            assert Api(self).item(3)
            self.client.get("/broken", name="retried")
        with transaction("a bad one"):
            Api(self).item(950)
            raise ValueError("no such item")
        self.client.request(method="PUT", url="/items/1", data="x", name="by keyword")
        self.client.request("get", "/items/1", name="in small letters")
        self.stop()
