"""Locust files under Locust alone, beside the same files under slocheck."""
