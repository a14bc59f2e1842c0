"""Imports Locust into a process of the load, without what no run needs: the server of its web interface.

Flask and all that it needs take a third of the time that `import locust` takes. They are loaded when a
Locust file asks for them, in whatever way it does so.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from importlib import import_module, metadata
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

WEB = "locust.web"
LATER = (
    *(WEB, "locust.html", "locust.user.inspectuser", "locust.util.cache"),
    *("gevent.baseserver", "gevent.pywsgi", "gevent.server", "http.server"),
)
"""What Locust imports for its web interface alone; a file may use them as attributes of their packages."""
_INTERFACE = "WebUI"


def import_locust() -> None:
    """Import it if it is not imported, and leave each of `LATER` to be loaded when it is used."""
    if "locust" in sys.modules:
        return
    finder = _LaterFinder()
    sys.meta_path.insert(0, finder)
    try:
        with _plugins_looked_up_once():
            import_module("locust")
        for name in LATER:
            import_module(name)
    finally:
        sys.meta_path.remove(finder)
    _interface_when_asked(sys.modules["locust.env"], sys.modules[WEB])


@contextmanager
def _plugins_looked_up_once() -> Iterator[None]:
    """Read the entry points of all packages once: gevent asks for its plugins some thirty times."""
    look: Any = metadata.entry_points
    found = look()
    vars(metadata)["entry_points"] = found.select
    try:
        yield
    finally:
        vars(metadata)["entry_points"] = look


class _LaterModule(ModuleType):
    """A module that is found but not loaded yet: it loads itself when an attribute is missing or is set."""

    def __getattr__(self, name: str) -> Any:
        if name == "__path__":  # an import asks whether it is a package
            raise AttributeError(name)
        _load(self)
        return getattr(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("__"):  # else it would be overwritten later
            _load(self)
        ModuleType.__setattr__(self, name, value)


def _load(module: ModuleType) -> None:
    """Load it in place; one that fails may be tried again."""
    spec = module.__spec__
    assert spec is not None
    assert spec.loader is not None
    module.__class__ = ModuleType
    try:
        spec.loader.exec_module(module)
    except BaseException:
        module.__class__ = _LaterModule
        raise


class _LaterLoader(Loader):
    """Makes a module a `_LaterModule`, which another loader loads."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._loader
        module.__class__ = _LaterModule
        if module.__name__ == WEB:
            vars(module)[_INTERFACE] = None  # what `locust.env` imports by name, and does not use


class _LaterFinder(MetaPathFinder):
    """Finds the modules of `LATER`."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in LATER:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _LaterLoader(spec.loader)
        return spec


def _interface_when_asked(env: ModuleType, web: ModuleType) -> None:
    """Take the placeholder away, and let `locust.env` have the real one when it is asked for it."""
    environment = vars(env)["Environment"]
    make = environment.create_web_ui

    @wraps(make)
    def create_web_ui(*args: Any, **options: Any) -> Any:
        vars(env)[_INTERFACE] = getattr(web, _INTERFACE)
        return make(*args, **options)

    def missing(name: str) -> Any:
        if name == _INTERFACE:
            return getattr(web, _INTERFACE)
        raise AttributeError(f"module {env.__name__!r} has no attribute {name!r}")

    del vars(env)[_INTERFACE], vars(web)[_INTERFACE]
    environment.create_web_ui = create_web_ui
    vars(env)["__getattr__"] = missing
