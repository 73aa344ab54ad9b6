"""Credentials: their headers, the values they refuse, and reprs without secrets."""

import base64
import copy
import json
import pickle
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.backends import jumping_backends
from support.scripted import ScriptedSend, texts_of, wire_answer
from support.speaking import Clock

from webrtc_async._auth.from_environment import auth_from
from webrtc_async._auth.oauth2 import OAuth2ClientCredentials
from webrtc_async._auth.schemes import Auth, BasicAuth, BearerAuth, as_auth
from webrtc_async._auth.secret import Secret
from webrtc_async._config.environment import TOKEN_URL, Environment
from webrtc_async._protocol.wire import WireResponse
from webrtc_async.errors import (
    ApiError,
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    RateLimitedError,
    ResponseTooLargeError,
    ServerError,
    TlsError,
    UnauthorizedError,
    UnknownOutcomeError,
    WebRtcError,
)
from webrtc_async.errors.outcome import Outcome

CANARY = "canary-7f3a"
CONTROLS = ["a\rb", "a\nb", "a\r\nX-Evil: 1", "\0", "tab\t", "del\x7f"]
TOKEN = wire_answer(200, {"access_token": "abc.def", "token_type": "bearer", "expires_in": 3600})


class UnusedSend:
    """A `send` that fails the test if it is used."""

    async def __call__(self, _: object) -> WireResponse:
        raise AssertionError("nothing is to be sent")


# A secret


@pytest.mark.parametrize(
    "holder",
    [
        Secret(CANARY),
        [Secret(CANARY)],
        {"password": Secret(CANARY)},
        BasicAuth("user", CANARY),
        BearerAuth(CANARY),
        OAuth2ClientCredentials("id", CANARY),
    ],
)
def test_a_secret_shows_nowhere(holder: object) -> None:
    """No repr or text of a secret or its holder shows it."""
    for text in (*texts_of(holder), "%s %r" % (holder, holder)):  # noqa: UP031
        assert CANARY not in text
        assert "<hidden>" in text
    with pytest.raises(TypeError):
        vars(Secret(CANARY))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("holder", [Secret(CANARY), BasicAuth("user", CANARY), BearerAuth(CANARY)])
def test_a_secret_is_not_pickled(holder: object, protocol: int) -> None:
    """Pickling and deep copies are refused with advice and without the secret."""
    with pytest.raises(TypeError, match="from_env") as caught:
        pickle.dumps(holder, protocol)
    assert CANARY not in str(caught.value)
    with pytest.raises(TypeError):
        copy.deepcopy(holder)


def test_client_credentials_are_not_pickled() -> None:
    """Client credentials do not pickle either."""
    with pytest.raises(TypeError):
        pickle.dumps(OAuth2ClientCredentials("id", CANARY))


def test_a_secret_is_not_json() -> None:
    """A secret in a JSON log record raises an error instead of leaking."""
    with pytest.raises(TypeError):
        json.dumps({"password": Secret(CANARY)})


def test_a_secret_reveals_on_demand() -> None:
    """reveal() returns the text."""
    assert Secret(CANARY).reveal() == CANARY


# Basic


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("username", "password", "header"),
    [
        # RFC 7617, sections 2 and 2.1.
        ("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ("test", "123£", "Basic dGVzdDoxMjPCow=="),
        ("user", "with:colon", "Basic dXNlcjp3aXRoOmNvbG9u"),
    ],
)
async def test_basic_follows_the_rfc(username: str, password: str, header: str) -> None:
    """The header follows RFC 7617, with UTF-8; a password may contain a colon."""
    assert await BasicAuth(username, password).authorization(UnusedSend()) == header


@given(
    username=st.text(
        st.characters(exclude_categories=("Cc", "Cs"), exclude_characters=":"), min_size=1
    ),
    password=st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1),
)
def test_every_basic_pair_can_be_read_back(username: str, password: str) -> None:
    """The server reads every accepted pair back unchanged."""

    async def authorize() -> str:
        return await BasicAuth(username, password).authorization(UnusedSend())

    scheme, _, encoded = anyio.run(authorize).partition(" ")
    pair = base64.b64decode(encoded, validate=True).decode("utf-8")
    assert (scheme, *pair.split(":", 1)) == ("Basic", username, password)


