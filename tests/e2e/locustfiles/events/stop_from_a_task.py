"""A run that ends when the work is done: a task stops the runner."""

from locust import FastHttpUser, constant, task

orders = list(range(6))


class Worker(FastHttpUser):
    wait_time = constant(0.01)

    @task
    def work(self):
        if not orders:
            self.environment.runner.stop()
            return
        self.client.post("/orders", json={"number": orders.pop()}, name="order")
