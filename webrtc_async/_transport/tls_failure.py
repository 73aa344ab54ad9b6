"""Which check of TLS failed, in words; what would fail again, and what may not.

OpenSSL tells it by a reason, which for a server's alert has the alert's name (RFC 8446, section 6).
"""

import ssl
from typing import Final

_PASSING: Final = frozenset(
    {"UNEXPECTED_EOF_WHILE_READING", "TLSV1_ALERT_INTERNAL_ERROR", "TLSV1_ALERT_USER_CANCELLED"}
)
"""Reasons of the moment: a connection cut off, and alerts unrelated to what was offered."""

_CLIENT_REFUSED: Final = frozenset(
    {
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        "SSLV3_ALERT_CERTIFICATE_REVOKED",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        "TLSV1_ALERT_ACCESS_DENIED",
        "TLSV1_ALERT_UNKNOWN_CA",
    }
)
"""Alerts about the client's certificate, or the want of one."""

_CHECKS: Final = {
    "the server does not speak TLS: base_url may have to begin with http://": {
        "HTTP_REQUEST",
        "RECORD_LAYER_FAILURE",
        "WRONG_VERSION_NUMBER",
    },
    "no version of TLS is allowed on both sides": {
        "NO_PROTOCOLS_AVAILABLE",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "UNSUPPORTED_PROTOCOL",
        "VERSION_TOO_LOW",
        "WRONG_SSL_VERSION",
    },
    "the server accepts no cipher or key exchange of those offered, or asks for a client's "
    "certificate, which ssl_context= would bring": {
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "TLSV1_ALERT_INSUFFICIENT_SECURITY",
    },
    "the server refused the client's certificate, or the want of one; ssl_context= brings it": (
        _CLIENT_REFUSED
    ),
    "the server has no host of this name": {"TLSV1_UNRECOGNIZED_NAME"},
}


def tls_problem(error: ssl.SSLError, host: str, *, was_sent: bool) -> str | None:
    """Say which check failed; None where another try may well succeed, or the answer was lost.

    Args:
        error: OpenSSL's.
        host: The server's name and port.
        was_sent: Whether the request was written already. A server of TLS 1.3 can refuse the
            client's certificate only then; it has not read the request.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {host} was refused: {error.verify_message.rstrip('.')}."
    reason = getattr(error, "reason", None) or ""
    if not reason or reason in _PASSING or (was_sent and reason not in _CLIENT_REFUSED):
        return None
    said = reason.lower().replace("_", " ")
    check = next((check for check, reasons in _CHECKS.items() if reason in reasons), None)
    return f"the TLS handshake with {host} failed: {f'{check} ({said})' if check else said}."
