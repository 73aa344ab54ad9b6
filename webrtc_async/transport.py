"""The one seam to the HTTP library: pool, limiter, stage of failure, exceptions.

A limiter stands before the pool, because httpx 0.28's pool is lost for good when calls that wait
inside it are cancelled (encode/httpcore#1093). How far a request came is read from httpcore's trace
events, which tell what was really written.
"""

import re
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import anyio
import httpx

from webrtc_async.content_coding import ContentError, check_length, decode
from webrtc_async.errors import (
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    ResponseTooLargeError,
    TlsError,
    TransportError,
    UnexpectedResponseError,
    UnknownOutcomeError,
    WebRtcError,
)
from webrtc_async.outcome import Outcome, Progress, Stage
from webrtc_async.wire import WireRequest, WireResponse

HttpClient = httpx.AsyncClient
HttpTransport = httpx.AsyncBaseTransport

LIBRARY: Final = f"httpx/{httpx.__version__}"
"""The HTTP library, as the User-Agent names it."""

KEEP_ALIVE: Final = 20.0
"""Seconds an idle connection is kept, well below the 60 s after which gateways drop theirs."""

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
"""Names of exceptions that come before the first byte.

By name, because httpx and its continuation share names and not classes.
"""


class Connections:
    """A pooled HTTP client behind a limiter, opened by its first exchange."""

    def __init__(
        self,
        *,
        max_connections: int,
        max_response_bytes: int,
        http_client: HttpClient | None = None,
        transport: HttpTransport | None = None,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        trust_env: bool = True,
    ) -> None:
        if http_client is not None and (transport or proxy or ssl_context):
            raise ConfigurationError(
                "An http_client brings its own transport, proxy and ssl_context: give it alone."
            )
        if transport is not None and (proxy or ssl_context):
            raise ConfigurationError("A transport brings its own proxy and ssl_context.")
        _check_kind("http_client", http_client, HttpClient)
        _check_kind("transport", transport, HttpTransport)
        _check_kind("ssl_context", ssl_context, ssl.SSLContext)
        _check_count("max_connections", max_connections)
        _check_count("max_response_bytes", max_response_bytes)
        _check_proxy(proxy)
        self.max_connections = max_connections
        self.max_response_bytes = max_response_bytes
        self.is_closed = False
        self.requests_sent = 0
        self._given_client = http_client
        self._settings: dict[str, Any] = {"transport": transport, "trust_env": trust_env}
        if proxy is not None:
            self._settings["proxy"] = proxy
        if ssl_context is not None:
            self._settings["verify"] = ssl_context
        self._http = http_client
        self._limiter: anyio.CapacityLimiter | None = None

    def check_open(self) -> None:
        """Refuse to go on with a closed client.

        Raises:
            ClientClosedError: It was closed here, or its owner closed the http_client.
        """
        if self.is_closed:
            raise ClientClosedError(
                "This client is closed, and a closed client is not reopened: make a new one."
            )
        if self._given_client is not None and self._given_client.is_closed:
            raise ClientClosedError("The http_client that this client was given is closed.")

    async def exchange(
        self, request: WireRequest, progress: Progress, longest: float | None
    ) -> WireResponse:
        """Send a request and return the answer to it.

        Args:
            request: What to send; its target is a URL.
            progress: Kept up to date, so that a failure anywhere knows how far it came.
            longest: Seconds that it may take once it has a place; None for no bound of its own.

        Raises:
            TransportError: No complete answer came.
            UnexpectedResponseError: The body is over the limit or its encoding cannot be read.
            ClientClosedError: The client was closed.
        """
        self.check_open()
        http, limiter = self._opened()
        progress.begin(Stage.QUEUED)
        async with limiter:
            self.check_open()
            progress.stage = Stage.CONNECTING
            try:
                with anyio.move_on_after(longest):
                    return await self._send(http, request, progress)
            except WebRtcError:
                raise
            except Exception as error:
                raise _failure(progress, request.target, error) from error
        raise _lost(progress, request.target, f"it took over {longest:g} s")

    async def aclose(self) -> None:
        """Close the pool; a client that was given stays its owner's to close."""
        if self.is_closed:
            return
        self.is_closed = True
        # A given transport is closed even when no exchange has put a client over it.
        own, self._http = self._http or self._settings["transport"], None
        if own is not None and own is not self._given_client:
            with anyio.CancelScope(shield=True):
                await own.aclose()

    def _opened(self) -> tuple[HttpClient, anyio.CapacityLimiter]:
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self.max_connections)
        if self._http is None:
            self._http = self._own_client()
        return self._http, self._limiter

    def _own_client(self) -> HttpClient:
        limits = httpx.Limits(
            max_connections=self.max_connections,
            max_keepalive_connections=self.max_connections,
            keepalive_expiry=KEEP_ALIVE,
        )
        try:
            # No timeout, because the deadline bounds everything, queue and body included.
            return httpx.AsyncClient(timeout=None, limits=limits, **self._settings)  # noqa: S113
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise ConfigurationError(
                f"The environment's proxy settings cannot be used: {error}."
            ) from error

    async def _send(
        self, http: HttpClient, request: WireRequest, progress: Progress
    ) -> WireResponse:
        own = self._given_client is None
        built = http.build_request(
            request.method,
            request.target,
            # The service's answers are small, and what is not compressed cannot swell.
            headers={"Accept-Encoding": "identity", **request.headers},
            content=request.content or None,
            timeout=None if own else httpx.USE_CLIENT_DEFAULT,
            extensions={"trace": _tracer(progress)},
        )
        self.requests_sent += 1
        authorized = "Authorization" in request.headers
        response = await http.send(
            built,
            stream=True,
            follow_redirects=False,
            auth=None if authorized else httpx.USE_CLIENT_DEFAULT,
        )
        try:
            progress.stage, progress.status = Stage.READING, response.status_code
            content = await self._read(response, progress)
        finally:
            await response.aclose()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return WireResponse(status=response.status_code, headers=headers, content=content)

    async def _read(self, response: httpx.Response, progress: Progress) -> bytes:
        chunks: list[bytes] = []
        size, limit = 0, self.max_response_bytes
        encoding = response.headers.get("content-encoding", "")
        try:
            if response.is_stream_consumed:  # by a hook of the user's, or a transport that mocks
                check_length(len(response.content), limit)
                return response.content
            # A cancellation unwinds httpx's generators; left as they are, trio would warn of them.
            with anyio.CancelScope() as scope:
                async for chunk in response.aiter_raw():
                    size += len(chunk)
                    if size > limit:
                        scope.cancel()
                    else:
                        chunks.append(chunk)
            check_length(size, limit)
            return decode(b"".join(chunks), encoding, limit)
        except ContentError as error:
            kind = ResponseTooLargeError if error.is_too_long else UnexpectedResponseError
            raise kind(
                f"the body of the answer ({response.status_code}) cannot be read: {error}.",
                operation=progress.operation,
                status=response.status_code,
                problems=(str(error),),
            ) from None


