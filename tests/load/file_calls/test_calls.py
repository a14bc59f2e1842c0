"""Calls of a Locust file that would change its load or end a process: each ends the run, and is named."""

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json, os, signal, sys

import gevent
from locust import User, events  # before threading, which it patches
from threading import Timer
from locust.env import Environment
from locust.rpc.protocol import Message

from slocheck.load.file_calls.process_exits import ProcessExits
from slocheck.load.master.runner import Master
from slocheck.load.messaging import local_socket
from slocheck.load.messaging.signing import Signer

class U(User):
    pass

local_socket.install()
environment = Environment(user_classes=[U], events=events)
master = Master(environment, Signer(b"x" * 32), print, print)
exits = ProcessExits()
exits.install()
exits.on_exit = master.end_by_file

def by_thread(function, *args):
    gevent.get_hub().threadpool.apply(function, args)
    with gevent.Timeout(30):
        while not master.ended:
            gevent.sleep(0.001)

world = {
    "runner": master, "Message": Message, "os": os, "signal": signal, "gevent": gevent, "Timer": Timer,
    "by_thread": by_thread,
}
found = {}
for call in json.load(sys.stdin):
    master.ended = ""
    left = None
    try:
        exec(compile(call, "scenario.py", "exec"), dict(world))
    except SystemExit as leaving:
        left = leaving.code
    found[call] = [master.ended, left]
print(json.dumps(found))
os._exit(0)
"""
WHERE = " in scenario.py:1"
PLANNED = f"{WHERE}, but the plan decides how many users run"
CALLS: dict[str, tuple[str, int | None]] = {
    "runner.stop()": (f"runner.stop(){WHERE}", None),
    "runner.quit()": (f"runner.quit(){WHERE}", None),
    "runner.start(5, 1)": (f"runner.start(){PLANNED}", None),
    "runner.start_shape()": (f"runner.start_shape(){PLANNED}", None),
    "runner.spawn_users({'U': 3})": (f"runner.spawn_users(){PLANNED}", None),
    "runner.stop_users({'U': 1})": (f"runner.stop_users(){PLANNED}", None),
    "runner.greenlet.kill(block=False)": (f"runner.greenlet.kill(){WHERE}", None),
    "runner.user_greenlets.kill()": (f"runner.user_greenlets.kill(){WHERE}", None),
    "runner.send_message('spawn', {})": (f"runner.send_message('spawn'){WHERE}", None),
    "runner.send_message('stop')": (f"runner.send_message('stop'){WHERE}", None),
    "runner.send_message('quit')": (f"runner.send_message('quit'){WHERE}", None),
    "runner.send_message('client_stopped')": (f"runner.send_message('client_stopped'){WHERE}", None),
    "runner.send_message('accounts', [1])": ("", None),
    "runner.server.send_to_client(Message('quit', None, 'a'))": (
        f"runner.server.send_to_client('quit'){WHERE}",
        None,
    ),
    "gevent.spawn(runner.quit).join()": (f"runner.quit(){WHERE}", None),
    "gevent.spawn_later(0, runner.spawn_users, {'U': 30}).join()": (f"runner.spawn_users(){PLANNED}", None),
    "gevent.spawn(runner.user_greenlets.kill).join()": (f"runner.user_greenlets.kill(){WHERE}", None),
    "gevent.spawn(os._exit, 3).get()": (f"os._exit(3){WHERE}", 3),
    "timer = Timer(0, runner.stop); timer.start(); timer.join()": (f"runner.stop(){WHERE}", None),
    "by_thread(runner.quit)": ("runner.quit()", None),
    "by_thread(lambda: runner.quit())": (f"runner.quit(){WHERE}", None),
    "by_thread(runner.spawn_users, {'U': 3})": (
        "runner.spawn_users(), but the plan decides how many users run",
        None,
    ),
    "os._exit(3)": (f"os._exit(3){WHERE}", 3),
    "os.abort()": (f"os.abort(){WHERE}", 134),
    "os.kill(os.getpid(), signal.SIGTERM)": (f"os.kill(SIGTERM){WHERE}", 143),
    "os.kill(-os.getpgrp(), signal.SIGKILL)": (f"os.kill(SIGKILL){WHERE}", 137),
    "os.kill(os.getpid(), 0)": ("", None),
    "os.kill(os.getpid(), signal.SIGWINCH)": ("", None),
    "os.kill(os.getpid(), signal.SIGPIPE)": ("", None),
    "os.kill(os.getpid(), 40)": (f"os.kill(40){WHERE}", 168),
    "os.killpg(0, signal.SIGTERM)": (f"os.killpg(SIGTERM){WHERE}", 143),
    "os.killpg(os.getpgrp(), sig=9)": (f"os.killpg(SIGKILL){WHERE}", 137),
    "os.killpg(os.getpgid(0), 0)": ("", None),
    "signal.raise_signal(signal.SIGINT)": (f"signal.raise_signal(SIGINT){WHERE}", 130),
    "signal.signal(signal.SIGUSR1, print); os.kill(os.getpid(), signal.SIGUSR1)": ("", None),
}


@pytest.fixture(scope="module")
def found() -> dict[str, list[object]]:
    """Make each call as a Locust file would, in its own process: how it ends the run, and its exit code."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(list(CALLS)), capture_output=True, text=True, check=False, start_new_session=True,
        timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result: dict[str, list[object]] = json.loads(done.stdout.splitlines()[-1])
    return result


@pytest.mark.parametrize("call", CALLS)
def test_a_call_ends_the_run_in_order_and_is_named(found: dict[str, list[object]], call: str) -> None:
    """With what its arguments mean, and the file's line; harmless calls go through."""
    assert found[call] == list(CALLS[call])
