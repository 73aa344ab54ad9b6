"""The pytest plugin, in runs of its own: its fixtures under every runner, and its reports."""

import json
from importlib.metadata import entry_points

import pytest

import webrtc_async
import webrtc_async.emulator.doors.server

pytest_plugins = ("pytester",)

# A run in this process forgets its imports at its end; a second import would make different
# classes. So everything is imported before.
for name in webrtc_async.__all__:
    getattr(webrtc_async, name)

PLUGIN = "webrtc_async.pytest_plugin"
IS_INSTALLED = any(each.value == PLUGIN for each in entry_points(group="pytest11"))
"""True if pytest finds the plugin by itself, as it does for users."""

RUNNERS = {
    "anyio on asyncio": ("-p", "no:asyncio"),
    "anyio on trio": ("-p", "no:asyncio"),
    "pytest-asyncio": ("-p", "no:anyio"),
}


@pytest.fixture
def run(pytester: pytest.Pytester):
    """Return a function that runs pytest on a module, with warnings as errors."""

    def run(
        source: str, *options: str, runner: str = "anyio on asyncio", apart: bool = False
    ) -> pytest.RunResult:
        by_hand = () if IS_INSTALLED else ("-p", PLUGIN)
        pytester.makepyfile(source)
        if runner == "pytest-asyncio":
            pytester.makeini(
                "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
            )
        else:
            backend = runner.rpartition(" ")[2]
            pytester.makeconftest(
                f"import pytest\n\n@pytest.fixture\ndef anyio_backend():\n    return {backend!r}\n"
            )
        options = ("-W", "error", "--strict-markers", *by_hand, *RUNNERS[runner], *options)
        if apart:
            return pytester.runpytest_subprocess(*options, timeout=60)
        return pytester.runpytest_inprocess(*options)

    return run


TWO_CALLS = """
    import pytest

    pytestmark = [] if {auto} else pytest.mark.anyio

    async def test_calls(webrtc_client, webrtc_emulator):
        session = await webrtc_client.create_session()
        assert webrtc_emulator.session_ids("9900000") == (session.id,)
        assert await webrtc_client.get_session(session.id) == session

    async def test_entered(webrtc_client, webrtc_emulator):
        assert webrtc_emulator.session_ids("9900000") == ()
        async with webrtc_client:
            await webrtc_client.create_session()
        assert len(webrtc_emulator.session_ids("9900000")) == 1
"""


@pytest.mark.parametrize("runner", RUNNERS)
def test_the_client_works_under_every_runner(run, runner):
    """The client works entered or not, on asyncio and trio, with both plugins for coroutines."""
    result = run(TWO_CALLS.format(auto=runner == "pytest-asyncio"), runner=runner, apart=True)
    result.assert_outcomes(passed=2)


def test_the_variables_point_an_app_at_the_server(run, monkeypatch):
    """An app's from_env() uses the server with OAuth2, whatever the shell has set."""
    monkeypatch.setenv("BW_USERNAME", "canary")
    result = run("""
        import os
        import pytest
        from webrtc_async import AsyncWebRtcClient

        @pytest.mark.anyio
        async def test_app(webrtc_env, webrtc_server):
            assert "BW_USERNAME" not in os.environ
            webrtc_server.emulator.set_switches(basic_auth="refused")
            async with AsyncWebRtcClient.from_env() as client:
                created = await client.create_session()
            assert webrtc_server.emulator.session_ids("9900000") == (created.id,)
            assert webrtc_env["BW_WEBRTC_BASE_URL"] == webrtc_server.base_url

        def test_afterwards():
            assert os.environ["BW_USERNAME"] == "canary"
            assert "BW_CLIENT_ID" not in os.environ

        @pytest.mark.anyio
        async def test_in_process(webrtc_oauth_client, webrtc_emulator):
            webrtc_emulator.set_switches(basic_auth="refused")
            await webrtc_oauth_client.create_session()
            assert webrtc_emulator.requests("getAccessToken") == 1
    """)
    result.assert_outcomes(passed=3)


