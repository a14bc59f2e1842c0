"""The server side of the indicators: raw counters, reconciled with the client, as bounds. Pure."""
