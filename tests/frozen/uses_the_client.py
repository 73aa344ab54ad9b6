"""A program that calls a service, as a bot or a job does."""

import asyncio
import sys

from webrtc_async import AsyncWebRtcClient, ConfigurationError, TlsError


async def main() -> None:
    url = sys.argv[1]
    if url == "--no-streams":
        sys.stdout = sys.stderr = None  # as in a program without a console
        url = "https://127.0.0.1:1/v1"
    async with AsyncWebRtcClient.from_env() as client, client.conference(["agent"]) as conference:
        assert conference["agent"].token
    # An unusual failure loads what most programs do not need.
    async with AsyncWebRtcClient.from_env(base_url=url) as client:
        try:
            await client.create_session()
        except TlsError as error:
            print("rejected:", error)
        except ConfigurationError as error:
            print("set:", error)


asyncio.run(main())
