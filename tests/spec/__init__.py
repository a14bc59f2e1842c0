"""Tests of the spec: units, YAML, loader, presets, schema."""