MAKERS = {
    "username": lambda value: BasicAuth(value, "password"),
    "password": lambda value: BasicAuth("user", value),
    "token": BearerAuth,
    "client_id": lambda value: OAuth2ClientCredentials(value, "secret"),
    "client_secret": lambda value: OAuth2ClientCredentials("id", value),
}


@pytest.mark.parametrize("value", ["", None, 5, b"bytes", ["a"], *CONTROLS])
@pytest.mark.parametrize("name", MAKERS)
def test_a_text_that_cannot_be_sent_is_refused(name: str, value: Any) -> None:
    """The error names an empty value, a non-text or a control character, without the value."""
    with pytest.raises(ConfigurationError, match=f"^The {name} ") as caught:
        MAKERS[name](value)
    assert "evil" not in str(caught.value).lower()


@pytest.mark.parametrize("value", ["", *CONTROLS])
@pytest.mark.parametrize("name", ["password", "token", "client_secret"])
def test_a_given_secret_is_checked_too(name: str, value: str) -> None:
    """A value wrapped in Secret is checked like any other."""
    with pytest.raises(ConfigurationError, match=f"^The {name} "):
        MAKERS[name](Secret(value))


def test_a_given_secret_is_used() -> None:
    """A valid Secret is used unchanged."""
    secret = Secret(CANARY)
    assert BasicAuth("user", secret).password is secret
    assert BearerAuth(secret).token is secret
    assert OAuth2ClientCredentials("id", secret).client_secret is secret


@pytest.mark.parametrize("username", [":", "a:b", "a:"])
def test_a_colon_in_the_username_is_refused(username: str) -> None:
    """A username with a colon is refused, because the server would split it."""
    with pytest.raises(ConfigurationError, match="username has a colon"):
        BasicAuth(username, "password")


# Bearer


@pytest.mark.anyio
@pytest.mark.parametrize("token", ["abc", "mF_9.B5f-4.1JqM", "a+/~==", "eyJh.eyJz.c2ln"])
async def test_bearer_sends_its_token(token: str) -> None:
    """The header follows RFC 6750."""
    assert await BearerAuth(token).authorization(UnusedSend()) == f"Bearer {token}"


@pytest.mark.parametrize("token", ["two words", "=", "a=b", "ümlaut", 'quo"te', "a,b", "Bearer x"])
def test_an_invalid_token_is_refused(token: str) -> None:
    """Characters that RFC 6750 does not allow are refused without being shown."""
    with pytest.raises(ConfigurationError, match="bearer token") as caught:
        BearerAuth(token)
    assert token not in str(caught.value)


# as_auth and auth_from


def test_a_pair_is_a_username_and_password() -> None:
    """A pair of texts is Basic auth."""
    auth = as_auth(("user", "password"))
    assert isinstance(auth, BasicAuth)
    assert (auth.username, auth.password.reveal()) == ("user", "password")


@pytest.mark.parametrize(
    "auth", [BasicAuth("u", "p"), BearerAuth("t"), OAuth2ClientCredentials("i", "s")]
)
def test_an_auth_is_returned_unchanged(auth: Auth) -> None:
    """An Auth is returned as it is."""
    assert as_auth(auth) is auth


@pytest.mark.parametrize(
    "auth", [None, CANARY, (CANARY,), (CANARY, "b", "c"), {CANARY: "b"}, 5, b"ab"]
)
def test_another_type_is_no_auth(auth: object) -> None:
    """The error names the type of any other value, without showing it."""
    with pytest.raises(ConfigurationError, match=f"not {type(auth).__name__}") as caught:
        as_auth(auth)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("auth", "said"),
    [
        ((CANARY, None), "The password must be a str, not NoneType"),
        ((None, CANARY), "The username must be a str, not NoneType"),
        ([CANARY, 1], "The password must be a str, not int"),
        ((CANARY, ""), "The password is empty"),
    ],
)
def test_a_half_of_another_type_is_named(auth: object, said: str) -> None:
    """The error names the half that is not text, and shows no value."""
    with pytest.raises(ConfigurationError, match=said) as caught:
        as_auth(auth)
    assert CANARY not in str(caught.value)


