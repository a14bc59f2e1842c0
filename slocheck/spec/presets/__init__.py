"""The shipped presets, one YAML file each; `spec.blocks.preset` reads them."""

from importlib.resources import files

LIBRARIES = (
    "aspnet",
    "django-prometheus",
    "express-prom-bundle",
    "fastapi-instrumentator",
    "fastify-metrics",
    "flask",
    "otel",
    "otel-old",
    "prom-client",
    "prometheus-net",
    "spring",
    "starlette_exporter",
)
"""Presets of what a service itself exports; each has a file of its name in ``libraries``."""
PROXIES = (
    "caddy",
    "envoy",
    "haproxy",
    "ingress-nginx",
    "istio",
    "kong",
    "traefik",
)
"""Presets of proxies in front of services; each has a file of its name in ``proxies``."""
PRESET_NAMES = (*LIBRARIES, *PROXIES)


def preset_file(name: str) -> str:
    """Return the file name of a shipped preset, below this folder."""
    return f"{'libraries' if name in LIBRARIES else 'proxies'}/{name}.yaml"


def preset_bytes(name: str) -> bytes:
    """Return the YAML of a shipped preset; `name` is one of `PRESET_NAMES`."""
    return files(__name__).joinpath(preset_file(name)).read_bytes()