@pytest.mark.parametrize("runner", RUNNERS)
def test_the_server_works_under_every_runner(run, runner):
    """A client over TCP reaches it, and the next test gets it reset at the same address."""
    result = run(
        f"""
        import pytest
        from webrtc_async import AsyncWebRtcClient

        pytestmark = [] if {runner == "pytest-asyncio"} else pytest.mark.anyio
        seen = []

        @pytest.mark.parametrize("again", [1, 2])
        async def test_calls(webrtc_server, again):
            emulator = webrtc_server.emulator
            assert emulator.session_ids("9900000") == ()
            url = webrtc_server.base_url
            async with AsyncWebRtcClient(
                "9900000", auth=("user", "password"), base_url=url
            ) as client:
                await client.create_session()
            assert len(emulator.session_ids("9900000")) == 1
            seen.append(url)
            assert len(set(seen)) == 1
        """,
        runner=runner,
    )
    result.assert_outcomes(passed=2)


def test_ids_are_the_same_in_every_run(run):
    """A test gets the same ids in every run, so that a failure can be reproduced."""
    source = """
        import pytest

        @pytest.mark.anyio
        async def test_id(webrtc_client):
            session = await webrtc_client.create_session()
            print("id:", session.id)
    """
    ids = [
        next(line for line in run(source, "-s", apart=True).outlines if "id:" in line).split()[-1]
        for _ in range(2)
    ]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 36


def test_a_synchronous_test_may_use_the_emulator_and_the_server(run):
    """Tests without coroutines need no plugin for them."""
    result = run(
        """
        import urllib.error
        import urllib.request

        import pytest

        def test_server(webrtc_server, webrtc_emulator):
            assert webrtc_emulator.session_ids("9900000") == ()
            assert webrtc_server.emulator is not webrtc_emulator
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"{webrtc_server.base_url}/accounts/9900000/sessions/x")
            refused.value.close()
            assert refused.value.code == 401
        """,
        "-p",
        "no:anyio",
    )
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_a_missing_extra_is_named(run, missing):
    """Without the extra, the server's fixture says what to install, and the others work."""
    result = run(
        f"""
        import sys

        sys.modules[{missing!r}] = None

        def test_server(webrtc_server):
            pass

        def test_emulator(webrtc_emulator, webrtc_client):
            pass
        """,
        apart=True,
    )
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(
        [f"webrtc_server: EmulatorServer needs the package {missing}. *webrtc-async?emulator?*"]
    )


