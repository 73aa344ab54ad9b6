"""A FastAPI dependency that returns a posted event."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect

from webrtc_async.webhooks.event import ParticipantEvent
from webrtc_async.webhooks.receiver import (
    UNREADABLE,
    Post,
    RejectedPostError,
    consumed,
    read_post,
)
from webrtc_async.webhooks.secret import SharedSecret


def posted_event(secret: SharedSecret | None) -> Callable[[Request], Awaitable[ParticipantEvent]]:
    """Return a dependency that provides a path operation with the posted event.

        Posted = Annotated[ParticipantEvent, Depends(posted_event(secret))]

        @app.post("/webhooks/{secret:path}")
        async def webhook(event: Posted) -> None:
            if not await events.dispatch(event):
                raise HTTPException(500)

    A body that is no event gets a 400, a missing or wrong secret a 403, a body that does not arrive
    in time a 408. Your path operation and other dependencies can read the body too.

    Args:
        secret: The secret that a request must have; None accepts every request.
    """

    async def read(request: Request) -> ParticipantEvent:
        def keep(content: bytes) -> None:
            # There is no public way to keep what was read with a limit.
            request._body = content  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

        scope = request.scope  # its path is not parsed again, as the one of `request.url` is
        post = Post(
            method=scope["method"],
            path=scope["path"],
            headers=request.headers,
            parts=_parts(request),
            keep=keep,
        )
        try:
            return await read_post(post, secret)
        except RejectedPostError as rejected:
            bad = rejected.response
            raise HTTPException(bad.status, bad.text, dict(bad.headers)) from None

    return read


async def _parts(request: Request) -> AsyncGenerator[bytes, None]:
    try:
        async with aclosing(request.stream()) as parts:
            async for part in parts:
                yield part
    except ClientDisconnect:
        raise RejectedPostError(UNREADABLE) from None
    except RuntimeError:
        # "Stream consumed": by a dependency that did not keep the body.
        raise consumed() from None
