"""Proxies of the environment and of the `proxy` setting, and the hosts reached without one."""

import sys
from typing import Any

import anyio.abc
import pytest
from support.calling import OK, calling
from support.scripted import SocketServer, client_of, http, listening, serving
from support.tls import client_side, server_side

from webrtc_async import ConfigurationError, OAuth2ClientCredentials, TlsError
from webrtc_async._transport.proxies import Proxies

LIBRARIES = pytest.mark.parametrize("library", [None, "httpx", "httpx2"])

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("entry", "url", "is_exempt"),
    [
        ("10.0.0.0/8", "https://10.1.2.3/v1", True),
        ("10.0.0.0/8", "https://11.1.2.3/v1", False),
        ("10.0.0.0/8", "https://10.example/v1", False),
        ("10.1.2.3", "https://10.1.2.3/v1", True),
        ("10.1.2.3:8443", "https://10.1.2.3:8443/v1", True),
        ("10.1.2.3:8443", "https://10.1.2.3/v1", False),
        ("fd00::/8", "https://[fd00::5]/v1", True),
        ("[fd00::]/8", "https://[fd00::5]:8443/v1", True),
        ("fd00::5", "https://[fd00:0::5]/v1", True),
        ("[fd00::5]", "https://[fd00::5]/v1", True),
        ("[fd00::5]:443", "https://[fd00::5]/v1", True),
        ("[fd00::5]:8443", "https://[fd00::5]/v1", False),
        ("fd00::/8", "https://10.1.2.3/v1", False),
        ("example.com", "https://example.com/v1", True),
        ("example.com", "https://api.example.com/v1", True),
        ("example.com", "https://notexample.com/v1", False),
        ("example.com:8443", "https://api.example.com:8443/v1", True),
        ("example.com:443", "https://api.example.com/v1", True),
        ("example.com:80", "https://api.example.com/v1", False),
        (".example.com", "https://api.example.com/v1", True),
        (".example.com", "https://example.com/v1", False),
        ("*.example.com", "https://api.example.com/v1", True),
        ("EXAMPLE.com.", "https://api.example.COM./v1", True),
        ("b\u00fccher.example", "https://xn--bcher-kva.example/v1", True),
        ("xn--bcher-kva.example", "https://b\u00fccher.example/v1", True),
        ("https://example.com", "https://example.com/v1", True),
        ("http://example.com", "https://example.com/v1", False),
        ("a.example example.com,b.example", "https://example.com/v1", True),
        ("*", "https://example.com/v1", True),
        ("b\u200bc.example", "https://example.com/v1", False),
        (",, .", "https://example.com/v1", False),
        ("10.0.0.0/99,[", "https://10.0.0.1/v1", False),
        ("", "https://localhost:8080/v1", True),
        ("", "https://localhost./v1", True),
        ("", "https://127.8.0.1/v1", True),
        ("", "https://[::1]:8080/v1", True),
        ("", "https://127.example.com/v1", False),
        ("", "https://127.0.0.1.example.com/v1", False),
    ],
)
@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_no_proxy(
    variable: str, entry: str, url: str, is_exempt: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_PROXY has names, addresses, networks and ports; this machine needs no entry."""
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    monkeypatch.setenv(variable, entry)
    expected = None if is_exempt else "http://proxy.example:3128"
    assert Proxies.of_environment().proxy_for(url) == expected


def test_a_url_that_cannot_be_read_needs_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The request for it fails by itself, with the error of its URL."""
    monkeypatch.setenv("ALL_PROXY", "http://proxy.example")
    monkeypatch.setenv("NO_PROXY", "*")
    assert Proxies.of_environment().exception_for("http://256.1.1.1/v1") is None


def test_a_scheme_s_own_proxy_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """ALL_PROXY is for the schemes without a proxy of their own."""
    monkeypatch.setenv("ALL_PROXY", " http://all.example\n")
    monkeypatch.setenv("http_proxy", " ")
    monkeypatch.setenv("https_proxy", "http://secure.example")
    proxies = Proxies.of_environment()
    assert proxies.proxy_for("http://api.example/v1") == "http://all.example"
    assert proxies.proxy_for("https://api.example/v1") == "http://secure.example"


@pytest.mark.anyio
@LIBRARIES
async def test_a_token_endpoint_elsewhere_is_reached_through_the_proxy(
    library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service on this machine is reached straight, its token endpoint through the proxy."""
    auth = OAuth2ClientCredentials("client", "secret", token_url="http://login.example/token")
    granted = http(200, b'{"access_token": "t0ken", "expires_in": 3600}')
    async with serving(granted) as proxy, serving(OK) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        async with calling(server.url(), auth=auth, http_library=library) as client:
            assert (await client.get_session("s-1")).id == "s-1"
    assert proxy.requests[0].startswith(b"POST http://login.example/token ")
    assert b"Bearer t0ken" in server.requests[0]


@pytest.mark.anyio
async def test_a_token_endpoint_on_this_machine_is_reached_straight(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A service elsewhere is reached through the proxy, a token endpoint here straight."""
    granted = http(200, b'{"access_token": "t0ken", "expires_in": 3600}')
    async with serving(OK) as proxy, serving(granted) as endpoint:
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
        url = f"http://127.0.0.1:{endpoint.port}/token"
        auth = OAuth2ClientCredentials("client", "secret", token_url=url)
        async with calling("http://api.example/v1", auth=auth) as client:
            assert (await client.get_session("s-1")).id == "s-1"
    assert proxy.requests[0].startswith(b"GET http://api.example/v1/")
    assert len(endpoint.requests) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_an_exempt_service_keeps_the_own_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service in NO_PROXY is served like one without proxies."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    async with calling("https://10.1.2.3/v1", http_library=None) as client:
        assert "over httpx," in repr(client)
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8")
    async with calling("https://10.1.2.3/v1", http_library=None) as client:
        assert "over its own HTTP/1.1 transport," in repr(client)


@pytest.mark.parametrize("scheme", ["socks4", "quic", "s3cret"])
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_an_unknown_scheme(variable: str, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of an unknown scheme is named by its variable, without its URL."""
    monkeypatch.setenv(variable, f"{scheme}://user:s3cret@proxy.example")
    with pytest.raises(ConfigurationError, match=f"{variable} has .*socks5h") as caught:
        client_of(transport=None)
    assert "s3cret" not in str(caught.value)


def test_a_proxy_of_the_system_s_settings() -> None:
    """On macOS and Windows a proxy may come from no variable."""
    with pytest.raises(ConfigurationError, match="the system's proxy has a scheme"):
        Proxies({"https": "quic://proxy.example"}, ("localhost",)).proxy_for("https://x.example")


@pytest.mark.anyio
@LIBRARIES
async def test_a_proxy_that_the_library_refuses(library: Any) -> None:
    """A URL that only the HTTP library refuses raises our error, with nothing sent."""
    through = {"proxy": "http://256.1.1.1:3128", "http_library": library}
    async with calling("http://api.example/v1", **through) as client:
        with pytest.raises(ConfigurationError, match="URL of the proxy cannot be used"):
            await client.get_session("s-1")


@pytest.mark.parametrize("scheme", ["socks5", "SOCKS5H"])
def test_a_missing_package_for_socks_is_named(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without socksio, the error says what to install."""
    monkeypatch.setitem(sys.modules, "socksio", None)
    with pytest.raises(ConfigurationError, match=r"proxy is .* pip install 'httpx\[socks\]'"):
        client_of(transport=None, proxy=f"{scheme}://proxy.example")


@pytest.mark.anyio
@LIBRARIES
async def test_a_proxy_over_tls(library: Any) -> None:
    """A proxy's certificate is checked with the same settings as the service's."""
    async with serving(OK, tls=server_side("127.0.0.1")) as proxy:
        through = {"proxy": f"https://127.0.0.1:{proxy.port}", "http_library": library}
        async with calling("http://api.example/v1", **through) as client:
            with pytest.raises(TlsError):
                await client.get_session("s-1")
        through |= {"ssl_context": client_side()}
        async with calling("http://api.example/v1", **through) as client:
            assert (await client.get_session("s-1")).id == "s-1"


@pytest.mark.anyio
@LIBRARIES
async def test_a_socks_proxy(library: Any) -> None:
    """A SOCKS proxy looks the host up and passes the request on."""
    asked: list[bytes] = []
    server = SocketServer([OK])

    async def serve(stream: anyio.abc.ByteStream) -> None:
        await stream.receive()
        await stream.send(b"\x05\x00")
        asked.append(await stream.receive())
        await stream.send(b"\x05\x00\x00\x01" + bytes(6))
        await server.serve(stream)

    async with listening(serve) as port:
        through = {"proxy": f"SOCKS5H://127.0.0.1:{port}", "http_library": library}
        async with calling("http://api.example/v1", **through) as client:
            assert (await client.get_session("s-1")).id == "s-1"
    assert b"api.example" in asked[0]
