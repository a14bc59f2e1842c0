"""The real servers around the reference API, private to one process and gone with it."""
