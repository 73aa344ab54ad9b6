"""The credentials of the cells, and the secrets that must not appear anywhere."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from attrs import frozen
from support.scripted import serving

from webrtc_async import BasicAuth, BearerAuth, OAuth2ClientCredentials

from .behaviours import answered

# Each escape changes some of their characters.
PASSWORD: Final = "c4nary-Pa55w0rd\"&<é%/+\\'=>"
BEARER: Final = "c4nary.Bearer-t0ken|&<%/+:'=="
CLIENT_SECRET: Final = "c4nary-Cl1ent-Secret\"&<é%/+\\'=>"
ACCESS_TOKEN: Final = "c4nary.Access-t0ken|&<%/+:'=="
DEVICE_TOKEN: Final = "eyJhbGciOiJIUzI1NiJ9.eyJwYXJ0aWNpcGFudCI6ImM0bmFyeSJ9.c4nary-S1gnature"
OPAQUE_TOKEN: Final = "c4nary-Opaque-Dev1ce"

PAIRS: Final = ("user", PASSWORD), ("client", CLIENT_SECRET)
_PLAIN: Final = PASSWORD[:15], BEARER[:19], CLIENT_SECRET[:20], ACCESS_TOKEN[:19]
SECRETS: Final = (
    *_PLAIN, OPAQUE_TOKEN, DEVICE_TOKEN, DEVICE_TOKEN.partition(".")[0],
    *(base64.b64encode(f"{name}:{secret}".encode()).decode()[:28] for name, secret in PAIRS),
    *(base64.b64encode(each.encode()).decode()[:16] for each in _PLAIN),
)  # fmt: skip
"""The texts that must never appear: the start of each secret, which no escape changes, and of its
form on the wire and in base64."""

GRANT: Final = json.dumps({"access_token": ACCESS_TOKEN, "expires_in": 3600}).encode()


def client_credentials(port: int) -> OAuth2ClientCredentials:
    """Return credentials whose token endpoint is on a port of this machine."""
    url = f"http://127.0.0.1:{port}/token"
    return OAuth2ClientCredentials("client", CLIENT_SECRET, token_url=url)


@asynccontextmanager
async def _basic() -> AsyncIterator[Any]:
    yield BasicAuth("user", PASSWORD)


@asynccontextmanager
async def _bearer() -> AsyncIterator[Any]:
    yield BearerAuth(BEARER)


@asynccontextmanager
async def _oauth2() -> AsyncIterator[Any]:
    async with serving(answered(GRANT), keeps_alive=True) as endpoint:
        yield client_credentials(endpoint.port)


@frozen
class Credentials:
    """A kind of credentials.

    Attributes:
        name: A description in words.
        given: Sets them up, with a working token endpoint if they need one.
    """

    name: str
    given: Callable[[], AbstractAsyncContextManager[Any]]


BASIC, TOKEN, GRANTED = KINDS = (
    Credentials("basic", _basic),
    Credentials("bearer", _bearer),
    Credentials("oauth2", _oauth2),
)
