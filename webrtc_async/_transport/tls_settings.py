"""The TLS settings of a client: the user's, or certificates that are read when they are needed."""

import os
import re
import ssl
import threading
from collections.abc import Callable
from typing import Any, Final

import httpx
from anyio import to_thread

from webrtc_async.errors import ConfigurationError

HTTP1: Final = "http/1.1"

_HASHED_NAME: Final = re.compile(r"[0-9a-f]{8}\.\d+")
"""The names under which OpenSSL looks for certificates in a directory."""


class TlsSettings:
    """The TLS settings that all connections of a client share.

    Args:
        given: The user's settings. They may be shared with other clients, so nothing changes them.
        make_default: Makes a library's default settings.
    """

    def __init__(
        self,
        given: ssl.SSLContext | None = None,
        make_default: Callable[[], ssl.SSLContext] = httpx.create_ssl_context,
    ) -> None:
        self._context = given
        self._make_default = make_default
        self._lock = threading.Lock()

    async def load(self) -> ssl.SSLContext:
        """Return the settings; certificates are read once, and in a thread, as it takes 20 ms.

        Raises:
            ConfigurationError: The certificates cannot be read.
        """
        if self._context is None:
            return await to_thread.run_sync(self.load_now, abandon_on_cancel=True)
        return self._context

    def load_now(self) -> ssl.SSLContext:
        """Return the settings, in this thread.

        Raises:
            ConfigurationError: The certificates cannot be read.
        """
        with self._lock:
            if self._context is None:
                self._context = self._read()
        return self._context

    def for_library(self) -> ssl.SSLContext:
        """Return the settings for a library that would change them."""
        return _UnchangedContext(self)

    def _read(self) -> ssl.SSLContext:
        named = environment_certificates()
        try:
            if named is not None:
                _check_directory(*named)
            context = self._make_default()
        except (OSError, ssl.SSLError) as error:
            reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
            raise ConfigurationError(
                f"the environment variable {named[0]} is {named[1]!r}, where no certificates can "
                f"be read: {reason}. Set it to certificates in PEM, or unset it."
                if named is not None
                else f"the HTTP library's certificates cannot be read: {reason}. Set SSL_CERT_FILE."
            ) from error
        # A server that could choose would choose HTTP/2.
        context.set_alpn_protocols([HTTP1])
        return context


class _UnchangedContext(ssl.SSLContext):
    """TLS settings that httpcore cannot change: it sets ALPN in every context that it uses."""

    def __new__(cls, settings: TlsSettings) -> "_UnchangedContext":
        context = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        context._settings = settings
        return context

    _settings: TlsSettings

    def set_alpn_protocols(self, alpn_protocols: object) -> None:
        """Do nothing."""

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Return the TLS of a connection, with the settings as they are."""
        context = self._settings.load_now()
        # A context in the place of ssl's may take no session.
        options: dict[str, Any] = {} if session is None else {"session": session}
        return context.wrap_bio(incoming, outgoing, server_side, server_hostname, **options)


def environment_certificates() -> tuple[str, str] | None:
    """Return the variable that names certificates and its value, if one is set."""
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if value := os.environ.get(variable):
            return variable, value
    return None


def check_negotiated(ssl_object: ssl.SSLObject | ssl.SSLSocket) -> None:
    """Check that a server did not choose another protocol than HTTP/1.1.

    Raises:
        ConfigurationError: It chose one that the user's ssl_context offers.
    """
    chosen = ssl_object.selected_alpn_protocol()
    if chosen not in (None, HTTP1):
        raise ConfigurationError(
            f"ssl_context= offers the protocol {chosen} (ALPN), and the server chose it. Nothing "
            f"was sent. Offer {HTTP1!r} alone, or use http_client=httpx.AsyncClient(http2=True, "
            "verify=ssl_context)."
        )


def _check_directory(variable: str, value: str) -> None:
    """Check a directory of certificates, because OpenSSL ignores an empty or missing one."""
    if variable != "SSL_CERT_DIR":
        return
    # OpenSSL passes over the directories of a list that do not exist.
    folders = [*filter(os.path.isdir, value.split(os.pathsep))] or [value]
    names = [name for folder in folders for name in os.listdir(folder)]
    if not any(map(_HASHED_NAME.fullmatch, names)):
        raise OSError("no file has a name that OpenSSL looks for; run `openssl rehash` there")
