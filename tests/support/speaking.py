"""HTTP requests to an emulator, without the client."""

import base64
import json
from typing import Any

from attrs import define, field

from webrtc_async._protocol.wire import WireRequest, WireResponse
from webrtc_async.emulator import Emulator
from webrtc_async.emulator.control.calls import Control

ACCOUNT = "9900000"
NOTHING = object()


def basic(username: str = "user", password: str = "password") -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


@define
class Clock:
    """A clock that the test moves."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@define
class Caller:
    """One caller of one account."""

    emulator: Emulator
    authorization: str | None = basic()
    account: str = ACCOUNT
    headers: dict[str, str] = field(factory=dict)
    can_fail: bool = False

    def send(
        self, method: str, path: str, body: object = NOTHING, *, raw: bytes | None = None
    ) -> WireResponse:
        content = b"" if body is NOTHING else json.dumps(body).encode()
        headers = {} if self.authorization is None else {"authorization": self.authorization}
        request = WireRequest(
            method=method,
            target=f"/v1/accounts/{self.account}{path}",
            headers={**headers, **self.headers},
            content=content if raw is None else raw,
        )
        if not self.can_fail:
            return self.emulator.handle(request)
        response = self.emulator.reply_to(request).response
        assert response is not None
        return response

    def ask(self, method: str, path: str, body: object = NOTHING) -> Any:
        """Send a request that succeeds, and return the content of its response."""
        response = self.send(method, path, body)
        assert response.status in {200, 204}, response.content
        return said(response)

    def session(self, **fields: object) -> str:
        return str(self.ask("POST", "/sessions", fields)["id"])

    def participant(self, **fields: object) -> str:
        return str(self.ask("POST", "/participants", fields)["participant"]["id"])

    def join(self, session: str, participant: str, body: object = NOTHING) -> WireResponse:
        return self.send("PUT", f"/sessions/{session}/participants/{participant}", body)


def said(response: WireResponse) -> Any:
    """Return the content of a response's body; None for no body."""
    return json.loads(response.content) if response.content else None


def ask(
    control: Control, method: str, path: str, body: object = None, *, raw: bytes | None = None
) -> WireResponse:
    """Make a control call."""
    content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
    request = WireRequest(method=method, target=f"http://x/_emulator{path}?a=b", content=content)
    assert control.has(request.target)
    return control.respond(request)
