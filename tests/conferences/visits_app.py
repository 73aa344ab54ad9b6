"""FastAPI: a conference over many requests, whichever worker serves them.

A visit is opened in one request, each person joins in another one, and the last `onLeave` ends it.
The conference is a value in Redis; a lock lets one request at a time change it.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from redis.asyncio import Redis

from webrtc_async import AsyncWebRtcClient, LiveConference, ParticipantSpec
from webrtc_async.webhooks import ParticipantEvent, ParticipantEventType, SharedSecret
from webrtc_async.webhooks.fastapi import posted_event

NINE_HOURS = 9 * 60 * 60
SECRET = SharedSecret(value=os.environ["WEBHOOK_SECRET"])
client = AsyncWebRtcClient.from_env()
store = Redis.from_url(os.environ["REDIS_URL"])


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with client, store:
        yield


app = FastAPI(lifespan=lifespan)


@asynccontextmanager
async def changing(visit: str) -> AsyncIterator[LiveConference]:
    async with store.lock(f"lock:{visit}", timeout=60):
        value = await store.get(visit)
        if value is None:
            raise HTTPException(404, "There is no such visit.")
        conference = client.resume_conference(value)
        yield conference
        if conference.is_over:
            await store.delete(visit)
        else:
            await store.set(visit, conference.to_json(), ex=NINE_HOURS)


@app.post("/visits")
async def open_visit() -> dict[str, str]:
    conference = await client.open_conference([])
    await store.set(conference.session.id, conference.to_json(), ex=NINE_HOURS)
    return {"visit": conference.session.id}


@app.post("/visits/{visit}/people/{name}")
async def join(visit: str, name: str) -> dict[str, str]:
    events = f"{os.environ['PUBLIC_URL']}/visits/{visit}/events/{SECRET.value}"
    async with changing(visit) as conference:
        person = await conference.join(ParticipantSpec(name, callback_url=events))
    return {"token": person.token}


@app.post("/visits/{visit}/events/{secret}")
async def left(
    visit: str, event: Annotated[ParticipantEvent, Depends(posted_event(SECRET))]
) -> None:
    if event.event is not ParticipantEventType.LEAVE:
        return
    async with changing(visit) as conference:
        for person in conference.members:
            if person.participant.id == event.participant_id:
                await conference.leave(person.name)
        if not conference.members:
            await conference.end()
