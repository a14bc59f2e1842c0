"""HttpUser as a thin requests session: methods, headers, params, cookies, auth, uploads, streams, hooks."""

import io
import json

from locust import HttpUser, constant, task


class ApiUser(HttpUser):
    wait_time = constant(0.001)

    def on_start(self):
        self.client.headers.update({"X-Client": "load", "Accept-Language": "en"})
        self.client.get("/me", name="/me (before login)")
        token = self.client.post("/login", data={"user": "ann"}).json()["token"]
        self.client.headers["Authorization"] = f"Bearer {token}"
        self.client.cookies.set("theme", "dark")

    @task
    def everything(self):
        self.client.get("/items", params={"page": 2, "sort": "price"}, name="/items")
        self.client.get("/items/1", headers={"If-None-Match": '"x"'}, timeout=5)
        self.client.head("/items/1", name="head")
        self.client.options("/items", name="options")
        self.client.post("/orders", json={"item": 1, "note": "grün"})
        self.client.post(
            "/orders", data=json.dumps({"item": 2}), headers={"Content-Type": "application/json"}
        )
        self.client.put("/items/4", json={"price": 3}, name="/items/{id}")
        self.client.patch("/items/4", json={"price": 4}, name="/items/{id}")
        self.client.delete("/items/4", name="/items/{id}")
        self.client.request("GET", "/me")
        self.client.request(method="GET", url="/page", name="page")
        files = {"file": ("photo.png", io.BytesIO(b"\x89PNG" * 2000), "image/png")}
        self.client.post("/upload", files=files, data={"title": "a photo"}, name="upload")
        with self.client.get("/lines", stream=True, catch_response=True, name="streamed") as response:
            assert sum(1 for _ in response.iter_lines()) == 200
        self.client.get("/items/5", auth=("ann", "secret"), name="with auth")
        self.client.get(
            "/items/6", hooks={"response": lambda r, *_, **__: r}, verify=False, name="with a hook"
        )
        self.client.get("/items/901", name="missing")
        self.client.get("/broken", name="broken")
        self.stop()
