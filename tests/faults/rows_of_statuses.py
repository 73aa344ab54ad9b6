"""Error responses of the service or of a gateway."""

from webrtc_async import (
    ConflictError,
    ForbiddenError,
    RateLimitedError,
    RedirectError,
    ServerError,
    UnauthorizedError,
)
from webrtc_async.errors import ApiError

from .behaviours import BODY, answered
from .row import Row, refused, result
from .scene import wire

HTML = b"Content-Type: text/html"
LOCATIONS = {
    "h": ("to the same host", b"/elsewhere"),
    "o": ("to another host", b"http://other.example/v1"),
    "x": ("to nowhere", b"http://[::"),
    "n": ("without a Location", b""),
}
RETRY_AFTER = {
    "s": ("seconds", b"0", 3),
    "d": ("a date", b"Wed, 21 Oct 2015 07:28:00 GMT", 3),
    "g": ("garbage", b"soon", 3),
    "m": ("negative", b"-5", 3),
    "n": ("NaN", b"NaN", 3),
    "f": ("a fraction", b"0.05", 3),
    "a": ("an older form of date", b"Wed Oct 21 07:28:00 2015", 3),
    "t": ("twice", b"0\r\nRetry-After: 1000000000", 1),
    "h": ("1 000 000 000", b"1000000000", 1),
}


async def add_participant(client):
    return await client.add_participant_to_session(session_id="s-1", participant_id="p-1")


def status_row(
    number: str, status: int, error: type[ApiError], repeatable: int, create: int, says: str = ""
) -> Row:
    """Return a row of an error response with an HTML page."""
    return Row(
        number,
        f"{status} with HTML",
        wire(answered(b"<h1>no</h1>", HTML, status=b"%d No" % status)),
        refused(error, repeatable, status, says),
        refused(error, create, status, says),
    )


ROWS_OF_STATUSES = [
    status_row("33", 502, ServerError, 3, 3),
    status_row("33s", 503, ServerError, 3, 3),
    status_row("33g", 504, ServerError, 3, 3),
    *(
        Row(
            f"46{letter}{status}",
            f"{status} {fault}",
            wire(
                answered(
                    b"",
                    *([b"Location: " + location] if location else []),
                    status=b"%d Moved" % status,
                )
            ),
            refused(RedirectError, 1, status),
            refused(RedirectError, 1, status),
        )
        for letter, (fault, location) in LOCATIONS.items()
        for status in (302, 307)
    ),
    *(
        Row(
            f"47{letter}",
            f"429 with Retry-After: {fault}",
            wire(answered(b"", b"Retry-After: " + value, status=b"429 Slow")),
            refused(RateLimitedError, requests, 429),
            refused(RateLimitedError, requests, 429),
        )
        for letter, (fault, value, requests) in RETRY_AFTER.items()
    ),
    status_row("49t", 408, ApiError, 3, 1),
    status_row("49e", 425, ApiError, 3, 1),
    status_row("49s", 500, ServerError, 3, 1),
    status_row("50", 401, UnauthorizedError, 1, 1, "credentials"),
    status_row("51", 403, ForbiddenError, 1, 1, "base_url"),
    Row(
        "58c",
        "a cookie that cannot be sent back",
        wire(answered(BODY, b"Set-Cookie: a=\xff")),
        result(),
        result(),
    ),
    Row(
        "52",
        "409 on adding",
        wire(answered(b"{}", status=b"409 Conflict")),
        refused(ConflictError, 1, 409),
        None,
        perform=add_participant,
    ),
]
