"""Tasks of any kind of callable, and tasks that a user or a task set is given while it runs."""

import functools

from locust import HttpUser, TaskSet, constant, run_single_user, task


class Look:
    def __init__(self, name):
        self.name = name

    def __call__(self, user):
        user.client.get("/items/1", name=self.name)
        user.stop()


def look(name, user):
    Look(name)(user)


class Visitor(HttpUser):
    abstract = True
    fixed_count = 1
    host = "http://localhost:8080"
    wait_time = constant(0.001)


class WithObject(Visitor):
    tasks = [Look("an object")]


class WithPartial(Visitor):
    tasks = {functools.partial(look, "a partial"): 2}


class WithLambda(Visitor):
    tasks = [lambda user: look("a lambda", user)]


class Reassigned(Visitor):
    def on_start(self):
        self.tasks = [Look("reassigned in on_start")]

    @task
    def never(self):
        self.client.get("/never")


class Given(Visitor):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.tasks = [Look(f"given to {kind.__name__}") for kind in (type(self),)]


class Growing(TaskSet):
    left = 3

    def on_start(self):
        self.tasks = [*self.tasks, type(self).more]

    def more(self):
        self.left -= 1
        self.client.get("/items/1", name="appended")
        if not self.left:
            self.user.stop()

    @task
    def nothing(self):
        pass


class Grower(Visitor):
    tasks = {Growing: 1}


for section in ("hats", "shoes"):
    name = f"Visitor{section.title()}"
    globals()[name] = type(name, (Visitor,), {"tasks": [Look(f"of {section}")]})

if __name__ == "__main__":
    run_single_user(WithObject)