BASIC = {"BW_USERNAME": "user", "BW_PASSWORD": "password"}
OAUTH = {"BW_CLIENT_ID": "id", "BW_CLIENT_SECRET": "secret"}


def test_basic_from_the_environment() -> None:
    """A username and a password make Basic auth."""
    auth = auth_from(Environment(BASIC))
    assert isinstance(auth, BasicAuth)
    assert (auth.username, auth.password.reveal()) == ("user", "password")


@pytest.mark.parametrize("beside", [{}, BASIC, {"BW_USERNAME": "half"}])
def test_client_credentials_go_first(beside: dict[str, str]) -> None:
    """A client id or secret takes precedence over a username and password."""
    auth = auth_from(Environment(OAUTH | beside))
    assert isinstance(auth, OAuth2ClientCredentials)
    assert (auth.client_id, auth.client_secret.reveal()) == ("id", "secret")
    assert auth.token_url == TOKEN_URL


def test_the_token_url_comes_from_the_environment() -> None:
    """BW_TOKEN_URL replaces the public one."""
    auth = auth_from(Environment({**OAUTH, "BW_TOKEN_URL": "https://t.example/x"}))
    assert isinstance(auth, OAuth2ClientCredentials)
    assert auth.token_url == "https://t.example/x"


@pytest.mark.parametrize("empty", [None, ""])
@pytest.mark.parametrize("missing", [*BASIC, *OAUTH])
def test_half_of_a_pair_names_the_other_half(missing: str, empty: str | None) -> None:
    """For half of a pair, the error names the missing variable."""
    environ = dict(BASIC if missing in BASIC else OAUTH)
    environ.pop(missing)
    if empty is not None:
        environ[missing] = empty
    with pytest.raises(ConfigurationError, match=f"variable {missing} is not set"):
        auth_from(Environment(environ))


@pytest.mark.parametrize(
    "environ", [{}, dict.fromkeys([*BASIC, *OAUTH], ""), {"BW_TOKEN_URL": "x"}]
)
def test_an_empty_environment_names_them_all(environ: dict[str, str]) -> None:
    """Without either pair, the error names all four variables."""
    with pytest.raises(ConfigurationError) as caught:
        auth_from(Environment(environ))
    assert all(name in str(caught.value) for name in (*BASIC, *OAUTH))


# OAuth2


@pytest.mark.parametrize("url", ["", "ftp://x", "https://", "https://a b", "file:///x", "x\n"])
def test_an_invalid_token_url_variable_is_refused(url: str) -> None:
    """The error names a token URL that cannot be used."""
    with pytest.raises(ConfigurationError, match="token_url"):
        OAuth2ClientCredentials("id", "secret", token_url=url)


@pytest.mark.anyio
async def test_the_token_request_follows_the_rfc() -> None:
    """The request follows RFC 6749, 4.4.2, with the client's id and secret as Basic."""
    send = ScriptedSend(TOKEN)
    auth = OAuth2ClientCredentials("Aladdin", "open sesame", token_url="https://t.example/token")
    assert await auth.authorization(send) == "Bearer abc.def"
    [request] = send.requests
    assert (request.method, request.target) == ("POST", "https://t.example/token")
    assert request.content == b"grant_type=client_credentials"
    assert request.headers == {
        "Authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
    }


def test_credentials_need_no_running_loop() -> None:
    """Client credentials can be made at import time and used on any backend later."""
    auth = OAuth2ClientCredentials("id", "secret")

    async def authorize() -> str:
        return await auth.authorization(ScriptedSend(TOKEN))

    assert anyio.run(authorize) == "Bearer abc.def"


