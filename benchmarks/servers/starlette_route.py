"""One route of Starlette's under uvicorn: it reads the body and returns a fixed session."""

import socket

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.servers.canned_responses import SESSION_ID
from benchmarks.servers.process import prepare


async def respond(request: Request) -> Response:
    """Return a session, or nothing to a DELETE."""
    await request.body()
    if request.method == "DELETE":
        return Response(status_code=204)
    body = f'{{"id":"{SESSION_ID}","tag":"visit-42"}}'
    return Response(body, media_type="application/json")


if __name__ == "__main__":
    prepare()
    app = Starlette(routes=[Route("/{path:path}", respond, methods=["GET", "POST", "DELETE"])])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none")
        uvicorn.Server(config).run(sockets=[listening])
