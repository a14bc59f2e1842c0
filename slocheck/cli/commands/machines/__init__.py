"""Commands of a run on several machines."""
