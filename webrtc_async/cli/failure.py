"""Failures of commands: one line in the terminal's words, and an exit code."""

import re
from collections.abc import Mapping
from typing import Final

import click

from webrtc_async import (
    ApiError,
    ConfigurationError,
    ForbiddenError,
    InvalidArgumentError,
    NotFoundError,
    Outcome,
    RedirectError,
    UnauthorizedError,
    WebRtcError,
)

EXIT_CODES: Final = (
    "Exit codes: 0 done; 1 rejected or failed; 2 wrong use or a missing variable, nothing was "
    "sent; 3 unknown outcome, the operation may have been done; 4 not found; 130 interrupted."
)

_ADVICE: Final[Mapping[type[ApiError], str]] = {
    RedirectError: "Redirects are never followed: correct BW_WEBRTC_BASE_URL if the service has "
    "moved.",
    UnauthorizedError: "Check that these credentials belong to the account BW_ACCOUNT_ID: "
    "BW_CLIENT_ID and BW_CLIENT_SECRET, or BW_USERNAME and BW_PASSWORD.",
    ForbiddenError: "Check BW_WEBRTC_BASE_URL (an unknown path gets the same response), and that "
    "the user may use WebRTC.",
}

# Python's names, and the variables, options and arguments that they are on the command line.
_WORDS: Final = {
    "session_id": "SESSION_ID",
    "participant_id": "PARTICIPANT_ID",
    "Subscriptions.everyone()": "--everyone",
    "Subscriptions.everyone(session)": "--everyone",
    "Subscriptions.only()": "--only",
    "Subscriptions.nothing()": "--nothing",
    "base_url": "BW_WEBRTC_BASE_URL",
    "ssl_context=": "SSL_CERT_FILE",
}
_WORD: Final = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, _WORDS))})(?!\w)")


class Failed(click.ClickException):
    """The service rejected the request, or could not be reached."""

    exit_code = 1


class WrongUse(Failed):
    """An argument or a setting is wrong; nothing was sent."""

    exit_code = 2


class UnknownOutcome(Failed):
    """The request was sent and its outcome is unknown."""

    exit_code = 3


class NotFound(Failed):
    """The session or participant does not exist."""

    exit_code = 4


def failure(error: WebRtcError) -> Failed:
    """Return an error of the client as a line with an exit code."""
    if isinstance(error, ConfigurationError | InvalidArgumentError):
        kind: type[Failed] = WrongUse
    elif isinstance(error, NotFoundError):
        kind = NotFound
    else:
        kind = UnknownOutcome if error.outcome is Outcome.UNKNOWN else Failed
    return kind(explain(error))


def explain(error: WebRtcError) -> str:
    """Return the text of an error, with variables and options instead of Python's names."""
    text = str(error)
    # The text of a group of errors holds the texts of its errors.
    for kind, advice in _ADVICE.items():
        text = text.replace(kind.advice, advice)
    return _WORD.sub(lambda found: _WORDS[found[0]], text)
