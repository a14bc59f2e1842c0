"""The lean client: the same calls, counted by slocheck itself."""

from locust import constant, task

from slocheck.users import LeanHttpUser


class Lean(LeanHttpUser):
    wait_time = constant(0.001)
    default_headers = {"X-Client": "load"}

    def on_start(self):
        self.client.post("/login", json={"user": "ann"})
        self.client.get("/me")

    @task
    def everything(self):
        self.client.get("/items?page=2&sort=price")
        self.client.get("/items", params={"page": 3})
        self.client.post("/orders", json={"item": 1})
        self.client.put("/items/4", data={"price": "4"}, name="/items/{id}")
        self.client.delete("/items/4", name="/items/{id}")
        with self.client.rename_request("renamed"):
            self.client.get("/items/5")
            self.client.get("/items/6?x=1")
        with self.client.get("/items/901", catch_response=True, name="missing on purpose") as response:
            if response.status_code == 404:
                response.success()
        with self.client.get("/items/1", catch_response=True, name="not as wanted") as response:
            response.failure("the wrong item")
        self.client.get("/items/902", name="missing")
        self.client.get("/broken", name="broken")
        self.stop()
