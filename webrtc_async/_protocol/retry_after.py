"""The Retry-After header in every form that services and gateways send."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

_LONGEST: Final = 1e9
"""Most seconds of a Retry-After; no deadline has room for more."""

_SECONDS: Final = re.compile(r"[0-9]+(\.[0-9]*)?|\.[0-9]+")
_BETWEEN_VALUES: Final = re.compile(
    r"(?i)(?<!mon)(?<!tue)(?<!wed)(?<!thu)(?<!fri)(?<!sat)(?<!sun)(?<!day),"
)
"""A comma that does not follow the weekday of a date."""


def read_retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the seconds of a Retry-After header; None without a valid one.

    A date is compared with the response's own Date, in case the local clock is wrong. If the header
    is there several times, each gateway on the way may have asked, and the longest wait counts.
    """
    values = map(str.strip, _BETWEEN_VALUES.split(headers.get("retry-after", "")))
    reference = _read_date(headers.get("date", "")) or now or datetime.now(UTC)
    waits = [seconds for each in values if (seconds := _read(each, reference)) is not None]
    return min(max(waits), _LONGEST) if waits else None


def _read(value: str, reference: datetime) -> float | None:
    # RFC 9110, 10.2.3, has whole seconds only; never a negative wait.
    if _SECONDS.fullmatch(value):
        return float(value)
    moment = _read_date(value)
    return None if moment is None else max(0.0, (moment - reference).total_seconds())


def _read_date(value: str) -> datetime | None:
    """Return a date of HTTP (RFC 9110, 5.6.7) or of ISO 8601; UTC without a time zone."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(value)
        except (ValueError, TypeError, OverflowError):
            continue
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return None
