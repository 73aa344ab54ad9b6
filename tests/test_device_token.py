"""Device tokens: their claims, and texts that do not show the token."""

import base64
import contextlib
import json
import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.speaking import Caller
from support.strategies import BRIEFLY, JSON

from webrtc_async.device_token import DeviceTokenClaims
from webrtc_async.emulator import Emulator
from webrtc_async.errors import InvalidArgumentError
from webrtc_async.models import DeviceApiVersion


def token_of(payload: bytes) -> str:
    """Return a JWT with this payload."""
    return ".".join(
        base64.urlsafe_b64encode(part).rstrip(b"=").decode()
        for part in (b'{"alg":"HS256"}', payload, b"signature-that-nobody-checks")
    )


def test_the_claims_of_a_token() -> None:
    """The claims have the account, the participant, the version and the remaining time."""
    caller = Caller(Emulator(clock=lambda: 1_800_000_000.0))
    created = caller.ask("POST", "/participants", {"tag": "visit"})
    claims = DeviceTokenClaims.read(created["token"])
    assert claims.account_id == "9900000"
    assert claims.participant_id == created["participant"]["id"]
    assert claims.device_api_version is DeviceApiVersion.V3
    assert claims.issuer
    assert claims.token_id
    assert claims.extra == {}
    assert claims.expires_in(1_800_000_000.0) == 9 * 3600
    assert claims.expires_in(1_800_000_000.0 + 10 * 3600) == -3600


def test_nothing_shows_the_token() -> None:
    """The claims' repr and pickle do not contain the token or values of unknown claims."""
    token = token_of(b'{"p":"p-1","exp":1,"private":"canary"}')
    claims = DeviceTokenClaims.read(token)
    assert "canary" not in repr(claims)
    for part in token.split("."):
        assert part not in repr(claims)
        assert part.encode() not in pickle.dumps(claims)
    assert pickle.loads(pickle.dumps(claims)) == claims


def test_missing_claims_are_none() -> None:
    """Missing claims read as None, and such a token never expires."""
    claims = DeviceTokenClaims.read(token_of(b"{}"))
    assert claims == DeviceTokenClaims()
    assert claims.expires_in(1e12) == math.inf


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b'{"exp":"soon"}', "exp: expected a number, found text"),
        (b'{"exp":true}', "exp: expected a number, found true"),
        (b'{"exp":1' + b"0" * 400 + b"}", "exp: the number is too large"),
        (b'{"a":9900000}', "a: expected text, found a number"),
        (b'{"v":3}', "v: expected text, found a number"),
        (b"[]", "not a JSON object"),
        (b'{"a":"1","a":"2"}', "cannot be read"),
        (b"\xff", "cannot be read"),
    ],
)
def test_claims_of_another_type(payload: bytes, problem: str) -> None:
    """The error names a claim of the wrong type."""
    with pytest.raises(InvalidArgumentError, match=problem):
        DeviceTokenClaims.read(token_of(payload))


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c.d", "a.!!.c", "ä.ä.ä", "x" * 20_000, None, 5])
def test_an_invalid_token_is_refused(token: str) -> None:
    """A text that is not a JWT raises an error that does not show it."""
    with pytest.raises(InvalidArgumentError) as caught:
        DeviceTokenClaims.read(token)
    assert not token or not isinstance(token, str) or token not in str(caught.value)


@BRIEFLY
@given(st.text(max_size=60) | JSON.map(lambda drawn: token_of(json.dumps(drawn).encode())))
def test_only_our_own_error_is_raised(token: str) -> None:
    """Any text is read, or raises the package's own error."""
    with contextlib.suppress(InvalidArgumentError):
        DeviceTokenClaims.read(token)
