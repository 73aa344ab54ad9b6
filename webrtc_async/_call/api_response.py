"""`ApiResponse`: a result with what came along with it."""

from collections.abc import Mapping
from typing import Generic, TypeVar

from attrs import field, frozen

ResultT = TypeVar("ResultT")


@frozen(kw_only=True)
class ApiResponse(Generic[ResultT]):
    """A result with what came along with it.

    Attributes:
        data: The result.
        status: The HTTP status; 404 where a repeated delete found its work done, 409 where a
            repeated add did.
        headers: The response headers in lower case, without those that carry secrets.
        request_id: The service's id of the request, or None.
        attempts: How many attempts it took.
        elapsed: Seconds from the call to its result, pauses included.
    """

    data: ResultT
    status: int
    headers: Mapping[str, str] = field(hash=False, repr=False)
    request_id: str | None
    attempts: int
    elapsed: float
