"""What a run will send and ask for, derived from the spec. Pure."""
