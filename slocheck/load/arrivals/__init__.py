"""When requests begin: the schedule, its timer, and who takes an arrival."""
