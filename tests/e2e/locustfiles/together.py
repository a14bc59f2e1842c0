"""The user classes of several files at once, so that one run tries them all."""

import importlib.util
from pathlib import Path

from locust import User


def classes_of(*files):
    """Import files of the folder next to this one; return their user classes, under the name of the file too."""
    found = {}
    for file in files:
        path = Path(__file__).parent / file
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, value in vars(module).copy().items():
            own = getattr(value, "__module__", "") == path.stem
            if own and isinstance(value, type) and issubclass(value, User) and not value.abstract:
                value.__name__ = f"{path.stem}_{name}"
                found[value.__name__] = value
    return found
