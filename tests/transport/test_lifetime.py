"""A client's lifetime: closing, event loops, forks, and clients that are never closed."""

import asyncio
import gc
import subprocess
import sys
import threading
import time
import warnings
from contextlib import suppress
from functools import partial
from typing import Any

import anyio
import pytest
import trio
from anyio.from_thread import start_blocking_portal
from support.backends import JumpingLoop, jumping_backends
from support.http_library import httpx
from support.scripted import (
    ONCE,
    SESSION,
    ScriptedTransport,
    answer,
    client_of,
    hang,
    http,
    refusal,
    serving,
)

from webrtc_async._auth.schemes import BearerAuth
from webrtc_async._call.retry_policy import RetryPolicy
from webrtc_async.errors import (
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    TransportError,
    WebRtcError,
)
from webrtc_async.errors.outcome import Outcome
from webrtc_async.models import Session

PATIENT = RetryPolicy(attempt_timeout=None)
OK = http(200, b'{"id":"s-1"}', Content_Type="application/json")


async def slowly(_: object) -> httpx.Response:
    """Respond after a second."""
    await anyio.sleep(1)
    return answer(200, SESSION)


# Closing


@jumping_backends()
@pytest.mark.anyio
async def test_closing_waits_for_the_calls_under_way() -> None:
    """Calls that finish within close_grace succeed, with their retries."""
    found: list[str] = []
    async with anyio.create_task_group() as tasks:
        client = client_of(refusal(503), slowly)

        async def call() -> None:
            found.append((await client.get_session("s-1")).id)

        tasks.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        await client.aclose()
    assert found == ["s-1"]


@jumping_backends()
@pytest.mark.anyio
async def test_a_client_that_is_closing_takes_no_call() -> None:
    """A client that is closing refuses new calls and new entries."""
    client = client_of(slowly)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.get_session, "s-1")
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(client.aclose)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(ClientClosedError, match="make a new one"):
            await client.get_session("s-1")
        with pytest.raises(ClientClosedError):
            await client.__aenter__()


@jumping_backends()
@pytest.mark.anyio
@pytest.mark.parametrize("grace", [0, 3])
async def test_a_call_that_outlasts_the_grace_fails(grace: float) -> None:
    """After close_grace, remaining calls fail with their outcome, and the client is closed."""
    client = client_of(hang, close_grace=grace, create_grace=0, retry=PATIENT)
    began = anyio.current_time()
    async with anyio.create_task_group() as tasks:

        async def call() -> None:
            with pytest.raises(ClientClosedError, match="closed while the call was") as caught:
                await client.create_session(Session(tag="visit"))
            assert caught.value.outcome is Outcome.UNKNOWN
            assert caught.value.orphan is not None

        tasks.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        await client.aclose()
        assert anyio.current_time() - began == pytest.approx(grace, abs=0.3)
    assert repr(client).endswith("closed>")


@jumping_backends()
@pytest.mark.anyio
async def test_a_call_that_outlasts_the_closing_sends_nothing() -> None:
    """A call whose user code ignores its cancellation ends before it sends a request."""

    async def take_no_cancellation() -> str:
        with anyio.CancelScope(shield=True):
            await anyio.sleep(100)
        return "token"

    transport = ScriptedTransport()
    settings = {"auth": BearerAuth(take_no_cancellation), "deadline": 1000, "close_grace": 1}
    client = client_of(transport=transport, **settings)
    async with anyio.create_task_group() as tasks:

        async def call() -> None:
            with pytest.raises(ClientClosedError):
                await client.get_session("s-1")

        tasks.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        await client.aclose()
        assert repr(client).endswith("closed>")
    assert transport.requests == []


@jumping_backends()
@pytest.mark.anyio
async def test_a_second_aclose_waits_for_the_first() -> None:
    """Every call of aclose() returns only after the client is closed."""
    client = client_of(slowly)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.get_session, "s-1")
        await anyio.wait_all_tasks_blocked()
        for _ in range(3):

            async def close() -> None:
                await client.aclose()
                assert repr(client).endswith("closed>")

            tasks.start_soon(close)
    assert repr(client).endswith("closed>")


@jumping_backends()
@pytest.mark.anyio
async def test_work_that_closing_gives_up_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The log names the client's own work that did not finish."""
    async with client_of(close_grace=1) as client:
        client.background_tasks.start(anyio.sleep_forever, name="undoing a createSession")
    assert "undoing a createSession" in caplog.text


