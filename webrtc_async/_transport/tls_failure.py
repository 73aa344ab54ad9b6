"""Explanations of TLS failures that would happen again.

OpenSSL gives a reason. For an alert of the server it has the alert's name (RFC 8446, section 6).
"""

import ssl
from typing import Final

_PASSING: Final = frozenset(
    {"UNEXPECTED_EOF_WHILE_READING", "TLSV1_ALERT_INTERNAL_ERROR", "TLSV1_ALERT_USER_CANCELLED"}
)
"""Temporary reasons: a connection that was cut off, and alerts about neither side's settings."""

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
"""Alerts about the client's certificate, or about a missing one."""

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
    "the server accepts none of the offered ciphers and key exchanges, or asks for a client's "
    "certificate, which ssl_context= can bring": {
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "TLSV1_ALERT_INSUFFICIENT_SECURITY",
    },
    "the server rejected the client's certificate, or got none; ssl_context= can bring one": (
        _CLIENT_REFUSED
    ),
    "the server has no host of this name": {"TLSV1_UNRECOGNIZED_NAME"},
}


def tls_problem(error: ssl.SSLError, host: str, *, was_sent: bool) -> str | None:
    """Return the failed check in words, or None if another attempt may succeed.

    A server of TLS 1.3 can reject the client's certificate after the request was sent; it has not
    read the request.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {host} was rejected: {error.verify_message.rstrip('.')}."
    reason = getattr(error, "reason", None) or ""
    if not reason or reason in _PASSING or (was_sent and reason not in _CLIENT_REFUSED):
        return None
    said = reason.lower().replace("_", " ")
    check = next((check for check, reasons in _CHECKS.items() if reason in reasons), None)
    return f"the TLS handshake with {host} failed: {f'{check} ({said})' if check else said}."
