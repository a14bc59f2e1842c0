"""YAML as untrusted input: positions, typed values, units. Pure."""
