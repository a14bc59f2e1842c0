"""Statistics of requests that are not independent: numbers in, numbers out. Pure."""
