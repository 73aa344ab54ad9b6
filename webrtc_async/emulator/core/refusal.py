"""A request that the service refuses, and the bodies it says so with."""

from http import HTTPStatus
from typing import Final

_BY_THE_GATEWAY: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class Refusal(Exception):  # noqa: N818  # the service's answer, not a failure of this code
    """The answer to a request that is not carried out.

    Attributes:
        status: The HTTP status, at least 400.
        message: What is wrong, for the body.
    """

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message

    def body(self, request_id: str) -> dict[str, object]:
        """Return the error body: the gateway's has a message, the service's an error and an id."""
        if self.status in _BY_THE_GATEWAY:
            return {"message": self.message}
        return {"error": self.message, "requestId": request_id}

    def legacy_body(self) -> dict[str, object]:
        """Return the error body of the older descriptions, whatever the status."""
        return {"code": self.status.value, "message": self.message}


def bad_request(*problems: str) -> Refusal:
    """Return the 400 that names every problem."""
    return Refusal(HTTPStatus.BAD_REQUEST, "; ".join(problems))


def not_found(what: str) -> Refusal:
    """Return the 404 for a session or participant."""
    return Refusal(HTTPStatus.NOT_FOUND, f"{what} not found")


def conflict(problem: str) -> Refusal:
    """Return the 409 for a participant that cannot join."""
    return Refusal(HTTPStatus.CONFLICT, problem)


def unauthorized() -> Refusal:
    """Return the 401, the same whatever is wrong with the credentials."""
    return Refusal(HTTPStatus.UNAUTHORIZED, "Unauthorized")


def forbidden() -> Refusal:
    """Return the 403 for a user that has no access to WebRTC."""
    # inferred: the text, the gateway's stock one; the errors page has the meaning.
    return Refusal(HTTPStatus.FORBIDDEN, "Forbidden")


def unknown_route() -> Refusal:
    """Return the 403 for a path or method that is not there."""
    # inferred: the service stands behind a gateway whose stock text for an unknown route this is.
    return Refusal(HTTPStatus.FORBIDDEN, "Missing Authentication Token")
