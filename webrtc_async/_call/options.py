"""What a client can be told, and what each of its views has of its own."""

import platform
import ssl
from collections.abc import Iterable, Mapping
from typing import TypedDict

from attrs import field, frozen

from webrtc_async._call.observer import Observer
from webrtc_async._call.retry_policy import RetryPolicy
from webrtc_async._call.retry_quota import RetryQuota
from webrtc_async._config.validation import check_kind, check_seconds
from webrtc_async._protocol.route import ACCOUNT, check_id
from webrtc_async._protocol.wire import RequestHeaders
from webrtc_async._transport import HttpClient, HttpTransport, LibraryName
from webrtc_async._transport.rate_limiter import RateLimiter
from webrtc_async._version import __version__
from webrtc_async.errors import ConfigurationError, InvalidArgumentError


class ClientSettings(TypedDict, total=False):
    """The settings that `from_env` passes on; each is described at `AsyncWebRtcClient`."""

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
    max_response_bytes: int
    observers: Iterable[Observer]
    retry_quota: RetryQuota
    rate_limiter: RateLimiter
    create_grace: float
    close_grace: float


@frozen(kw_only=True)
class Options:
    """What a view may have its own of.

    Attributes:
        account_id: The account.
        deadline: Seconds for one call in all.
        retry: What is repeated.
        headers: Sent with every request.

    Raises:
        ConfigurationError: An option cannot work.
    """

    account_id: str
    deadline: float
    retry: RetryPolicy
    headers: RequestHeaders = field(converter=RequestHeaders)

    def __attrs_post_init__(self) -> None:
        try:
            check_id(ACCOUNT, self.account_id)
        except InvalidArgumentError as error:
            raise ConfigurationError(error.message) from None
        check_seconds("deadline", self.deadline)
        check_kind("retry", self.retry, RetryPolicy)


def merged_headers(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, str]:
    """Return both, where the second replaces a name of the first in any case."""
    spelt = {name.lower(): name for name in first}
    return {**first, **{spelt.get(name.lower(), name): value for name, value in second.items()}}


def standard_headers(library: str) -> dict[str, str]:
    """Return what every request over an HTTP library has, unless the user says otherwise."""
    agent = f"webrtc-async/{__version__} {library} python/{platform.python_version()}"
    return {"User-Agent": agent, "Accept": "application/json"}
