"""Which of your functions hears of which event, each event once."""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from webrtc_async.webhooks.event import EventKey, ParticipantEvent, ParticipantEventType

Handler = Callable[[ParticipantEvent], Awaitable[object]]
HandlerT = TypeVar("HandlerT", bound=Handler)

LONGEST_MEMORY: Final = 10_000
"""Events that are remembered, so that a repeated post is not handled again."""

_LOG: Final = logging.getLogger("webrtc_async.webhooks")


class EventDispatcher:
    """Calls the handlers of an event, in the order in which they were added.

        events = EventDispatcher()

        @events.on(ParticipantEventType.LEAVE, ParticipantEventType.DISCONNECT)
        async def hang_up(event: ParticipantEvent) -> None:
            ...

    An event that has been handled is not handled again when it is posted again. One whose handler
    failed is: the receiver answers 500, and whoever posts it once more gets another try.

    Args:
        longest_memory: Events that are remembered, in this process.
    """

    def __init__(self, *, longest_memory: int = LONGEST_MEMORY) -> None:
        self._handlers: list[tuple[frozenset[ParticipantEventType], Handler]] = []
        self._longest_memory = longest_memory
        self._handled: OrderedDict[EventKey, None] = OrderedDict()

    def on(self, *types: ParticipantEventType) -> Callable[[HandlerT], HandlerT]:
        """Have a coroutine function called for events of these types; of all, if none is named."""

        def add(handler: HandlerT) -> HandlerT:
            self._handlers.append((frozenset(types), handler))
            return handler

        return add

    async def dispatch(self, event: ParticipantEvent) -> bool:
        """Call the handlers of an event, unless it has been handled before.

        Returns:
            Whether every handler came to its end. A failure is logged, the other handlers are
            called all the same, and nothing is raised.
        """
        if event.key in self._handled:
            return True
        # Before the handlers run: the same event may be posted again while they do.
        self._remember(event.key)
        is_done = False
        try:
            is_done = await self._call(event)
        finally:
            if not is_done:
                self._handled.pop(event.key, None)
        return is_done

    async def _call(self, event: ParticipantEvent) -> bool:
        failures = 0
        for types, handler in tuple(self._handlers):
            if not types or event.event in types:
                try:
                    await handler(event)
                except Exception:
                    failures += 1
                    _LOG.exception(
                        "a handler of %s of participant %s failed",
                        event.event.value,
                        event.participant_id,
                    )
        return failures == 0

    def _remember(self, key: EventKey) -> None:
        self._handled[key] = None
        while len(self._handled) > self._longest_memory:
            self._handled.popitem(last=False)
