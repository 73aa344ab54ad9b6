"""The life of one session, over TCP; a new maintainer reads this first."""

from typing import Any

import anyio
import pytest

from webrtc_async import (
    AsyncWebRtcClient,
    NotFoundError,
    OAuth2ClientCredentials,
    Participant,
    Session,
    Subscriptions,
)
from webrtc_async.emulator import Emulator, EmulatorServer
from webrtc_async.route_table import GET_SESSION


@pytest.mark.anyio
async def test_the_life_of_a_session() -> None:
    """A session is created, two participants join it, one leaves, and all of it is deleted."""
    emulator = Emulator()
    with EmulatorServer(emulator) as server:
        token_url = server.base_url.removesuffix("/v1") + "/api/v1/oauth2/token"
        auth = OAuth2ClientCredentials("client", "secret", token_url=token_url)
        async with AsyncWebRtcClient("9900000", auth=auth, base_url=server.base_url) as client:
            created: dict[str, Any] = {}

            async def create(tag: str) -> None:
                created[tag] = await client.create_participant(Participant(tag=tag))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(create, "host")
                tasks.start_soon(create, "guest")
                session = await client.create_session(Session(tag="visit"))
            assert created["host"].token  # for the host's browser or phone, which connects with it
            host, guest = (created[tag].participant.id for tag in ("host", "guest"))

            pair = {"session_id": session.id, "participant_id": guest}
            await client.add_participant_to_session(session_id=session.id, participant_id=host)
            await client.add_participant_to_session(**pair)
            only_host = Subscriptions.only([host])
            await client.update_participant_subscriptions(**pair, subscriptions=only_host)
            found = await client.get_participant_subscriptions(**pair)
            assert [each.participant_id for each in found.participants] == [host]
            listed = await client.list_session_participants(session.id)
            assert {each.tag for each in listed} == {"host", "guest"}

            emulator.faults.add(GET_SESSION, status=503, times=1)  # the client tries again
            response = await client.request(GET_SESSION, session_id=session.id)
            assert (response.data.tag, response.attempts) == ("visit", 2)

            await client.remove_participant_from_session(**pair)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.delete_participant, host)
                tasks.start_soon(client.delete_participant, guest)
            await client.delete_session(session.id)
            with pytest.raises(NotFoundError):
                await client.get_session(session.id)
