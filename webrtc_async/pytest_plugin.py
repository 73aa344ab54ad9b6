"""A pytest plugin: an emulator, a client and a server for tests, and faults by a marker.

    @pytest.mark.anyio
    async def test_a_room_is_made(webrtc_client, webrtc_emulator):
        session = await webrtc_client.create_session()
        assert webrtc_emulator.session_ids("9900000") == (session.id,)

No fixture is a coroutine, so every plugin that runs coroutine tests will do. A test that fails
shows the last exchanges of each emulator that it used.
"""

# pytest loads this in every run, also of those who use nothing of it: so the rest of the package
# is imported by who asks for it, and pytest is all that is needed.
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from pluggy import Result

    from webrtc_async import AsyncWebRtcClient
    from webrtc_async.emulator import Emulator
    from webrtc_async.emulator.doors.server import EmulatorServer
    from webrtc_async.emulator.faults.rule import FaultRule
    from webrtc_async.emulator.records.exchanges import Exchange

MARKER: Final = "webrtc_faults"

MAX_SHOWN: Final = 20
"""Exchanges of an emulator that are shown when a test fails."""

_OWN: Final = pytest.StashKey["Emulator"]()
"""Of an item: the emulator in process that it uses."""

_SERVED: Final = pytest.StashKey["Emulator"]()
"""Of the configuration: the emulator behind the session's server."""

_RULES: Final = pytest.StashKey["list[FaultRule]"]()
"""Of an item: the fault rules of its markers."""

_RUNNING: Final = pytest.StashKey[pytest.Item]()
"""Of the configuration: the item that is set up or runs."""


@pytest.fixture
def webrtc_emulator(request: pytest.FixtureRequest) -> "Emulator":
    """Return an emulator of the test's own, in process; its ids are the same in every run."""
    from webrtc_async.emulator import Emulator

    emulator = Emulator(seed=0)
    request.node.stash[_OWN] = emulator
    _arm(request.node, emulator)
    return emulator


@pytest.fixture
def webrtc_client(webrtc_emulator: "Emulator") -> "AsyncWebRtcClient":
    """Return a client of `webrtc_emulator`, which need not be entered or closed."""
    from webrtc_async import AsyncWebRtcClient
    from webrtc_async.emulator import Credentials, EmulatorTransport
    from webrtc_async.emulator.emulator import DEFAULT_ACCOUNT

    user = Credentials()
    return AsyncWebRtcClient(
        DEFAULT_ACCOUNT,
        auth=(user.username, user.password),
        base_url=f"http://localhost{webrtc_emulator.base_path}",
        transport=EmulatorTransport(webrtc_emulator),
    )


@pytest.fixture(scope="session")
def webrtc_server(request: pytest.FixtureRequest) -> Iterator["EmulatorServer"]:
    """Serve an emulator on a free port of 127.0.0.1 until the end of the session.

    It is reset before each test; the base URL, `webrtc_server.base_url`, stays.
    """
    try:
        from webrtc_async.emulator.doors.server import EmulatorServer
    except ModuleNotFoundError as missing:
        library = str(missing.name).partition(".")[0]
        if library not in {"starlette", "uvicorn"}:
            raise
        pytest.fail(
            f"webrtc_server needs {library}: pip install 'webrtc-async[emulator]'",
            pytrace=False,
        )
    from webrtc_async.emulator import Emulator

    stash = request.config.stash
    with EmulatorServer(Emulator(seed=0)) as server:
        stash[_SERVED] = server.emulator
        _arm(stash[_RUNNING], server.emulator)
        yield server
        del stash[_SERVED]


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(...): have webrtc_emulator and webrtc_server send_with_fault in this test, by one "
        "rule; the arguments are those of Emulator.faults.add",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin each test with a server on which nothing has happened, and its faults armed."""
    # Before any fixture: one of the session that fails would fail for all tests that follow.
    item.stash[_RULES] = _rules_of(item)
    item.config.stash[_RUNNING] = item
    served = item.config.stash.get(_SERVED, None)
    if served is not None:
        served.reset()
        _arm(item, served)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, "Result[pytest.TestReport]", None]:
    """Show the last exchanges of a test that failed."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for name, emulator in _used_by(item):
            if lines := _exchange_lines(emulator):
                report.sections.append((f"last exchanges of {name}", "\n".join(lines)))


def _rules_of(item: pytest.Item) -> "list[FaultRule]":
    markers = [*item.iter_markers(MARKER)]
    if not markers:
        return []
    if {"webrtc_emulator", "webrtc_server"}.isdisjoint(getattr(item, "fixturenames", ())):
        pytest.fail(
            f"{MARKER} is for tests that ask for webrtc_emulator, webrtc_client or webrtc_server.",
            pytrace=False,
        )
    try:
        return [_rule_of(each) for each in markers]
    except ValueError as error:
        problem = str(error)
    pytest.fail(f"{MARKER}: {problem}", pytrace=False)


def _rule_of(marker: pytest.Mark) -> "FaultRule":
    from webrtc_async.emulator.faults.rule import read_rule

    if len(marker.args) > 1:
        raise ValueError("only the route goes without a name.")
    route = {"route": marker.args[0]} if marker.args else {}
    return read_rule({**route, **marker.kwargs})


def _arm(item: pytest.Item, emulator: "Emulator") -> None:
    for rule in item.stash[_RULES]:
        emulator.faults.arm(rule)


def _used_by(item: pytest.Item) -> Iterator[tuple[str, "Emulator"]]:
    own = item.stash.get(_OWN, None)
    if own is not None:
        yield "webrtc_emulator", own
    served = item.config.stash.get(_SERVED, None)
    if served is not None:
        yield "webrtc_server", served


def _exchange_lines(emulator: "Emulator") -> list[str]:
    """Return a line for each of the last exchanges, and for each fault and webhook after them."""
    return [_exchange_line(each) for each in [*emulator.exchanges][-MAX_SHOWN:]]


def _exchange_line(exchange: "Exchange") -> str:
    # A query is the caller's own, and could hold anything.
    path = exchange.target.partition("?")[0]
    line = (
        f"{exchange.number}. {exchange.method} {path} -> {exchange.status or 'no answer'}, "
        f"{exchange.operation or 'no operation'}, {exchange.seconds * 1000:.1f} ms"
    )
    if exchange.fault is not None:
        line += f", fault {exchange.fault}"
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line)
