"""HttpUser with what people do to its session: adapters, a shared pool, hooks, a wrapper with names, subclasses."""

from functools import partial

from locust import HttpUser, constant, task
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpUser
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager


class Named(HttpSession):
    def request(self, method, url, name=None, **kwargs):
        return super().request(method, url, name=name or f"wrapped {url}", **kwargs)


class Adapted(HttpUser):
    fixed_count = 1
    wait_time = constant(0.001)
    pool_manager = PoolManager(maxsize=10, block=True)

    def on_start(self):
        self.client.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=1))
        self.responses = 0
        self.client.hooks["response"].append(self.count)

    def count(self, *_args, **_kwargs):
        self.responses += 1

    @task
    def ask(self):
        for _ in range(3):
            self.client.get("/items/1", name="adapted")
        self.client.get("/items/2", name=f"{self.responses} responses seen")
        self.stop()


class Wrapped(HttpUser):
    fixed_count = 1
    wait_time = constant(0.001)

    def __init__(self, *args):
        super().__init__(*args)
        self.client = Named(self.host, self.environment.events.request, self)
        self.api = partial(self.client.get, headers={"X-Api": "1"})

    @task
    def ask(self):
        self.api("/items/1")
        self.api("/items/2?id=7", name="named")
        self.client.post("/orders", json={})
        self.stop()


class TwoClients(FastHttpUser):
    fixed_count = 1
    wait_time = constant(0.001)

    def __init__(self, environment):
        super().__init__(environment)
        self.plain = HttpSession(base_url=self.host, request_event=environment.events.request, user=self)

    @task
    def ask(self):
        self.client.get("/items/1", name="fast")
        self.plain.get("/items/1", name="plain")
        self.stop()
