"""A second Locust file next to another one: ends Locust as soon as all users have left by themselves."""

from typing import Any

import gevent
from locust import events

_runners: list[Any] = []


def _remember(runner: Any, **_: object) -> None:
    _runners.append(runner)


def _wait_for_all(**_: object) -> None:
    gevent.spawn(_quit_when_empty)


def _quit_when_empty() -> None:
    while _runners[0].user_count:
        gevent.sleep(0.05)
    _runners[0].quit()


events.init.add_listener(_remember)
events.spawning_complete.add_listener(_wait_for_all)
