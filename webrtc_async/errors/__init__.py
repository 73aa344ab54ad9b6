"""Every exception this package raises.

    WebRtcError                        .operation .outcome .attempts .orphan
    ├── ConfigurationError             a setting is wrong; also a ValueError
    ├── InvalidArgumentError           an argument of a call is wrong; also a ValueError
    ├── ClientClosedError              the client is closed for good; also a RuntimeError
    ├── JournalError                   a journal of set-ups cannot be read or written
    ├── ConferenceOverError            a conference was used after its end; also a RuntimeError
    ├── ConferenceError                .not_deleted; also an ExceptionGroup
    │   ├── SetupError                 .created .maybe_created .rollback
    │   └── TeardownError              what could not be deleted
    ├── TransportError                 no complete answer came: .outcome says what may have happened
    │   ├── ConnectionFailedError      nothing was sent
    │   │   ├── TlsError               no agreement on TLS: the text names the check that failed
    │   │   └── RateLimiterError       your own rate limiter could not be asked
    │   ├── UnknownOutcomeError        sent, and the answer was lost
    │   └── DeadlineExceededError      the call ran out of time; also a TimeoutError
    ├── ApiError                       the service refused: .status .reason .request_id ...
    │   ├── RedirectError          301, 302, 303, 307, 308
    │   ├── BadRequestError        400
    │   ├── UnauthorizedError      401
    │   ├── ForbiddenError         403
    │   ├── NotFoundError          404
    │   ├── ConflictError          409
    │   ├── RateLimitedError       429
    │   └── ServerError            5xx
    ├── UnexpectedResponseError        a success whose body does not fit: .problems
    │   └── ResponseTooLargeError
    └── CreateRolledBackError          its answer was broken, so what it made was deleted again
    RouteMismatchError                 an endpoint disagrees with its route; a TypeError, at import

Every one pickles, holds no secret, and has a text that starts with the operation. The groups of
failures, and what a journal can do wrong, are in `conferences.errors`.
"""

from webrtc_async.errors.answer import (
    ApiError,
    BadRequestError,
    ConflictError,
    CreateRolledBackError,
    ForbiddenError,
    NotFoundError,
    RateLimitedError,
    RedirectError,
    ResponseTooLargeError,
    ServerError,
    UnauthorizedError,
    UnexpectedResponseError,
)
from webrtc_async.errors.root import (
    ClientClosedError,
    ConfigurationError,
    InvalidArgumentError,
    RouteMismatchError,
    WebRtcError,
)
from webrtc_async.errors.transport import (
    ConnectionFailedError,
    DeadlineExceededError,
    RateLimiterError,
    TlsError,
    TransportError,
    UnknownOutcomeError,
)

__all__ = [
    "ApiError",
    "BadRequestError",
    "ClientClosedError",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "CreateRolledBackError",
    "DeadlineExceededError",
    "ForbiddenError",
    "InvalidArgumentError",
    "NotFoundError",
    "RateLimitedError",
    "RateLimiterError",
    "RedirectError",
    "ResponseTooLargeError",
    "RouteMismatchError",
    "ServerError",
    "TlsError",
    "TransportError",
    "UnauthorizedError",
    "UnexpectedResponseError",
    "UnknownOutcomeError",
    "WebRtcError",
]
