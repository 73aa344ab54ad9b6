"""The texts of TLS failures, and which of them are retried."""

import ssl

import pytest
from support.scripted import client_of, policy

from webrtc_async import TlsError, UnknownOutcomeError
from webrtc_async._transport.failure import tls_problem


def openssl(reason: str | None) -> ssl.SSLError:
    """Return an error in OpenSSL's form."""
    error = ssl.SSLError(1, f"[SSL: {reason}] (_ssl.c:1006)")
    if reason is not None:
        error.reason = reason
    return error


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("WRONG_VERSION_NUMBER", "does not speak TLS: base_url may have to begin with http://"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "no version of TLS is allowed on both sides"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "none of the offered ciphers"),
        ("TLSV1_ALERT_UNKNOWN_CA", "rejected the client's certificate"),
        ("TLSV1_UNRECOGNIZED_NAME", "no host of this name"),
        ("DH_KEY_TOO_SMALL", "api.example:443 failed: dh key too small."),
    ],
)
def test_a_failed_handshake_names_the_failed_check(reason: str, says: str) -> None:
    """The text names the server, the check, and OpenSSL's own reason."""
    problem = tls_problem(openssl(reason), "api.example:443", was_sent=False)
    assert problem is not None
    assert says in problem
    assert reason.lower().replace("_", " ") in problem


@pytest.mark.parametrize(
    "reason", ["UNEXPECTED_EOF_WHILE_READING", "TLSV1_ALERT_INTERNAL_ERROR", None]
)
@pytest.mark.parametrize("was_sent", [False, True])
def test_a_temporary_failure_is_not_a_failed_check(reason: str | None, was_sent: bool) -> None:
    """A closed connection or a server's internal error may succeed on the next attempt."""
    assert tls_problem(openssl(reason), "api.example:443", was_sent=was_sent) is None


@pytest.mark.parametrize("reason", ["TLSV13_ALERT_CERTIFICATE_REQUIRED", "TLSV1_ALERT_UNKNOWN_CA"])
def test_a_client_s_certificate_is_refused_after_the_request(reason: str) -> None:
    """In TLS 1.3 the server may reject the client's certificate after the request was written."""
    problem = tls_problem(openssl(reason), "api.example:443", was_sent=True)
    assert problem is not None
    assert "the client's certificate" in problem


@pytest.mark.anyio
@pytest.mark.parametrize("reason", ["DECRYPTION_FAILED_OR_BAD_RECORD_MAC", "WRONG_VERSION_NUMBER"])
async def test_a_broken_record_is_a_lost_response(reason: str) -> None:
    """A TLS error after the request was written leaves the outcome unknown."""
    async with client_of(openssl(reason), retry=policy(attempts=3)) as client:
        with pytest.raises(UnknownOutcomeError, match=reason) as caught:
            await client.create_session()
    assert not isinstance(caught.value, TlsError)
    assert caught.value.attempts == 1
