"""The thread of a process's event loop: what a Locust file calls in another thread is done here."""

from collections.abc import Callable

import gevent


class HomeThread:
    """The thread that made this object; greenlets and messages of the run are its business alone."""

    def __init__(self) -> None:
        self._hub = gevent.get_hub()

    @property
    def here(self) -> bool:
        """Whether the caller is in this thread."""
        return gevent.get_hub() is self._hub

    def call(self, function: Callable[[str], object], text: str) -> None:
        """Call a function at once, or soon if the caller is in another thread."""
        if self.here:
            function(text)
        else:
            self._hub.loop.run_callback_threadsafe(gevent.spawn, function, text)
