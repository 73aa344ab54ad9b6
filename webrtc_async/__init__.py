"""An asyncio client for Bandwidth's WebRTC REST API.

    auth = OAuth2ClientCredentials("client-id", "client-secret")
    async with AsyncWebRtcClient("9900000", auth=auth) as client:
        session = await client.create_session(Session(tag="visit-42"))

`AsyncWebRtcClient` has the eleven operations as methods. `models` has their data, `errors` every
exception, and `emulator` an emulator of the service for development and tests. `webhooks` receives
events of participants, `voice` connects phones, and `device_token` reads device tokens.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

from webrtc_async._version import __version__

if TYPE_CHECKING:
    from webrtc_async._auth.oauth2 import OAuth2ClientCredentials
    from webrtc_async._auth.schemes import Auth, BasicAuth, BearerAuth
    from webrtc_async._auth.secret import EnvironmentSecret, Secret
    from webrtc_async._call.api_response import ApiResponse
    from webrtc_async._call.observer import ObservedAttempt, ObservedCall, ObservedEnd, Observer
    from webrtc_async._call.retry_policy import RetryPolicy
    from webrtc_async._call.retry_quota import RetryQuota
    from webrtc_async._codec.wire_form import from_wire, to_wire
    from webrtc_async._protocol.route import Idempotency, Route
    from webrtc_async._transport.rate_limiter import LocalRateLimiter, RateLimiter
    from webrtc_async.client import AsyncWebRtcClient
    from webrtc_async.conferences.bulk_results import BulkResults
    from webrtc_async.conferences.bulk_setup import SetUpDone, SetUpFailed
    from webrtc_async.conferences.bulk_teardown import TeardownResult
    from webrtc_async.conferences.conference import Conference, Member
    from webrtc_async.conferences.errors import (
        ConferenceError,
        ConferenceOverError,
        JournalError,
        SetupError,
        TeardownError,
    )
    from webrtc_async.conferences.in_doubt import InDoubt
    from webrtc_async.conferences.journal import Journal
    from webrtc_async.conferences.live import LiveConference
    from webrtc_async.conferences.plan import ConferencePlan, ParticipantSpec
    from webrtc_async.conferences.plan_json import read_plan, write_plan
    from webrtc_async.conferences.progress import BulkProgress, SetupProgress
    from webrtc_async.conferences.resource import Resource
    from webrtc_async.conferences.subscriptions import SubscribedParticipant, SubscriptionsByName
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
    from webrtc_async.errors.outcome import Orphan, Outcome, Stage
    from webrtc_async.models import (
        AccountsParticipantsResponse,
        DeviceApiVersion,
        OpenEnum,
        Participant,
        ParticipantSubscription,
        PublishPermission,
        Session,
        Subscriptions,
    )
    from webrtc_async.route_table import ROUTES

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
    "BulkResults",
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
    "Idempotency",
    "InDoubt",
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
    "OpenEnum",
    "Orphan",
    "Outcome",
    "Participant",
    "ParticipantSpec",
    "ParticipantSubscription",
    "PublishPermission",
    "RateLimitedError",
    "RateLimiter",
    "RateLimiterError",
    "RedirectError",
    "Resource",
    "ResponseTooLargeError",
    "RetryPolicy",
    "RetryQuota",
    "Route",
    "RouteMismatchError",
    "Secret",
    "ServerError",
    "Session",
    "SetUpDone",
    "SetUpFailed",
    "SetupError",
    "SetupProgress",
    "Stage",
    "SubscribedParticipant",
    "Subscriptions",
    "SubscriptionsByName",
    "TeardownError",
    "TeardownResult",
    "TlsError",
    "TransportError",
    "UnauthorizedError",
    "UnexpectedResponseError",
    "UnknownOutcomeError",
    "WebRtcError",
    "__version__",
    "from_wire",
    "read_plan",
    "to_wire",
    "write_plan",
]

_HOMES: Final = {
    "_call.api_response": ("ApiResponse",),
    "_auth.schemes": ("Auth", "BasicAuth", "BearerAuth"),
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
        "OpenEnum",
        "Participant",
        "ParticipantSubscription",
        "PublishPermission",
        "Session",
        "Subscriptions",
    ),
    "_auth.oauth2": ("OAuth2ClientCredentials",),
    "_call.observer": ("ObservedAttempt", "ObservedCall", "ObservedEnd", "Observer"),
    "errors.outcome": ("Orphan", "Outcome", "Stage"),
    "_transport.rate_limiter": ("LocalRateLimiter", "RateLimiter"),
    "_call.retry_policy": ("RetryPolicy",),
    "_call.retry_quota": ("RetryQuota",),
    "_protocol.route": ("Idempotency", "Route"),
    "_codec.wire_form": ("from_wire", "to_wire"),
    "route_table": ("ROUTES",),
    "_auth.secret": ("EnvironmentSecret", "Secret"),
    "conferences.bulk_results": ("BulkResults",),
    "conferences.bulk_setup": ("SetUpDone", "SetUpFailed"),
    "conferences.bulk_teardown": ("TeardownResult",),
    "conferences.conference": ("Conference", "Member"),
    "conferences.errors": (
        "ConferenceError",
        "ConferenceOverError",
        "JournalError",
        "SetupError",
        "TeardownError",
    ),
    "conferences.subscriptions": ("SubscribedParticipant", "SubscriptionsByName"),
    "conferences.in_doubt": ("InDoubt",),
    "conferences.journal": ("Journal",),
    "conferences.live": ("LiveConference",),
    "conferences.plan": ("ConferencePlan", "ParticipantSpec"),
    "conferences.plan_json": ("read_plan", "write_plan"),
    "conferences.progress": ("BulkProgress", "SetupProgress"),
    "conferences.resource": ("Resource",),
}
"""The module of each name; a name is loaded at its first use."""

_MODULE_OF: Final = {name: module for module, names in _HOMES.items() for name in names}

if not TYPE_CHECKING:  # otherwise type checkers would accept every name

    def __getattr__(name: str) -> object:
        """Load a name at its first use (PEP 562)."""
        module = _MODULE_OF.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{module}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return [*__all__, "__doc__", "__file__", "__name__", "__path__"]