@pytest.mark.anyio
async def test_fifty_calls_fetch_one_token() -> None:
    """Calls that start at once share one token request."""
    send, auth = ScriptedSend(TOKEN), OAuth2ClientCredentials("id", "secret")
    headers: list[str] = []

    async def one() -> None:
        headers.append(await auth.authorization(send))

    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(one)
    assert headers == ["Bearer abc.def"] * 50
    assert len(send.requests) == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("expires_in", "kept"),
    [
        (3600, 3540),
        ("3600", 3540),
        ("3600.0", 3540),
        (" 3600", 3540),
        ("9" * 99, 86_400 - 60),
        (3600.5, 3540.5),
        (120, 60),
        (100, 50),
        (10, 5),
        (10**400, 86_400 - 60),
    ],
)
async def test_a_token_is_renewed_before_it_expires(expires_in: Any, kept: float) -> None:
    """A token is kept until a minute before its end, or half its life if that is longer."""
    send = ScriptedSend(
        wire_answer(200, {"access_token": "first", "expires_in": expires_in}),
        wire_answer(200, {"access_token": "second", "expires_in": expires_in}),
    )
    clock = Clock()
    auth = OAuth2ClientCredentials("id", "secret", clock=clock)
    assert await auth.authorization(send) == "Bearer first"
    clock.now += kept - 1
    assert await auth.authorization(send) == "Bearer first"
    clock.now += 1
    assert await auth.authorization(send) == "Bearer second"
    assert await auth.authorization(send) == "Bearer second"
    assert len(send.requests) == 2


@pytest.mark.anyio
async def test_a_slow_response_does_not_lengthen_a_token() -> None:
    """A token's life starts at its request, because the service may count from there."""
    clock = Clock()

    async def slowly() -> WireResponse:
        clock.now += 3000
        return wire_answer(200, {"access_token": "slow", "expires_in": 3600})

    send = ScriptedSend(slowly)
    auth = OAuth2ClientCredentials("id", "secret", clock=clock)
    await auth.authorization(send)
    clock.now += 541
    await auth.authorization(send)
    assert len(send.requests) == 2


@pytest.mark.anyio
@pytest.mark.parametrize(
    "body", [{}, *({"expires_in": value} for value in (0, -5, "soon", None, []))]
)
async def test_a_token_of_unknown_life_is_used_once(body: dict[str, object]) -> None:
    """Without a valid expires_in a token serves one call, and the next call fetches another."""
    send = ScriptedSend(wire_answer(200, {"access_token": "abc", **body}))
    auth = OAuth2ClientCredentials("id", "secret")
    for count in (1, 2):
        assert await auth.authorization(send) == "Bearer abc"
        assert len(send.requests) == count


UNUSABLE = [
    {},
    *({"expires_in": value} for value in (None, "", "soon", 0, "0", -5, "-5", True, [])),
]
HUGE = [10**9, 10**400, "9" * 99, 1e300]


@pytest.mark.anyio
@pytest.mark.parametrize("fields", [*UNUSABLE, *({"expires_in": value} for value in (1e-9, *HUGE))])
async def test_waiting_calls_share_a_token_of_any_life(fields: dict[str, object]) -> None:
    """Calls that wait for a token all use it, however short its life is."""
    send = ScriptedSend(wire_answer(200, {"access_token": "abc", **fields}))
    auth, headers = OAuth2ClientCredentials("id", "secret"), list[str]()

    async def one() -> None:
        headers.append(await auth.authorization(send))

    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(one)
    assert headers == ["Bearer abc"] * 50
    assert len(send.requests) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("status", [200, 201, 203])
