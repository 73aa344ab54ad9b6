"""The event loops of the tests: the usual ones, those of set-ups, and with clocks that jump.

The environment variable SETUP chooses the event loop of a set-up: see the session in noxfile.py.
"""

import asyncio
import os
from typing import Any, Final

import pytest
import trio.testing


def eager_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop that runs each new task up to its first wait at once."""
    loop = asyncio.new_event_loop()
    loop.set_task_factory(asyncio.eager_task_factory)
    return loop


BACKENDS: Final[list[Any]] = {
    "": ["asyncio", "trio"],
    "plain": ["asyncio"],
    "uvloop": [pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop")],
    "eager": [pytest.param(("asyncio", {"loop_factory": eager_loop}), id="eager")],
}[os.environ.get("SETUP", "")]


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer instead of waiting for it.

    It serves tests without sockets only: with nothing else to do, a timer is due at once.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ahead = 0.0
        self._real_select = self._selector.select
        self._selector.select = self._jump  # type: ignore[method-assign]

    def time(self) -> float:
        return super().time() + self._ahead

    def _jump(self, timeout: float | None = None) -> list[tuple[object, int]]:
        if timeout is None:
            return self._real_select(None)
        events = self._real_select(0)
        if not events:
            self._ahead += timeout
        return events


def jumping_backends() -> pytest.MarkDecorator:
    """Run a test on both backends with clocks that jump over every wait."""
    clock = trio.testing.MockClock(autojump_threshold=0)
    return pytest.mark.parametrize(
        "anyio_backend",
        [
            pytest.param(("asyncio", {"loop_factory": JumpingLoop}), id="asyncio-jumping"),
            pytest.param(("trio", {"clock": clock}), id="trio-jumping"),
        ],
    )


def event_loops() -> pytest.MarkDecorator:
    """Run a test on the event loops that the package's own pool serves."""
    loops = {"asyncio": {}, "uvloop": {"use_uvloop": True}}
    return pytest.mark.parametrize(
        "anyio_backend",
        [pytest.param(("asyncio", options), id=name) for name, options in loops.items()],
    )
