"""Requests without a name, with queries: their names come from the URL, and what they carry is private."""

from locust import FastHttpUser, HttpUser, constant, task


class Plain(HttpUser):
    fixed_count = 1
    wait_time = constant(0.001)

    @task
    def ask(self):
        for number in (7, 8):
            self.client.get(f"/items?id={number}&token=secret-{number}")
        self.client.get("/search", params={"q": "red hats", "page": 1})
        self.client.get("/search", params={"q": "grün", "page": 2})
        self.client.get(f"{self.host}/items?id=7")
        self.client.get("/items?id=7", name="/items?id=written")
        with self.client.rename_request("/items?written"):
            self.client.get("/items?id=9")
        self.client.request_name = "all?of=these"
        self.client.get("/items?id=10")
        self.client.request_name = None
        with self.client.get("/items?id=11", catch_response=True) as response:
            response.request_meta["name"] = f"/items?id={response.json()['id']}"
        with self.client.get("/items?id=secret-12", catch_response=True) as response:
            response.failure(f"no item at {response.url}")
        self.client.get("/broken?token=secret-13")
        self.stop()


class Fast(FastHttpUser):
    fixed_count = 1
    wait_time = constant(0.001)

    @task
    def ask(self):
        for number in (7, 8):
            self.client.get(f"/fast?id={number}&token=secret-{number}")
        self.client.get(f"{self.host}/fast?id=7", name="/fast?id=written")
        with self.client.get("/fast?id=secret-12", catch_response=True) as response:
            response.failure(f"no item at {response.url}")
        with self.rest_("GET", "/fast?lang=secret-14") as response:
            assert response.js
        self.client.get("/broken?fast=secret-13")
        self.stop()
