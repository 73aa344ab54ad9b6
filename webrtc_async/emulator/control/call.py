"""A control call: a row of the table of calls, its request and its error."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final, Generic, Literal, TypeVar

from attrs import field, frozen

from webrtc_async._codec.model_codec import read_json
from webrtc_async._protocol.route import PathTemplate
from webrtc_async.emulator.core.json_fields import Fields

CONTROL_PATH: Final = "/_emulator"
"""Prefix of the control calls' paths, on any host."""

EmulatorT = TypeVar("EmulatorT")


class ControlError(ValueError):
    """A control call failed; `status` is the status of its response, 400 by default."""

    def __init__(self, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.status = status


@frozen(kw_only=True)
class ControlRequest:
    """The request of a control call.

    Attributes:
        origin: URL of the emulator without a path, as the caller reached it.
        path_values: Values in the path, by name.
        query: Values in the query, by name.
        content: The body.
    """

    origin: str
    path_values: Mapping[str, str]
    query: Mapping[str, str]
    content: bytes = field(repr=False)

    def fields(self) -> Fields:
        """Return the body's fields.

        Raises:
            ValueError: The body is not a JSON object.
        """
        return Fields.of(read_json(self.content))


@frozen(kw_only=True)
class ControlCall(Generic[EmulatorT]):
    """One control call.

    Attributes:
        method: HTTP method.
        path: Path below `CONTROL_PATH`; values in it are percent-decoded.
        handler: Returns JSON values for a 200, or None for a 204. A `ValueError` results in a 400,
            a `ControlError` in its own status; both with the error's text.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: PathTemplate = field(converter=PathTemplate)
    handler: Callable[[EmulatorT, ControlRequest], object]
