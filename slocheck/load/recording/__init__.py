"""The result of each request, counted per second."""