@pytest.mark.parametrize("name", ["close_grace", "create_grace"])
@pytest.mark.parametrize("value", [-1, "5", float("nan")])
def test_an_invalid_grace_is_refused(name: str, value: Any) -> None:
    """close_grace is a number of seconds of at least 0."""
    with pytest.raises(ConfigurationError, match=name):
        client_of(**{name: value})


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", [("asyncio", {"loop_factory": JumpingLoop})])
@pytest.mark.parametrize("after", [1, 4, 6, 9])
@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_cancelled_aclose_still_closes(after: float, times: int) -> None:
    """A cancellation of asyncio ends one wait of closing; the client is closed all the same."""
    client = client_of(hang, close_grace=5, retry=PATIENT, deadline=1000)
    client._background_work.start(partial(anyio.sleep, 3), "tear-down")
    client.background_tasks.start(anyio.sleep_forever, name="endless")
    calling = asyncio.ensure_future(client.get_session("s-1"))
    closing = asyncio.ensure_future(client.aclose())
    await anyio.sleep(after)
    for _ in range(times):
        closing.cancel()
        await asyncio.sleep(0)
    began = anyio.current_time()
    await asyncio.wait([closing, calling])
    assert closing.cancelled()
    assert anyio.current_time() - began <= 5 + 2 + 1
    assert repr(client).endswith("closed>")
    assert isinstance(calling.exception(), ClientClosedError)
    await anyio.wait_all_tasks_blocked()
    assert client.background_tasks.under_way == ()


# Event loops


def run_on_asyncio(call: Any) -> Any:
    return asyncio.run(call())


def run_on_trio(call: Any) -> Any:
    return trio.run(call)


@pytest.mark.parametrize("second", [run_on_asyncio, run_on_trio])
@pytest.mark.parametrize("first", [run_on_asyncio, run_on_trio])
def test_a_client_works_in_consecutive_event_loops(first: Any, second: Any) -> None:
    """After its event loop has ended, a client works and closes in the next one."""
    client = client_of()

    async def call() -> Session:
        return await client.get_session("s-1")

    async def close() -> None:
        await client.aclose()

    assert first(call).id == "s-1"
    assert second(call).id == "s-1"
    assert first(call).id == "s-1"
    second(close)
    with pytest.raises(ClientClosedError):
        first(call)


def test_a_fresh_pool_follows_a_finished_event_loop() -> None:
    """The second event loop does not reuse the first one's sockets."""

    async def call_twice() -> None:
        await client.get_session("s-1")
        await client.get_session("s-1")

    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving(OK, keeps_alive=True)) as server,
    ):
        client = client_of(transport=None, base_url=server.url())
        asyncio.run(call_twice())
        asyncio.run(call_twice())
        assert (server.connections, len(server.requests)) == (2, 4)
        asyncio.run(client.aclose())


@pytest.mark.parametrize("second", [run_on_asyncio, run_on_trio])
@pytest.mark.parametrize("first", [run_on_asyncio, run_on_trio])
def test_a_second_running_event_loop_is_refused(first: Any, second: Any) -> None:
    """While one event loop uses a client, another can neither call nor close it."""
    client = client_of()
    is_used, may_end = threading.Event(), threading.Event()

    async def use() -> None:
        await client.get_session("s-1")
        is_used.set()
        while not may_end.is_set():  # noqa: ASYNC110  # it is set in another thread
            await anyio.sleep(0.001)
        await client.get_session("s-1")

    async def use_as_well() -> None:
        for refused in (client.get_session("s-1"), client.aclose()):
            with pytest.raises(ConfigurationError, match="a client for each event loop"):
                await refused

    thread = threading.Thread(target=first, args=(use,))
    thread.start()
    try:
        assert is_used.wait(10)
        second(use_as_well)
    finally:
        may_end.set()
        thread.join(10)
    asyncio.run(client.aclose())