def test_a_broken_installation_is_not_taken_for_a_missing_extra(run):
    """A missing module of the package itself is reported as such."""
    result = run(
        """
        import sys

        sys.modules["webrtc_async.emulator.doors.server"] = None

        def test_server(webrtc_server):
            pass
        """,
        apart=True,
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ModuleNotFoundError*webrtc_async.emulator.doors.server*"])


def test_loading_the_plugin_imports_no_emulator_and_no_server(pytester):
    """A run without the fixtures imports only the package's own names."""
    by_hand = () if IS_INSTALLED else ("-p", PLUGIN)
    pytester.makepyfile(
        """
        import json
        import sys

        def test_imports():
            ours = [each for each in sys.modules if each.startswith("webrtc_async.")]
            servers = sys.modules.keys() & {"starlette", "uvicorn"}
            print("imported:", json.dumps([*ours, *servers]))
        """
    )
    result = pytester.runpytest_subprocess("-s", *by_hand, timeout=60)
    line = next(line for line in result.outlines if "imported:" in line)
    imported = set(json.loads(line.partition("imported:")[2]))
    assert PLUGIN in imported
    assert not {each for each in imported if each.startswith("webrtc_async.emulator")}
    assert not imported & {"starlette", "uvicorn"}


FAULTY = """
    import pytest
    from webrtc_async import AsyncWebRtcClient, RetryPolicy, ServerError

    pytestmark = [] if {auto} else pytest.mark.anyio
    once = RetryPolicy(attempts=1)

    @pytest.mark.webrtc_faults("createSession", nth=2, status=503)
    async def test_in_process(webrtc_client, webrtc_emulator):
        client = webrtc_client.with_options(retry=once)
        await client.create_session()
        with pytest.raises(ServerError):
            await client.create_session()
        [fault] = webrtc_emulator.faults.spent
        assert fault.fired == 1

    @pytest.mark.parametrize("again", [1, 2])
    @pytest.mark.webrtc_faults("createSession", times=1, status=503)
    async def test_over_tcp(webrtc_server, again):
        async with AsyncWebRtcClient(
            "9900000", auth=("user", "password"), base_url=webrtc_server.base_url, retry=once
        ) as client:
            with pytest.raises(ServerError):
                await client.create_session()
            await client.create_session()

    async def test_next(webrtc_server, webrtc_emulator):
        assert len(webrtc_server.emulator.faults) == len(webrtc_emulator.faults) == 0
"""


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_marker_arms_faults_for_its_test_only(run, runner):
    """Faults apply in process and over TCP, and not in the next test."""
    result = run(FAULTY.format(auto=runner == "pytest-asyncio"), runner=runner)
    result.assert_outcomes(passed=4)


def test_markers_of_a_module_and_of_its_tests_add_up(run):
    """Each marker arms a rule."""
    result = run(
        """
        import pytest

        pytestmark = pytest.mark.webrtc_faults(delay=0.1)

        @pytest.mark.webrtc_faults(status=503)
        def test_rules(webrtc_emulator):
            assert {each.rule.fault for each in webrtc_emulator.faults} == {"delay", "status"}
        """
    )
    result.assert_outcomes(passed=1)


def test_a_marker_arms_a_chaos_profile(run):
    """The rules of a profile are armed, with their seeds; a wrong profile fails the test."""
    result = run(
        """
        import pytest
        from webrtc_async.emulator.faults.chaos import chaos_rules

        @pytest.mark.webrtc_faults(chaos="bad-day", seed=3)
        def test_rules(webrtc_emulator):
            armed = [each.rule for each in webrtc_emulator.faults]
            assert armed == [*chaos_rules("bad-day", seed=3)]

        @pytest.mark.webrtc_faults(chaos="worse-day")
        def test_unknown(webrtc_emulator):
            pass

        @pytest.mark.webrtc_faults("createSession", chaos="bad-day")
        def test_mixed(webrtc_emulator):
            pass
        """
    )
    result.assert_outcomes(passed=1, errors=2)
    result.stdout.fnmatch_lines(
        ["*webrtc_faults: profile must be one of *bad-day, not 'worse-day'.*"]
    )
    result.stdout.fnmatch_lines(["*webrtc_faults: chaos can be combined with seed only.*"])


@pytest.mark.parametrize("fixture", ["webrtc_emulator", "webrtc_server"])
def test_an_invalid_marker_fails_its_test_with_the_field_s_name(run, fixture):
    """An invalid marker fails its own test only, with the field's name."""
    result = run(
        f"""
        import pytest

        @pytest.mark.webrtc_faults(status=5)
        def test_wrong({fixture}):
            pass

        @pytest.mark.webrtc_faults("createSession", 503)
        def test_surplus({fixture}):
            pass

        def test_right({fixture}):
            pass
        """
    )
    result.assert_outcomes(errors=2, passed=1)
    result.stdout.fnmatch_lines(["*webrtc_faults: status must be a whole number from 200 to 599*"])


def test_a_marker_without_effect_fails_its_test(run):
    """A marker without a matching fixture fails the test, because it would have no effect."""
    result = run(
        """
        import pytest

        @pytest.mark.webrtc_faults(status=503)
        def test_nothing():
            pass
        """
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*webrtc_faults needs a test that uses*"])


FAILING = """
    import pytest
    import urllib.request
    from webrtc_async import AsyncWebRtcClient, Session

    @pytest.mark.anyio
    @pytest.mark.webrtc_faults("getSession", nth=1, delay=0.01)
    async def test_fails(webrtc_client, webrtc_server):
        session = await webrtc_client.create_session(Session(tag="canary-tag"))
        await webrtc_client.get_session(session.id)
        try:
            urllib.request.urlopen(webrtc_server.base_url + "/x?key=canary-key")
        except OSError as refused:
            refused.close()
        assert 1 == 2

    def test_passes(webrtc_emulator):
        pass

    def test_fails_before_it_asked(webrtc_emulator):
        assert 1 == 2
"""


def test_a_failing_test_shows_its_last_exchanges(run):
    """The report has both emulators' exchanges with faults, without queries and bodies."""
    result = run(FAILING)
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*last exchanges of webrtc_emulator*",
            "1. POST /v1/accounts/9900000/sessions -> 200, createSession, * ms",
            "2. GET /v1/accounts/9900000/sessions/* -> 200, getSession, * ms, fault delay 0.01",
            "*last exchanges of webrtc_server*",
            "1. GET /v1/x -> 403, no operation, * ms",
        ]
    )
    shown = [line for line in result.outlines if "->" in line and "ms" in line]
    assert len(shown) == 3
    assert not any("canary" in line for line in shown)


