"""The reference API's handling of requests and responses."""
