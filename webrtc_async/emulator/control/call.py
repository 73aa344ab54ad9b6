"""What a control call is: a row of a table, and what its handler is asked with."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final, Generic, Literal, TypeVar

from attrs import field, frozen

from webrtc_async._codec.model_codec import read_json
from webrtc_async._protocol.route import PathTemplate
from webrtc_async.emulator.core.json_fields import Fields

CONTROL_PATH: Final = "/_emulator"
"""Where the paths of control calls begin, on whatever host."""

EmulatorT = TypeVar("EmulatorT")


class ControlError(ValueError):
    """A control call that cannot be carried out, and the status to say so with; 400 if nothing."""

    def __init__(self, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.status = status


@frozen(kw_only=True)
class ControlRequest:
    """What a control call comes with.

    Attributes:
        path_values: The values in the path.
        content: The body.
    """

    path_values: Mapping[str, str]
    content: bytes = field(repr=False)

    def fields(self) -> Fields:
        """Return the body's fields.

        Raises:
            ValueError: The body is no JSON object.
        """
        return Fields.of(read_json(self.content))


@frozen(kw_only=True)
class ControlCall(Generic[EmulatorT]):
    """One control call.

    Attributes:
        method: The HTTP method.
        path: Below `CONTROL_PATH`; values in it are percent-decoded.
        answer: Returns JSON's values for a 200, or None for a 204. A `ValueError` is answered 400,
            a `ControlError` with its status, both with the text.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: PathTemplate = field(converter=PathTemplate)
    answer: Callable[[EmulatorT, ControlRequest], object]
