"""The target of a case: the real service, or any other HTTP server."""

from collections.abc import Callable, Mapping
from typing import Final, Self

import httpx
from attrs import Factory, define, field

from webrtc_async._protocol.wire import WireRequest, WireResponse
from webrtc_async.emulator.contract.case import Caller

STRANGER: Final = "Basic bm9ib2R5Om5vdGhpbmc="
"""Credentials of no account."""

TIMEOUT: Final = 30.0
"""Seconds to wait for each chunk of a response."""

MAX_RESPONSE_BYTES: Final = 1024 * 1024
"""Maximum number of response bytes that are read."""


class NoResponseError(Exception):
    """The target is unreachable, or its response ended early."""


@define(kw_only=True, eq=False)
class Target:
    """A service under test, with an account on it.

    Attributes:
        base_url: Base URL of the API.
        account: Account id.
        authorization: Authorization header of the account's user.
        advance_clock: Moves the service's clock by hours; None if that is impossible.
        transport: httpx transport; by default the network.
    """

    base_url: str
    account: str
    authorization: str = field(default="", repr=False)
    advance_clock: Callable[[float], None] | None = None
    transport: httpx.AsyncBaseTransport | None = None
    _client: httpx.AsyncClient = field(
        init=False,
        repr=False,
        default=Factory(
            lambda target: httpx.AsyncClient(transport=target.transport, timeout=TIMEOUT),
            takes_self=True,
        ),
    )

    async def __aenter__(self) -> Self:
        """Open the connections."""
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *exit_: object) -> None:
        """Close the connections."""
        await self._client.aclose()

    def header_of(self, caller: Caller) -> Mapping[str, str]:
        """Return the headers with a caller's credentials."""
        value = {Caller.USER: self.authorization, Caller.STRANGER: STRANGER}.get(caller)
        return {} if value is None else {"authorization": value}

    async def send(self, request: WireRequest) -> WireResponse:
        """Send a request to any URL, and read at most the maximum size of the response.

        Raises:
            NoResponseError: The target sent no complete response.
        """
        content = bytearray()
        try:
            async with self._client.stream(
                request.method, request.target, headers=request.headers, content=request.content
            ) as response:
                async for chunk in response.aiter_bytes():
                    content += chunk[: MAX_RESPONSE_BYTES - len(content)]
                    if len(content) == MAX_RESPONSE_BYTES:
                        break
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # Without the error's text, which can hold the URL and its password.
            raise NoResponseError(f"no response: {type(error).__name__}") from None
        return WireResponse(
            status=response.status_code, headers=dict(response.headers), content=bytes(content)
        )
