"""Users whose code raises: in a task, in the wait after it, when they enter a task set or leave, and when they stop."""

from locust import HttpUser, TaskSet, constant, task


class Failing(HttpUser):
    abstract = True
    fixed_count = 1
    wait_time = constant(0.001)
    turn = 0


class InTask(Failing):
    @task
    def ask(self):
        self.turn += 1
        self.client.get("/items/1", name=f"turn {self.turn} of a task that raises")
        if self.turn == 3:
            self.stop()
            return
        raise (ValueError("a task"), AssertionError("a check"))[self.turn - 1]


class InWait(Failing):
    def wait_time(self):
        self.turn += 1
        if self.turn == 1:
            raise RuntimeError("a wait")
        return 0.001

    @task
    def ask(self):
        self.client.get("/items/1", name=f"after {self.turn} waits")
        if self.turn > 1:
            self.stop()


class InSet(Failing):
    @task
    class Pages(TaskSet):
        def on_start(self):
            self.user.turn += 1
            self.client.get("/items/1", name=f"entry {self.user.turn}")
            if self.user.turn == 1:
                raise ValueError("an entry")

        def on_stop(self):
            self.client.get("/items/1", name=f"exit {self.user.turn}")
            raise ValueError("an exit")

        @task
        def page(self):
            self.client.get("/items/1", name=f"page {self.user.turn}")
            if self.user.turn == 3:
                self.user.stop()
            self.interrupt()


class AtEnd(Failing):
    @task
    def ask(self):
        self.client.get("/items/1", name="the last one")
        self.stop()

    def on_stop(self):
        self.client.get("/bye", name="a farewell")
        raise ValueError("a farewell")
