"""What becomes of each request, counted per second."""
