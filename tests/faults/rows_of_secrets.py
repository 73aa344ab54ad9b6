"""Faults that send a secret back: echoes, errors with a token, and a broken token endpoint."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from support.scripted import Behaviour, hang_up, raw, serving

from webrtc_async import (
    ApiError,
    ConfigurationError,
    Outcome,
    ServerError,
    UnauthorizedError,
    UnexpectedResponseError,
)
from webrtc_async.errors import WebRtcError

from .behaviours import HEAD, answered, echoing
from .credentials import ACCESS_TOKEN, CLIENT_SECRET, DEVICE_TOKEN, GRANTED, client_credentials
from .row import Expected, Row, create_participant, get_participant, lost, refused, unsent
from .scene import GOOD, Scene, Stage, wire

HANDED_OVER = json.dumps({"token": DEVICE_TOKEN, "participant": {"id": 5}}).encode()


def at_token_endpoint(fault: Behaviour) -> Stage:
    """Set up a working service whose token endpoint applies the fault to every request."""

    @asynccontextmanager
    async def stage() -> AsyncIterator[Scene]:
        async with serving(fault) as endpoint, serving(GOOD) as service:
            settings = {"auth": client_credentials(endpoint.port)}
            yield Scene(service.url(), settings, fault, endpoint)

    return stage


def token_row(
    number: str, fault: str, behaviour: Behaviour, error: type[WebRtcError], requests: int = 1
) -> Row:
    """Return a row of a token endpoint's fault; the service gets no request."""
    expected = Expected(error, requests, Outcome.NOT_SENT)
    stage = at_token_endpoint(behaviour)
    return Row(
        number,
        f"token endpoint {fault}",
        stage,
        expected,
        expected,
        heals=False,
        credentials=(GRANTED,),
    )


def participant_row(number: str, fault: str, behaviour: Behaviour, *expected: Expected) -> Row:
    """Return a row of a response with a device token in it."""
    repeatable, create = expected[0], expected[-1]
    return Row(
        number,
        f"a device token in {fault}",
        wire(behaviour),
        repeatable,
        create,
        perform=get_participant,
        perform_create=create_participant,
    )


def granting(token: str, status: bytes = b"200 OK", **fields: object) -> Behaviour:
    """Respond like a token endpoint, or nearly so."""
    return answered(json.dumps({"access_token": token, **fields}).encode(), status=status)


ROWS_OF_SECRETS = [
    Row(
        "60",
        "a refusal that echoes the request",
        wire(echoing(b"400 Bad Request")),
        refused(ApiError, 1, 400),
        refused(ApiError, 1, 400),
    ),
    Row(
        "60s",
        "a success that echoes the request",
        wire(echoing(b"200 OK")),
        Expected(UnexpectedResponseError),
        Expected(UnexpectedResponseError),
    ),
    participant_row(
        "60d",
        "a success that does not fit",
        answered(HANDED_OVER),
        Expected(UnexpectedResponseError, 1, Outcome.ANSWERED, 200),
    ),
    participant_row(
        "60c",
        "a success that is cut off",
        raw(HEAD + b"Content-Length: 999\r\n\r\n" + HANDED_OVER),
        lost(3, 200),
        lost(1, 200),
    ),
    participant_row(
        "60g",
        "a success of an unknown encoding",
        answered(HANDED_OVER, b"Content-Encoding: br"),
        Expected(UnexpectedResponseError, 1, Outcome.ANSWERED, 200),
    ),
    participant_row(
        "60f",
        "a refusal",
        answered(HANDED_OVER, status=b"403 No"),
        refused(ApiError, 1, 403),
    ),
    token_row("60e", "echoes in 400", echoing(b"400 Bad Request"), ConfigurationError),
    token_row("60u", "echoes in 401", echoing(b"401 Unauthorized"), UnauthorizedError),
    token_row("60v", "echoes in 503", echoing(b"503 Down"), ServerError, 3),
    token_row("60w", "echoes in 200", echoing(b"200 OK"), ConfigurationError),
    token_row(
        "60x",
        "tells the secret",
        granting(ACCESS_TOKEN, b"401 No", error="invalid_client", error_description=CLIENT_SECRET),
        UnauthorizedError,
    ),
    token_row("60y", "grants no token", granting(f"{ACCESS_TOKEN}\n"), ConfigurationError),
    Row(
        "60l",
        "token endpoint hangs up",
        at_token_endpoint(hang_up),
        unsent(says="no access token could be fetched"),
        unsent(says="no access token could be fetched"),
        heals=False,
        credentials=(GRANTED,),
    ),
    Row(
        "60k",
        "token endpoint cut off in its answer",
        at_token_endpoint(
            raw(HEAD + b'Content-Length: 999\r\n\r\n{"access_token": "' + ACCESS_TOKEN.encode())
        ),
        unsent(says="no access token could be fetched"),
        unsent(says="no access token could be fetched"),
        heals=False,
        credentials=(GRANTED,),
    ),
]
