"""Variables of failures: no frame of a traceback has a password, a token or the environment."""

from collections.abc import Callable
from typing import Any

import pytest
from faults.sinks import chain, locals_of
from support.scripted import ScriptedSend, client_of, wire_answer

from webrtc_async import (
    AsyncWebRtcClient,
    BasicAuth,
    BearerAuth,
    ConfigurationError,
    InvalidArgumentError,
    OAuth2ClientCredentials,
)
from webrtc_async._auth.from_environment import auth_from
from webrtc_async._auth.schemes import Auth, Send, as_auth
from webrtc_async._auth.secret import as_secret
from webrtc_async._config.environment import Environment
from webrtc_async._protocol.hidden_frames import hide_frames
from webrtc_async.device_token import DeviceTokenClaims
from webrtc_async.redis import RedisRateLimiter
from webrtc_async.voice import transfer_document, transfer_verb
from webrtc_async.webhooks import SharedSecret

CANARY = "canary-7f3a"
BROKEN = [f"{CANARY}\n", f"{CANARY}\n".encode(), [CANARY], {"password": CANARY}]
ACCOUNT = {"BW_ACCOUNT_ID": "9900000"}
BASIC = {"BW_USERNAME": "user", "BW_PASSWORD": CANARY}
OAUTH = {"BW_CLIENT_ID": "id", "BW_CLIENT_SECRET": CANARY}


def shown_by(error: BaseException) -> str:
    """Return everything that a logger with local variables shows of an error."""
    each = [(str(each), repr(each), each.args, locals_of(each)) for each in chain(error)]
    return repr(each)


CONSTRUCTORS: dict[str, Callable[[Any], object]] = {
    "password": lambda value: BasicAuth("user", value),
    "username": lambda value: BasicAuth(value, "password"),
    "colon": lambda _: BasicAuth("user:", CANARY),
    "token": BearerAuth,
    "characters": lambda _: BearerAuth(f"{CANARY}, two words"),
    "client_secret": lambda value: OAuth2ClientCredentials("id", value),
    "client_id": lambda value: OAuth2ClientCredentials(value, CANARY),
    "token_url": lambda _: OAuth2ClientCredentials("id", CANARY, token_url="nonsense"),
    "pair": lambda value: as_auth(("user", value)),
    "half a pair": lambda value: as_auth((CANARY, value)),
    "no pair": lambda value: as_auth((CANARY, value, CANARY)),
    "client with a pair": lambda value: AsyncWebRtcClient("9900000", auth=("user", value)),
    "client with no auth": lambda _: AsyncWebRtcClient("9900000", auth=CANARY),  # type: ignore[arg-type]
    "client with a wrong setting": lambda _: AsyncWebRtcClient(
        "9900000", auth=("user", CANARY), deadline=-1
    ),
    "client with a wrong header": lambda value: AsyncWebRtcClient(
        "9900000", auth=("user", "password"), headers={"X-Key": value}
    ),
    "client with a wrong proxy": lambda _: AsyncWebRtcClient(
        "9900000", auth=("user", "password"), proxy=f"nonsense://user:{CANARY}@"
    ),
    "client with a wrong port": lambda _: AsyncWebRtcClient(
        "9900000", auth=("user", "password"), base_url=f"http://host:{CANARY}"
    ),
    "limiter": lambda _: RedisRateLimiter(f"redis://:{CANARY}@cache/0", 0),
    "limiter with a wrong port": lambda _: RedisRateLimiter(f"redis://host:{CANARY}", 1),
    "shared secret": lambda value: SharedSecret(value=value),
    "short shared secret": lambda _: SharedSecret(value=CANARY),
}


