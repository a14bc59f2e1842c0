"""Where a process of the load may connect to, for everything in it that speaks to the network."""
