"""Participants' events, as the service posts them to a callback URL.

`read_event` reads a body from any framework. `EventDispatcher` calls your functions, each event
once. `webhooks.asgi`, `webhooks.fastapi` and `webhooks.aiohttp` receive events for you.
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
