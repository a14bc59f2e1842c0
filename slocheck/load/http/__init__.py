"""The lean HTTP client: each connection is one raw socket with one persistent watcher; task code blocks."""