def _check_kind(name: str, value: object, kind: type) -> None:
    if value is not None and not isinstance(value, kind):
        raise ConfigurationError(
            f"{name} must be an {kind.__module__.partition('.')[0]}.{kind.__name__}, "
            f"not {type(value).__name__}."
        )


def _check_count(name: str, value: object) -> None:
    if not isinstance(value, int) or value < 1:
        raise ConfigurationError(f"{name} must be a whole number of at least 1.")


def _check_proxy(proxy: object) -> None:
    if proxy is not None and not (
        isinstance(proxy, str) and re.fullmatch(r"https?://[!-~]+", proxy)
    ):
        # The value is not shown, because a proxy's URL may hold its password.
        raise ConfigurationError(
            "proxy must be an HTTP proxy's URL, such as http://proxy.example:3128."
        )


def _tracer(progress: Progress) -> Callable[[str, Mapping[str, Any]], Awaitable[None]]:
    through_proxy = False

    async def trace(event: str, info: Mapping[str, Any]) -> None:
        nonlocal through_proxy
        progress.is_traced = True
        if event.endswith(".send_request_headers.started"):
            # A CONNECT is between this side and the proxy; the request itself comes after it.
            through_proxy = info["request"].method == b"CONNECT"
        if through_proxy:
            return
        if event.endswith(".send_request_headers.started"):
            progress.stage = Stage.SENDING
        elif event.endswith(".send_request_body.complete"):
            progress.stage = Stage.AWAITING

    return trace


def _failure(progress: Progress, target: str, error: Exception) -> TransportError:
    refused = _certificate_refusal(error)
    if refused is not None:
        return TlsError(
            f"the certificate of {_host(target)} was refused: {refused.verify_message}.",
            operation=progress.operation,
        )
    if not progress.is_traced and type(error).__name__ in _NEVER_SENT:
        progress.is_traced = True
    detail = str(error).strip().rstrip(".")
    return _lost(progress, target, f"{type(error).__name__}{f': {detail}' if detail else ''}")


def _lost(progress: Progress, target: str, problem: str) -> TransportError:
    if progress.outcome is Outcome.NOT_SENT:
        return ConnectionFailedError(
            f"no connection to {_host(target)}: {problem}.", operation=progress.operation
        )
    return UnknownOutcomeError(
        f"the answer of {_host(target)} was lost while {progress.stage.value}: {problem}.",
        operation=progress.operation,
        outcome=progress.outcome,
        status=progress.status,
    )


def _certificate_refusal(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error


def _host(target: str) -> str:
    try:
        return httpx.URL(target).netloc.decode("ascii")
    except httpx.InvalidURL:
        return "a URL that cannot be used"
