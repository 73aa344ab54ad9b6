"""The proxies of a client, and the URLs that are reached without one."""

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.request import getproxies

import httpx
from attrs import frozen

from webrtc_async._config.validation import check_proxy

_LOCAL: Final = "localhost", "127.0.0.0/8", "[::1]"

_PORTS: Final = {"http": 80, "https": 443}


@frozen
class Proxies:
    """The proxies of a client by scheme, with "all" for the other schemes.

    Attributes:
        by_scheme: URLs of proxies.
        exceptions: Hosts, networks and URLs that need no proxy, as in NO_PROXY.
    """

    by_scheme: Mapping[str, str]
    exceptions: tuple[str, ...] = ()

    @classmethod
    def of_environment(cls) -> "Proxies":
        """Return the environment's proxies, which nothing on this machine is reached through."""
        found = getproxies()
        exceptions = re.split(r"[\s,]+", found.get("no", ""))
        by_scheme = {
            scheme: proxy if "://" in proxy else f"http://{proxy}"
            for scheme in ("http", "https", "all")
            if (proxy := found.get(scheme, "").strip())
        }
        return cls(by_scheme, (*_LOCAL, *filter(None, exceptions)))

    def proxy_for(self, url: str) -> str | None:
        """Return the URL of the proxy for a URL, if it needs one.

        Raises:
            ConfigurationError: The proxy cannot be used; the error names its variable.
        """
        scheme = url.partition(":")[0].lower()
        chosen = scheme if scheme in self.by_scheme else "all"
        proxy = self.by_scheme.get(chosen)
        if proxy is None or self.exception_for(url) is not None:
            return None
        check_proxy(proxy, self.source_of(chosen))
        return proxy

    def exception_for(self, url: str) -> str | None:
        """Return the exception that matches a URL, if any."""
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            return None  # no request can be built for it
        return next((each for each in self.exceptions if _matches(each, parsed)), None)

    def source_of(self, scheme: str) -> str:
        """Return the name of the setting that a proxy comes from."""
        if not self.exceptions:
            return "proxy"
        names = (f"{scheme}_proxy", f"{scheme.upper()}_PROXY")
        set_here = [name for name in names if os.environ.get(name)]
        return set_here[0] if set_here else "the system's proxy"


class ProxyTransport(httpx.AsyncBaseTransport):
    """A transport that sends each request through its URL's proxy, or straight.

    Args:
        proxies: The proxies.
        straight: The transport for requests without a proxy.
        open_transport: Returns a transport through a proxy.
    """

    def __init__(
        self,
        proxies: Proxies,
        straight: httpx.AsyncBaseTransport,
        open_transport: Callable[[str], httpx.AsyncBaseTransport],
    ) -> None:
        self._proxies = proxies
        self._transports: dict[str | None, httpx.AsyncBaseTransport] = {None: straight}
        self._open_transport = open_transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its response."""
        proxy = self._proxies.proxy_for(str(request.url))
        if proxy not in self._transports:
            self._transports[proxy] = self._open_transport(proxy or "")
        return await self._transports[proxy].handle_async_request(request)


def _matches(exception: str, url: httpx.URL) -> bool:
    """Return True if an entry of NO_PROXY stands for a URL's host."""
    scheme, _, place = exception.lower().rpartition("://")
    if scheme not in ("", "all", url.scheme):
        return False
    entry, port = _divided(place)
    if port and port != str(url.port or _PORTS.get(url.scheme)):
        return False
    if entry == "*":
        return True
    host = url.raw_host.decode("ascii").rstrip(".")
    address, network = _network(host), _network(entry)
    if network is not None:
        return (
            address is not None
            and address.version == network.version
            and (address.network_address in network)
        )
    name = _in_ascii(entry.removeprefix("*").rstrip("."))
    # ".example.com" stands for the hosts below it, "example.com" for itself too.
    return bool(name) and (host == name or host.endswith(f".{name.removeprefix('.')}"))


def _divided(place: str) -> tuple[str, str]:
    """Return a host or network and its port; IPv6 stands in brackets or, without a port, bare."""
    if place.startswith("["):
        host, _, rest = place[1:].partition("]")
        prefix, _, port = rest.partition(":")
        return host + prefix, port
    if place.count(":") == 1:
        host, _, port = place.partition(":")
        return host, port
    return place, ""


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _in_ascii(name: str) -> str:
    """Return a host's name as DNS has it."""
    if name.isascii():
        return name
    try:
        return httpx.URL(f"http://{name.removeprefix('.')}").raw_host.decode("ascii")
    except httpx.InvalidURL:
        return ""
