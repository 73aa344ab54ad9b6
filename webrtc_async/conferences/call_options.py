"""The options that the calls for conferences share."""

from typing import Literal

from webrtc_async._config.validation import check_seconds
from webrtc_async.errors import InvalidArgumentError

OnError = Literal["stop", "collect"]
"""The first failure stops the other work, or the other work goes on and all failures are given."""


def check_on_error(value: object) -> None:
    """Refuse a word that is not an `OnError`.

    Raises:
        InvalidArgumentError: It is another word.
    """
    if value not in ("stop", "collect"):
        shown = repr(value)[:64]
        raise InvalidArgumentError(f'on_error must be "stop" or "collect", not {shown}.')


def check_times(*, grace: object, deadline: object = None) -> None:
    """Refuse times that are not seconds; a deadline may be None.

    Raises:
        ConfigurationError: One of them is not.
    """
    check_seconds("grace", grace, from_zero=True)
    if deadline is not None:
        check_seconds("deadline", deadline)
