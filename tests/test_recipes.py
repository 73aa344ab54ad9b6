"""Recipes for applications: each is a file to copy, and runs under its real framework."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from support.recipes import RECIPES, load

from webrtc_async.emulator import Emulator
from webrtc_async.emulator.doors.server import EmulatorServer

FILES = sorted(RECIPES.glob("*.py"))
README = (RECIPES.parent.parent / "README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def service() -> Iterator[EmulatorServer]:
    with EmulatorServer(Emulator()) as server:
        yield server


@pytest.fixture
def emulator(service: EmulatorServer, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """An emulator without sessions, and an environment with its URL."""
    service.emulator.reset()
    for name, value in environ_of(service).items():
        monkeypatch.setenv(name, value)
    return service.emulator


def environ_of(service: EmulatorServer) -> dict[str, str]:
    return {
        "BW_ACCOUNT_ID": "9900000",
        "BW_USERNAME": "user",
        "BW_PASSWORD": "password",
        "BW_WEBRTC_BASE_URL": service.base_url,
    }


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_recipe_is_short_and_in_the_readme(file: Path) -> None:
    """A recipe has at most 25 lines without blank ones, and the README names its file."""
    assert sum(map(bool, file.read_text("utf-8").splitlines())) <= 25
    assert f"tests/recipes/{file.name}" in README


@pytest.mark.anyio
@pytest.mark.usefixtures("anyio_backend")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_fastapi(emulator: Emulator) -> None:
    """Endpoints of a FastAPI application take and return models in their wire form."""
    app = load("fastapi_app").app
    async with app.router.lifespan_context(app) as state:
        transport = httpx.ASGITransport(_with_state(app, state))
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as caller:
            opened = await caller.post("/rooms", json={"tag": "visit"})
            assert opened.status_code == 200
            assert emulator.session_ids("9900000") == (opened.json()["id"],)
            shown = await caller.get(f"/rooms/{opened.json()['id']}")
            assert shown.json() == opened.json()
            assert shown.json()["tag"] == "visit"
            rejected = await caller.post("/rooms", json={"tag": 5})
            assert (rejected.status_code, "tag: " in rejected.text) == (422, True)
        assert "open" in repr(state["webrtc"])
    assert "closed" in repr(state["webrtc"])


@pytest.mark.anyio
async def test_an_app_is_tested_by_overriding_its_dependency(webrtc_client, webrtc_emulator):
    """The plugin's client replaces the application's; no lifespan is needed."""
    recipe = load("fastapi_app")
    recipe.app.dependency_overrides[recipe.webrtc] = lambda: webrtc_client
    transport = httpx.ASGITransport(recipe.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as caller:
        opened = await caller.post("/rooms")
    assert webrtc_emulator.session_ids("9900000") == (opened.json()["id"],)


def _with_state(app: Any, state: Any) -> Any:
    # A server adds the lifespan's state to every request; httpx's transport has no lifespan.
    async def handle(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "state": dict(state)}, receive, send)

    return handle


@pytest.mark.anyio
@pytest.mark.usefixtures("anyio_backend")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_aiohttp(emulator: Emulator) -> None:
    """A handler of an aiohttp application creates a session; the client closes with the app."""
    recipe = load("aiohttp_app")
    runner = web.AppRunner(recipe.app)
    await runner.setup()
    client = recipe.app[recipe.WEBRTC]
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        async with httpx.AsyncClient(trust_env=False) as caller:
            opened = await caller.post(f"http://{host}:{port}/rooms/visit")
        assert emulator.session_ids("9900000") == (opened.json()["id"],)
    finally:
        await runner.cleanup()
    assert "closed" in repr(client)


def test_a_script(service: EmulatorServer) -> None:
    """The script runs unchanged and deletes everything."""
    service.emulator.reset()
    finished = subprocess.run(
        [sys.executable, "-W", "error", str(RECIPES / "script.py")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environ_of(service),
    )
    assert finished.returncode == 0, finished.stderr
    assert re.fullmatch(r"2 are in [0-9a-f-]{36}\n", finished.stdout)
    assert service.emulator.session_ids("9900000") == ()
    assert service.emulator.participant_ids("9900000") == ()
