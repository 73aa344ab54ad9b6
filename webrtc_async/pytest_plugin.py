"""A pytest plugin: an emulator, a client and a server for tests, and faults by a marker.

    @pytest.mark.anyio
    async def test_a_session_is_created(webrtc_client, webrtc_emulator):
        session = await webrtc_client.create_session()
        assert webrtc_emulator.session_ids("9900000") == (session.id,)

No fixture is a coroutine, so it works with every plugin that runs coroutine tests. The report of a
failed test shows the last exchanges of each emulator that the test used.
"""

# pytest loads this module in every run, even if no test uses it. So it imports only pytest, and the
# fixtures import the rest.
from collections.abc import Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from pluggy import Result

    from webrtc_async import AsyncWebRtcClient, OAuth2ClientCredentials
    from webrtc_async.emulator import Emulator, EmulatorServer
    from webrtc_async.emulator.faults.rule import FaultRule
    from webrtc_async.emulator.records.exchanges import Exchange

MARKER: Final = "webrtc_faults"

CHECKS_MARKER: Final = "webrtc_checks"

CHECKS: Final = {
    "orphans": "a test leaves a session or participant in an emulator",
    "unknown_routes": "a test makes a request that is for no operation of the API",
}
"""The problem that each check at the end of a test reports, by the check's name."""

MAX_SHOWN: Final = 20
"""Maximum number of an emulator's exchanges in the report of a failed test."""

_OWN: Final = pytest.StashKey["Emulator"]()
"""Key of an item's own emulator, in the item's stash."""

_SERVED: Final = pytest.StashKey["Emulator"]()
"""Key of the server's emulator, in the configuration's stash."""

_RULES: Final = pytest.StashKey["list[FaultRule]"]()
"""Key of the fault rules of an item's markers, in the item's stash."""

_CHECKS: Final = pytest.StashKey["list[str]"]()
"""Key of the names of an item's checks, in the item's stash; empty once the test has failed."""

_RUNNING: Final = pytest.StashKey[pytest.Item]()
"""Key of the current item, in the configuration's stash."""


@pytest.fixture
def webrtc_emulator(request: pytest.FixtureRequest) -> "Emulator":
    """Return an emulator for one test, in process; its ids are the same in every run."""
    from webrtc_async.emulator import Emulator

    emulator = Emulator(seed=0)
    request.node.stash[_OWN] = emulator
    _arm(request.node, emulator)
    return emulator


@pytest.fixture
def webrtc_client(webrtc_emulator: "Emulator") -> "AsyncWebRtcClient":
    """Return a client of `webrtc_emulator`; it works without entering or closing it."""
    from webrtc_async.emulator import Credentials

    user = Credentials()
    return _client_of(webrtc_emulator, (user.username, user.password))


@pytest.fixture
def webrtc_oauth_client(webrtc_emulator: "Emulator") -> "AsyncWebRtcClient":
    """Return a client of `webrtc_emulator` that fetches access tokens, as on the service."""
    from webrtc_async import OAuth2ClientCredentials
    from webrtc_async.emulator import Credentials

    client = Credentials()
    return _client_of(
        webrtc_emulator, OAuth2ClientCredentials(client.client_id, client.client_secret)
    )


@pytest.fixture(scope="session")
def webrtc_server(request: pytest.FixtureRequest) -> Iterator["EmulatorServer"]:
    """Serve an emulator on a free port of 127.0.0.1 until the end of the test session.

    It is reset before each test; its base URL, `webrtc_server.base_url`, does not change.
    """
    from webrtc_async.emulator import Emulator

    try:
        from webrtc_async.emulator import EmulatorServer
    except ModuleNotFoundError as error:
        if error.name not in {"starlette", "uvicorn"}:
            raise
        problem = str(error)
        pytest.fail(f"webrtc_server: {problem}", pytrace=False)

    stash = request.config.stash
    with EmulatorServer(Emulator(seed=0)) as server:
        stash[_SERVED] = server.emulator
        _arm(stash[_RUNNING], server.emulator)
        yield server
        del stash[_SERVED]


