"""An asyncio-native client for Bandwidth's WebRTC REST API.

    async with AsyncWebRtcClient("9900000", auth=("username", "password")) as client:
        session = await client.create_session(Session(tag="visit-42"))

`AsyncWebRtcClient` has the eleven operations as methods, `models` their data, `errors` every
exception in one tree, and `emulator` the service itself for trying and testing without an account.
`webhooks` receives participants' events, `voice` brings phones in, and `device_token` reads tokens.
"""

from webrtc_async._version import __version__
from webrtc_async.auth import Auth, BasicAuth, BearerAuth
from webrtc_async.call import ApiResponse
from webrtc_async.client import AsyncWebRtcClient
from webrtc_async.errors import (
    ApiError,
    BadRequestError,
    ClientClosedError,
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    CreateRolledBackError,
    DeadlineExceededError,
    ForbiddenError,
    InvalidArgumentError,
    NotFoundError,
    RateLimitedError,
    RedirectError,
    ResponseTooLargeError,
    RouteMismatchError,
    ServerError,
    TlsError,
    TransportError,
    UnauthorizedError,
    UnexpectedResponseError,
    UnknownOutcomeError,
    WebRtcError,
)
from webrtc_async.models import (
    AccountsParticipantsResponse,
    DeviceApiVersion,
    Participant,
    ParticipantSubscription,
    PublishPermission,
    Session,
    Subscriptions,
)
from webrtc_async.oauth2 import OAuth2ClientCredentials
from webrtc_async.observer import ObservedAttempt, ObservedCall, ObservedEnd, Observer
from webrtc_async.outcome import Orphan, Outcome, Stage
from webrtc_async.retry import RetryPolicy
from webrtc_async.retry_quota import RetryQuota
from webrtc_async.route import Repeat, Route
from webrtc_async.route_table import ROUTES
from webrtc_async.secret import EnvironmentSecret, Secret

__all__ = [
    "ROUTES",
    "AccountsParticipantsResponse",
    "ApiError",
    "ApiResponse",
    "AsyncWebRtcClient",
    "Auth",
    "BadRequestError",
    "BasicAuth",
    "BearerAuth",
    "ClientClosedError",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "CreateRolledBackError",
    "DeadlineExceededError",
    "DeviceApiVersion",
    "EnvironmentSecret",
    "ForbiddenError",
    "InvalidArgumentError",
    "NotFoundError",
    "OAuth2ClientCredentials",
    "ObservedAttempt",
    "ObservedCall",
    "ObservedEnd",
    "Observer",
    "Orphan",
    "Outcome",
    "Participant",
    "ParticipantSubscription",
    "PublishPermission",
    "RateLimitedError",
    "RedirectError",
    "Repeat",
    "ResponseTooLargeError",
    "RetryPolicy",
    "RetryQuota",
    "Route",
    "RouteMismatchError",
    "Secret",
    "ServerError",
    "Session",
    "Stage",
    "Subscriptions",
    "TlsError",
    "TransportError",
    "UnauthorizedError",
    "UnexpectedResponseError",
    "UnknownOutcomeError",
    "WebRtcError",
    "__version__",
]
