"""What calls leave to the garbage collector, however they end."""

import contextlib
import gc
import types

import anyio
import pytest
from faults.behaviours import HEAD, answered, reset_after
from faults.matrix import BACKENDS, CELLS, TRANSPORTS, staged
from faults.row import Cell, create_session, get_session
from faults.scene import GOOD
from faults.storm import client_of as client_over
from support.scripted import ONCE, client_of, hang_up, policy, refusal, serving, stay_silent

from webrtc_async import ServerError, UnknownOutcomeError, WebRtcError
from webrtc_async._codec import model_codec as codec
from webrtc_async.route_table import ROUTES


@pytest.fixture(autouse=True, scope="module")
def compiled_readers() -> None:
    """Compile what reads the models, which leaves garbage once in a process."""
    for model in {route.result for route in ROUTES} - {type(None)}:
        with contextlib.suppress(codec.ValidationError):
            codec.read_answer(b"{}", model)


@pytest.mark.anyio
async def test_failed_calls_leave_no_garbage():
    """A thousand failed calls with repeats leave no cycle for the collector to find."""
    async with client_of(refusal(503)) as client:

        async def fail(times):
            for _ in range(times):
                with contextlib.suppress(ServerError):
                    await client.get_session("s-1")

        await fail(10)
        assert not await garbage_of(fail, 1000)


async def cut_off(client):
    with anyio.move_on_after(0.005):
        await client.get_session("s-1")


ENDS = {
    "refused": (answered(b"", status=b"503 No"), get_session, {}),
    "refused create": (answered(b"", status=b"503 No"), create_session, {}),
    "lost": (hang_up, get_session, {}),
    "lost create": (hang_up, create_session, {}),
    "lost in its body": (reset_after(HEAD + b"Content-Length: 9\r\n\r\n{"), get_session, {}),
    "repeated and well": (None, get_session, {}),
    "late": (stay_silent, get_session, {"deadline": 0.005}),
    "late create": (stay_silent, create_session, {"deadline": 0.005, "create_grace": 0}),
    "cancelled": (stay_silent, cut_off, {}),
}


@pytest.mark.anyio
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("end", ENDS)
async def test_no_end_of_a_call_leaves_garbage_of_ours(end, transport):
    """Over sockets no cycle holds anything of this package or of tenacity, however calls end."""
    behaviour, perform, settings = ENDS[end]
    async with (
        serving(behaviour or hang_up) as server,
        client_over(server, transport, retry=policy(attempts=3), **settings) as client,
    ):

        async def call(times):
            for _ in range(times):
                if behaviour is None:
                    server.behaviours = [hang_up, hang_up, GOOD]
                with contextlib.suppress(WebRtcError):
                    await perform(client)

        await call(5)
        found = await garbage_of(call, 20)
    assert not ours(found)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("cell", "anyio_backend"),
    [
        pytest.param(cell, (backend, {}), id=f"{backend}-{cell}")
        for cell in CELLS
        for backend in BACKENDS[cell.transport]
        # httpx2 goes the way of httpx, on which the ends of calls above have it.
        if cell.transport != "httpx2"
    ],
)
async def test_no_fault_leaves_garbage_of_ours(cell: Cell, anyio_backend: object) -> None:
    """Nor does any fault of the matrix, on any transport."""
    async with staged(cell) as (_, client, _):

        async def call(times):
            for _ in range(times):
                with contextlib.suppress(WebRtcError):
                    await cell.perform(client)

        found = await garbage_of(call, 1)
    assert not ours(found)


@pytest.mark.anyio
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_what_a_user_handles_keeps_its_traceback(transport):
    """A call that fails in an except clause takes nothing from what is being handled there."""
    async with serving(hang_up) as server, client_over(server, transport, retry=ONCE) as client:
        try:
            raise LookupError
        except LookupError as error:
            handled = error
            with pytest.raises(UnknownOutcomeError) as lost:
                await client.get_session("s-1")
    assert handled.__traceback__ is not None
    assert handled in chain_of(lost.value)


async def garbage_of(call, times):
    """Return what the calls leave to the collector; of anything older it takes no notice."""
    gc.freeze()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        await call(times)
        gc.collect()
        return gc.garbage.copy()
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
        gc.unfreeze()


def ours(found):
    """Return what is of this package or of tenacity, frames among it."""
    return [each for each in found if {"webrtc_async", "tenacity"} & set(homes_of(each))]


def homes_of(found):
    """Return the packages of an object's class and, if it is a frame, of its code."""
    modules = [type(found).__module__]
    if isinstance(found, types.FrameType):
        modules.append(found.f_globals.get("__name__", ""))
    return [module.partition(".")[0] for module in modules]


def chain_of(error):
    """Return an exception and all that it was raised from or while."""
    if error is None:
        return []
    return [error, *chain_of(error.__cause__), *chain_of(error.__context__)]
