"""Where cases are run: the real service, or whatever else speaks HTTP."""

from collections.abc import Callable, Mapping
from typing import Final, Self

import httpx
from attrs import Factory, define, field

from webrtc_async._protocol.wire import WireRequest, WireResponse
from webrtc_async.emulator.contract.case import Caller

STRANGER: Final = "Basic bm9ib2R5Om5vdGhpbmc="
"""Credentials that no account has."""

PATIENCE: Final = 30.0
"""Seconds that an answer may take between two of its bytes."""

MAX_RESPONSE_BYTES: Final = 1024 * 1024
"""Bytes of an answer that are read."""


class NoAnswerError(Exception):
    """The service could not be reached, or did not answer to the end."""


@define(kw_only=True, eq=False)
class Target:
    """A service to ask, and who may ask it.

    Attributes:
        base_url: Where its paths begin.
        account: The account.
        authorization: What lets its user in.
        forward: Moves its clock by hours, where that can be moved.
        transport: What sends; the network unless given.
    """

    base_url: str
    account: str
    authorization: str = field(default="", repr=False)
    forward: Callable[[float], None] | None = None
    transport: httpx.AsyncBaseTransport | None = None
    _client: httpx.AsyncClient = field(
        init=False,
        repr=False,
        default=Factory(
            lambda place: httpx.AsyncClient(transport=place.transport, timeout=PATIENCE),
            takes_self=True,
        ),
    )

    async def __aenter__(self) -> Self:
        """Open the connections."""
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *exit_: object) -> None:
        """Close them."""
        await self._client.aclose()

    def header_of(self, caller: Caller) -> Mapping[str, str]:
        """Return what proves who a caller is."""
        value = {Caller.USER: self.authorization, Caller.STRANGER: STRANGER}.get(caller)
        return {} if value is None else {"authorization": value}

    async def send(self, request: WireRequest) -> WireResponse:
        """Send a request to any URL, and read the answer as far as an answer goes.

        Raises:
            NoAnswerError: There was none.
        """
        content = bytearray()
        try:
            async with self._client.stream(
                request.method, request.target, headers=request.headers, content=request.content
            ) as answer:
                async for chunk in answer.aiter_bytes():
                    content += chunk[: MAX_RESPONSE_BYTES - len(content)]
                    if len(content) == MAX_RESPONSE_BYTES:
                        break
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # By its kind alone: what it says may hold the URL, and that a password.
            raise NoAnswerError(f"no answer: {type(error).__name__}") from None
        return WireResponse(
            status=answer.status_code, headers=dict(answer.headers), content=bytes(content)
        )
