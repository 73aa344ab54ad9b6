"""Calls of your functions, once for each event."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import anyio

from webrtc_async._tasks.event_loop import home, is_asyncio
from webrtc_async.webhooks.event import EventKey, ParticipantEvent, ParticipantEventType

Handler = Callable[[ParticipantEvent], Awaitable[object]]
HandlerT = TypeVar("HandlerT", bound=Handler)

MAX_REMEMBERED: Final = 10_000
"""Handled events that a dispatcher remembers, so that it ignores repeated posts."""

_logger: Final = logging.getLogger("webrtc_async.webhooks")


class _Handling:
    """An event whose handlers run, in the event loop and process that made this object."""

    def __init__(self) -> None:
        self.home = home()
        self.ended = anyio.Event()


class EventDispatcher:
    """A registry of handlers, called for each event in the order of their registration.

        events = EventDispatcher()

        @events.on(ParticipantEventType.LEAVE, ParticipantEventType.DISCONNECT)
        async def hang_up(event: ParticipantEvent) -> None:
            ...

    An event is handled once, also if it is posted again, be it meanwhile. If a handler fails, the
    receiver responds with 500, and the next post of the event is handled again.

    Args:
        max_remembered: Handled events that this process remembers, at most.
    """

    def __init__(self, *, max_remembered: int = MAX_REMEMBERED) -> None:
        self._handlers: list[tuple[frozenset[ParticipantEventType], Handler]] = []
        self._max_remembered = max_remembered
        self._handled: OrderedDict[EventKey, None] = OrderedDict()
        self._handling: dict[EventKey, _Handling] = {}

    def on(self, *types: ParticipantEventType) -> Callable[[HandlerT], HandlerT]:
        """Register a coroutine function for events of these types, or of all if none is given."""

        def add(handler: HandlerT) -> HandlerT:
            self._handlers.append((frozenset(types), handler))
            return handler

        return add

    async def dispatch(self, event: ParticipantEvent) -> bool:
        """Call the handlers of an event, unless it was handled before.

        If the event is being handled, wait for that, and handle the event again only if it failed
        or was cancelled. If a handler fails, the failure is logged and the other handlers are
        still called.

        Returns:
            True if the event was handled, now or before. False if a handler failed, or if the
            event is being handled in another event loop.
        """
        own = _Handling()
        while (current := self._handling.setdefault(event.key, own)) is not own:
            if current.home != own.home:
                return False
            await current.ended.wait()
        try:
            if event.key in self._handled:
                return True
            is_done = await self._call(event)
            if is_done:
                self._remember(event.key)
            return is_done
        finally:
            del self._handling[event.key]
            own.ended.set()

    async def _call(self, event: ParticipantEvent) -> bool:
        failures = 0
        for types, handler in tuple(self._handlers):
            if not types or event.event in types:
                try:
                    await handler(event)
                except (Exception, asyncio.CancelledError) as error:
                    if isinstance(error, asyncio.CancelledError) and _is_cancelled():
                        raise
                    failures += 1
                    _logger.exception(
                        "a handler of %s for participant %s failed",
                        event.event.value,
                        event.participant_id,
                    )
        return failures == 0

    def _remember(self, key: EventKey) -> None:
        self._handled[key] = None
        while len(self._handled) > self._max_remembered:
            self._handled.popitem(last=False)


def _is_cancelled() -> bool:
    """Return True if the running task was cancelled, and not one that a handler waited for."""
    task = asyncio.current_task() if is_asyncio() else None
    return task is not None and task.cancelling() > 0
