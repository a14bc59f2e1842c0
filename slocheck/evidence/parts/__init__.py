"""What recordings are put together from: batches of counts, columns that grow, the slowest responses."""
