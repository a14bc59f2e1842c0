"""Tests of the lean HTTP client, without a server."""
