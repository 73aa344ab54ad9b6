"""aiogram: the dispatcher makes the client at start-up, passes it to handlers, closes it."""

from aiogram import Dispatcher
from aiogram.filters import Command
from aiogram.types import Message

from webrtc_async import AsyncWebRtcClient, Session

dispatcher = Dispatcher()


@dispatcher.startup()
async def open_client(dispatcher: Dispatcher) -> None:
    dispatcher["webrtc"] = AsyncWebRtcClient.from_env()


@dispatcher.shutdown()
async def close_client(webrtc: AsyncWebRtcClient) -> None:
    await webrtc.aclose()


@dispatcher.message(Command("room"))
async def room(message: Message, webrtc: AsyncWebRtcClient) -> None:
    session = await webrtc.create_session(Session(tag=str(message.chat.id)))
    await message.answer(f"Session {session.id}")
