"""Reports on a terminal: the plan, the live view and the summary."""