@pytest.mark.parametrize("what", ["a call", "background work", "closing"])
def test_closing_waits_for_nothing_of_an_event_loop_that_is_gone(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What an event loop has left undone delays closing in the next one no more, and is named."""
    client = client_of(hang, retry=PATIENT)

    async def leave() -> None:
        if what == "a call":
            left.append(asyncio.ensure_future(client.get_session("s-1")))
        else:
            client._background_work.start(anyio.sleep_forever, "tear-down of s-1")
        if what == "closing":
            left.append(asyncio.ensure_future(client.aclose()))
        await anyio.wait_all_tasks_blocked()

    left: list[asyncio.Task[Any]] = []
    loop = asyncio.new_event_loop()
    loop.run_until_complete(leave())
    tasks = asyncio.all_tasks(loop)
    loop.close()
    began = time.monotonic()
    asyncio.run(client.aclose())
    assert time.monotonic() - began < 1
    assert repr(client).endswith("closed>")
    assert ("tear-down of s-1" in caplog.text) == (what != "a call")
    for task in tasks:  # silent about the tasks that this test has left
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        with suppress(RuntimeError):
            task.get_coro().close()


def test_a_closing_that_another_event_loop_has_taken_over_may_go_on() -> None:
    """An event loop that was stopped while it closed the client ends in order later."""
    client = client_of(close_grace=0.1)

    async def start_to_close() -> asyncio.Task[None]:
        client.background_tasks.start(partial(anyio.sleep, 0.2), name="undoing")
        closing = asyncio.ensure_future(client.aclose())
        await anyio.wait_all_tasks_blocked()
        return closing

    with asyncio.Runner() as stopped:
        closing = stopped.run(start_to_close())
        asyncio.run(client.aclose())
        assert repr(client).endswith("closed>")
        stopped.get_loop().run_until_complete(closing)


# Processes

FORKED = """
import asyncio, os, sys
sys.path.insert(0, "tests")
from support.scripted import client_of, serving, http
from webrtc_async.errors import WebRtcError


async def answer_its_path(stream, request):
    body = b'{"id":"%s"}' % request.split()[1].rpartition(b"/")[2]
    await http(200, body, Content_Type="application/json")(stream, request)


async def ask(client, prefix):
    return [(await client.get_session(f"{prefix}-{n}")).id == f"{prefix}-{n}" for n in range(50)]


async def main():
    async with serving(answer_its_path, keeps_alive=True) as server:
        async with client_of(transport=None, base_url=server.url()) as client:
            assert all(await ask(client, "before"))
            pid = os.fork()
            if pid == 0:
                # A running loop does not work after a fork; the child has its own.
                asyncio.events._set_running_loop(None)
                right = asyncio.run(ask(client, "child"))
                asyncio.run(client.aclose())
                os._exit(0 if all(right) else 1)
            right = await ask(client, "parent")
            while (ended := os.waitpid(pid, os.WNOHANG)) == (0, 0):
                await asyncio.sleep(0.01)
            right += await ask(client, "parent-again")
            assert all(right), right.count(False)
            assert os.waitstatus_to_exitcode(ended[1]) == 0
            assert server.connections == 2, server.connections


asyncio.run(asyncio.wait_for(main(), 20))
"""


def python(program: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a new Python process."""
    return subprocess.run(
        [sys.executable, *options, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="there is no fork here")
def test_a_fork_shares_no_connection() -> None:
    """Parent and child each get their own responses, over their own connections."""
    done = python(FORKED, "-W", "error::RuntimeWarning")
    assert done.returncode == 0, done.stderr


GIVEN = """
import asyncio, os, sys
sys.path.insert(0, "tests")
from support.scripted import client_of
from webrtc_async.errors import ConfigurationError

client = client_of()
asyncio.run(client.get_session("s-1"))
pid = os.fork()
if pid == 0:
    try:
        asyncio.run(client.get_session("s-1"))
    except ConfigurationError as error:
        asyncio.run(client.aclose())
        os._exit(0 if "Make a client in the child" in str(error) else 1)
    os._exit(2)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
asyncio.run(client.get_session("s-1"))
asyncio.run(client.aclose())
"""


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="there is no fork here")
def test_a_given_transport_is_refused_in_a_fork() -> None:
    """A given transport may share sockets with the parent, so the child cannot use it."""
    done = python(GIVEN)
    assert done.returncode == 0, done.stderr


LEFT_BEHIND = """
import asyncio, os, sys, time
sys.path.insert(0, "tests")
from support.scripted import client_of
import anyio

async def main():
    client = client_of()
    is_over = anyio.Event()
    client._background_work.start(is_over.wait, "tear-down")
    if (pid := os.fork()) == 0:
        asyncio.events._set_running_loop(None)
        began = time.monotonic()
        asyncio.run(client.aclose())
        os._exit(time.monotonic() - began > 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    is_over.set()
    await client.aclose()

asyncio.run(main())
"""


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="there is no fork here")
def test_a_fork_does_not_wait_for_the_parent_s_work() -> None:
    """Closing in the child leaves the parent's tear-downs to the parent, without a warning."""
    done = python(LEFT_BEHIND, "-W", "error::RuntimeWarning")
    assert (done.returncode, done.stderr) == (0, "")


# Never closed

