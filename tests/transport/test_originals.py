"""The check that nobody stands between a client and its socket: no part may be replaced."""

import asyncio
import functools
import socket
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpcore
import httpx
import pytest
from httpcore._backends.auto import AutoBackend
from support.calling import calling
from support.scripted import BODY_OF_SESSION, http, serving

from webrtc_async._transport.originals import is_client_original, is_transport_original

CLASSES = {
    httpx.AsyncClient: lambda: is_client_original(httpx.AsyncClient),
    httpx.AsyncHTTPTransport: is_transport_original,
    httpcore.AsyncConnectionPool: is_transport_original,
    httpcore.AsyncHTTPConnection: is_transport_original,
    httpcore.AsyncHTTP11Connection: is_transport_original,
    httpcore.AnyIOBackend: is_transport_original,
    AutoBackend: is_transport_original,
}
METHODS = [
    pytest.param(base, name, check, id=f"{base.__name__}.{name}")
    for kind, check in CLASSES.items()
    for base in kind.__mro__[:-1]
    for name, value in vars(base).items()
    if callable(value) or isinstance(value, property)
]


class Wrapped:
    """A callable object in the place of a method, as wrapt makes it."""

    def __init__(self, original: Any) -> None:
        functools.update_wrapper(self, original)

    def __call__(self, *arguments: Any, **settings: Any) -> Any:
        raise AssertionError


class Unhashable:
    """A callable object without a hash."""

    __hash__ = None  # type: ignore[assignment]

    def __call__(self) -> None:
        raise AssertionError


def replacements(original: Any) -> Iterator[Any]:
    """Return objects that the tools put into the place of an attribute."""

    def function(*_: Any, **__: Any) -> None:
        raise AssertionError

    yield function
    yield Wrapped(function)
    yield staticmethod(function)
    yield property(function)
    yield asynccontextmanager(function)  # type: ignore[arg-type]
    if not isinstance(original, property):
        yield functools.wraps(original)(function)
        yield functools.partial(original)


@pytest.mark.parametrize(("owner", "name", "is_original"), METHODS)
def test_no_method_may_be_replaced(
    owner: type, name: str, is_original: Callable[[], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every method of every class on the way counts, however it was replaced."""
    assert is_original()
    for replacement in replacements(vars(owner)[name]):
        monkeypatch.setattr(owner, name, replacement)
        assert not is_original()
        monkeypatch.undo()
        assert is_original()


@pytest.mark.parametrize("name", ["_transport_for_url", "headers", "stream", "brand_new"])
def test_a_method_that_is_added_counts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attribute in front of an inherited one, and a new one, count too."""
    monkeypatch.setattr(httpx.AsyncClient, name, lambda self: None, raising=False)
    assert not is_client_original(httpx.AsyncClient)


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (httpx, "AsyncHTTPTransport"),
        (httpcore, "AsyncConnectionPool"),
        (httpcore, "AsyncHTTPConnection"),
        (httpcore, "AnyIOBackend"),
        (socket, "socket"),
        (anyio, "connect_tcp"),
        (asyncio.BaseEventLoop, "create_connection"),
    ],
)
def test_no_class_or_function_may_be_replaced(
    owner: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A subclass, a wrapper or any other object in the place of a part of the way counts."""
    original = getattr(owner, name)
    same_name = {"__module__": "tests"}
    subclass = [type(name, (original,), same_name)] if isinstance(original, type) else []
    for replacement in [*subclass, functools.partial(original), lambda *_: None, Unhashable()]:
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, replacement)
            assert not is_transport_original()
        assert is_transport_original()


def test_a_subclass_is_not_original() -> None:
    """A class of the user's is not httpx's, even without a method of its own."""
    assert not is_client_original(type("AsyncClient", (httpx.AsyncClient,), {"__module__": "x"}))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (httpcore.AnyIOBackend, "connect_tcp"),
        (httpcore.AsyncHTTP11Connection, "handle_async_request"),
        (AutoBackend, "connect_tcp"),
        (anyio, "connect_tcp"),
        (asyncio.BaseEventLoop, "create_connection"),
        (socket.socket, "connect"),
        (httpx.AsyncClient, "_send_handling_redirects"),
    ],
)
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_replaced_part_gets_what_httpx_gives_it(
    owner: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrapper anywhere between the client and the socket sees a call as it sees one of httpx."""
    seen: list[tuple[int, frozenset[str]]] = []
    original = getattr(owner, name)

    def watch(*arguments: Any, **settings: Any) -> Any:
        seen.append((len(arguments), frozenset(settings)))
        return original(*arguments, **settings)

    async with serving(http(200, BODY_OF_SESSION)) as server:
        monkeypatch.setattr(owner, name, watch)
        async with httpx.AsyncClient(trust_env=False) as plain:
            await plain.get(server.url())
        [as_by_httpx] = seen
        # The parts are httpx's, whichever library the other tests use.
        async with calling(server.url(), http_library=None) as client:
            await client.get_session("s-1")
        assert seen == [as_by_httpx] * 2
        monkeypatch.undo()
