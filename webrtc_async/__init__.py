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
    RateLimiterError,
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
from webrtc_async.rate_limiter import LocalRateLimiter, RateLimiter
from webrtc_async.retry import RetryPolicy
from webrtc_async.retry_quota import RetryQuota
from webrtc_async.route import Repeat, Route
from webrtc_async.route_table import ROUTES
from webrtc_async.secret import EnvironmentSecret, Secret
from webrtc_async.session_setup.bulk_setup import SetupResult
from webrtc_async.session_setup.bulk_teardown import TeardownResult
from webrtc_async.session_setup.conference import Conference, Member
from webrtc_async.session_setup.errors import (
    ConferenceError,
    ConferenceOverError,
    JournalError,
    SetupError,
    TeardownError,
)
from webrtc_async.session_setup.hearing import Heard, Hearing
from webrtc_async.session_setup.journal import Journal
from webrtc_async.session_setup.live import LiveConference
from webrtc_async.session_setup.plan import ConferencePlan, Seat
from webrtc_async.session_setup.plan_json import read_plan, write_plan
from webrtc_async.session_setup.progress import BulkProgress, SetupProgress
from webrtc_async.session_setup.resource import Resource

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
    "BulkProgress",
    "ClientClosedError",
    "Conference",
    "ConferenceError",
    "ConferenceOverError",
    "ConferencePlan",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "CreateRolledBackError",
    "DeadlineExceededError",
    "DeviceApiVersion",
    "EnvironmentSecret",
    "ForbiddenError",
    "Heard",
    "Hearing",
    "InvalidArgumentError",
    "Journal",
    "JournalError",
    "LiveConference",
    "LocalRateLimiter",
    "Member",
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
    "RateLimiter",
    "RateLimiterError",
    "RedirectError",
    "Repeat",
    "Resource",
    "ResponseTooLargeError",
    "RetryPolicy",
    "RetryQuota",
    "Route",
    "RouteMismatchError",
    "Seat",
    "Secret",
    "ServerError",
    "Session",
    "SetupError",
    "SetupProgress",
    "SetupResult",
    "Stage",
    "Subscriptions",
    "TeardownError",
    "TeardownResult",
    "TlsError",
    "TransportError",
    "UnauthorizedError",
    "UnexpectedResponseError",
    "UnknownOutcomeError",
    "WebRtcError",
    "__version__",
    "read_plan",
    "write_plan",
]
