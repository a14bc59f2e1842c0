"""FastHttpUser with its own arguments: timeouts, default headers, forms as text, streams, auth, redirects off."""

from locust import FastHttpUser, constant, task


class Fast(FastHttpUser):
    wait_time = constant(0.001)
    connection_timeout = 5.0
    network_timeout = 20.0
    default_headers = {"X-Client": "load"}
    concurrency = 2
    max_redirects = 1

    def on_start(self):
        self.client.post(
            "/login", data="user=ann", headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
        self.client.get("/me")

    @task
    def everything(self):
        self.client.get("/items?page=2", name="/items")
        self.client.get("/items/1", headers={"Accept": "text/plain"})
        self.client.head("/items/1", name="head")
        self.client.options("/items", name="options")
        self.client.post("/orders", json={"item": 1})
        self.client.put("/items/4", data=b"raw", name="/items/{id}")
        self.client.patch("/items/4", json=[1, 2], name="/items/{id}")
        self.client.delete("/items/4", name="/items/{id}")
        self.client.get("/items/5", auth=("ann", "secret"), name="with auth")
        response = self.client.get("/lines", stream=True, name="streamed")
        assert b"".join(chunk for chunk in iter(lambda: response.stream.read(512), b"")).count(b"\n") == 200
        assert self.client.get("/page").text.startswith("<html>")
        assert self.client.get("/items/8", allow_redirects=False).json() == {"id": 8}
        self.client.get("/items/901", name="missing")
        self.client.get("/busy", name="busy")
        self.stop()
