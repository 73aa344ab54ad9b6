"""A receiver of webhooks."""

import json

from attrs import define, field


@define
class Receiver:
    """An ASGI application that records its requests and sends the configured response."""

    statuses: list[int] = field(factory=list)
    """Statuses of its responses, in order; after the last one, 200."""
    requests: list[tuple[str, str, dict[str, str]]] = field(factory=list)
    bodies: list[dict[str, str]] = field(factory=list)
    headers: dict[str, str] = field(factory=dict)
    """Headers of every response."""

    async def __call__(self, scope, receive, send) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message["body"]
            more = message["more_body"]
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.requests.append((scope["method"], scope["path"], headers))
        self.bodies.append(json.loads(body))
        status = self.statuses.pop(0) if self.statuses else 200
        raw = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": b"thanks"})
