"""Events as a FastAPI dependency."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from http import HTTPStatus

from fastapi import HTTPException, Request

from webrtc_async.errors import InvalidArgumentError
from webrtc_async.webhooks.event import LONGEST_EVENT, ParticipantEvent, read_event
from webrtc_async.webhooks.secret import SharedSecret


def posted_event(secret: SharedSecret | None) -> Callable[[Request], Awaitable[ParticipantEvent]]:
    """Return a dependency that gives a path operation the event that was posted to it.

        Posted = Annotated[ParticipantEvent, Depends(posted_event(secret))]

        @app.post("/webhooks/{secret}")
        async def webhook(event: Posted) -> None:
            if not await events.dispatch(event):
                raise HTTPException(500)

    What is no event is answered with 400, and a missing or wrong secret with 403.

    Args:
        secret: What whoever posts must know; None lets anyone post.
    """

    async def read(request: Request) -> ParticipantEvent:
        if secret is not None and not secret.admits(request.url.path, request.headers):
            raise HTTPException(HTTPStatus.FORBIDDEN, "This is not for you.")
        content = b""
        async with aclosing(request.stream()) as chunks:
            async for chunk in chunks:
                content += chunk
                if len(content) > LONGEST_EVENT:
                    break
        try:
            return read_event(content)
        except InvalidArgumentError as misfit:
            raise HTTPException(HTTPStatus.BAD_REQUEST, misfit.message) from None

    return read
