"""The choice of the HTTP library: httpx, or httpx2 if it is requested or given."""

import subprocess
import sys
from typing import Any

import httpx
import httpx2
import pytest
from support.scripted import BODY_OF_SESSION, http, serving

from webrtc_async import AsyncWebRtcClient, ConfigurationError
from webrtc_async.emulator import Emulator, EmulatorTransport

pytestmark = pytest.mark.anyio


def client_with(**settings: Any) -> AsyncWebRtcClient:
    return AsyncWebRtcClient("9900000", auth=("user", "password"), **settings)


def transport_of(library: Any) -> Any:
    """Return a transport whose session has the request's User-Agent as its tag."""

    def tell(request: Any) -> Any:
        return library.Response(200, json={"id": "s-1", "tag": request.headers["User-Agent"]})

    return library.MockTransport(tell)


async def agent(client: AsyncWebRtcClient) -> str:
    """Return the library named in the client's User-Agent."""
    async with client:
        return str((await client.get_session("s-1")).tag).split()[1]


@pytest.mark.parametrize("library", [httpx, httpx2], ids=lambda library: library.__name__)
async def test_a_given_object_s_library_serves(library: Any) -> None:
    """A given client or transport of either library is used, and the User-Agent names it."""
    expected = f"{library.__name__}/{library.__version__}"
    assert await agent(client_with(transport=transport_of(library))) == expected
    async with library.AsyncClient(transport=transport_of(library)) as given:
        assert await agent(client_with(http_client=given)) == expected


@pytest.mark.parametrize("name", ["httpx", "httpx2"])
async def test_an_own_client_is_of_the_library_asked_for(name: Any) -> None:
    """http_library chooses the library of the client's own pool."""
    async with serving(http(200, BODY_OF_SESSION)) as server:
        async with client_with(base_url=server.url(), http_library=name) as client:
            assert (await client.get_session("s-1")).id == "s-1"
            assert f" over {name}, " in repr(client)
        assert f" {name}/".encode() in server.requests[0]


async def test_httpx_serves_unless_asked() -> None:
    """By default the client's own pool uses httpx, even if httpx2 is installed."""
    async with serving(http(200, BODY_OF_SESSION)) as server:
        async with client_with(base_url=server.url()) as client:
            await client.get_session("s-1")
        assert b" httpx/" in server.requests[0]


@pytest.mark.parametrize("name", ["httpx", "httpx2"])
async def test_the_emulator_s_transport_works_with_both(name: Any) -> None:
    """EmulatorTransport works with either library, in an own and in a given client."""
    service = EmulatorTransport(Emulator())
    async with client_with(transport=service, http_library=name) as client:
        session = await client.create_session()
        library = {"httpx": httpx, "httpx2": httpx2}[name]
        given = library.AsyncClient(transport=service)
        assert (await client_with(http_client=given).get_session(session.id)).id == session.id


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"http_library": "aiohttp"}, 'must be "httpx" or "httpx2"'),
        (
            {"http_library": "httpx", "transport": transport_of(httpx2)},
            "http_library is 'httpx', and the transport is httpx2's",
        ),
        (
            {"http_library": "httpx2", "http_client": httpx.AsyncClient()},
            "http_library is 'httpx2', and the http_client is httpx's",
        ),
    ],
)
def test_libraries_that_do_not_fit_are_refused(settings: Any, said: str) -> None:
    """The error names an unknown library, or one that differs from the given object's."""
    with pytest.raises(ConfigurationError, match=said):
        client_with(**settings)


def run_without_httpx2(program: str) -> str:
    """Return what a program prints in an interpreter that cannot import httpx2."""
    hidden = "import sys; sys.modules['httpx2'] = None; "
    ran = subprocess.run(
        [sys.executable, "-c", hidden + program], capture_output=True, text=True, check=True
    )
    return ran.stdout


def test_a_library_that_is_not_installed_is_named() -> None:
    """If httpx2 is requested but missing, the error names its extra."""
    said = run_without_httpx2(
        "import webrtc_async as w\n"
        "try: w.AsyncWebRtcClient('9', auth=('u', 'p'), http_library='httpx2')\n"
        "except w.ConfigurationError as error: print(error)"
    )
    assert "pip install 'webrtc-async[httpx2]'" in said


def test_the_client_does_not_import_httpx2_by_itself() -> None:
    """Without a request for httpx2, the client does not import it, even if it is installed."""
    ran = subprocess.run(
        [sys.executable, "-c", "import webrtc_async, sys; print('httpx2' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == "False"
