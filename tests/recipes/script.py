"""A plain script: a session with two participants, all deleted at the end."""

import anyio

from webrtc_async import AsyncWebRtcClient, Session, Subscriptions


async def main() -> None:
    async with AsyncWebRtcClient.from_env() as client:
        session = await client.create_session(Session(tag="script"))
        created = [await client.create_participant() for _ in range(2)]
        for each in created:
            await client.add_participant_to_session(
                session_id=session.id,
                participant_id=each.participant.id,
                subscriptions=Subscriptions.everyone(session.id),
            )
        print(len(await client.list_session_participants(session.id)), "are in", session.id)
        for each in created:
            await client.delete_participant(each.participant.id)
        await client.delete_session(session.id)


anyio.run(main)