@pytest.mark.parametrize("token", ["abc|def", "12:abc", "00D!AR.x", "a~b+c/d==", "{curly}"])
async def test_a_token_of_any_success_is_taken(status: int, token: str) -> None:
    """A token endpoint may respond with any success, and a token may have any safe character."""
    auth = OAuth2ClientCredentials("id", "secret")
    send = ScriptedSend(wire_answer(status, {"access_token": token, "expires_in": 60}))
    assert await auth.authorization(send) == f"Bearer {token}"
    assert await BearerAuth(token).authorization(UnusedSend()) == f"Bearer {token}"


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [None, "bearer", "Bearer", "BEARER", " Bearer "])
async def test_a_bearer_token_is_one_in_any_case(kind: str | None) -> None:
    """The case of a token_type does not matter, and a missing one means bearer."""
    send = ScriptedSend(wire_answer(200, {"access_token": "abc", "token_type": kind}))
    assert await OAuth2ClientCredentials("id", "secret").authorization(send) == "Bearer abc"


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["mac", "DPoP", "N_A", "", 5, ["bearer"], CANARY, "abc.token"])
async def test_a_token_of_another_type_is_refused(kind: object) -> None:
    """The error names a token_type that cannot be used, and shows no secret."""
    send = ScriptedSend(wire_answer(200, {"access_token": "abc.token", "token_type": kind}))
    with pytest.raises(ConfigurationError, match=r"with the token_type .* only bearer") as error:
        await OAuth2ClientCredentials("id", CANARY).authorization(send)
    assert "abc.token" not in str(error.value)
    assert CANARY not in str(error.value)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("client_id", "secret", "pair"),
    [
        ("id", "plain-1._", "id:plain-1._"),
        ("a:b", "s%c r+t/=", "a%3Ab:s%25c+r%2Bt%2F%3D"),
        ("ümlaut", "£", "%C3%BCmlaut:%C2%A3"),
    ],
)
async def test_credentials_are_form_encoded_on_request(
    client_id: str, secret: str, pair: str
) -> None:
    """With form_encoded=True the id and the secret are sent as RFC 6749, 2.3.1, has it."""
    send = ScriptedSend(TOKEN)
    auth = OAuth2ClientCredentials(client_id, secret, form_encoded=True)
    await auth.authorization(send)
    _, _, encoded = send.requests[0].headers["Authorization"].partition(" ")
    assert base64.b64decode(encoded).decode() == pair


def test_a_colon_in_the_client_id_is_refused() -> None:
    """Plain Basic cannot carry a colon in the id; the error names the option that can."""
    with pytest.raises(ConfigurationError, match="form_encoded=True"):
        OAuth2ClientCredentials("a:b", "secret")


@pytest.mark.anyio
@pytest.mark.parametrize("status", [400, 401, 403])
async def test_refused_credentials_are_unauthorized(status: int) -> None:
    """A refusal is an UnauthorizedError with the endpoint's reason; the call is not sent."""
    body = {"error": "invalid_client", "error_description": "unknown client"}
    send = ScriptedSend(wire_answer(status, body))
    with pytest.raises(UnauthorizedError, match=r"invalid_client: unknown client") as caught:
        await OAuth2ClientCredentials("id", CANARY).authorization(send)
    assert (caught.value.status, caught.value.outcome) == (status, Outcome.NOT_SENT)
    assert caught.value.reason == "invalid_client: unknown client"
    assert CANARY not in str(caught.value)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "kind"), [(429, RateLimitedError), (500, ServerError), (503, ServerError)]
)
async def test_a_temporary_refusal_is_the_error_of_its_status(
    status: int, kind: type[ApiError]
) -> None:
    """A temporary refusal has its Retry-After, and the call is not sent."""
    answer = wire_answer(status, b"<html>gateway</html>", **{"retry-after": "7"})
    with pytest.raises(kind, match=f"the token endpoint responded with {status}") as caught:
        await OAuth2ClientCredentials("id", "secret").authorization(ScriptedSend(answer))
    assert (caught.value.status, caught.value.outcome) == (status, Outcome.NOT_SENT)
    assert caught.value.retry_after == 7


@pytest.mark.anyio
@pytest.mark.parametrize("status", [201, 204, 302, 400, 403, 404, 405])
async def test_another_status_is_a_wrong_token_url(status: int) -> None:
    """A status that no token endpoint sends means that token_url is wrong."""
    send = ScriptedSend(wire_answer(status, b"<html>not here</html>"))
    auth = OAuth2ClientCredentials("id", "secret", token_url="https://idp.example/token")
    with pytest.raises(ConfigurationError, match=r"token_url: https://idp\.example/token"):
        await auth.authorization(send)


@pytest.mark.anyio
async def test_a_long_reason_is_cut() -> None:
    """The error truncates a token endpoint's text and leaves out its secret headers."""
    answer = wire_answer(401, {"error": "e" * 10_000}, **{"set-cookie": CANARY, "x-a": "b"})
    with pytest.raises(UnauthorizedError) as caught:
        await OAuth2ClientCredentials("id", "secret").authorization(ScriptedSend(answer))
    assert len(caught.value.reason) == 200
    assert caught.value.headers == {"x-a": "b"}


