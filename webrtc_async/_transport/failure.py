"""The package's errors for failures of an HTTP library.

An exception is told by its name, because httpx and httpx2 share names and not classes.
"""

import ssl
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar
from urllib.parse import urlsplit

from webrtc_async._protocol.content_coding import ContentError
from webrtc_async._protocol.redaction import excerpt, without_quotes
from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async.errors import (
    ConnectionFailedError,
    ResponseTooLargeError,
    TlsError,
    TransportError,
    UnexpectedResponseError,
    UnknownOutcomeError,
)
from webrtc_async.errors.outcome import Outcome

ErrorT = TypeVar("ErrorT", bound=BaseException)

_NEVER_SENT: Final = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "InvalidURL",
        "PoolTimeout",
        "ProxyError",
        "UnsupportedProtocol",
    }
)
"""Names of exceptions that are raised before the first byte is sent."""

# Reasons of OpenSSL. For an alert of the server it is the alert's name (RFC 8446, section 6).

_PASSING: Final = frozenset(
    {"UNEXPECTED_EOF_WHILE_READING", "TLSV1_ALERT_INTERNAL_ERROR", "TLSV1_ALERT_USER_CANCELLED"}
)
"""Temporary reasons: a connection that was cut off, and alerts about neither side's settings."""

_CLIENT_REFUSED: Final = frozenset(
    {
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        "SSLV3_ALERT_CERTIFICATE_REVOKED",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        "TLSV1_ALERT_ACCESS_DENIED",
        "TLSV1_ALERT_UNKNOWN_CA",
    }
)
"""Alerts about the client's certificate, or about a missing one."""

_CHECKS: Final = {
    "the server does not speak TLS: base_url may have to begin with http://": {
        "HTTP_REQUEST",
        "RECORD_LAYER_FAILURE",
        "WRONG_VERSION_NUMBER",
    },
    "no version of TLS is allowed on both sides": {
        "NO_PROTOCOLS_AVAILABLE",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "UNSUPPORTED_PROTOCOL",
        "VERSION_TOO_LOW",
        "WRONG_SSL_VERSION",
    },
    "the server accepts none of the offered ciphers and key exchanges, or asks for a client's "
    "certificate, which ssl_context= can bring": {
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "TLSV1_ALERT_INSUFFICIENT_SECURITY",
    },
    "the server rejected the client's certificate, or got none; ssl_context= can bring one": (
        _CLIENT_REFUSED
    ),
    "the server has no host of this name": {"TLSV1_UNRECOGNIZED_NAME"},
}


@contextmanager
def loading(operation: str = "") -> Generator[None]:
    """Load modules in the body, which takes a file descriptor.

    Raises:
        ConnectionFailedError: The process has none left.
    """
    try:
        yield
    except OSError as error:
        raise ConnectionFailedError(
            f"a module could not be loaded: {error.strerror}.", operation=operation
        ) from error


def failed(state: AttemptState, target: str, error: Exception) -> TransportError:
    """Return the error for an exception of the HTTP library or of a user's hook."""
    if not state.is_traced and type(error).__name__ in _NEVER_SENT:
        state.is_traced = True
    _remove_quotes(error)
    was_sent = state.outcome is not Outcome.NOT_SENT
    broken = _behind(error, ssl.SSLError)
    # A kept connection, or one with a response, has had its handshake.
    if broken is not None and not state.is_reused and state.status is None:
        problem = tls_problem(broken, _host(target), was_sent=was_sent)
        if problem is not None:
            return TlsError(problem, operation=state.operation)
    detail = excerpt(str(error).strip().rstrip("."))
    if not detail and not was_sent and target.startswith("https:"):
        said = getattr(broken, "reason", None)
        detail = "the connection ended during the TLS handshake" + (f" ({said})" if said else "")
    problem = f"{type(error).__name__}{f': {detail}' if detail else ''}"
    return lost(state, target, problem + _hint(target, detail))


def lost(state: AttemptState, target: str, problem: str) -> TransportError:
    """Return the error for a request without a complete response."""
    if state.outcome is Outcome.NOT_SENT:
        return ConnectionFailedError(
            f"no connection to {_host(target)}: {problem}.", operation=state.operation
        )
    return UnknownOutcomeError(
        f"the response of {_host(target)} was lost while {state.stage.value}: {problem}.",
        operation=state.operation,
        outcome=state.outcome,
        status=state.status,
    )


def unreadable(error: ContentError, operation: str, status: int) -> UnexpectedResponseError:
    """Return the error for a body that cannot be read."""
    error.with_traceback(None)  # its frames hold the body
    kind = ResponseTooLargeError if error.is_too_long else UnexpectedResponseError
    return kind(
        f"the body of the response ({status}) cannot be read: {error}.",
        operation=operation,
        status=status,
        problems=(str(error),),
    )


def tls_problem(error: ssl.SSLError, host: str, *, was_sent: bool) -> str | None:
    """Return the failed check in words, or None if another attempt may succeed.

    A server of TLS 1.3 can reject the client's certificate after the request was sent; it has not
    read the request.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {host} was rejected: {error.verify_message.rstrip('.')}."
    reason = getattr(error, "reason", None) or ""
    if not reason or reason in _PASSING or (was_sent and reason not in _CLIENT_REFUSED):
        return None
    said = reason.lower().replace("_", " ")
    check = next((check for check, reasons in _CHECKS.items() if reason in reasons), None)
    return f"the TLS handshake with {host} failed: {f'{check} ({said})' if check else said}."


def _remove_quotes(error: BaseException) -> None:
    """Remove what the server sent from the texts and the frames of a parser's errors."""
    for each in _chain(error):
        if type(each).__name__.endswith("ProtocolError"):  # of httpx, httpcore, h11 and h2
            each.args = (without_quotes(str(each)),)
            each.with_traceback(None)


def _behind(error: BaseException, kind: type[ErrorT]) -> ErrorT | None:
    return next((each for each in _chain(error) if isinstance(each, kind)), None)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:  # `raise error from error` is legal
        yield error
        seen.add(id(error))
        error = error.__cause__ or error.__context__


def _hint(target: str, detail: str) -> str:
    """Return a hint at the setting that is probably wrong, or nothing."""
    # h11 says so if the first byte is a control character, as it is in TLS.
    if target.startswith("http:") and detail == "illegal request line":
        return ". The server may speak TLS: base_url may have to begin with https://"
    return ""


def _host(target: str) -> str:
    return urlsplit(target).netloc
