"""httpx with the limits that it has by default: 100 connections, of which 20 are kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from benchmarks.contestants.plain_httpx import PlainHttpx
from benchmarks.contestants.service import DEADLINE, PASSWORD, USER, Place


@asynccontextmanager
async def connected(place: Place) -> AsyncIterator[PlainHttpx]:
    async with httpx.AsyncClient(
        auth=(USER, PASSWORD), timeout=DEADLINE, trust_env=False, verify=place.context() or True
    ) as client:
        yield PlainHttpx(client, place.url)
