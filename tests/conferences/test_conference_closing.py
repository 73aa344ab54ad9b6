"""A client that closes, or an event loop that ends, during the work on a conference."""

import anyio
import pytest
import trio.testing
from anyio.lowlevel import checkpoint
from support.backends import JumpingLoop, jumping_backends
from support.conferences import ACCOUNT, Request, client_over, remaining_in, service


@jumping_backends()
@pytest.mark.anyio
async def test_closing_gives_up_after_its_grace_and_logs_the_remains(caplog):
    """Closing waits a grace for clean-ups, and then logs the resources that remain."""
    emulator, transport = service()

    async def hang(request: Request) -> None:
        if request.method == "DELETE":
            await anyio.sleep_forever()

    async with client_over(transport) as client:
        with anyio.CancelScope() as scope:
            async with client.conference(["a"], grace=0):
                transport.hold = hang
                scope.cancel()
                await checkpoint()
    for left in remaining_in(emulator):
        assert left in caplog.text
    assert "Not deleted: session " in caplog.text


@pytest.mark.parametrize(
    ("backend", "options"),
    [
        ("asyncio", {"loop_factory": JumpingLoop}),
        ("trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}),
    ],
)
def test_an_event_loop_that_ends_during_a_set_up_is_logged(backend, options, caplog):
    """If a program ends without closing its client, the log names the remaining resources."""
    emulator, transport = service()

    async def hang(request: Request) -> None:
        if request.path == "/participants":
            await anyio.sleep_forever()

    async def program() -> None:
        transport.hold = hang
        client = client_over(transport)
        with anyio.move_on_after(1):
            async with client.conference(["a"], grace=0):
                pytest.fail("it was entered")

    anyio.run(program, backend=backend, backend_options=options)
    [left] = remaining_in(emulator)
    assert f"Not deleted: session {left}" in caplog.text


@jumping_backends()
@pytest.mark.anyio
async def test_a_create_that_outlasts_the_client_is_logged(caplog):
    """If a create hangs until the client closes, the log names its session."""
    emulator, transport = service()
    may_go_on = anyio.Event()

    async def hang(request: Request) -> None:
        if request.path == "/participants":
            await may_go_on.wait()

    transport.hold = hang
    client = client_over(transport, deadline=1000)
    with anyio.move_on_after(1):
        async with client.conference(["a"], grace=0):
            pytest.fail("it was entered")
    await client.aclose()
    may_go_on.set()
    for _ in range(20):
        await checkpoint()
    assert f"session {emulator.session_ids(ACCOUNT)[0]}" in caplog.text