@pytest.mark.anyio
@pytest.mark.parametrize(
    "failure", [UnknownOutcomeError("the answer was lost"), ConnectionFailedError("refused")]
)
async def test_a_lost_token_is_not_a_lost_call(failure: WebRtcError) -> None:
    """If the token request fails, the call itself was not sent."""
    with pytest.raises(ConnectionFailedError, match="no access token could be fetched") as caught:
        await OAuth2ClientCredentials("id", "secret").authorization(ScriptedSend(failure))
    assert caught.value.outcome is Outcome.NOT_SENT
    assert caught.value.__cause__ is failure


@pytest.mark.anyio
async def test_a_refused_certificate_of_the_token_endpoint_is_a_tls_error() -> None:
    """A TlsError stays one, because a retry would fail too."""
    failure = TlsError("the certificate of t.example was rejected: self-signed.")
    with pytest.raises(TlsError, match=r"no access token .* self-signed"):
        await OAuth2ClientCredentials("id", "secret").authorization(ScriptedSend(failure))


@pytest.mark.anyio
async def test_a_body_that_is_too_long_is_no_token() -> None:
    """The error names a token endpoint with an unreadable response; the call is not sent."""
    failure = ResponseTooLargeError("the body is longer than max_response_bytes.", status=200)
    with pytest.raises(ConfigurationError, match=r"bandwidth\.com/.* Check token_url") as caught:
        await OAuth2ClientCredentials("id", "secret").authorization(ScriptedSend(failure))
    assert caught.value.outcome is Outcome.NOT_SENT


@pytest.mark.anyio
async def test_waiting_calls_share_a_failed_fetch() -> None:
    """Calls that wait for the same fetch all fail, each with its own error."""
    send, auth = ScriptedSend(wire_answer(503, {})), OAuth2ClientCredentials("id", "secret")
    failures: list[ServerError] = []

    async def one() -> None:
        with pytest.raises(ServerError) as caught:
            await auth.authorization(send)
        failures.append(caught.value)

    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(one)
    assert len(send.requests) == 1
    assert len({id(each) for each in failures}) == 50
    assert {str(each) for each in failures} == {"the token endpoint responded with 503."}


@pytest.mark.anyio
async def test_the_closing_of_one_client_fails_no_call_of_another() -> None:
    """Clients can share credentials, and a fetch that one's closing ends is made again."""
    fetching, closing = anyio.Event(), anyio.Event()

    async def close() -> None:
        fetching.set()
        await closing.wait()
        raise ClientClosedError("closed")

    closed = ScriptedSend(close)
    other = ScriptedSend(wire_answer(200, {"access_token": "new", "expires_in": 3600}))
    auth, found = OAuth2ClientCredentials("id", "secret"), []

    async def end() -> None:
        with pytest.raises(ClientClosedError):
            await auth.authorization(closed)

    async def go_on() -> None:
        found.append(await auth.authorization(other))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(end)
        await fetching.wait()
        tasks.start_soon(go_on)
        await anyio.wait_all_tasks_blocked()
        closing.set()
    assert found == ["Bearer new"]
    assert (len(closed.requests), len(other.requests)) == (1, 1)


@pytest.mark.anyio
async def test_a_rejected_token_is_replaced() -> None:
    """A token that the service rejected is dropped; a newer one is kept."""
    send = ScriptedSend(
        wire_answer(200, {"access_token": "old", "expires_in": 3600}),
        wire_answer(200, {"access_token": "new", "expires_in": 3600}),
    )
    auth = OAuth2ClientCredentials("id", "secret")
    old = await auth.authorization(send)
    assert auth.forget(old)
    new = await auth.authorization(send)
    assert (old, new) == ("Bearer old", "Bearer new")
    assert auth.forget(old)
    assert await auth.authorization(send) == new
    assert len(send.requests) == 2


@pytest.mark.parametrize("url", ["https://idp.example/token#x", "idp.example", "", 5])
def test_a_token_url_is_checked(url: Any) -> None:
    """The error names a token_url that cannot be used."""
    with pytest.raises(ConfigurationError, match=r"^token_url "):
        OAuth2ClientCredentials("id", "secret", token_url=url)


