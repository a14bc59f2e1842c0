"""Reads what is in deploy/."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
VENDOR = ROOT / "tests" / "vendor"


def documents(name: str) -> list[Any]:
    """Return the YAML documents of a file in deploy/."""
    return list(yaml.safe_load_all((DEPLOY / name).read_text(encoding="utf-8")))
