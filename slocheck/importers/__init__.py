"""Scenarios from what people already have: an address, an OpenAPI document, a HAR file, a curl command."""
