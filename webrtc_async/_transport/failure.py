"""The package's errors for failures of an HTTP library.

An exception is told by its name, because httpx and httpx2 share names and not classes.
"""

import ssl
from typing import Final, TypeVar
from urllib.parse import urlsplit

from webrtc_async._protocol.content_coding import ContentError
from webrtc_async._protocol.redaction import excerpt
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


def failed(state: AttemptState, target: str, error: Exception) -> TransportError:
    """Return the error for an exception of the HTTP library or of a user's hook."""
    if not state.is_traced and type(error).__name__ in _NEVER_SENT:
        state.is_traced = True
    was_sent = state.outcome is not Outcome.NOT_SENT
    broken = _behind(error, ssl.SSLError)
    # A kept connection, or one with a response, has had its handshake.
    if broken is not None and not state.is_reused and state.status is None:
        # Loaded by the first failure of TLS.
        from webrtc_async._transport.tls_failure import tls_problem

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


def _behind(error: BaseException | None, kind: type[ErrorT]) -> ErrorT | None:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:  # `raise error from error` is legal
        if isinstance(error, kind):
            return error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None


def _hint(target: str, detail: str) -> str:
    """Return a hint at the setting that is probably wrong, or nothing."""
    # h11 says so if the first byte is a control character, as it is in TLS.
    if target.startswith("http:") and detail == "illegal request line":
        return ". The server may speak TLS: base_url may have to begin with https://"
    return ""


def _host(target: str) -> str:
    return urlsplit(target).netloc
