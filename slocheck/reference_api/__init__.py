"""The reference API: a small shop that is measured like any other target."""
