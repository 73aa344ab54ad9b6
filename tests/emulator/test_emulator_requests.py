"""What was requested: the logged requests with bodies and answers, in process and over HTTP."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrtc_async import AsyncWebRtcClient, Participant, Session
from webrtc_async._protocol.wire import WireRequest
from webrtc_async.emulator import Credentials, Emulator, EmulatorTransport, emulator_app
from webrtc_async.emulator.records.message import MAX_BODY, RecordedMessage

pytestmark = pytest.mark.anyio

ACCOUNT = "9900000"
BASIC = httpx.BasicAuth(Credentials().username, Credentials().password)


@pytest.fixture
def emulator() -> Emulator:
    """Return an emulator with repeatable ids."""
    return Emulator(seed=0)


def served(emulator: Emulator) -> httpx.AsyncClient:
    """Return an HTTP client of the emulator's application."""
    transport = httpx.ASGITransport(emulator_app(emulator))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


async def asked(http: httpx.AsyncClient, query: str = "") -> list[dict[str, Any]]:
    """Return the requests that a query of the control call chooses."""
    response = await http.get(f"/_emulator/requests{query}")
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["requests"]
    return found


async def test_the_body_of_the_last_request_can_be_read(
    webrtc_client: AsyncWebRtcClient, webrtc_emulator: Emulator
) -> None:
    """`requests_of(operation)[-1].json` is what the client sent; the answer is there, too."""
    session = await webrtc_client.create_session(Session(tag="first"))
    created = await webrtc_client.create_participant(Participant(tag="agent"))
    assert session.id
    assert created.participant.id
    await webrtc_client.add_participant_to_session(
        session_id=session.id, participant_id=created.participant.id
    )

    (request,) = webrtc_emulator.requests_of("createSession")
    assert request.json == {"tag": "first"}
    assert request.tag == "first"
    assert request.session_id == session.id
    assert request.response is not None
    assert request.response.json == {"id": session.id, "tag": "first"}
    (participant,) = webrtc_emulator.requests_of("createParticipant")
    assert participant.participant_id == created.participant.id
    assert participant.session_id is None
    (added,) = webrtc_emulator.requests_of("addParticipantToSession")
    assert (added.session_id, added.participant_id) == (session.id, created.participant.id)


def test_an_unknown_operation_has_no_requests(emulator: Emulator) -> None:
    """A misspelt operation is an error, and not an empty list."""
    with pytest.raises(ValueError, match="createSesion"):
        emulator.requests_of("createSesion")


async def test_a_hidden_response_is_not_recorded(emulator: Emulator) -> None:
    """What a fault kept from the caller is not in the log either."""
    emulator.faults.add("createSession", lose_answer="close")
    async with httpx.AsyncClient(transport=EmulatorTransport(emulator), auth=BASIC) as http:
        with pytest.raises(httpx.TransportError):
            await http.post(f"http://localhost/v1/accounts/{ACCOUNT}/sessions", json={})
    (request,) = emulator.requests_of("createSession")
    assert request.response is None
    assert request.session_id is None
    assert request.as_full_json()["response"] is None


async def test_requests_are_chosen_by_a_query(emulator: Emulator) -> None:
    """Each name of the query leaves only the requests that fit."""
    async with served(emulator) as http:
        base = f"/v1/accounts/{ACCOUNT}"
        session = (await http.post(f"{base}/sessions", json={"tag": "a"}, auth=BASIC)).json()["id"]
        await http.get(f"{base}/sessions/{session}", auth=BASIC)
        await http.get(f"{base}/participants/nobody", auth=BASIC)

        assert len(await asked(http)) == 3
        assert [x["operation"] for x in await asked(http, "?operation=getSession")] == [
            "getSession"
        ]
        assert [x["number"] for x in await asked(http, f"?session={session}")] == [1, 2]
        assert [x["number"] for x in await asked(http, "?participant=nobody")] == [3]
        assert [x["number"] for x in await asked(http, "?status=404")] == [3]
        assert [x["number"] for x in await asked(http, "?status=2xx&since=1")] == [2]
        assert [x["number"] for x in await asked(http, "?tag=a")] == [1]
        assert await asked(http, "?status=none") == []
        assert (await http.get("/_emulator/requests/2")).json()["status"] == 200


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("?colour=red", 400, "colour: unknown"),
        ("?operation=fly", 400, "operation: 'fly'"),
        ("?status=6xx", 400, "status: '6xx'"),
        ("?status=%D9%A4%D9%A0%D9%A4", 400, "status:"),
        ("?since=-1", 400, "since: '-1'"),
        (f"?since={'9' * 5000}", 400, "since:"),
        ("/17", 404, "number: no request '17'"),
    ],
)
async def test_a_wrong_query_is_one_sentence(
    emulator: Emulator, path: str, status: int, text: str
) -> None:
    """A query that cannot be understood is refused and says which part is wrong."""
    async with served(emulator) as http:
        response = await http.get(f"/_emulator/requests{path}")
    assert response.status_code == status
    assert text in response.json()["error"]


