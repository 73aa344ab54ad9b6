"""Uses that type checkers must reject: every line that ends in "# error", and no other."""

import webrtc_async
from webrtc_async import (
    ApiError,
    AsyncWebRtcClient,
    Participant,
    RetryPolicy,
    Session,
    Subscriptions,
    from_wire,
    to_wire,
)
from webrtc_async.route_table import CREATE_SESSION, GET_SESSION


async def wrong_calls(client: AsyncWebRtcClient) -> None:
    await client.get_session()  # error
    await client.get_session(5)  # error
    await client.get_session("s", "t")  # error
    await client.get_session(id="s")  # error
    await client.get_session(None)  # error
    await client.create_session(Participant())  # error
    await client.create_participant(Session())  # error
    await client.add_participant_to_session("s", "p")  # error
    await client.add_participant_to_session(session_id="s")  # error
    await client.remove_participant_from_session("s", "p")  # error
    await client.update_participant_subscriptions(session_id="s", subscriptions=None)  # error
    await client.get_sesion("s")  # error
    client.delete_session("s")  # error


def wrong_wire_forms(session: Session) -> None:
    to_wire(session).tag  # error
    to_wire(session)["tag"].upper()  # error
    from_wire(session, {})  # error
    from_wire(Session, {}).token  # error


async def wrong_results(client: AsyncWebRtcClient) -> None:
    session = await client.get_session("s")
    session.token  # error
    session.tag = "b"  # error
    listed: list[Session] = await client.list_session_participants("s")  # error
    print(listed)
    response = await client.request(GET_SESSION, session_id="s")
    response.data.token  # error
    await client.request(CREATE_SESSION, Participant())  # error


async def wrong_set_ups(client: AsyncWebRtcClient) -> None:
    async for result in client.set_up([], on_error="cancel"):  # error
        result.conference  # error
        result.error  # error
    await client.conference(["a"], on_error="cancel").__aenter__()  # error
    client.resume_conference(5)  # error


def wrong_values() -> None:
    Session("tag")  # error
    Session(tag=5)  # error
    Session(label="a")  # error
    Subscriptions.only([5])  # error
    Subscriptions.everyone(5)  # error
    Subscriptions.everyone(Participant())  # error
    RetryPolicy(creates="sometimes")  # error
    AsyncWebRtcClient("1", auth="user:password")  # error
    AsyncWebRtcClient(1, auth=("user", "password"))  # error


def wrong_errors(error: ApiError) -> None:
    ApiError()  # error
    ApiError("refused", 404)  # error
    ApiError("refused", status="404")  # error
    ApiError("refused", attempts=3)  # error
    error.headers["a"] = "b"  # error


def wrong_names() -> None:
    webrtc_async.Sesion  # error
    webrtc_async.Session.create  # error
