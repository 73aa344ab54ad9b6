"""The settings of a client, and the options that a view can override."""

import platform
import ssl
from collections.abc import Iterable, Mapping
from typing import TypedDict

from attrs import field, frozen

from webrtc_async._call.observer import Observer
from webrtc_async._call.retry_policy import RetryPolicy
from webrtc_async._call.retry_quota import RetryQuota
from webrtc_async._config.validation import (
    check_account_id,
    check_headers,
    check_kind,
    check_seconds,
)
from webrtc_async._protocol.route import ACCOUNT
from webrtc_async._protocol.wire import RequestHeaders
from webrtc_async._transport import HttpClient, HttpTransport, LibraryName
from webrtc_async._transport.rate_limiter import RateLimiter
from webrtc_async._version import __version__


class ClientSettings(TypedDict, total=False):
    """The settings that `from_env` passes on; `AsyncWebRtcClient` describes each."""

    base_url: str
    deadline: float
    retry: RetryPolicy
    max_connections: int
    headers: Mapping[str, str]
    http_client: HttpClient
    transport: HttpTransport
    http_library: LibraryName
    proxy: str
    ssl_context: ssl.SSLContext
    max_connection_age: float
    max_response_bytes: int
    observers: Iterable[Observer]
    retry_quota: RetryQuota
    rate_limiter: RateLimiter
    create_grace: float
    close_grace: float


@frozen(kw_only=True)
class Options:
    """Options that a view can override.

    Attributes:
        account_id: The account.
        deadline: Seconds for one call in all.
        retry: Says which failures are repeated.
        headers: Headers of every request.

    Raises:
        ConfigurationError: An option cannot work.
    """

    account_id: str
    deadline: float
    retry: RetryPolicy
    headers: RequestHeaders = field(converter=RequestHeaders)

    def __attrs_post_init__(self) -> None:
        check_account_id(ACCOUNT, self.account_id)
        check_seconds("deadline", self.deadline)
        check_kind("retry", self.retry, RetryPolicy)


def merged_headers(first: Mapping[str, str], given: Mapping[str, str] | None) -> dict[str, str]:
    """Return the first headers and the caller's, which replace the same names in any case.

    Raises:
        ConfigurationError: A header cannot be sent, or the client itself sets it.
    """
    spelt = {name.lower(): name for name in first}
    checked = check_headers({} if given is None else given)
    return {**first, **{spelt.get(name.lower(), name): value for name, value in checked.items()}}


def standard_headers(library: str) -> dict[str, str]:
    """Return the default headers of every request over an HTTP library."""
    agent = f"webrtc-async/{__version__} {library} python/{platform.python_version()}"
    return {"User-Agent": agent, "Accept": "application/json"}
