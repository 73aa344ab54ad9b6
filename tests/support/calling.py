"""Clients over real sockets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from support.http_library import NAME
from support.scripted import ONCE, http

from webrtc_async.client import AsyncWebRtcClient

BODY = b'{"id": "s-1"}'
OK = http(200, BODY)


@asynccontextmanager
async def calling(base_url: str, **settings: Any) -> AsyncIterator[AsyncWebRtcClient]:
    """Yield a client over real sockets that makes one attempt, with a very long deadline."""
    client = AsyncWebRtcClient(
        "9900000",
        base_url=base_url,
        **{
            "auth": ("user", "password"),
            "retry": ONCE,
            "deadline": 30,
            # The package chooses, unless another library is requested.
            "http_library": None if NAME == "httpx" else NAME,
            **settings,
        },
    )
    async with client:
        yield client