def test_only_the_last_exchanges_are_shown(run):
    """At most 20 exchanges are shown, the newest last, and a hostile path stays on one line."""
    result = run(
        """
        from webrtc_async._protocol.wire import WireRequest

        def test_fails(webrtc_emulator):
            for number in range(30):
                request = WireRequest(method="GET", target=f"/v1/{number}/\\x1b[31m\\n")
                webrtc_emulator.handle(request)
            assert 1 == 2
        """
    )
    shown = [line for line in result.outlines if " -> 403" in line]
    assert len(shown) == 20
    assert shown[-1].startswith("30. GET /v1/29/\N{REPLACEMENT CHARACTER}[31m")
    assert shown[0].startswith("11. ")


LEFT_BEHIND = """
    import httpx
    import pytest

    from webrtc_async._protocol.wire import WireRequest

    ACCOUNT = "/accounts/9900000"
    USER = ("user", "password")

    class Transport(httpx.BaseTransport):
        def __init__(self, emulator):
            self.emulator = emulator

        def handle_request(self, request):
            response = self.emulator.handle(WireRequest(
                method=request.method,
                target=str(request.url),
                headers=dict(request.headers),
                content=request.read(),
            ))
            return httpx.Response(response.status, content=response.content)

    def post(emulator, path):
        with httpx.Client(transport=Transport(emulator), auth=USER) as client:
            client.post("http://localhost" + emulator.base_path + ACCOUNT + path, json={})

    @pytest.fixture
    def session(webrtc_server):
        with httpx.Client(auth=USER) as client:
            sessions = webrtc_server.base_url + ACCOUNT + "/sessions"
            url = sessions + "/" + client.post(sessions, json={}).json()["id"]
            yield url
            client.delete(url)

    def test_deletes_in_a_fixture(session):
        pass

    def test_leaves_a_session(webrtc_emulator):
        post(webrtc_emulator, "/sessions")

    @pytest.mark.webrtc_checks(orphans=False)
    def test_may_leave_a_session(webrtc_emulator):
        post(webrtc_emulator, "/sessions")

    def test_asks_for_something_else(webrtc_emulator):
        post(webrtc_emulator, "/rooms")

    @pytest.mark.webrtc_checks(unknown_routes=False)
    def test_may_ask_for_something_else(webrtc_emulator):
        post(webrtc_emulator, "/rooms")

    def test_fails_anyway(webrtc_emulator):
        post(webrtc_emulator, "/sessions")
        assert False

    def test_leaves_a_session_at_the_server(webrtc_server):
        post(webrtc_server.emulator, "/sessions")
"""


def test_the_checks_of_the_options_report_at_the_end_of_a_test(run):
    """Each check reports errors of passed tests after their fixtures, unless a marker says no."""
    options = ("-o", "webrtc_assert_no_orphans=true", "-o", "webrtc_assert_no_unknown_routes=true")
    result = run(LEFT_BEHIND, *options)
    result.assert_outcomes(passed=6, failed=1, errors=3)
    result.stdout.fnmatch_lines(
        [
            "webrtc_emulator: 1 not deleted:",
            "*webrtc_checks(orphans=False).",
            "webrtc_emulator: 1 not for an operation of the API; the last ones:",
            "  POST */accounts/9900000/rooms",
            "*webrtc_checks(unknown_routes=False).",
            "webrtc_server: 1 not deleted:",
        ]
    )


def test_no_check_runs_unless_an_option_or_a_marker_says_so(run):
    """Without the options, no test is checked."""
    run(LEFT_BEHIND.replace("orphans=False", "")).assert_outcomes(passed=6, failed=1)


def test_a_marker_switches_a_check_on(run):
    """A module's marker is enough for a check of its tests; a test's own marker counts more."""
    module = "    import pytest\n    pytestmark = pytest.mark.webrtc_checks(orphans=True)\n"
    run(module + LEFT_BEHIND).assert_outcomes(passed=6, failed=1, errors=2)


def test_a_check_with_another_name_is_refused(run):
    """The error names the checks."""
    result = run("""
        import pytest

        @pytest.mark.webrtc_checks(sessions=False)
        def test_nothing():
            pass
    """)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["webrtc_checks takes orphans and unknown_routes, each by name."])
