"""Several user classes at once: fixed_count for the few, weight for the rest, and one that never comes."""

from locust import FastHttpUser, HttpUser, constant, task


class Customer(HttpUser):
    weight = 3
    wait_time = constant(0.001)
    pages = 5

    @task
    def page(self):
        self.client.get("/items/2", name=type(self).__name__)
        self.pages -= 1
        if self.pages == 0:
            self.stop()


class Admin(Customer):
    fixed_count = 1
    pages = 3


class Robot(FastHttpUser):
    fixed_count = 1

    @task
    def crawl(self):
        for number in range(1, 8):
            self.client.get(f"/items/{number}", name="Robot")
        self.stop()


class Nobody(HttpUser):
    abstract = True

    @task
    def never(self):
        self.client.get("/never")
