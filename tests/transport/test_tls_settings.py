"""TLS settings: the environment's certificates, shared settings, and host names."""

import asyncio
import shutil
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from support.calling import OK, calling
from support.scripted import policy, serving
from support.tls import authority, client_side, server_side

from webrtc_async import Outcome, TlsError
from webrtc_async._transport.http1.transport import PooledTransport
from webrtc_async._transport.http_library import LibraryTransport
from webrtc_async._transport.tls_settings import TlsSettings
from webrtc_async.errors import ConfigurationError

pytestmark = pytest.mark.anyio

LIBRARIES = pytest.mark.parametrize("library", [None, "httpx", "httpx2"])


@pytest.fixture
def certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the authority's certificate, and no variables."""
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(variable, raising=False)
    authority().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.pem").write_text("no certificate")
    return tmp_path


@pytest.mark.parametrize("scheme", ["https", "http"])
@LIBRARIES
async def test_the_environment_s_certificates_count_on_this_machine(
    library: Any, scheme: str, certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE is trusted for a loopback URL too; a URL without TLS reads none."""
    name = "ca.pem" if scheme == "https" else "missing.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / name))
    tls = server_side("127.0.0.1") if scheme == "https" else None
    async with (
        serving(OK, tls=tls) as server,
        calling(server.url(scheme), http_library=library) as client,
    ):
        assert (await client.get_session("s-1")).id == "s-1"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl names the file")
async def test_a_directory_of_certificates(
    certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_DIR counts, as OpenSSL names files there; several directories may be given."""
    program = ["openssl", "x509", "-hash", "-noout", "-in", str(certificates / "ca.pem")]
    hashed = (await anyio.run_process(program)).stdout.decode().strip()
    (certificates / "ca.pem").rename(certificates / f"{hashed}.0")
    monkeypatch.setenv("SSL_CERT_DIR", f"/missing:{certificates / 'empty'}:{certificates}")
    async with (
        serving(OK, tls=server_side("127.0.0.1")) as server,
        calling(server.url("https")) as client,
    ):
        assert (await client.get_session("s-1")).id == "s-1"


@pytest.mark.parametrize(
    ("variable", "name", "reason"),
    [
        ("SSL_CERT_FILE", "missing.pem", "No such file"),
        ("SSL_CERT_FILE", "empty", "."),
        ("SSL_CERT_FILE", "broken.pem", "NO_CERTIFICATE_OR_CRL_FOUND"),
        ("SSL_CERT_DIR", "missing", "No such file"),
        ("SSL_CERT_DIR", "ca.pem", "Not a directory"),
        ("SSL_CERT_DIR", "empty", "openssl rehash"),
    ],
)
@LIBRARIES
async def test_certificates_that_cannot_be_read(
    library: Any,
    variable: str,
    name: str,
    reason: str,
    certificates: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first attempt ends in an error that names the variable; nothing is connected."""
    monkeypatch.setenv(variable, str(certificates / name))
    async with (
        serving(OK, tls=server_side("127.0.0.1")) as server,
        calling(server.url("https"), http_library=library, retry=policy(attempts=3)) as client,
    ):
        with pytest.raises(ConfigurationError, match=f"{variable} is .*{name}.*{reason}") as caught:
            await client.get_session("s-1")
        assert server.connections == 0
    assert (caught.value.attempts, caught.value.outcome) == (1, Outcome.NOT_SENT)


async def test_certificates_are_read_once_and_in_a_thread() -> None:
    """Concurrent first requests read the certificates once, and not on the event loop."""
    threads: list[int] = []

    def make() -> ssl.SSLContext:
        threads.append(threading.get_ident())
        return client_side()

    # On trio, httpx's own pool serves.
    transport = PooledTransport(max_connections=5, keep_alive=1, tls=TlsSettings(None, make))
    async with (
        serving(OK, tls=server_side("127.0.0.1")) as server,
        httpx.AsyncClient(transport=transport) as client,
        anyio.create_task_group() as tasks,
    ):
        for _ in range(5):
            tasks.start_soon(client.get, server.url("https"))
    assert len(server.requests) == 5
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()


def test_missing_certificates_of_the_library(certificates: Path) -> None:
    """In a program that was packed without certifi's file, the error says what to set."""

    def make() -> ssl.SSLContext:
        return ssl.create_default_context(cafile=certificates / "missing.pem")

    with pytest.raises(ConfigurationError, match=r"directory\. Set SSL_CERT_FILE"):
        TlsSettings(None, make).load_now()


def negotiating(*protocols: str) -> ssl.SSLContext:
    """Return a server's settings that accept these protocols."""
    context = server_side("127.0.0.1")
    context.set_alpn_protocols(protocols)
    return context


class Watched(ssl.SSLContext):
    """TLS settings that a test shares with the client."""

    changes = 0

    def set_alpn_protocols(self, alpn_protocols: Any) -> None:
        self.changes += 1
        super().set_alpn_protocols(alpn_protocols)


@LIBRARIES
async def test_shared_settings_are_not_changed(library: Any) -> None:
    """The user's ssl_context keeps the protocols that it offers."""
    shared = Watched(ssl.PROTOCOL_TLS_CLIENT)
    authority().configure_trust(shared)
    async with (
        serving(OK, tls=negotiating("http/1.1")) as server,
        calling(server.url("https"), ssl_context=shared, http_library=library) as client,
    ):
        assert (await client.get_session("s-1")).id == "s-1"
    assert shared.changes == 0


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_protocol_that_is_not_spoken_is_named() -> None:
    """If shared settings offer HTTP/2 and the server chooses it, nothing is sent."""
    shared = client_side()
    shared.set_alpn_protocols(["h2", "http/1.1"])
    async with (
        serving(OK, tls=negotiating("h2", "http/1.1")) as server,
        calling(server.url("https"), ssl_context=shared, http_library=None) as client,
    ):
        with pytest.raises(ConfigurationError, match=r"ssl_context= offers the protocol h2") as err:
            await client.get_session("s-1")
        assert (server.requests, err.value.attempts) == ([], 1)


class WithoutH2(httpx.AsyncBaseTransport):
    """A transport that a server has chosen HTTP/2 on; httpcore imports h2 only then."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise ModuleNotFoundError("No module named 'h2'", name="h2")


async def test_a_protocol_whose_package_is_missing_is_named() -> None:
    """Without h2, the library cannot speak what shared settings offer."""
    transport = LibraryTransport(WithoutH2, TlsSettings(client_side()))
    with pytest.raises(ConfigurationError, match="ssl_context= offers, and h2 is not installed"):
        await transport.handle_async_request(httpx.Request("GET", "https://api.example/v1"))


def test_the_default_offers_http1_alone() -> None:
    """The default settings check certificates, and offer no HTTP/2."""
    context = TlsSettings().load_now()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


# Host names


class NamingLoop(asyncio.SelectorEventLoop):
    """An event loop for which every name is this machine's."""

    names: list[Any]

    async def getaddrinfo(self, host: Any, port: Any, **settings: Any) -> Any:
        self.names.append(host.decode() if isinstance(host, bytes) else host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


NAMING = pytest.mark.parametrize("anyio_backend", [("asyncio", {"loop_factory": NamingLoop})])


@pytest.fixture
def names() -> list[str]:
    """The names that were looked up, the server's first."""
    NamingLoop.names = []
    return NamingLoop.names


HOSTS = [
    ("api.example.", "api.example.", "api.example"),
    ("API.Example", "api.example", "api.example"),
    ("B\u00fccher.EXAMPLE.", "xn--bcher-kva.example.", "xn--bcher-kva.example"),
]


@NAMING
@pytest.mark.parametrize(("host", "in_dns", "in_tls"), HOSTS)
@LIBRARIES
async def test_a_host_as_people_and_dns_write_it(
    library: Any, host: str, in_dns: str, in_tls: str, names: list[str]
) -> None:
    """DNS gets a name with its final dot; TLS and the server get it without."""
    async with (
        serving(OK, tls=server_side(in_tls)) as server,
        calling(
            server.url("HTTPS", host=host), ssl_context=client_side(), http_library=library
        ) as client,
    ):
        assert (await client.get_session("s-1")).id == "s-1"
    assert names[1:] == [in_dns]
    assert f"\r\nhost: {in_tls}:{server.port}\r\n".encode() in server.requests[0].lower()


@NAMING
async def test_another_host_s_certificate_is_still_rejected(names: list[str]) -> None:
    """The dot at the end of a name changes nothing about the check."""
    async with (
        serving(OK, tls=server_side("elsewhere.example")) as server,
        calling(server.url("https", host="api.example."), ssl_context=client_side()) as client,
    ):
        with pytest.raises(TlsError, match="not valid for"):
            await client.get_session("s-1")
    assert names[1:] == ["api.example."]
