"""Faults in the body of a response: not JSON, the wrong JSON, or no end."""

import gzip
import pickle
import zlib

from support.scripted import raw

from webrtc_async import ResponseTooLargeError

from .behaviours import BODY, HEAD, answered, endless
from .row import Row, lost, misfit, result
from .scene import certificate, wire

JSON = b"Content-Type: application/json"
MIB = b" " * (1 << 20)


def bomb() -> bytes:
    """Return 64 MiB of blanks in 64 KiB."""
    return gzip.compress(MIB * 64, compresslevel=9)


def survives(found: object) -> bool:
    """Return True if a result can be shown, logged, pickled and sent again."""
    repr(found).encode("utf-8")
    return pickle.loads(pickle.dumps(found)) == found


def body(number: str, fault: str, content: bytes, says: str, *headers: bytes) -> Row:
    """Return a row of a success whose body is refused once, with its name."""
    return Row(
        number, fault, wire(answered(content, *(headers or (JSON,)))), misfit(says), misfit(says)
    )


def accepted(number: str, fault: str, content: bytes, **more) -> Row:
    """Return a row of a success whose body is accepted."""
    expected = result(**more)
    return Row(number, fault, wire(answered(content, JSON)), expected, expected)


ROWS_OF_BODIES = [
    body("30", "200 without a body", b"", ""),
    Row(
        "31",
        "201 where 200 is due",
        wire(answered(BODY, JSON, status=b"201 Made")),
        result(),
        result(),
    ),
    body("32", "HTML 200", b"<html>Please log in</html>", "JSON", b"Content-Type: text/html"),
    body("34", "broken JSON", b'{"id": "s-1",', "JSON"),
    body("35", "latin-1", '{"id": "s-1", "tag": "é"}'.encode("latin-1"), ""),
    body("35s", "a surrogate in UTF-8", b'{"id": "s-1", "tag": "\xed\xa0\x80"}', "utf-8"),
    accepted("36", "a byte order mark", b"\xef\xbb\xbf" + BODY),
    accepted("36u", "UTF-16", BODY.decode().encode("utf-16")),
    body("37", "NaN", b'{"id": "s-1", "tag": NaN}', "NaN"),
    body("37i", "-Infinity", b'{"id": "s-1", "tag": -Infinity}', "Infinity"),
    accepted(
        "38",
        "a key twice",
        b'{"id": "s-2", "id": "s-1"}',
        holds=lambda found: found.id == "s-1",
    ),
    body("39", "200 000 levels deep", b"[" * 200_000, ""),
    body("40", "an integer of 5 000 digits", b'{"id": "s-1", "n": ' + b"9" * 5000 + b"}", ""),
    accepted("41", "a lone surrogate", b'{"id": "s-1", "tag": "\\ud800"}', holds=survives),
    body("42", "null where an id is due", b'{"id": null}', "id"),
    body("42n", "a number where an id is due", b'{"id": 5}', "id"),
    body("42m", "no id", b"{}", "id"),
    body("42e", "an empty id", b'{"id": ""}', "id: empty"),
    body("42l", "a list where an object is due", b"[]", ""),
    accepted(
        "43",
        "an unknown field",
        b'{"id": "s-1", "colour": "red"}',
        holds=lambda found: found.extra == {"colour": "red"},
    ),
    Row(
        "44",
        "gzip of 64 MiB",
        wire(answered(bomb(), b"Content-Encoding: gzip")),
        misfit("max_response_bytes", ResponseTooLargeError),
        misfit("max_response_bytes", ResponseTooLargeError),
    ),
    Row(
        "44e",
        "a body without end",
        wire(endless(HEAD + b"\r\n", MIB)),
        misfit("max_response_bytes", ResponseTooLargeError),
        misfit("max_response_bytes", ResponseTooLargeError),
    ),
    body("45", "no gzip", BODY, "gzip", b"Content-Encoding: gzip"),
    body("45t", "gzip cut off", gzip.compress(BODY)[:-9], "gzip", b"Content-Encoding: gzip"),
    body("45b", "an encoding nobody knows", BODY, "br", b"Content-Encoding: br"),
    Row(
        "45d",
        "deflate that was not asked for",
        wire(answered(zlib.compress(BODY), b"Content-Encoding: deflate")),
        result(),
        result(),
    ),
    *(
        Row(f"45{letter}", fault, wire(answered(content, *headers)), result(), result())
        for letter, fault, content, headers in (
            ("c", "a charset as encoding", BODY, [b"Content-Encoding: utf-8"]),
            ("n", "none as encoding", BODY, [b"Content-Encoding: none"]),
            ("i", "identity and gzip", gzip.compress(BODY), [b"Content-Encoding: identity, gzip"]),
            ("g", "gzip named twice", gzip.compress(BODY), [b"Content-Encoding: gzip"] * 2),
        )
    ),
    Row("45r", "a body ended by the close", wire(raw(HEAD + b"\r\n" + BODY)), result(), result()),
    Row(
        "45s",
        "a body ended by a TLS connection that was cut off",
        wire(raw(HEAD + b"\r\n" + BODY), tls=certificate),
        lost(3, 200, "close_notify"),
        lost(1, 200, "close_notify"),
    ),
]
