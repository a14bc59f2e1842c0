"""Locust files under Locust alone, compared with the same files under slocheck."""
