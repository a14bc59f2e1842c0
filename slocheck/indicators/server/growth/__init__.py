"""How much the server's counters rose, restarts and silent targets included."""
