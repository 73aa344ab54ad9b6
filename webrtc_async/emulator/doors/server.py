"""The emulator on a TCP port, in a thread or in the foreground."""

import contextlib
import signal
import socket
import threading
from collections.abc import Collection, Generator
from types import TracebackType
from typing import Final, Self

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from webrtc_async.emulator.doors.asgi import emulator_app
from webrtc_async.emulator.doors.connection import IDLE_TIMEOUT, idle_timeout_protocol
from webrtc_async.emulator.emulator import Emulator
from webrtc_async.emulator.environment import environment_of
from webrtc_async.emulator.faults.wire_bytes import KEEP_ALIVE

SHUTDOWN_TIMEOUT: Final = 1
"""Seconds for requests in progress when the server stops."""

_LOOPBACK: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # nothing is bound to it


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket, to which clients can connect before `serve` accepts.

    Args:
        host: A name or address of this machine.
        port: The port; 0 picks a free one.

    Raises:
        OSError: The port is in use, or the host is not this machine.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    # This sets SO_REUSEADDR, except on systems where that would share the port.
    listening = socket.create_server(address[:2], family=family, backlog=2048)
    # IPPROTO_TCP, because only then asyncio sets TCP_NODELAY on accepted connections. Without it,
    # a response in two writes waits 40 ms for the client's delayed acknowledgement.
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=listening.detach())


def url_of(host: str, port: int) -> str:
    """Return the URL, without a path, at which this machine reaches a server of its own."""
    # No client can connect to the address for all interfaces.
    reachable = _LOOPBACK.get(host, host)
    return f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{port}"


def serve(
    emulator: Emulator,
    listening: socket.socket,
    *,
    control: bool = True,
    allowed_hosts: Collection[str] = (),
) -> None:
    """Serve an emulator on a listening socket until SIGINT, SIGTERM or SIGHUP.

    Args:
        emulator: The emulator to serve.
        listening: A socket from `bind`; closed at the end.
        control: True to serve the control API and the page as well.
        allowed_hosts: Further names of this machine, for the control API and the page.
    """
    server = _Server(emulator_app(emulator, control=control, allowed_hosts=allowed_hosts))
    # uvicorn shuts down and raises the signal again; Ctrl-C is the normal end of this function.
    with _stopping(server), contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listening])


class EmulatorServer:
    """A context manager that serves an emulator from a thread.

    with EmulatorServer(Emulator()) as server:
        print(server.base_url)

    Args:
        emulator: The emulator to serve.
        host: A name or address of this machine.
        port: The port; 0 picks a free one.
        control: True to serve the control API and the page as well.
        allowed_hosts: Further names of this machine, for the control API and the page.
        idle_timeout: Seconds without a byte from the client after which a connection is closed.
    """

    def __init__(
        self,
        emulator: Emulator,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        control: bool = True,
        allowed_hosts: Collection[str] = (),
        idle_timeout: float = IDLE_TIMEOUT,
    ) -> None:
        self.emulator = emulator
        self._control = control
        self._allowed_hosts = allowed_hosts
        self._idle_timeout = idle_timeout
        self._host = host
        self._port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._url: str | None = None

    @property
    def url(self) -> str:
        """The URL without a path, available after entering the context."""
        if self._url is None:
            raise RuntimeError("The server has no address yet. Enter it with `with` first.")
        return self._url

    @property
    def base_url(self) -> str:
        """The base URL for clients, available after entering the context."""
        return self.url + Emulator.base_path

    @property
    def environment(self) -> dict[str, str]:
        """The `BW_` variables that point an app at this server, with OAuth2 credentials."""
        account_id, credentials = next(iter(self.emulator.accounts.items()))
        return environment_of(self.url, account_id, credentials)

    def __enter__(self) -> Self:
        """Bind the port and start the server.

        Raises:
            OSError: The port is in use, or the host is not this machine.
        """
        if self._thread is not None:
            raise RuntimeError("The server is already running.")
        listening = bind(self._host, self._port)
        self._url = url_of(*listening.getsockname()[:2])
        app = emulator_app(self.emulator, control=self._control, allowed_hosts=self._allowed_hosts)
        self._server = _Server(app, idle_timeout=self._idle_timeout)
        self._thread = threading.Thread(
            target=self._server.run, args=([listening],), name="webrtc-emulator", daemon=True
        )
        self._thread.start()
        # Wait, because uvicorn leaves the socket open if it is stopped before it has started.
        while self._thread.is_alive() and not self._server.has_started.wait(0.1):
            pass
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the server, and close the port and all connections."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
        self._server = self._thread = None


@contextlib.contextmanager
def _stopping(server: uvicorn.Server) -> Generator[None]:
    """Have the signals that end a container or a terminal's programs stop the server."""

    def stop(_: int, __: object) -> None:
        server.should_exit = True

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {each: signal.signal(each, stop) for each in map(signal.Signals.__getitem__, names)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


class _Server(uvicorn.Server):
    def __init__(self, app: ASGIApp, *, idle_timeout: float = IDLE_TIMEOUT) -> None:
        config = uvicorn.Config(
            app,
            http=idle_timeout_protocol(AutoHTTPProtocol, idle_timeout=idle_timeout),
            # Older uvicorns would make uvloop, if installed, the event loop of the whole process.
            loop="asyncio",
            timeout_keep_alive=KEEP_ALIVE,
            # The application configures logging, not this server.
            log_config=None,
            log_level="warning",
            access_log=False,
            # There is no proxy in front, so its headers are not trusted.
            proxy_headers=False,
            # The real service does not name uvicorn.
            server_header=False,
            lifespan="on",
            ws="none",
            timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
        )
        super().__init__(config)
        self.has_started = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.has_started.set()
