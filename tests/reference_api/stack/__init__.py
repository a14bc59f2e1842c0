"""The private servers of the reference API."""
