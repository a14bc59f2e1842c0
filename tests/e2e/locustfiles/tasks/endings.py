"""How a task or a user ends: StopUser, stop(), RescheduleTask, InterruptTaskSet, and a caught error."""

from locust import HttpUser, TaskSet, constant, task
from locust.exception import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopUser


class Leaving(HttpUser):
    fixed_count = 1
    wait_time = constant(0.001)

    @task
    def once(self):
        self.client.get("/items/1", name="once")
        raise StopUser


class Stopping(HttpUser):
    fixed_count = 1
    wait_time = constant(0.001)

    @task
    def ask(self):
        self.client.get("/items/1", name="asked")
        self.stop()
        self.client.get("/items/2", name="after stop()")

    def on_stop(self):
        self.client.get("/bye", name="goodbye")


class Rescheduling(HttpUser):
    fixed_count = 1
    wait_time = constant(0.001)
    turn = 0

    @task
    def ask(self):
        self.turn += 1
        self.client.get("/items/1", name=f"turn {self.turn}")
        if self.turn == 1:
            raise RescheduleTask
        if self.turn == 2:
            raise RescheduleTaskImmediately
        raise StopUser


class Interrupting(HttpUser):
    fixed_count = 1
    wait_time = constant(0.001)
    rounds = 0

    @task
    class Inner(TaskSet):
        def on_start(self):
            self.user.rounds += 1

        @task
        def leave(self):
            self.client.get("/items/1", name=f"round {self.user.rounds}")
            if self.user.rounds == 3:
                self.user.stop()
            raise InterruptTaskSet(reschedule=self.user.rounds == 1)


class Catching(HttpUser):
    fixed_count = 1
    wait_time = constant(0.001)

    @task
    def ask(self):
        try:
            self.client.get("/broken", name="broken").raise_for_status()
        except Exception:
            self.client.get("/items/1", name="after the error")
        self.stop()
