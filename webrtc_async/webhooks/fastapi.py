"""A FastAPI dependency that returns a posted event."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from http import HTTPStatus

from fastapi import HTTPException, Request

from webrtc_async.errors import InvalidArgumentError
from webrtc_async.webhooks.event import MAX_EVENT_BYTES, ParticipantEvent, read_event
from webrtc_async.webhooks.receiver import FORBIDDEN
from webrtc_async.webhooks.secret import SharedSecret


def posted_event(secret: SharedSecret | None) -> Callable[[Request], Awaitable[ParticipantEvent]]:
    """Return a dependency that provides a path operation with the posted event.

        Posted = Annotated[ParticipantEvent, Depends(posted_event(secret))]

        @app.post("/webhooks/{secret}")
        async def webhook(event: Posted) -> None:
            if not await events.dispatch(event):
                raise HTTPException(500)

    A body that is no event gets a 400, a missing or wrong secret a 403.

    Args:
        secret: The secret that a request must have; None accepts every request.
    """

    async def read(request: Request) -> ParticipantEvent:
        if secret is not None and not secret.matches(request.url.path, request.headers):
            raise HTTPException(HTTPStatus.FORBIDDEN, FORBIDDEN)
        content = b""
        async with aclosing(request.stream()) as chunks:
            async for chunk in chunks:
                content += chunk
                if len(content) > MAX_EVENT_BYTES:
                    break
        try:
            return read_event(content)
        except InvalidArgumentError as error:
            raise HTTPException(HTTPStatus.BAD_REQUEST, error.message) from None

    return read
