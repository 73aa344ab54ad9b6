"""Faults before the first byte of a response: connecting, TLS, proxies, closed connections."""

import ssl

from support.scripted import hang_up, stay_silent

from webrtc_async import Outcome, TlsError

from .behaviours import answered, close, reset_after
from .credentials import BASIC, TOKEN
from .row import Expected, Row, late, lost, result, unsent
from .scene import (
    alert,
    answer_plainly,
    bare,
    behind_proxy,
    black_hole,
    certificate,
    cut_off,
    demanding,
    no_such_host,
    nobody,
    outdated,
    shaking_hands,
    wire,
)

QUICK = {"attempt_timeout": 0.05}
PATIENT = {"attempt_timeout": 10.0}
"""Time for a resolver that asks again after 5 s, and none for a second attempt at the deadline."""

TO_A_PROXY = (BASIC, TOKEN)
"""Without OAuth2, because its token request through the proxy is another fault."""


def no_tls(says: str, connections: int = 1) -> Expected:
    return Expected(TlsError, connections, Outcome.NOT_SENT, says=says)


ROWS_OF_CONNECTING = [
    Row("1", "connection refused", nobody, unsent(0), unsent(0), heals=False),
    Row(
        "2",
        "host without an address",
        no_such_host,
        unsent(0, r"nowhere\.invalid"),
        unsent(0, r"nowhere\.invalid"),
        heals=False,
        settings=PATIENT,
    ),
    Row(
        "3", "connecting never ends", black_hole, unsent(0), unsent(0), heals=False, settings=QUICK
    ),
    *(
        Row(
            f"5{letter}",
            f"TLS: {fault}",
            wire(close, tls=tls),
            no_tls(says, 0),
            no_tls(says, 0),
            heals=False,
        )
        for letter, fault, says, tls in (
            ("e", "expired certificate", "expired", lambda: certificate(is_expired=True)),
            ("h", "another host's", "not valid for", lambda: certificate("elsewhere.example")),
            ("u", "unknown authority", "issuer|signed", lambda: certificate(is_known=False)),
        )
    ),
    *(
        Row(f"5{letter}", f"TLS: {fault}", stage, no_tls(says), no_tls(says), heals=False)
        for letter, fault, says, stage in (
            ("p", "none behind an https URL", "does not speak TLS", bare(answer_plainly)),
            (
                "v",
                "no version in common",
                "no version of TLS",
                shaking_hands(lambda: outdated(ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0")),
            ),
            (
                "k",
                "no cipher in common",
                "none of the offered ciphers",
                shaking_hands(lambda: outdated(ssl.TLSVersion.TLSv1_2, "AES128-SHA")),
            ),
            (
                "m",
                "a client's certificate wanted, by TLS 1.3",
                "rejected the client's certificate, or got none",
                shaking_hands(lambda: demanding(ssl.TLSVersion.TLSv1_3)),
            ),
            (
                "n",
                "a client's certificate wanted, by TLS 1.2",
                "asks for a client's certificate",
                shaking_hands(lambda: demanding(ssl.TLSVersion.TLSv1_2)),
            ),
            ("s", "a host unknown to the server", "no host of this name", bare(alert(112))),
            ("d", "a handshake that cannot be read", "decode error", bare(alert(50))),
        )
    ),
    Row(
        "5t",
        "TLS behind an http URL",
        bare(alert(70), "http"),
        lost(3, says="may speak TLS"),
        lost(1, says="may speak TLS"),
        heals=False,
    ),
    Row(
        "6",
        "TLS: handshake cut off",
        bare(cut_off),
        unsent(says="during the TLS handshake"),
        unsent(says="during the TLS handshake"),
        heals=False,
    ),
    Row(
        "6i",
        "TLS: an internal error of the server's",
        bare(alert(80)),
        unsent(says="INTERNAL_ERROR"),
        unsent(says="INTERNAL_ERROR"),
        heals=False,
    ),
    Row("8", "closed before any byte", wire(hang_up), lost(3), lost(1)),
    Row("9", "reset before any byte", wire(reset_after()), lost(3), lost(1)),
    Row(
        "10",
        "kept connection closed on use",
        wire(close, keeps_alive=True),
        lost(4),
        lost(1),
        is_warm=True,
    ),
    Row(
        "10r",
        "kept connection reset on use",
        wire(reset_after(), keeps_alive=True),
        lost(4),
        lost(1),
        is_warm=True,
    ),
    Row(
        "10i",
        "kept connection closed while idle",
        wire(answered(b'{"id": "s-1"}')),
        result(),
        result(),
        is_warm=True,
    ),
    Row(
        "23",
        "no answer",
        wire(stay_silent),
        late(Outcome.UNKNOWN),
        late(Outcome.UNKNOWN),
        deadline=0.4,
        settings=PATIENT,
    ),
    Row(
        "62",
        "proxy refuses the tunnel (407)",
        behind_proxy(answered(b"", status=b"407 Proxy Authentication Required")),
        unsent(),
        unsent(),
        credentials=TO_A_PROXY,
        heals=False,
    ),
    Row(
        "62h",
        "proxy grants the tunnel and sends HTML",
        behind_proxy(answered(b"<h1>login</h1>")),
        unsent(says="during the TLS handshake"),
        unsent(says="during the TLS handshake"),
        credentials=TO_A_PROXY,
        heals=False,
    ),
    Row(
        "62s",
        "proxy is silent",
        behind_proxy(stay_silent),
        late(Outcome.NOT_SENT, requests=3),
        late(Outcome.NOT_SENT),
        credentials=TO_A_PROXY,
        heals=False,
        deadline=0.4,
        settings=QUICK,
    ),
]
