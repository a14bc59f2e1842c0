"""The metric source that asks a Prometheus server, or one that answers its query API."""
