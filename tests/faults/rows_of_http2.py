"""Faults that only HTTP/2 has: in its frames, its streams and its connection."""

from contextlib import asynccontextmanager

from support.http2 import INTERNAL_ERROR, REFUSED_STREAM, Http2Exchange, Respond, serving_http2
from support.scripted import SocketServer

from .behaviours import BODY
from .over_http2 import server_side
from .row import Row, lost, result, unsent
from .scene import GOOD, Scene, Stage


async def respond_well(exchange: Http2Exchange) -> None:
    await exchange.head(200, [(b"content-type", b"application/json")])
    await exchange.data(BODY)
    await exchange.end()


def frames(fault: Respond) -> Stage:
    """Set up a server of HTTP/2 that applies the fault to every request."""

    @asynccontextmanager
    async def stage():
        server = SocketServer([fault])

        async def respond(exchange: Http2Exchange) -> None:
            server.requests.append(exchange.body)
            behaviours = server.behaviours
            behaviour = behaviours.pop(0) if len(behaviours) > 1 else behaviours[0]
            await (respond_well if behaviour is GOOD else behaviour)(exchange)

        async with serving_http2(respond, server_side()) as port:
            yield Scene(f"https://127.0.0.1:{port}/v1", fault=fault, server=server)

    return stage


async def refuse(exchange: Http2Exchange) -> None:
    await exchange.reset(REFUSED_STREAM)


async def reset(exchange: Http2Exchange) -> None:
    await exchange.reset(INTERNAL_ERROR)


async def reset_in_the_body(exchange: Http2Exchange) -> None:
    await exchange.head(200)
    await exchange.data(BODY[:5])
    await exchange.reset(INTERNAL_ERROR)


async def go_away_before(exchange: Http2Exchange) -> None:
    await exchange.go_away(max(exchange.number - 2, 0))


async def go_away_after(exchange: Http2Exchange) -> None:
    await exchange.go_away(exchange.number)
    await exchange.stream.aclose()


async def break_the_frames(exchange: Http2Exchange) -> None:
    # DATA of no stream.
    await exchange.stream.send(bytes(9))


async def lie_about_the_length(exchange: Http2Exchange) -> None:
    await exchange.head(200, [(b"content-length", b"99")])
    await exchange.data(BODY)
    await exchange.end()


async def send_crumbs_and_trailers(exchange: Http2Exchange) -> None:
    await exchange.head(103, [(b"link", b"</style.css>")])
    await exchange.head(200)
    for place in range(len(BODY)):
        exchange.h2.send_data(exchange.number, BODY[place : place + 1], pad_length=place)
        exchange.h2.send_data(exchange.number, b"")
        exchange.h2.ping(b"are-you?")
    exchange.h2.send_headers(exchange.number, [(b"x-sum", b"1")], end_stream=True)
    await exchange.flush()


ROWS_OF_HTTP2 = [
    Row("h2r", "stream refused", frames(refuse), unsent(3), unsent(3)),
    Row("h2k", "refused, kept connection", frames(refuse), unsent(3), unsent(3), is_warm=True),
    Row("h2s", "stream reset", frames(reset), lost(3), lost(1)),
    Row("h2w", "stream reset, kept connection", frames(reset), lost(3), lost(1), is_warm=True),
    Row("h2b", "stream reset in the body", frames(reset_in_the_body), lost(3, 200), lost(1, 200)),
    Row("h2g", "GOAWAY, not processed", frames(go_away_before), unsent(3), unsent(3)),
    Row(
        "h2i",
        "GOAWAY, not processed, kept connection",
        frames(go_away_before),
        unsent(4),
        unsent(4),
        is_warm=True,
    ),
    Row("h2a", "GOAWAY, perhaps processed", frames(go_away_after), lost(3), lost(1)),
    Row("h2x", "a frame that may not be", frames(break_the_frames), lost(3), lost(1)),
    Row("h2l", "body shorter than said", frames(lie_about_the_length), lost(3, 200), lost(1, 200)),
    Row("h2t", "crumbs and trailers", frames(send_crumbs_and_trailers), result(), result()),
]
