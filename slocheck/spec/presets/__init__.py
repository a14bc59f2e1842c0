"""The shipped presets, one YAML file each; `spec.blocks.preset` reads them."""

from importlib.resources import files

PRESET_NAMES = (
    "envoy",
    "fastapi-instrumentator",
    "ingress-nginx",
    "istio",
    "otel",
    "prom-client",
    "spring",
    "traefik",
)
"""Each has a file of its name here."""


def preset_file(name: str) -> str:
    """Return the file name of a shipped preset."""
    return f"{name}.yaml"


def preset_bytes(name: str) -> bytes:
    """Return the YAML of a shipped preset; `name` is one of `PRESET_NAMES`."""
    return (files(__name__) / preset_file(name)).read_bytes()
