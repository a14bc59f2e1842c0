"""Messages between master and workers, and what a worker adds to its reports, as shared test data needs them."""

from locust import HttpUser, constant, events, task
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

numbers = []
received = []


def on_numbers(environment, msg, **_kwargs):
    numbers.extend(msg.data)
    received.append(len(msg.data))
    environment.runner.send_message("thanks", f"{len(msg.data)} numbers")


def on_thanks(environment, msg, **_kwargs):
    environment.thanked = msg.data


@events.init.add_listener
def register(environment, **_kwargs):
    runner = environment.runner
    if not isinstance(runner, MasterRunner):
        runner.register_message("numbers", on_numbers)
    if not isinstance(runner, WorkerRunner):
        runner.register_message("thanks", on_thanks)


@events.test_start.add_listener
def share(environment, **_kwargs):
    if isinstance(environment.runner, LocalRunner):
        numbers.extend([1, 2, 3])
        received.append(3)
    elif isinstance(environment.runner, MasterRunner):
        environment.runner.send_message("numbers", [1, 2, 3])


@events.report_to_master.add_listener
def add(client_id, data, **_kwargs):
    data["mine"] = {"left": len(numbers)}


@events.worker_report.add_listener
def take(client_id, data, **_kwargs):
    assert data["mine"]["left"] >= 0


class Consumer(HttpUser):
    wait_time = constant(0.01)

    @task
    def consume(self):
        if received and not numbers:
            self.stop()
        elif numbers:
            self.client.get(f"/items/{numbers.pop()}", name="/items/{number}")
