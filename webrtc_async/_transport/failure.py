"""How far a request came, and which of our errors its failure is.

Read from httpcore's trace events, which tell what was really written, and from the names of
exceptions, because httpx and its continuation share names and not classes.
"""

import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from attrs import evolve

from webrtc_async._protocol.content_coding import ContentError
from webrtc_async._protocol.redaction import excerpt
from webrtc_async._protocol.wire import WireResponse
from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async.errors import (
    ConnectionFailedError,
    ResponseTooLargeError,
    TlsError,
    TransportError,
    UnexpectedResponseError,
    UnknownOutcomeError,
)
from webrtc_async.errors.outcome import Outcome, Stage

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
"""Names of exceptions that come before the first byte."""


def tracer(
    state: AttemptState, on_head: Callable[[int, Iterable[tuple[bytes, bytes]]], None]
) -> Callable[[str, Mapping[str, Any]], Awaitable[None]]:
    """Return an httpcore trace hook that keeps a state up to date.

    Args:
        state: Whose stage it keeps.
        on_head: Is told the status and headers of an answer, whatever becomes of it afterwards.
    """
    through_proxy = has_connected = False

    async def trace(event: str, info: Mapping[str, Any]) -> None:
        nonlocal through_proxy, has_connected
        state.is_traced = True
        has_connected = has_connected or event.startswith("connection.connect_")
        if event.endswith(".send_request_headers.started"):
            # A CONNECT is between this side and the proxy; the request itself comes after it.
            through_proxy = info["request"].method == b"CONNECT"
        if through_proxy:
            return
        if event.endswith(".send_request_headers.started"):
            state.stage, state.is_reused = Stage.SENDING, not has_connected
        elif event.endswith(".send_request_body.complete"):
            state.stage = Stage.AWAITING
        elif event.endswith(".receive_response_headers.complete"):
            _, status, _, headers = info["return_value"]
            on_head(status, headers)

    return trace


def failed(state: AttemptState, target: str, error: Exception) -> TransportError:
    """Return the error for an exception of the HTTP library or of a user's hook."""
    if not state.is_traced and type(error).__name__ in _NEVER_SENT:
        state.is_traced = True
    was_sent = state.outcome is not Outcome.NOT_SENT
    broken = _behind(error, ssl.SSLError)
    # A connection that has served before, or an answer that has begun, had its handshake.
    if broken is not None and not state.is_reused and state.status is None:
        # Loaded by the first failure of TLS.
        from webrtc_async._transport.tls_failure import tls_problem

        problem = tls_problem(broken, _host(target), was_sent=was_sent)
        if problem is not None:
            return TlsError(problem, operation=state.operation)
    detail = excerpt(str(error).strip().rstrip("."))
    if not detail and not was_sent and target.startswith("https:"):
        said = getattr(broken, "reason", None)
        detail = "the connection ended before TLS was agreed on" + (f" ({said})" if said else "")
    problem = f"{type(error).__name__}{f': {detail}' if detail else ''}"
    return lost(state, target, problem + _hint(target, detail))


def lost(state: AttemptState, target: str, problem: str) -> TransportError:
    """Return the error for a request that got no answer, or no whole one."""
    if state.outcome is Outcome.NOT_SENT:
        return ConnectionFailedError(
            f"no connection to {_host(target)}: {problem}.", operation=state.operation
        )
    return UnknownOutcomeError(
        f"the answer of {_host(target)} was lost while {state.stage.value}: {problem}.",
        operation=state.operation,
        outcome=state.outcome,
        status=state.status,
    )


def forget_causes(error: BaseException, outer: BaseException | None) -> None:
    """Take the tracebacks from what an HTTP library's exception was raised from.

    Their frames hold the exceptions that they raised, in h11 and trio, or their callers do, from
    Python 3.12 on: contextlib's, where a context manager turns one exception into another. Such a
    cycle has the whole call wait for the garbage collector, by the frames' callers.

    Args:
        error: The exception, which keeps its own.
        outer: The user's, which was being handled when the library was called.
    """
    seen = {id(error), id(outer)}
    found = [error.__cause__, error.__context__]
    while found:
        cause = found.pop()
        if cause is not None and id(cause) not in seen:
            seen.add(id(cause))
            cause.__traceback__ = None
            found += cause.__cause__, cause.__context__


def refusal_of(head: WireResponse | None, chunks: Iterable[bytes]) -> WireResponse | None:
    """Return an answer that is not a success with what has come of its body, else None."""
    if head is None or head.is_success:
        return None
    is_readable = "content-encoding" not in head.headers
    return evolve(head, content=b"".join(chunks) if is_readable else b"")


def unreadable(error: ContentError, operation: str, status: int) -> UnexpectedResponseError:
    """Return the error for a body that cannot be read."""
    error.with_traceback(None)  # its frames have the body in hand
    kind = ResponseTooLargeError if error.is_too_long else UnexpectedResponseError
    return kind(
        f"the body of the answer ({status}) cannot be read: {error}.",
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
    """Name the setting that is most likely wrong, where the failure tells."""
    # h11 says so of what begins with a control character, as TLS does.
    if target.startswith("http:") and detail == "illegal request line":
        return ". What answers there may speak TLS: base_url may have to begin with https://"
    return ""


def _host(target: str) -> str:
    return urlsplit(target).netloc
