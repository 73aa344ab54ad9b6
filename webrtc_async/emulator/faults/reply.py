"""What becomes of a request: the answer, and what is done wrong with it on purpose."""

from http import HTTPStatus

from attrs import frozen

from webrtc_async._codec.model_codec import write_json
from webrtc_async._protocol.wire import WireResponse
from webrtc_async.emulator.faults.rule import FaultRule


@frozen
class Reply:
    """What becomes of a request.

    Attributes:
        response: The answer; None where the connection ends before the service has acted.
        fault: What whoever sends the answer does wrong with it; None for nothing.
    """

    response: WireResponse | None
    fault: FaultRule | None = None


def written(request_id: str, status: HTTPStatus, body: object) -> WireResponse:
    """Return an answer with a JSON body, or a 204 without one."""
    headers = {"x-amzn-requestid": request_id}
    if status == HTTPStatus.NO_CONTENT:
        return WireResponse(status=int(status), headers=headers)
    headers["content-type"] = "application/json"
    return WireResponse(status=int(status), headers=headers, content=write_json(body))
