"""Jobs of the reference API: in the process, and through a real Redis."""
