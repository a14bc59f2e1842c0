"""The databases of the reference API, on real servers."""
