"""Tests, and what releases are made with: hashes, a bill of materials, mutants."""
