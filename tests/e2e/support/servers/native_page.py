"""A metrics page in the protobuf format, the only one that carries native histograms."""

import struct
from collections.abc import Mapping

CONTENT_TYPE = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
HISTOGRAM = 4
SCHEMA = 3
"""Eight buckets for each doubling."""


def native_page(name: str, labels: Mapping[str, str], buckets: Mapping[int, int]) -> bytes:
    """Return a page with one native histogram.

    Args:
        name: Of the metric.
        labels: Of the series.
        buckets: Bucket index (its upper edge is 2 ** (index / 8)) to observations.
    """
    pairs = b"".join(_field(1, _text(1, key) + _text(2, value)) for key, value in labels.items())
    metric = pairs + _field(7, _histogram(buckets))
    family = _text(1, name) + _number(3, HISTOGRAM) + _field(4, metric)
    return _varint(len(family)) + family


def upper_edge(index: int) -> float:
    """Return the upper edge of a bucket."""
    return float(2 ** (index / 2**SCHEMA))


def _histogram(buckets: Mapping[int, int]) -> bytes:
    """Encode counts as spans and deltas, one span a bucket."""
    body = _number(1, sum(buckets.values())) + _double(2, 1.0)
    body += _number(5, _zigzag(SCHEMA)) + _double(6, 1e-9)
    place, count = 0, 0
    spans, deltas = b"", b""
    for index, observed in sorted(buckets.items()):
        spans += _field(12, _number(1, _zigzag(index - place)) + _number(2, 1))
        deltas += _number(13, _zigzag(observed - count))
        place, count = index + 1, observed
    return body + spans + deltas


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _zigzag(value: int) -> int:
    return value * 2 if value >= 0 else -value * 2 - 1


def _number(tag: int, value: int) -> bytes:
    return _varint(tag << 3) + _varint(value)


def _double(tag: int, value: float) -> bytes:
    return _varint(tag << 3 | 1) + struct.pack("<d", value)


def _field(tag: int, body: bytes) -> bytes:
    return _varint(tag << 3 | 2) + _varint(len(body)) + body


def _text(tag: int, text: str) -> bytes:
    return _field(tag, text.encode())
