"""The service on a laptop: its state, credentials and answers, for trying and testing.

`EmulatorTransport` is for tests in one process. `emulator.asgi` and `emulator.server` serve the
same emulator to others, and need the extra of that name.
"""

from webrtc_async.emulator.core.credentials import Credentials
from webrtc_async.emulator.core.switches import Switches
from webrtc_async.emulator.doors.in_process import EmulatorTransport
from webrtc_async.emulator.emulator import Emulator
from webrtc_async.emulator.webhooks.delivery import WebhookSender

__all__ = ["Credentials", "Emulator", "EmulatorTransport", "Switches", "WebhookSender"]
