"""discord.py: one client for the life of the bot, through all reconnects."""

from typing import Any

import discord
from discord.ext import commands

from webrtc_async import AsyncWebRtcClient


class Bot(commands.Bot):
    def __init__(self) -> None:
        intents = discord.Intents(guilds=True, messages=True, message_content=True)
        super().__init__("!", intents=intents)
        self.webrtc = AsyncWebRtcClient.from_env()  # connects with its first call

    async def close(self) -> None:
        await super().close()
        await self.webrtc.aclose()


@commands.command()
async def room(context: commands.Context[Any]) -> None:
    await context.send((await context.bot.webrtc.create_session()).id)
