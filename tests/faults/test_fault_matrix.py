"""Every fault on every transport, for repeatable calls and for creates."""

import ast
import contextlib
import logging
from pathlib import Path

import pytest

from faults.credentials import SECRETS
from faults.elsewhere import HELD
from faults.matrix import BACKENDS, CELLS, ROWS, summary, try_cell
from faults.row import Cell
from faults.sinks import Sinks
from webrtc_async import Outcome, WebRtcError
from webrtc_async._call.observer import ObservedAttempt, ObservedCall, ObservedEnd

# Silent servers: each of their cells takes seconds.
SLOW_ROWS = {"21", "22", "23", "24e", "62s"}


def param(cell: Cell, backend: str):
    """Return a cell as parameters; mark a cell that cannot pass as xfail."""
    reason = cell.row.cannot.get(cell.transport)
    marks = [] if reason is None else [pytest.mark.xfail(reason=reason, strict=True)]
    if cell.row.number in SLOW_ROWS:
        marks.append(pytest.mark.slow)
    return pytest.param(cell, (backend, {}), id=f"{backend}-{cell}", marks=marks)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("cell", "anyio_backend"),
    [param(cell, backend) for cell in CELLS for backend in BACKENDS[cell.transport]],
)
async def test_a_fault_has_its_expected_result(cell: Cell, anyio_backend: object) -> None:
    """The result, requests and time are right; nothing leaks; later calls succeed."""
    await try_cell(cell)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("place", ["text", "cause", "variable", "pickle", "log", "span", "metric"])
def test_a_secret_would_be_found(place, secret):
    """Each secret is found in every sink."""
    error = WebRtcError("broken")
    attributes = {"operation": "getSession", "method": "GET", "base_url": "https://s.example/v1"}
    with Sinks() as sinks:
        match place:
            case "text":
                error = WebRtcError(f"broken {secret}")
            case "cause":
                error.__cause__ = ValueError(secret)
            case "variable":
                # A local variable, as in a frame of the package.
                scope = {"__name__": "webrtc_async.made_up", "secret": secret, "error": error}
                with contextlib.suppress(WebRtcError):
                    exec("def fail(secret):\n raise error\nfail(secret)", scope)
            case "pickle":
                error.kept = {"secret": secret}
            case "log":
                logging.getLogger("anybody's").debug("broken %s", secret)
            case _:
                attributes["template"] = f"/{secret}"
        observed = ObservedCall(**{"template": "/sessions", **attributes})
        sinks.observer.call_started(observed)
        sinks.observer.attempt_started(observed, 1)
        attempt = ObservedAttempt(
            number=1, status=200, request_id=None, error=None, elapsed=0.1, is_cancelled=False
        )
        sinks.observer.attempt_ended(observed, attempt)
        end = ObservedEnd(
            attempts=1, error=None, outcome=Outcome.ANSWERED, elapsed=0.1, is_cancelled=False
        )
        sinks.observer.call_ended(observed, end)
        found = " ".join(sinks.leaks_of(error))
    named = {"text": "WebRtcError", "cause": "ValueError", "variable": "secret"}
    assert named.get(place, place) in found


@pytest.mark.parametrize("held", HELD, ids=lambda held: held.number)
def test_a_fault_elsewhere_is_held(held):
    """Each fault without a cell names tests that exist."""
    assert held.tests
    for name in held.tests:
        module, _, test = name.partition("::")
        tree = ast.parse((Path(__file__).parents[1] / f"{module}.py").read_text("utf-8"))
        assert test in {getattr(node, "name", None) for node in tree.body}


def test_no_fault_is_forgotten():
    """The numbers run from 1 to 74 without a gap; 75 is specific to Python 3.14."""
    numbers = {int("".join(filter(str.isdigit, row.number[:2]))) for row in ROWS}
    numbers |= {int(held.number) for held in HELD}
    assert numbers == set(range(1, 75))


def test_the_readme_quotes_the_counts():
    """The README's numbers are those of the matrix."""
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    assert summary() in readme
