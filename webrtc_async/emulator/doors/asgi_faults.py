"""Faults over ASGI: responses sent late, cut, wrong or not at all."""

from typing import Final

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from webrtc_async._codec.model_codec import write_json
from webrtc_async.emulator.doors.connection import Connection, connection_of
from webrtc_async.emulator.faults.rule import FaultRule
from webrtc_async.emulator.faults.wire_bytes import (
    PIECES,
    garbage,
    pieces,
    truncated,
    with_wrong_length,
)

_NOT_SUPPORTED: Final = Response(
    write_json({"message": "This fault needs the emulator's own server."}),
    501,
    {"content-type": "application/json"},
)


async def send_with_fault(
    rule: FaultRule, response: Response, scope: Scope, receive: Receive, send: Send
) -> None:
    """Send a response with a rule's fault.

    Args:
        rule: The rule of the fault.
        response: The response; unused if the rule sends none.
        scope: The request's scope.
        receive: The request's `receive`; its body has been read.
        send: The request's `send`.
    """
    connection = connection_of(scope)
    if rule.fault == "slow_body":
        await _send_slow_body(rule, response, receive, send)
    elif connection is None:
        # Without access to the connection the fault is impossible, and a correct response would
        # let a test pass by mistake.
        await _NOT_SUPPORTED(scope, receive, send)
    elif rule.fault == "slow_headers":
        await _send_slow_headers(rule, response, connection, receive, send)
    else:
        connection.hold()
        await response(scope, receive, send)
        _send_corrupted(rule, connection.take(), connection)


def _send_corrupted(rule: FaultRule, response: bytes, connection: Connection) -> None:
    if rule.trailing is not None:
        connection.finish(response + rule.trailing.encode("utf-8", "surrogatepass"))
    elif rule.wrong_length is not None:
        # Not closed: the client can wait for the missing bytes.
        connection.finish(with_wrong_length(response, rule.wrong_length))
    elif rule.truncate is not None:
        connection.write(truncated(response, rule.truncate))
        connection.end("close")
    elif rule.garbage is not None:
        connection.write(garbage(rule.garbage))
        connection.end("close")
    else:
        connection.end("reset" if rule.refuse else rule.drop or rule.lose_answer)


async def _send_slow_headers(
    rule: FaultRule, response: Response, connection: Connection, receive: Receive, send: Send
) -> None:
    connection.hold()
    await _send_head(response, send)
    for piece in pieces(connection.take()):
        connection.write(piece)
        if not await waited(rule.slowness / PIECES, receive):
            return
    await _send_piece(bytes(response.body), send)


async def _send_slow_body(
    rule: FaultRule, response: Response, receive: Receive, send: Send
) -> None:
    await _send_head(response, send)
    for piece in pieces(bytes(response.body)):
        if not await waited(rule.slowness / PIECES, receive):
            return
        await _send_piece(piece, send, more_body=True)
    await _send_piece(b"", send)


async def _send_head(response: Response, send: Send) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": response.raw_headers,
        }
    )


async def _send_piece(piece: bytes, send: Send, *, more_body: bool = False) -> None:
    await send({"type": "http.response.body", "body": piece, "more_body": more_body})


async def waited(seconds: float, receive: Receive) -> bool:
    """Wait, and return False if the client disconnects."""
    is_connected = True

    async def watch() -> None:
        nonlocal is_connected
        while (await receive())["type"] != "http.disconnect":
            pass
        is_connected = False
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch)
        await anyio.sleep(seconds)
        tasks.cancel_scope.cancel()
    return is_connected
