"""The master process: the workers it starts, the run it controls, the reports it merges."""