async def test_no_secret_is_in_the_answer(emulator: Emulator) -> None:
    """Credentials, tokens and the secrets of callback URLs are cut from requests and answers."""
    credentials = Credentials()
    async with served(emulator) as http:
        token = await http.post(
            "/api/v1/oauth2/token",
            data={"grant_type": "client_credentials", "client_secret": "canary-secret"},
            auth=(credentials.client_id, credentials.client_secret),
        )
        created = await http.post(
            f"/v1/accounts/{ACCOUNT}/participants",
            json={
                "publishPermissions": ["AUDIO"],
                "callbackUrl": "https://example.com/hooks?key=canary-query",
            },
            headers={"authorization": f"Bearer {token.json()['access_token']}"},
        )
        assert created.status_code == 200
        shown = (await http.get("/_emulator/requests")).text
    for secret in (
        "canary-secret",
        "canary-query",
        token.json()["access_token"],
        created.json()["token"],
        "authorization",
    ):
        assert secret not in shown.lower()
    assert "https://example.com/hooks" in shown
    assert "canary" not in repr([*emulator.exchanges])


async def test_the_query_of_a_request_is_searched_for_secrets(emulator: Emulator) -> None:
    """`saw_secret` finds a secret that a client put into a query, over HTTP too."""
    async with served(emulator) as http:
        await http.get(f"/v1/accounts/{ACCOUNT}/sessions/x?key=canary-in-query", auth=BASIC)
    assert emulator.saw_secret("canary-in-query")
    assert "canary" not in json.dumps([each.as_full_json() for each in emulator.exchanges])


async def test_a_long_body_is_cut(emulator: Emulator) -> None:
    """The log keeps the first 64 KiB of a body; its JSON cannot be read any more."""
    async with served(emulator) as http:
        await http.post(
            f"/v1/accounts/{ACCOUNT}/sessions", json={"tag": "x" * MAX_BODY}, auth=BASIC
        )
        (shown,) = await asked(http)
    (request,) = emulator.requests_of("createSession")
    assert len(request.request.content) == MAX_BODY
    with pytest.raises(ValueError, match=r"."):
        _ = request.json
    assert request.tag is None
    assert shown["request"]["body"] == f"<{MAX_BODY} bytes that are not JSON>"


async def test_a_failed_check_shows_what_was_requested(
    webrtc_client: AsyncWebRtcClient, webrtc_emulator: Emulator
) -> None:
    """`assert_requested` counts the requests that fit, and its error lists the operation's."""
    await webrtc_client.create_session(Session(tag="a"))
    await webrtc_client.create_session(Session(tag="b"))
    webrtc_emulator.assert_requested("createSession")
    webrtc_emulator.assert_requested("createSession", times=2)
    webrtc_emulator.assert_requested("createSession", times=1, json={"tag": "b"})
    webrtc_emulator.assert_requested("deleteSession", times=0)
    with pytest.raises(AssertionError, match="1 times with this body, and was 0") as caught:
        webrtc_emulator.assert_requested("createSession", times=1, json={"tag": "c"})
    assert '{"tag":"a"} -> 200' in str(caught.value)
    with pytest.raises(AssertionError, match=r"at least once, and was 0 times\.$"):
        webrtc_emulator.assert_requested("deleteSession")
    webrtc_emulator.exchanges.add(
        at=0,
        method="POST",
        target="/",
        operation="createSession",
        status=None,
        seconds=0,
        fault=None,
        request=WireRequest(method="POST", target="/", content=b"no JSON"),
        response=None,
    )
    with pytest.raises(AssertionError, match="no response"):
        webrtc_emulator.assert_requested("createSession", json=None)


@given(
    st.recursive(
        st.none() | st.booleans() | st.text() | st.just("canary"),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["token", "a"]), inner),
    )
)
def test_a_token_is_hidden_at_any_place(value: object) -> None:
    """A value under the name of a secret is never shown, wherever it is."""
    content = json.dumps({"token": "canary", "nested": value}).encode()
    body = RecordedMessage({}, content).as_json()["body"]
    assert isinstance(body, dict)
    assert body["token"] == "<hidden>"
    assert "canary" not in json.dumps(_under(body, "token"))


@pytest.mark.parametrize("depth", [33, 500, 30_000])
def test_a_deep_body_is_cut(depth: int) -> None:
    """A body nested deeper than any request of the API is shown up to a depth, or not at all."""
    content = b"[" * depth + b"]" * depth
    assert json.dumps(RecordedMessage({}, content).as_json())


def _under(value: object, name: str) -> list[object]:
    """Return the values under a name, at any place."""
    if isinstance(value, list):
        return [found for each in value for found in _under(each, name)]
    if isinstance(value, dict):
        inner = [found for each in value.values() for found in _under(each, name)]
        return [value[name], *inner] if name in value else inner
    return []
