"""The shipped presets, one YAML file each; each also named in `PRESET_NAMES`."""

from functools import cache
from importlib.resources import files

from slocheck.spec.blocks.preset import PRESET_NAMES, parse_preset
from slocheck.spec.model import Preset


def preset_names() -> tuple[str, ...]:
    """Return the names of the shipped presets, sorted."""
    return PRESET_NAMES


def load_preset(preset: str | Preset) -> Preset:
    """Return the shipped preset of that name; a preset of the user's own is returned as it is.

    Raises:
        KeyError: There is none of that name; the spec's loader has refused it before.
    """
    return preset if isinstance(preset, Preset) else _shipped(preset)


@cache
def _shipped(name: str) -> Preset:
    if name not in PRESET_NAMES:
        raise KeyError(name)
    file = f"{name}.yaml"
    return parse_preset((files(__name__) / file).read_bytes(), file, name)
