"""Task sets inside of task sets, which hand control back with interrupt() and know their parents."""

from locust import HttpUser, TaskSet, constant, task


class Shop(TaskSet):
    """Each part is visited once; users who return are sent on."""

    wait_time = constant(0.001)

    def on_start(self):
        self.visited = set()
        self.client.get("/", name="home")

    def first_visit(self, part):
        new = part not in self.visited
        self.visited.add(part)
        return new

    @task(2)
    class Catalogue(TaskSet):
        def on_start(self):
            self.page = 0
            if not self.parent.first_visit("catalogue"):
                self.interrupt()

        @task
        def next_page(self):
            self.page += 1
            self.client.get("/items", params={"page": self.page}, name="catalogue")
            if self.page == 3:
                self.schedule_task(self.leave, first=True)

        def leave(self):
            self.interrupt(reschedule=False)

        def on_stop(self):
            if self.page:
                self.client.get("/items/1", name="last look")

    @task
    class Checkout(TaskSet):
        @task
        class Payment(TaskSet):
            @task
            def pay(self):
                if self.parent.parent.first_visit("payment"):
                    self.client.post("/orders", json={"item": 1}, name="pay")
                self.interrupt()

        @task
        def back(self):
            self.interrupt(reschedule=True)

    @task
    def leave(self):
        if self.visited == {"catalogue", "payment"}:
            self.user.stop()


class Shopper(HttpUser):
    tasks = [Shop]
