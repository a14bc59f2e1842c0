"""HTTP/1.1 on the wire: requests written, responses read, over TCP and TLS."""
