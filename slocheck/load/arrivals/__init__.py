"""A worker's load model: when requests begin, and which user sends them."""
