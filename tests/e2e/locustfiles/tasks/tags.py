"""Tasks and task sets with tags; a run asks for some of them and leaves others out."""

from locust import HttpUser, TaskSet, constant, tag, task


class Reader(HttpUser):
    fixed_count = 2
    wait_time = constant(0.001)

    def on_start(self):
        self.seen = 0

    def _count(self):
        self.seen += 1
        if self.seen == 10:
            self.stop()

    @tag("read", "smoke")
    @task(3)
    def read(self):
        self.client.get("/items/1", name="read")
        self._count()

    @tag("write")
    @task
    def write(self):
        self.client.post("/orders", json={}, name="write")
        self._count()

    @tag("read", "slow")
    @task
    def export(self):
        self.client.get("/lines", name="export")
        self._count()


@tag("write")
class Writing(TaskSet):
    @task
    def save(self):
        self.client.put("/items/1", json={}, name="save")


class Writer(HttpUser):
    tasks = [Writing]
