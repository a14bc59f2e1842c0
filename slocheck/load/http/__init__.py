"""The lean HTTP client: one raw socket and one persistent watcher a connection, blocking task code."""
