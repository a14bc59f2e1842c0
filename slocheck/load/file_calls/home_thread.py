"""The thread of a process's event loop: only there can the run's greenlets and connections be used."""

from collections.abc import Callable

import gevent


class OtherThreadError(RuntimeError):
    """The Locust file uses a client in a thread outside of gevent."""


class HomeThread:
    """The thread that made this object.

    Attributes:
        hub: Its hub.
    """

    def __init__(self) -> None:
        self.hub = gevent.get_hub()

    @property
    def here(self) -> bool:
        """Whether the caller is in this thread."""
        return gevent.get_hub() is self.hub

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function at once, or soon if the caller is in another thread."""
        if self.here:
            function(*arguments)
        else:
            self.hub.loop.run_callback_threadsafe(gevent.spawn, function, *arguments)

    def refuse_others(self) -> None:
        """Refuse to send from another thread: connections and deadlines belong to this thread's event loop.

        Raises:
            OtherThreadError: The caller is in another thread.
        """
        if not self.here:
            raise OtherThreadError(
                "a client works in its user's thread only; call it in a greenlet (gevent.spawn, "
                "gevent.pool.Pool, concurrent.futures), not in gevent's own thread pool"
            )
