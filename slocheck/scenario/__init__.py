"""Declarative scenarios: from YAML to typed steps to ready request bytes; no sockets, no clock."""