COLLECTED = """
import asyncio, gc, os, sys, warnings
sys.path.insert(0, "tests")
from support.scripted import client_of, http, serving


async def main():
    async with serving(http(200, b'{"id":"s-1"}'), keeps_alive=True) as server:
        client = client_of(transport=None, base_url=server.url())
        await client.get_session("s-1")
        pid = os.fork()
        if pid == 0:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                del client
                gc.collect()
            os._exit(len(caught))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        await client.get_session("s-1")
        await client.aclose()
        assert server.connections == 1


asyncio.run(asyncio.wait_for(main(), 20))
"""


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="there is no fork here")
def test_a_fork_may_forget_the_parent_s_client() -> None:
    """The child does not warn about the parent's open client, and leaves its connection open."""
    done = python(COLLECTED)
    assert done.returncode == 0, done.stderr


def test_a_client_may_be_made_without_a_calling_frame() -> None:
    """A client made by the interpreter itself, such as at exit, has no line to name."""
    done = python(
        "import atexit, functools\n"
        "from webrtc_async import AsyncWebRtcClient\n"
        "make = functools.partial(AsyncWebRtcClient, '9900000', auth=('user', 'password'))\n"
        "atexit.register(make)\n"
    )
    assert (done.returncode, done.stderr) == (0, "")


def clear_up() -> None:
    """Collect the garbage of other tests."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


@pytest.mark.anyio
async def test_an_unclosed_client_over_an_in_process_transport_is_silent() -> None:
    """An in-process transport has no open connection, so an unclosed client does not warn."""
    clear_up()
    client = client_of()
    await client.get_session("s-1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del client
        gc.collect()


@pytest.mark.anyio
async def test_an_unclosed_client_names_the_line_that_made_it() -> None:
    """A client that was used and never closed warns once, with the line that made it."""
    clear_up()
    client = client_of(transport=None, base_url="http://127.0.0.1:1/v1", retry=ONCE)
    with pytest.raises(ConnectionFailedError):
        await client.get_session("s-1")
    view = client.with_options(deadline=5)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del client
        gc.collect()
        assert not caught
        del view
        gc.collect()
    [warning] = caught
    assert warning.category is ResourceWarning
    assert "never closed" in str(warning.message)
    assert "scripted.py:" in str(warning.message)


@pytest.mark.anyio
async def test_a_closed_or_unused_client_does_not_warn() -> None:
    """A client without connections does not warn."""
    clear_up()
    unused = client_of()
    async with client_of() as closed:
        await closed.get_session("s-1")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del unused, closed
        gc.collect()
    assert not caught


ENDING = """
import asyncio
from webrtc_async import AsyncWebRtcClient
from webrtc_async.emulator import Emulator, EmulatorTransport

client = AsyncWebRtcClient(
    "9900000", auth=("user", "password"), transport=EmulatorTransport(Emulator())
)


async def main():
    await client.create_session()
    asyncio.ensure_future(client.create_session())
    {end}


asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("end", "code"), [("pass", 0), ("raise SystemExit(7)", 7), ("raise KeyboardInterrupt", 1)]
)
def test_the_end_of_the_interpreter_is_silent(end: str, code: int) -> None:
    """A program that ends with an open client prints no warning and keeps its exit code."""
    done = python(ENDING.replace("{end}", end))
    if "Keyboard" in end:
        assert done.stderr.rstrip().endswith("KeyboardInterrupt")
        assert done.stderr.count("Traceback") == 1
        assert done.returncode != 0
    else:
        assert (done.returncode, done.stderr) == (code, "")


@pytest.mark.anyio
@jumping_backends()
async def test_closing_ends_in_time_even_if_everything_hangs() -> None:
    """A call, background work and a transport that ignore cancellation do not delay closing."""

    class DeafTransport(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            with anyio.CancelScope(shield=True):
                await ends.wait()
            raise AssertionError

        async def aclose(self) -> None:
            with anyio.CancelScope(shield=True):
                await ends.wait()

    ends = anyio.Event()
    client = client_of(transport=DeafTransport(), close_grace=5.0, create_grace=2.0)

    async def call() -> None:
        with suppress(WebRtcError):
            await client.create_session()

    async def ignore_everything() -> None:
        with anyio.CancelScope(shield=True):
            await ends.wait()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        client.background_tasks.start(ignore_everything, name="deaf")
        began = anyio.current_time()
        with pytest.raises(TransportError, match="could not be closed in order"):
            await client.aclose()
        assert anyio.current_time() - began <= 5.0 + 2.0 + 1.0 + 0.1
        ends.set()
