"""Events of participants, which the service posts to a callback URL.

`read_event` reads the body of a request under any framework. `EventDispatcher` calls your
functions, once for each event. `webhooks.asgi`, `webhooks.fastapi` and `webhooks.aiohttp` receive
events for you.
"""

from webrtc_async.webhooks.dispatcher import EventDispatcher
from webrtc_async.webhooks.event import (
    EventKey,
    ParticipantEvent,
    ParticipantEventType,
    read_event,
)
from webrtc_async.webhooks.secret import SharedSecret

__all__ = [
    "EventDispatcher",
    "EventKey",
    "ParticipantEvent",
    "ParticipantEventType",
    "SharedSecret",
    "read_event",
]
