"""One file a command: its options, and one lazy import of what it does."""
