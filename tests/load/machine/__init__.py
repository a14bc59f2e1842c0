"""The process of `slocheck worker`."""
