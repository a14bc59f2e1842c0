"""Why a request got no response."""

from slocheck.evidence.recording import FailureClass
from slocheck.load.recording.outcome import classify, message_of


class TransportError(Exception):
    """No complete response came.

    Attributes:
        failure: Its class.
        message: The same text for the same cause.
    """

    def __init__(self, failure: FailureClass, message: str) -> None:
        super().__init__(message)
        self.failure = failure
        self.message = message


def protocol_error(message: str) -> TransportError:
    """Return the error for a response that is not HTTP, or not within the client's limits."""
    return TransportError(FailureClass.PROTOCOL, message)


def closed_early() -> TransportError:
    """Return the error for a connection that ends before its response."""
    return TransportError(
        FailureClass.RESET, "the server closed the connection before the response was whole"
    )


def from_system(error: OSError) -> TransportError:
    """Return the error for one that the operating system or OpenSSL reports."""
    return TransportError(classify(error), message_of(error))
