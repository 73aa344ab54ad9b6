"""`ApiResponse`: a result with its status and headers."""

from collections.abc import Mapping
from typing import Generic, TypeVar

from attrs import field, frozen

ResultT = TypeVar("ResultT")


@frozen(kw_only=True)
class ApiResponse(Generic[ResultT]):
    """A result with the status and headers of its response.

    Attributes:
        data: The result.
        status: The HTTP status; 404 for a repeated delete, or 409 for a repeated add, whose lost
            first attempt had succeeded.
        headers: The response headers in lower case, without those that hold secrets.
        request_id: The service's id of the request, or None.
        attempts: Attempts of the call.
        elapsed: Seconds from the call to its result, pauses included.
    """

    data: ResultT
    status: int
    headers: Mapping[str, str] = field(hash=False, repr=False)
    request_id: str | None
    attempts: int
    elapsed: float
