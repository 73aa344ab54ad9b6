"""What is answered where a fault is an answer: a status, an error body, and Retry-After."""

import math
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from webrtc_async._codec.model_codec import write_json
from webrtc_async._protocol.wire import WireResponse
from webrtc_async.emulator.faults.armed import Strike
from webrtc_async.emulator.faults.rule import FaultBody

NONSENSE: Final = "after lunch"
"""A Retry-After that nobody can obey."""

_BODILESS: Final = frozenset({204, 205, 304})
_OF_THE_GATEWAY: Final = frozenset({401, 403, 429, 502, 503, 504})


def fault_response(strike: Strike, request_id: str) -> WireResponse:
    """Return the answer of a strike that has a status."""
    assert strike.status is not None  # noqa: S101  # it has one
    status = strike.status
    headers = {"x-amzn-requestid": request_id}
    if (retry_after := _retry_after(strike)) is not None:
        headers["retry-after"] = retry_after
    kind = strike.rule.body or ("message" if status in _OF_THE_GATEWAY else "error")
    if status in _BODILESS or kind == "empty":
        return WireResponse(status=status, headers=headers)
    headers["content-type"] = "text/html" if kind == "html" else "application/json"
    return WireResponse(status=status, headers=headers, content=_body(kind, status, request_id))


def _body(kind: FaultBody, status: int, request_id: str) -> bytes:
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown"
    if kind == "html":
        title = f"{status} {phrase}"
        return f"<html><head><title>{title}</title></head><body>{title}</body></html>\n".encode()
    if kind == "message":
        return write_json({"message": phrase})
    if kind == "code":
        return write_json({"code": status, "message": phrase})
    return write_json({"error": phrase, "requestId": request_id})


def _retry_after(strike: Strike) -> str | None:
    said = strike.rule.retry_after
    if strike.wait is None:
        return None if said is None else str(said)
    if said == "nonsense":
        return NONSENSE
    if said == "date":
        # A date has whole seconds: rounded up, so that who obeys it is late enough.
        return formatdate(math.ceil(strike.at + strike.wait), usegmt=True)
    if said == "seconds" or strike.rule.fault == "limit":
        return str(math.ceil(strike.wait))
    return None
