"""An HTTP library's own transport, for proxies and for `http_library=`."""

from collections.abc import Callable

import httpx

from webrtc_async._tasks.per_loop import PerLoop


class LibraryTransport(httpx.AsyncBaseTransport):
    """A transport of httpx or httpx2 that is opened afresh in each event loop and process.

    Args:
        open_transport: Makes the library's transport, when the first request needs it.
    """

    def __init__(self, open_transport: Callable[[], httpx.AsyncBaseTransport]) -> None:
        self._transports = PerLoop(open_transport)

    @property
    def is_open(self) -> bool:
        """True if there may be connections."""
        return self._transports.current is not None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request of the library and return the library's response."""
        return await self._transports.get().handle_async_request(request)

    async def aclose(self) -> None:
        """Close every connection."""
        if (transport := self._transports.take()) is not None:
            await transport.aclose()
