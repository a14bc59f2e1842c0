"""What is done to requests and responses on their way: compression, validators, batches, HTTP/2."""