@pytest.fixture
def webrtc_env(webrtc_server: "EmulatorServer", monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Set the `BW_` variables to `webrtc_server` for one test, and return them.

    An app that makes its client with `AsyncWebRtcClient.from_env()` then uses the server.
    """
    for name in ("BW_USERNAME", "BW_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    variables = webrtc_server.environment
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the options that switch on the checks at the end of each test."""
    for name, problem in CHECKS.items():
        parser.addini(f"webrtc_assert_no_{name}", f"report an error if {problem}", type="bool")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    config.addinivalue_line(
        "markers",
        f"{CHECKS_MARKER}(orphans=..., unknown_routes=...): switch a check of the options "
        "webrtc_assert_no_orphans and webrtc_assert_no_unknown_routes on or off for this test",
    )
    config.addinivalue_line(
        "markers",
        f"{MARKER}(...): arm a fault rule of webrtc_emulator and webrtc_server for this test; "
        "the arguments are those of Emulator.faults.add, or chaos= and seed= for a profile",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Reset the server and arm the test's faults."""
    # Before any fixture: a session fixture that fails would fail for all later tests, too.
    item.stash[_CHECKS] = []
    item.stash[_RULES] = _rules_of(item)
    item.stash[_CHECKS] = _checks_of(item)
    item.config.stash[_RUNNING] = item
    served = item.config.stash.get(_SERVED, None)
    if served is not None:
        served.reset()
        _arm(item, served)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """Check the test's emulators once its fixtures have ended."""
    # The last test's fixtures include the server, whose emulator is no longer known afterwards.
    used = [*_used_by(item)]
    yield
    for check in item.stash[_CHECKS]:
        for name, emulator in used:
            _run_check(check, name, emulator)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, "Result[pytest.TestReport]", None]:
    """Add the last exchanges to the report of a failed test."""
    outcome = yield
    report = outcome.get_result()
    if not report.passed:
        # A test that stops early may not reach its own deletions.
        item.stash[_CHECKS] = []
    if report.failed:
        for name, emulator in _used_by(item):
            if lines := _exchange_lines(emulator):
                report.sections.append((f"last exchanges of {name}", "\n".join(lines)))


def _client_of(
    emulator: "Emulator", auth: "tuple[str, str] | OAuth2ClientCredentials"
) -> "AsyncWebRtcClient":
    from webrtc_async import AsyncWebRtcClient
    from webrtc_async.emulator import EmulatorTransport
    from webrtc_async.emulator.emulator import DEFAULT_ACCOUNT

    return AsyncWebRtcClient(
        DEFAULT_ACCOUNT,
        auth=auth,
        transport=EmulatorTransport(emulator),
    )


def _checks_of(item: pytest.Item) -> list[str]:
    enabled = {name: bool(item.config.getini(f"webrtc_assert_no_{name}")) for name in CHECKS}
    # The closest marker comes first, and counts.
    for marker in reversed([*item.iter_markers(CHECKS_MARKER)]):
        if marker.args or not marker.kwargs.keys() <= CHECKS.keys():
            pytest.fail(
                f"{CHECKS_MARKER} takes {' and '.join(CHECKS)}, each by name.", pytrace=False
            )
        enabled |= marker.kwargs
    return [name for name, is_enabled in enabled.items() if is_enabled]


def _run_check(check: str, name: str, emulator: "Emulator") -> None:
    from webrtc_async.emulator.records.verification import check_no_unknown_routes

    try:
        if check == "orphans":
            emulator.assert_no_orphans()
        else:
            check_no_unknown_routes(emulator.exchanges)
    except AssertionError as error:
        problem = str(error)
    else:
        return
    advice = "Delete them, or mark" if check == "orphans" else "Correct their URLs, or mark"
    pytest.fail(
        f"{name}: {problem}\n{advice} the test with {CHECKS_MARKER}({check}=False).",
        pytrace=False,
    )


def _rules_of(item: pytest.Item) -> "list[FaultRule]":
    markers = [*item.iter_markers(MARKER)]
    if not markers:
        return []
    if {"webrtc_emulator", "webrtc_server"}.isdisjoint(getattr(item, "fixturenames", ())):
        pytest.fail(
            f"{MARKER} needs a test that uses webrtc_emulator, webrtc_client or webrtc_server.",
            pytrace=False,
        )
    try:
        return [rule for each in markers for rule in _rules_of_marker(each)]
    except ValueError as error:
        problem = str(error)
    pytest.fail(f"{MARKER}: {problem}", pytrace=False)


def _rules_of_marker(marker: pytest.Mark) -> "Iterable[FaultRule]":
    from webrtc_async.emulator.faults.chaos import chaos_rules
    from webrtc_async.emulator.faults.rule import read_rule

    if "chaos" in marker.kwargs:
        if marker.args or marker.kwargs.keys() > {"chaos", "seed"}:
            raise ValueError("chaos can be combined with seed only.")
        return chaos_rules(marker.kwargs["chaos"], seed=marker.kwargs.get("seed"))
    if len(marker.args) > 1:
        raise ValueError("only the route can be a positional argument.")
    route = {"route": marker.args[0]} if marker.args else {}
    return [read_rule({**route, **marker.kwargs})]


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
    """Return a line for each of the last exchanges."""
    return [_exchange_line(each) for each in [*emulator.exchanges][-MAX_SHOWN:]]


def _exchange_line(exchange: "Exchange") -> str:
    # Without the query, which can hold secrets.
    path = exchange.target.partition("?")[0]
    line = (
        f"{exchange.number}. {exchange.method} {path} -> {exchange.status or 'no answer'}, "
        f"{exchange.operation or 'no operation'}, {exchange.seconds * 1000:.1f} ms"
    )
    if exchange.fault is not None:
        line += f", fault {exchange.fault}"
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line)
