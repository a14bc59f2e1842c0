"""Scenarios from what people have already: an address, an OpenAPI document, a HAR file, a line of curl."""
