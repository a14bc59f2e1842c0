"""Users that inherit: an abstract base with the login, a mixin with pages, and two kinds of customer."""

from locust import HttpUser, constant, task


class LoggedIn(HttpUser):
    abstract = True
    wait_time = constant(0.002)
    role = "nobody"
    rounds = 4

    def on_start(self):
        self.done = 0
        self.client.post("/login", json={"role": self.role}, name=f"login as {self.role}")

    def on_stop(self):
        self.client.post("/logout", json={}, name=f"logout of {self.role}")

    @task
    def round(self):
        self.visit()
        self.done += 1
        if self.done == self.rounds:
            self.stop()

    def visit(self):
        self.client.get("/me")


class Browsing:
    def browse(self):
        self.client.get("/items", name=f"browse as {self.role}")


class Guest(Browsing, LoggedIn):
    role = "guest"

    def visit(self):
        self.browse()
        super().visit()


class Member(LoggedIn):
    role = "member"
    rounds = 6

    def on_start(self):
        super().on_start()
        self.client.get("/items/1", name="welcome back")
