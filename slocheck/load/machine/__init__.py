"""The process of ``slocheck worker``: joins a run on another machine and takes part with its own workers."""
