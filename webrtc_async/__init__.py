"""An asyncio-native client for Bandwidth's WebRTC REST API.

    async with AsyncWebRtcClient("9900000", auth=("username", "password")) as client:
        session = await client.create_session(Session(tag="visit-42"))

`AsyncWebRtcClient` has the eleven operations as methods, `models` their data, `errors` every
exception in one tree, and `emulator` the service itself for trying and testing without an account.
`webhooks` receives participants' events, `voice` brings phones in, and `device_token` reads tokens.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

from webrtc_async._version import __version__

if TYPE_CHECKING:
    from webrtc_async.api_response import ApiResponse
    from webrtc_async.auth import Auth, BasicAuth, BearerAuth
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

_HOMES: Final = {
    "api_response": ("ApiResponse",),
    "auth": ("Auth", "BasicAuth", "BearerAuth"),
    "client": ("AsyncWebRtcClient",),
    "errors": (
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
    ),
    "models": (
        "AccountsParticipantsResponse",
        "DeviceApiVersion",
        "Participant",
        "ParticipantSubscription",
        "PublishPermission",
        "Session",
        "Subscriptions",
    ),
    "oauth2": ("OAuth2ClientCredentials",),
    "observer": ("ObservedAttempt", "ObservedCall", "ObservedEnd", "Observer"),
    "outcome": ("Orphan", "Outcome", "Stage"),
    "rate_limiter": ("LocalRateLimiter", "RateLimiter"),
    "retry": ("RetryPolicy",),
    "retry_quota": ("RetryQuota",),
    "route": ("Repeat", "Route"),
    "route_table": ("ROUTES",),
    "secret": ("EnvironmentSecret", "Secret"),
    "session_setup.bulk_setup": ("SetupResult",),
    "session_setup.bulk_teardown": ("TeardownResult",),
    "session_setup.conference": ("Conference", "Member"),
    "session_setup.errors": (
        "ConferenceError",
        "ConferenceOverError",
        "JournalError",
        "SetupError",
        "TeardownError",
    ),
    "session_setup.hearing": ("Heard", "Hearing"),
    "session_setup.journal": ("Journal",),
    "session_setup.live": ("LiveConference",),
    "session_setup.plan": ("ConferencePlan", "Seat"),
    "session_setup.plan_json": ("read_plan", "write_plan"),
    "session_setup.progress": ("BulkProgress", "SetupProgress"),
    "session_setup.resource": ("Resource",),
}
"""Which module each name is loaded from when it is first asked for."""

_MODULE_OF: Final = {name: module for module, names in _HOMES.items() for name in names}

if not TYPE_CHECKING:  # or else checkers would take every name for one that exists

    def __getattr__(name: str) -> object:
        """Load a name when it is first asked for (PEP 562)."""
        module = _MODULE_OF.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{module}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return [*__all__, "__doc__", "__file__", "__name__", "__path__"]
