"""The response of a fault that has a status: error body and Retry-After."""

import math
from email.utils import formatdate
from html import escape
from http import HTTPStatus
from typing import Final

from webrtc_async._codec.model_codec import write_json
from webrtc_async._protocol.wire import WireResponse
from webrtc_async.emulator.faults.armed_fault import TriggeredFault
from webrtc_async.emulator.faults.fields import FaultBody
from webrtc_async.emulator.faults.rule import WITHOUT_BODY

NONSENSE: Final = "after lunch"
"""A Retry-After value that no client can parse."""

_GATEWAY_STATUSES: Final = frozenset({401, 403, 429, 502, 503, 504})


def fault_response(fault: TriggeredFault, request_id: str) -> WireResponse:
    """Return the response of a fault that has a status."""
    assert fault.status is not None  # noqa: S101  # the caller checks it
    status = fault.status
    headers = {"x-amzn-requestid": request_id}
    if (retry_after := _retry_after(fault)) is not None:
        headers["retry-after"] = retry_after
    kind = fault.rule.body or ("message" if status in _GATEWAY_STATUSES else "error")
    if status in WITHOUT_BODY or kind == "empty":
        return WireResponse(status=status, headers=headers)
    headers["content-type"] = "text/html" if kind == "html" else "application/json"
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown"
    content = _body(kind, status, fault.rule.message or phrase, request_id)
    return WireResponse(status=status, headers=headers, content=content)


def _body(kind: FaultBody, status: int, message: str, request_id: str) -> bytes:
    if kind == "html":
        title = escape(f"{status} {message}")
        return f"<html><head><title>{title}</title></head><body>{title}</body></html>\n".encode(
            "utf-8", "replace"
        )
    if kind == "message":
        return write_json({"message": message})
    if kind == "code":
        return write_json({"code": status, "message": message})
    return write_json({"error": message, "requestId": request_id})


def _retry_after(fault: TriggeredFault) -> str | None:
    value = fault.rule.retry_after
    if fault.wait is None:
        return None if value is None else str(value)
    if value == "nonsense":
        return NONSENSE
    if value == "date":
        # Rounded up to the whole seconds of a date, so that a client does not return too early.
        return formatdate(math.ceil(fault.at + fault.wait), usegmt=True)
    if value == "seconds" or fault.rule.fault == "limit":
        return str(math.ceil(fault.wait))
    return None
