"""A program that serves the emulator."""

import httpx

from webrtc_async.emulator import Emulator, EmulatorServer

with EmulatorServer(Emulator()) as server:
    page = httpx.get(server.base_url.removesuffix("/v1") + "/_emulator/", trust_env=False)
    print(page.status_code, "<title>" in page.text)
