"""Recipes for bots and workers, under their real frameworks; only the remote side is a fake."""

import json
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar

import anyio
import pytest
import trustme
from aiohttp import TCPConnector, web
from aiohttp.abc import AbstractResolver
from support.recipes import load

from webrtc_async.emulator import Emulator
from webrtc_async.emulator.doors.server import EmulatorServer

pytestmark = [pytest.mark.recipes, pytest.mark.anyio]


@pytest.fixture
def anyio_backend() -> str:
    """The only event loop that these frameworks support."""
    return "asyncio"


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An emulator, and an environment with its URL."""
    with EmulatorServer(Emulator()) as server:
        monkeypatch.setenv("BW_ACCOUNT_ID", "9900000")
        monkeypatch.setenv("BW_USERNAME", "user")
        monkeypatch.setenv("BW_PASSWORD", "password")
        monkeypatch.setenv("BW_WEBRTC_BASE_URL", server.base_url)
        yield server.emulator


# aiogram: a session is its seam to the network


async def test_aiogram(emulator: Emulator) -> None:
    """/room in a chat creates a session and sends its id; the client closes with the dispatcher."""
    from aiogram import Bot
    from aiogram.client.session.base import BaseSession
    from aiogram.types import Chat, Message, Update

    answers: list[str] = []

    class Played(BaseSession):
        async def make_request(self, _: Bot, method: Any, *__: Any, **___: Any) -> Any:
            answers.append(method.text)
            return message("answered")

        async def stream_content(self, *_: Any, **__: Any) -> AsyncIterator[bytes]:
            yield b""

        async def close(self) -> None:
            pass

    def message(text: str) -> Message:
        now = datetime(2026, 11, 25, tzinfo=UTC)
        return Message(message_id=1, date=now, chat=Chat(id=7, type="private"), text=text)

    dispatcher = load("aiogram_bot").dispatcher
    bot = Bot("42:TOKEN", session=Played())
    await dispatcher.emit_startup(bot=bot, dispatcher=dispatcher, **dispatcher.workflow_data)
    client = dispatcher["webrtc"]
    await dispatcher.feed_update(bot, Update(update_id=1, message=message("/room")))
    await dispatcher.emit_shutdown(bot=bot, dispatcher=dispatcher, **dispatcher.workflow_data)
    assert answers == [f"Session {each}" for each in emulator.session_ids("9900000")]
    assert len(answers) == 1
    assert "closed" in repr(client)


# discord.py: a connector is its seam to the network


class Loopback(AbstractResolver):
    """A resolver that returns this machine for every host."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def resolve(self, host: str, *_: Any, **__: Any) -> list[Any]:
        found = {"hostname": host, "host": "127.0.0.1", "port": self.port}
        return [{**found, "family": socket.AF_INET, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        pass


class Discord:
    """A fake Discord: a bot can log in, receive one message and reply to it."""

    user: ClassVar[dict[str, Any]] = {
        "id": "1",
        "username": "bot",
        "discriminator": "0",
        "avatar": None,
    }
    author: ClassVar[dict[str, Any]] = {
        "id": "2",
        "username": "ann",
        "discriminator": "0",
        "avatar": None,
    }

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.answered = anyio.Event()

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/api/v10/users/@me", self.reply(self.user))
        app.router.add_get("/api/v10/oauth2/applications/@me", self.reply(self.about()))
        app.router.add_post("/api/v10/channels/5/messages", self.take_answer)
        app.router.add_get("/", self.gateway)
        return app

    def about(self) -> dict[str, Any]:
        keys = {"verify_key": "", "flags": 0, "hook": True, "icon": None}
        keys |= {"bot_require_code_grant": False, "owner": self.author}
        return {"id": "1", "name": "bot", "description": "", "bot_public": True, **keys}

    def reply(self, body: object) -> Any:
        async def handle(_: web.Request) -> web.Response:
            return as_json(body)

        return handle

    async def take_answer(self, request: web.Request) -> web.Response:
        self.answers.append((await request.json())["content"])
        self.answered.set()
        return as_json(self.message("11", self.answers[-1], self.user))

    async def gateway(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 40_000}, "s": None})
        await socket.receive_json()
        ready = {"v": 10, "user": self.user, "guilds": [], "session_id": "s", "application": {}}
        ready |= {"resume_gateway_url": "wss://gateway.discord.gg", "private_channels": []}
        ready["application"] = {"id": "1", "flags": 0}
        await socket.send_json({"op": 0, "t": "READY", "s": 1, "d": ready})
        heard = self.message("10", "!room", self.author)
        await socket.send_json({"op": 0, "t": "MESSAGE_CREATE", "s": 2, "d": heard})
        async for _ in socket:
            pass
        return socket

    def message(self, number: str, text: str, author: dict[str, Any]) -> dict[str, Any]:
        lists = ("mentions", "mention_roles", "attachments", "embeds")
        return {
            "id": number,
            "channel_id": "5",
            "channel_type": 1,
            "author": author,
            "content": text,
            "timestamp": "2026-11-25T12:00:00+00:00",
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "pinned": False,
            "type": 0,
            **{name: [] for name in lists},
        }


def as_json(body: object) -> web.Response:
    # discord.py accepts only this type, without a charset.
    return web.Response(body=json.dumps(body).encode(), content_type="application/json")


@asynccontextmanager
async def played_discord() -> AsyncIterator[tuple[Discord, TCPConnector]]:
    """Serve Discord's hosts from this machine, with certificates that the connector trusts."""
    authority, discord = trustme.CA(), Discord()
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("discord.com", "gateway.discord.gg").configure_cert(served)
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    runner = web.AppRunner(discord.application())
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=served).start()
        port = runner.addresses[0][1]
        yield discord, TCPConnector(resolver=Loopback(port), ssl=trusted)
    finally:
        await runner.cleanup()


@pytest.mark.filterwarnings("ignore:'audioop' is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:parameter 'timeout' of type 'float':DeprecationWarning")
async def test_discord(emulator: Emulator) -> None:
    """!room in a chat creates a session and sends its id; the client closes with the bot."""
    async with played_discord() as (discord, connector):
        recipe = load("discord_bot")
        bot = recipe.Bot()
        bot.add_command(recipe.room)
        bot.http.connector = connector
        with anyio.fail_after(30):
            async with bot, anyio.create_task_group() as tasks:
                tasks.start_soon(bot.start, "token")
                await discord.answered.wait()
                client = bot.webrtc
                await bot.close()
                tasks.cancel_scope.cancel()
    assert discord.answers == [*emulator.session_ids("9900000")]
    assert len(discord.answers) == 1
    assert "closed" in repr(client)


# arq, with a real Redis


@pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning")
async def test_arq(emulator: Emulator, redis_port: int) -> None:
    """A job creates a session with the worker's client, which closes with the worker."""
    from arq import create_pool
    from arq.connections import RedisSettings
    from arq.worker import create_worker

    settings = RedisSettings(port=redis_port)
    recipe = load("arq_worker")
    pool = await create_pool(settings)
    job = await pool.enqueue_job("open_room", "visit")
    assert job is not None
    worker = create_worker(
        recipe.WorkerSettings,
        redis_settings=settings,
        burst=True,
        handle_signals=False,
        poll_delay=0.01,
    )
    await worker.async_run()
    await worker.close()
    assert emulator.session_ids("9900000") == (await job.result(timeout=10, poll_delay=0.01),)
    assert "closed" in repr(worker.ctx["webrtc"])
    await pool.aclose()
