"""The runner that a Locust file sees: a call that would change what the plan decides ends the run."""

import functools
from collections.abc import Callable
from functools import partial
from typing import Any

from locust.rpc.protocol import Message
from locust.runners import Runner

from slocheck.load.file_calls.home_thread import HomeThread
from slocheck.load.file_end import called, decided_by_plan
from slocheck.load.own_code import caller

_ORDERS = frozenset({"spawn", "stop", "quit", "client_stopped"})
"""Messages by which Locust starts and ends users and processes."""


class PlannedRunner(Runner):
    """A runner whose users the plan decides. Only the file's calls end the run; Locust's own go through."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._home = HomeThread()
        super().__init__(*args, **kwargs)

    def _is_files(self) -> bool:
        """Tell whether the Locust file makes the present call; in other threads no other code does."""
        return bool(caller()) or not self._home.here

    def _end(self, how: str) -> None:
        self._home.call(self.end_by_file, how)

    def end_by_file(self, how: str) -> None:
        """End the run, because the Locust file asks for it; `how` names the call and its line."""
        raise NotImplementedError

    def watch_parts(self) -> None:
        """Keep the file from killing users and connections to other processes, and from giving orders."""
        for name in ("greenlet", "user_greenlets"):
            group: Any = getattr(self, name)
            group.kill = self._unless_asked(group.kill, partial(_kill, f"runner.{name}.kill()"))
        for name in ("server", "client"):
            socket: Any = getattr(self, name, None)
            for send in ("send", "send_to_client") if socket is not None else ():
                call = f"runner.{name}.{send}"
                setattr(socket, send, self._unless_asked(getattr(socket, send), partial(_order, call)))

    def _unless_asked(self, original: Callable[..., None], ends: Callable[..., str]) -> Callable[..., None]:
        """Return a function of the runner's parts that ends the run when the file calls it.

        Args:
            original: The function.
            ends: Describes a call from its arguments; empty for one that the file may make.
        """

        @functools.wraps(original)
        def function(*args: Any, **kwargs: Any) -> None:
            call = ends(*args, **kwargs)
            if call and self._is_files():
                self._end(called(call))
            else:
                original(*args, **kwargs)

        return function

    def _asked_by_file(self, name: str) -> bool:
        """End the run if the Locust file makes this call."""
        asked = self._is_files()
        if asked:
            self._end(decided_by_plan(f"runner.{name}()"))
        return asked

    def stop(self, *_: Any, **__: Any) -> None:
        """End the run, as a Locust file asks to; Locust itself calls it once the run is over."""
        self._end(called("runner.stop()"))

    def quit(self) -> None:
        """End the run, as `stop` does."""
        self._end(called("runner.quit()"))

    def start(self, *_: Any, **__: Any) -> None:
        """End the run if the Locust file calls it; ignore Locust's own call, which is not the plan's."""
        self._asked_by_file("start")

    def start_shape(self) -> None:
        """End the run if the Locust file calls it."""
        self._asked_by_file("start_shape")

    def spawn_users(self, user_classes_spawn_count: dict[str, int], wait: bool = False) -> Any:  # noqa: FBT001, FBT002 - Locust's
        """Start users by the plan."""
        if self._asked_by_file("spawn_users"):
            return []
        return super().spawn_users(user_classes_spawn_count, wait)

    def stop_users(self, user_classes_stop_count: dict[str, int]) -> None:
        """Stop users by the plan."""
        if not self._asked_by_file("stop_users"):
            self.stop_by_plan(user_classes_stop_count)

    def stop_by_plan(self, by_class: dict[str, int]) -> None:
        """Stop this many users of each class, as Locust does."""
        super().stop_users(by_class)

    def send_message(self, msg_type: str, data: Any = None, client_id: str | None = None) -> None:
        """Send a message of the Locust file, of Locust or of slocheck."""
        if msg_type in _ORDERS and self._is_files():
            self._end(called(f"runner.send_message({msg_type!r})"))
        else:
            super().send_message(msg_type, data, client_id)  # type: ignore[safe-super]


def _kill(call: str, *_: object, **__: object) -> str:
    return call


def _order(call: str, message: Message) -> str:
    """Describe a call that sends one of Locust's orders; empty if it sends another message."""
    return f"{call}({message.type!r})" if message.type in _ORDERS else ""
