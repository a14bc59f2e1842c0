"""catch_response in each form: success and failure against the status, an exception in the block, no block at all."""

from locust import FastHttpUser, HttpUser, constant, task
from locust.exception import RescheduleTask, ResponseError


class Judging:
    """The same block for both clients; a mixin has no @task, the users list it."""

    def on_start(self):
        self.turn = 0

    def caught(self, path, name):
        return self.client.get(path, catch_response=True, name=name)

    def judge(self):
        self.turn += 1
        if self.turn > 1:
            self.stop()
            return
        with self.caught("/items/1", "left alone"):
            pass
        with self.caught("/items/1", "approved") as response:
            response.success()
        with self.caught("/items/1", "refused") as response:
            response.failure("not what I want")
        with self.caught("/items/1", "refused with an exception") as response:
            response.failure(ValueError("not an item"))
        with self.caught("/items/901", "missing, approved") as response:
            if response.status_code == 404:
                response.success()
        with self.caught("/items/901", "missing, left alone"):
            pass
        with self.caught("/items/1", "failure, then success") as response:
            response.failure("at first")
            response.success()
        with self.caught("/items/1", "success, then failure") as response:
            response.success()
            response.failure("at last")
        with self.caught("/items/1", "raises a ResponseError"):
            raise ResponseError("a bad response")
        with self.caught("/items/1", "too slow") as response:
            if response.request_meta["response_time"] >= 0:
                response.failure("slower than 0 ms")
        with self.caught("/items/1", "renamed later") as response:
            response.request_meta["name"] = "renamed by its content"
        try:
            with self.caught("/broken", "checked by raise_for_status") as response:
                response.raise_for_status()
        except Exception as error:
            self.problem = error
        with self.caught("/items/1", "failure, then a way out") as response:
            response.failure("again, please")
            raise RescheduleTask


class Plain(Judging, HttpUser):
    fixed_count = 1
    wait_time = constant(0.001)

    @task
    def once(self):
        self.judge()


class Fast(Judging, FastHttpUser):
    fixed_count = 1
    wait_time = constant(0.001)

    @task
    def once(self):
        self.judge()
