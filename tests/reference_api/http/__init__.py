"""What is done to requests and responses of the reference API on their way."""