@pytest.mark.parametrize("value", BROKEN, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("make", CONSTRUCTORS.values(), ids=CONSTRUCTORS)
def test_no_frame_of_a_constructor_has_a_secret(make: Callable[[Any], object], value: Any) -> None:
    """A value that cannot be used is in no variable, text or cause of the failure."""
    with pytest.raises(ConfigurationError) as caught:
        make(value)
    assert CANARY not in shown_by(caught.value)
    assert caught.traceback[-1].name == "call"


ENVIRONMENTS: dict[str, dict[str, str]] = {
    "no account": BASIC,
    "a wrong account": {**BASIC, "BW_ACCOUNT_ID": ".."},
    "half of a pair": {**ACCOUNT, "BW_PASSWORD": CANARY},
    "half of the other pair": {**ACCOUNT, "BW_CLIENT_SECRET": CANARY, **BASIC},
    "a line end": {**ACCOUNT, **BASIC, "BW_PASSWORD": f"{CANARY}\n"},
    "a line end in a client secret": {**ACCOUNT, **OAUTH, "BW_CLIENT_SECRET": f"{CANARY}\n"},
    "a colon": {**ACCOUNT, **BASIC, "BW_USERNAME": "a:b"},
    "a wrong base URL": {**ACCOUNT, **BASIC, "BW_WEBRTC_BASE_URL": f"http://a:{CANARY}@b"},
    "an empty base URL": {**ACCOUNT, **BASIC, "BW_WEBRTC_BASE_URL": ""},
    "a wrong token URL": {**ACCOUNT, **OAUTH, "BW_TOKEN_URL": f"nonsense {CANARY}"},
}


@pytest.mark.parametrize("environ", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_no_frame_of_from_env_has_the_environment(environ: dict[str, str]) -> None:
    """A variable that cannot be used shows neither itself nor the others."""
    with pytest.raises(ConfigurationError) as caught:
        AsyncWebRtcClient.from_env({**environ, "OTHER_SECRET": CANARY})
    assert CANARY not in shown_by(caught.value)


@pytest.mark.parametrize("wrong", [{"unknown": 1}, {"deadline": -1}, {"observers": 5}])
def test_no_frame_has_the_environment_after_another_failure(wrong: Any) -> None:
    """An argument that does not exist, or cannot work, shows no variable either."""
    environ = {**ACCOUNT, **BASIC, "OTHER_SECRET": CANARY}
    with pytest.raises((TypeError, ConfigurationError)) as caught:
        AsyncWebRtcClient.from_env(environ, **wrong)
    assert CANARY not in shown_by(caught.value)
    with pytest.raises((TypeError, ConfigurationError)) as caught:
        AsyncWebRtcClient("9900000", auth=("user", CANARY), **wrong)
    assert CANARY not in shown_by(caught.value)


@pytest.mark.parametrize("use", [DeviceTokenClaims.read, transfer_document, transfer_verb])
@pytest.mark.parametrize("token", [f"{CANARY}\n", f"{CANARY}.!!!.x\n", f"{CANARY}.W10.x;"])
def test_no_frame_has_a_device_token(use: Callable[[str], object], token: str) -> None:
    """A device token that cannot be used is in no variable."""
    with pytest.raises(InvalidArgumentError) as caught:
        use(token)
    assert CANARY not in shown_by(caught.value)


def test_another_exception_keeps_its_frames() -> None:
    """A defect is told with all its frames, and without the arguments of the wrapper."""

    @hide_frames
    def fail(secret: str) -> None:
        del secret
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        fail(CANARY)
    assert [each.name for each in caught.traceback][-2:] == ["call", "fail"]
    assert CANARY not in shown_by(caught.value)


def test_no_frame_of_a_view_has_a_header() -> None:
    """A header that cannot be sent is not shown."""
    with pytest.raises(ConfigurationError) as caught:
        client_of().with_options(headers={"X-Key": f"{CANARY}\n"})
    assert CANARY not in shown_by(caught.value)


def test_the_parts_hide_their_frames_through_their_callers() -> None:
    """The functions below the constructors name the setting in their errors."""
    with pytest.raises(ConfigurationError, match="control character"):
        as_secret("password", f"{CANARY}\n")
    with pytest.raises(ConfigurationError, match="BW_USERNAME and BW_PASSWORD"):
        auth_from(Environment({**BASIC, "BW_PASSWORD": "a\n"}))


@pytest.mark.anyio
@pytest.mark.parametrize("value", BROKEN, ids=lambda value: type(value).__name__)
async def test_no_frame_of_a_call_has_what_a_provider_returned(value: Any) -> None:
    """A secret that a provider returns, and that cannot be sent, is in no variable."""
    for auth in (
        BasicAuth("user", lambda: value),
        BearerAuth(lambda: value),
        BearerAuth(lambda: f"{CANARY}, two words"),
        OAuth2ClientCredentials("id", lambda: value),
    ):
        with pytest.raises(ConfigurationError) as caught:
            await client_of(auth=auth).get_session("s-1")
        assert CANARY not in shown_by(caught.value)


@pytest.mark.anyio
@pytest.mark.parametrize("value", BROKEN[:2], ids=["str", "bytes"])
async def test_no_frame_of_a_call_has_what_your_auth_returned(value: Any) -> None:
    """A header of an Auth of your own that cannot be sent is in no variable."""

    class Own(Auth):
        async def authorization(self, send: Send) -> str:
            return value

    with pytest.raises(ConfigurationError) as caught:
        await client_of(auth=Own()).get_session("s-1")
    assert CANARY not in shown_by(caught.value)


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [CANARY, "mac"])
async def test_no_frame_of_a_token_request_has_the_token(kind: str) -> None:
    """A token that cannot be used is in no variable."""
    answer = wire_answer(200, {"access_token": f"{CANARY}.t", "token_type": kind})
    with pytest.raises(ConfigurationError) as caught:
        await OAuth2ClientCredentials("id", CANARY).authorization(ScriptedSend(answer))
    assert CANARY not in shown_by(caught.value)
