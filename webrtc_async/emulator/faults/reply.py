"""The emulator's reply to a request: the response, and the fault to send it with."""

from http import HTTPStatus

from attrs import frozen

from webrtc_async._codec.model_codec import write_json
from webrtc_async._protocol.wire import WireResponse
from webrtc_async.emulator.faults.rule import FaultRule


@frozen
class Reply:
    """The emulator's reply to a request.

    Attributes:
        response: The response; None if the connection ends before the service has acted.
        fault: The fault to send the response with; None to send it correctly.
        delay: Seconds to wait first.
    """

    response: WireResponse | None
    fault: FaultRule | None = None
    delay: float = 0.0


def json_response(request_id: str, status: HTTPStatus, body: object) -> WireResponse:
    """Return a response with a JSON body, or a 204 without one."""
    headers = {"x-amzn-requestid": request_id}
    if status == HTTPStatus.NO_CONTENT:
        return WireResponse(status=int(status), headers=headers)
    headers["content-type"] = "application/json"
    return WireResponse(status=int(status), headers=headers, content=write_json(body))
