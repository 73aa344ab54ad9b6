"""The emulator in place of the network, in the same process."""

import httpx
from anyio.lowlevel import checkpoint

from webrtc_async.emulator.control import CONTROL_CALLS, Control
from webrtc_async.emulator.service import Emulator
from webrtc_async.emulator.transport_faults import Misbehaviour
from webrtc_async.wire import WireRequest


class EmulatorTransport(httpx.AsyncBaseTransport):
    """Sends requests to an emulator, whatever host they are for.

    Where a fault rule of the emulator strikes, it waits, and raises what httpx's own pool raises.

    Args:
        emulator: What answers.
        control: Whether control calls are answered as well.
    """

    def __init__(self, emulator: Emulator, *, control: bool = True) -> None:
        self.emulator = emulator
        self._control = Control(emulator, CONTROL_CALLS if control else ())
        self._misbehaviour = Misbehaviour()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the emulator's answer; nothing else runs between its check and its change."""
        content = await request.aread()
        # A network call gives way and can be cancelled, so this one does and can, before it acts.
        await checkpoint()
        asked = WireRequest(
            method=request.method,
            # Raw, because an id that holds %2F is still one id.
            target=request.url.raw_path.decode("ascii"),
            headers=dict(request.headers),
            content=content,
        )
        if self._control.knows(asked.target):
            answer = self._control.answer(asked)
            return httpx.Response(answer.status, headers=answer.headers, content=answer.content)
        reply = self.emulator.reply_to(asked)
        return await self._misbehaviour.passed_on(reply, request)
