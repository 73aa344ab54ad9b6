"""Refusals: error responses of the service and of the gateway in front of it."""

from http import HTTPStatus
from typing import Final

_GATEWAY_STATUSES: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class Refusal(Exception):  # noqa: N818  # a response of the service, not a failure of this code
    """The error response to a request that the service refuses.

    Attributes:
        status: HTTP status, at least 400.
        message: Error message for the body.
    """

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message

    def body(self, request_id: str) -> dict[str, object]:
        """Return the error body, in the gateway's or the service's own format."""
        if self.status in _GATEWAY_STATUSES:
            return {"message": self.message}
        return {"error": self.message, "requestId": request_id}

    def legacy_body(self) -> dict[str, object]:
        """Return the error body of the older API descriptions, the same for every status."""
        return {"code": self.status.value, "message": self.message}


def bad_request(*problems: str) -> Refusal:
    """Return a 400 that names every problem."""
    return Refusal(HTTPStatus.BAD_REQUEST, "; ".join(problems))


def not_found(resource: str) -> Refusal:
    """Return a 404 for a session or participant."""
    return Refusal(HTTPStatus.NOT_FOUND, f"{resource} not found")


def conflict(problem: str) -> Refusal:
    """Return a 409 for a participant that cannot join."""
    return Refusal(HTTPStatus.CONFLICT, problem)


def unauthorized() -> Refusal:
    """Return a 401, the same for every problem with the credentials."""
    return Refusal(HTTPStatus.UNAUTHORIZED, "Unauthorized")


def forbidden() -> Refusal:
    """Return a 403 for a user without access to WebRTC."""
    # inferred: the gateway's default text; the meaning is from the errors page.
    return Refusal(HTTPStatus.FORBIDDEN, "Forbidden")


def unknown_route() -> Refusal:
    """Return a 403 for an unknown path or method."""
    # inferred: the default text for unknown routes of the gateway in front of the service.
    return Refusal(HTTPStatus.FORBIDDEN, "Missing Authentication Token")
