"""Several requests at once from one task, as a browser loads a page: a gevent pool, spawn, and a thread pool."""

from concurrent.futures import ThreadPoolExecutor

import gevent
from gevent.pool import Group, Pool
from locust import FastHttpUser, HttpUser, constant, task


class Browser(FastHttpUser):
    fixed_count = 1
    wait_time = constant(0.001)
    concurrency = 4

    @task
    def page(self):
        self.client.get("/page")
        pool = Pool(4)
        for number in range(1, 9):
            pool.spawn(self.client.get, f"/items/{number}", name="asset")
        pool.join()
        jobs = [gevent.spawn(self.client.get, "/items", name="spawned") for _ in range(3)]
        gevent.joinall(jobs)
        assert all(job.value.status_code == 200 for job in jobs)
        self.stop()


class Batch(HttpUser):
    fixed_count = 1
    wait_time = constant(0.001)

    @task
    def batch(self):
        group = Group()
        group.map(lambda number: self.client.get(f"/items/{number}", name="mapped"), range(1, 6))
        with ThreadPoolExecutor(max_workers=2) as pool:
            list(pool.map(lambda number: self.client.get(f"/items/{number}", name="threaded"), range(1, 5)))
        self.stop()
