"""Faults before the first byte of an answer: connecting, TLS, proxies, hang-ups."""

from scripted import hang_up, stay_silent

from webrtc_async import Outcome, TlsError

from .behaviours import answered, close, reset_after
from .row import Expected, Row, late, lost, result, unsent
from .scene import (
    alert,
    answer_plainly,
    bare,
    behind_proxy,
    black_hole,
    certificate,
    cut_off,
    no_such_host,
    nobody,
    wire,
)

QUICK = {"attempt_timeout": 0.05}


def refused_certificate(says: str) -> Expected:
    return Expected(TlsError, 0, Outcome.NOT_SENT, says=says)


ROWS_OF_CONNECTING = [
    Row("1", "connection refused", nobody, unsent(0), unsent(0), heals=False),
    Row(
        "2",
        "host without an address",
        no_such_host,
        unsent(0, r"nowhere\.invalid"),
        unsent(0, r"nowhere\.invalid"),
        heals=False,
    ),
    Row(
        "3", "connecting never ends", black_hole, unsent(0), unsent(0), heals=False, settings=QUICK
    ),
    *(
        Row(
            f"5{letter}",
            f"TLS: {fault}",
            wire(close, tls=tls),
            refused_certificate(says),
            refused_certificate(says),
            heals=False,
        )
        for letter, fault, says, tls in (
            ("e", "expired certificate", "expired", lambda: certificate(is_expired=True)),
            ("h", "another host's", "not valid for", lambda: certificate("elsewhere.example")),
            ("u", "unknown authority", "issuer|signed", lambda: certificate(is_known=False)),
        )
    ),
    Row(
        "5p",
        "no TLS behind an https URL",
        bare(answer_plainly),
        unsent(says="does not speak TLS"),
        unsent(says="does not speak TLS"),
        heals=False,
    ),
    Row(
        "5t",
        "TLS behind an http URL",
        bare(alert, "http"),
        lost(3, says="may speak TLS"),
        lost(1, says="may speak TLS"),
        heals=False,
    ),
    Row("6", "handshake cut off", bare(cut_off), unsent(), unsent(), heals=False),
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
    ),
    Row(
        "62",
        "proxy refuses the tunnel (407)",
        behind_proxy(answered(b"", status=b"407 Proxy Authentication Required")),
        unsent(),
        unsent(),
        heals=False,
    ),
    Row(
        "62h",
        "proxy grants the tunnel and sends HTML",
        behind_proxy(answered(b"<h1>login</h1>")),
        unsent(),
        unsent(),
        heals=False,
    ),
    Row(
        "62s",
        "proxy is silent",
        behind_proxy(stay_silent),
        late(Outcome.NOT_SENT, requests=3),
        late(Outcome.NOT_SENT),
        heals=False,
        deadline=0.4,
        settings=QUICK,
    ),
]
