"""Users without a client of Locust's: a requests session with a hook, httpx, and measure() around a call."""

import time
from urllib.parse import urlsplit

import httpx
import requests
from locust import User, constant, events, task


class Other(User):
    fixed_count = 1
    wait_time = constant(0.001)

    def on_start(self):
        self.session = requests.Session()
        self.session.hooks["response"].append(self.tell)

    def tell(self, response, *_args, **_kwargs):
        events.request.fire(
            request_type=response.request.method,
            name=f"requests {urlsplit(response.url).path}",
            response_time=response.elapsed.total_seconds() * 1000,
            response_length=len(response.content),
            response=response,
            exception=None if response.ok else requests.HTTPError(str(response.status_code)),
            context={},
        )

    @task
    def ask(self):
        self.session.get(f"{self.host}/items/1")
        self.session.get(f"{self.host}/items/901")
        started, begun = time.time(), time.perf_counter()
        with httpx.Client(base_url=self.host) as client:
            response = client.get("/items/2")
        self.environment.events.request.fire(
            request_type="httpx",
            name="item",
            response_time=int((time.perf_counter() - begun) * 1000),
            response_length=len(response.content),
            response=response,
            exception=None,
            context=None,
            start_time=started,
            url=str(response.url),
        )
        with self.environment.events.request.measure("CALL", "measured") as meta:
            meta["response_length"] = 10
        with self.environment.events.request.measure("CALL", "measured, and judged") as meta:
            meta["exception"] = ValueError("not as wanted")
        with self.environment.events.request.measure("CALL", "measured, and raised"):
            raise ValueError("in the call")
        self.stop()
