"""Services with the metric libraries of others, as their makers write them."""
