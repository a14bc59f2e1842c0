"""The load engine: Locust in child processes; the only package that imports it."""
