"""The emulator on a TCP port: beside the caller in a thread, or in the foreground."""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Final, Self

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from webrtc_async.emulator.control.call import CONTROL_PATH
from webrtc_async.emulator.doors.asgi import emulator_app
from webrtc_async.emulator.doors.connection import PATIENCE, protocol_over
from webrtc_async.emulator.emulator import Emulator
from webrtc_async.emulator.faults.wire_bytes import KEEP_ALIVE

GRACE: Final = 1
"""Seconds that requests under way are given when the server stops."""

_HERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # nothing is bound to it


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens, so that clients may connect before anyone accepts.

    Args:
        host: A name or address of this machine.
        port: The port; 0 takes a free one.

    Raises:
        OSError: The port is in use, or the host is not this machine's.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    # This sets SO_REUSEADDR where that does not mean to share the port.
    listening = socket.create_server(address[:2], family=family, backlog=2048)
    # Named TCP, because only then asyncio sets TCP_NODELAY on what it accepts. Without, an answer
    # whose head and body are written apart waits 40 ms for the client's delayed acknowledgement.
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=listening.detach())


def base_url(listening: socket.socket) -> str:
    """Return the base URL of an emulator that is served on a socket."""
    host, port = listening.getsockname()[:2]
    return f"http://{_bracketed(host)}:{port}{Emulator.base_path}"


def page_url(listening: socket.socket) -> str:
    """Return where a browser on this machine sees an emulator that is served on a socket."""
    host, port = listening.getsockname()[:2]
    # One that listens everywhere listens here, and browsers do not go to "everywhere".
    here = _HERE.get(str(host), str(host))
    return f"http://{_bracketed(here)}:{port}{CONTROL_PATH}/"


def serve(emulator: Emulator, listening: socket.socket, *, control: bool = True) -> None:
    """Serve an emulator on a bound socket until SIGINT or SIGTERM.

    Args:
        emulator: What answers.
        listening: From `bind`; closed at the end.
        control: Whether control calls are answered as well.
    """
    # uvicorn stops in order and then raises the signal again; Ctrl-C is how this is meant to end.
    with contextlib.suppress(KeyboardInterrupt):
        _Server(emulator, control=control).run(sockets=[listening])


class EmulatorServer:
    """Serves an emulator from a thread, for as long as its context lasts.

    with EmulatorServer(Emulator()) as server:
        print(server.base_url)

    Args:
        emulator: What answers.
        host: A name or address of this machine.
        port: The port; 0 takes a free one.
        control: Whether control calls are answered as well.
        patience: Seconds that a connection may leave the server waiting before it is closed.
    """

    def __init__(
        self,
        emulator: Emulator,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        control: bool = True,
        patience: float = PATIENCE,
    ) -> None:
        self.emulator = emulator
        self._control = control
        self._patience = patience
        self._host = host
        self._port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._base_url: str | None = None

    @property
    def base_url(self) -> str:
        """The base URL for clients, known once the context is entered."""
        if self._base_url is None:
            raise RuntimeError("The server has no address yet: enter it with `with`.")
        return self._base_url

    def __enter__(self) -> Self:
        """Bind the port and start answering.

        Raises:
            OSError: The port is in use, or the host is not this machine's.
        """
        if self._thread is not None:
            raise RuntimeError("The server runs already.")
        listening = bind(self._host, self._port)
        self._base_url = base_url(listening)
        self._server = _Server(self.emulator, control=self._control, patience=self._patience)
        self._thread = threading.Thread(
            target=self._server.run, args=([listening],), name="webrtc-emulator", daemon=True
        )
        self._thread.start()
        # Stopped before it has started, uvicorn would leave the socket open.
        while self._thread.is_alive() and not self._server.has_started.wait(0.1):
            pass
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop answering, close the port and every connection."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
        self._server = self._thread = None


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


class _Server(uvicorn.Server):
    def __init__(self, emulator: Emulator, *, control: bool, patience: float = PATIENCE) -> None:
        config = uvicorn.Config(
            emulator_app(emulator, control=control),
            http=protocol_over(AutoHTTPProtocol, patience=patience),
            timeout_keep_alive=KEEP_ALIVE,
            # The logging of the process is its owner's.
            log_config=None,
            log_level="warning",
            access_log=False,
            # Nobody stands between, so nobody's word on who the caller is counts.
            proxy_headers=False,
            # The service does not say that it is uvicorn.
            server_header=False,
            lifespan="on",
            ws="none",
            timeout_graceful_shutdown=GRACE,
        )
        super().__init__(config)
        self.has_started = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.has_started.set()
