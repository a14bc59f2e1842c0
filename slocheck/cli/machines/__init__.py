"""Options for runs on several machines: of the coordinator and of its workers."""
