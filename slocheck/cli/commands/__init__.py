"""One file a command: its options, one lazy import, its exit code."""