def test_basic_has_nothing_to_forget() -> None:
    """A fixed password or token has no replacement, so forget() returns False."""
    assert not BasicAuth("user", "password").forget("Basic dXNlcjpwYXNzd29yZA==")
    assert not BearerAuth("abc").forget("Bearer abc")


def test_credentials_serve_one_event_loop_after_the_other() -> None:
    """Credentials and their token work in the next event loop."""
    send, auth = ScriptedSend(TOKEN), OAuth2ClientCredentials("id", "secret")

    async def many() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(auth.authorization, send)

    for backend in ("asyncio", "trio", "asyncio"):
        anyio.run(many, backend=backend)
    assert len(send.requests) == 1
    auth.forget("Bearer abc.def")
    anyio.run(many, backend="trio")
    assert len(send.requests) == 2


def test_credentials_compare_by_their_secrets() -> None:
    """Credentials with the same secret are equal; other objects are not."""
    assert BasicAuth("user", "a") == BasicAuth("user", "a")
    assert hash(BasicAuth("user", "a")) == hash(BasicAuth("user", "a"))
    assert BasicAuth("user", "a") != BasicAuth("user", "b")
    assert Secret("é") == Secret("é")
    assert Secret("a") != "a"


GARBAGE = [
    b"",
    b"garbage",
    b"<html>maintenance</html>",
    b"\xff\xfe",
    b"null",
    b"[]",
    b'"abc"',
    b"{}",
    b"[" * 100_000,
    b'{"access_token": null}',
    b'{"access_token": 5}',
    b'{"access_token": ""}',
    b'{"access_token": "two words"}',
    b'{"access_token": "a\\r\\nX-Evil: 1"}',
    b'{"access_token": ["a"]}',
    b'{"access_token": "a", "expires_in": NaN}',
    b'{"access_token": "a", "expires_in": 1e999}',
]


@pytest.mark.anyio
@pytest.mark.parametrize("content", GARBAGE, ids=lambda content: repr(content[:40]))
async def test_a_response_without_a_token_is_our_error(content: bytes) -> None:
    """A 200 of a token endpoint without a token raises an error of this package."""
    send = ScriptedSend(wire_answer(200, content))
    with pytest.raises(ConfigurationError, match="without a usable access_token"):
        await OAuth2ClientCredentials("id", "secret").authorization(send)


@pytest.mark.anyio
async def test_a_failed_fetch_is_tried_again_by_the_next_call() -> None:
    """The next call fetches again after a failure."""
    send = ScriptedSend(wire_answer(503, {}), TOKEN)
    auth = OAuth2ClientCredentials("id", "secret")
    with pytest.raises(ServerError):
        await auth.authorization(send)
    assert await auth.authorization(send) == "Bearer abc.def"


@jumping_backends()
@pytest.mark.anyio
@pytest.mark.parametrize("patience", [1, 5])
async def test_a_cancelled_call_does_not_break_the_others(patience: float) -> None:
    """Other calls get a token if one of them, fetching or waiting, is cancelled."""
    headers: list[str] = []

    async def slowly() -> WireResponse:
        await anyio.sleep(3)
        return TOKEN

    send, auth = ScriptedSend(slowly), OAuth2ClientCredentials("id", "secret")

    async def patient() -> None:
        headers.append(await auth.authorization(send))

    async def impatient() -> None:
        with anyio.move_on_after(patience):
            await patient()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(impatient)
        await anyio.wait_all_tasks_blocked()
        for _ in range(5):
            tasks.start_soon(patient)
            tasks.start_soon(impatient)
    assert headers == ["Bearer abc.def"] * (5 if patience < 3 else 11)
    assert len(send.requests) == (2 if patience < 3 else 1)
    assert await auth.authorization(send) == "Bearer abc.def"


@pytest.mark.anyio
async def test_a_fetched_token_does_not_show() -> None:
    """No repr of the credentials has the access token."""
    send = ScriptedSend(wire_answer(200, {"access_token": CANARY, "expires_in": 3600}))
    auth = OAuth2ClientCredentials("id", "secret")
    assert await auth.authorization(send) == f"Bearer {CANARY}"
    for text in texts_of(auth):
        assert CANARY not in text
