"""HTTP features of the API: compression, validators, batches, HTTP/2."""
