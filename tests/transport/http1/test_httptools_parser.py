"""With httptools every response is what it is without: read alike piece by piece, refused alike."""

import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from webrtc_async._transport.http1.h11_parser import H11Parser
from webrtc_async._transport.http1.response_reader import (
    LONGEST_HEAD,
    Parser,
    ResponseError,
    ResponseReader,
)

MOSTLY = settings(max_examples=600, deadline=None)
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
HELLO = b"5\r\nhello\r\n"
LAST = b"0\r\n\r\n"

needs_httptools = pytest.mark.skipif(
    find_spec("httptools") is None, reason="the extra fast is not installed; nox -s fast has it"
)


def httptools_parser(method: str) -> Parser:
    """Return a parser by httptools, which may not be installed."""
    from webrtc_async._transport.http1.httptools_parser import HttptoolsParser  # noqa: PLC0415

    return HttptoolsParser(method)


def seen_by(parser_for: Callable[[str], Parser], method: str, pieces: list[bytes]) -> list[object]:
    """Return what a reader shows after each piece, and after the connection's end."""
    reader, shown = ResponseReader(method, parser_for), list[object]()

    def show(body: bytes | str) -> None:
        head = reader.head
        whole = head and (head.status, head.reason, head.headers.fields, head.encoding)
        shown.append((body, whole, reader.is_complete, reader.is_reusable, reader.has_begun))

    try:
        for piece in pieces:
            if not reader.is_complete:
                show(reader.feed(piece))
        if not reader.is_complete:
            reader.feed_end()
            show(b"")
    except ResponseError:
        show("refused")
    return shown


# Responses, most of them plain, and what may be wrong with them


def mostly(usual: list[bytes], odd: list[bytes]) -> st.SearchStrategy[bytes]:
    """Draw something usual, and now and then something odd."""
    return st.sampled_from(usual * (1 + 6 * len(odd) // len(usual)) + odd)


STARTS = mostly(
    [OK, OK, b"HTTP/1.1 204 No Content\r\n", b"HTTP/1.1 100 \r\n\r\nHTTP/1.1 404 Not Found\r\n"],
    [
        b"HTTP/1.1 103 Early\r\nLink: a\r\nContent-Length: 4\r\n\r\n" + OK,
        b"HTTP/1.1 199 \r\nConnection: close\r\n\r\nHTTP/1.1 304 Same\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n" + OK,
        b"HTTP/1.1 200\r\n",
        b"HTTP/1.0 200 OK\r\n",
        b"HTTP/1.1 600 Odd\r\n",
        b"HTTP/1.1 200 \xe9\x01\r\n",
        b"HTTP/1.1  200 OK\r\n",
        b"ICY 200 OK\r\n",
        b"\r\n" + OK,
    ],
)
FIELDS = mostly(
    [b"Date: x", b"Set-Cookie: a=1", b"Connection: close", b"connection: Keep-Alive"],
    [
        *(b"Connection: upgrade", b"Connection: close\t", b"Connection: close, keep-alive"),
        *(b"Proxy-Connection: close", b"Proxy-Connection: upgrade", b"Upgrade: h2c"),
        b"Transfer-Encoding: gzip, chunked",
        *(b"Transfer-Encoding: chunked", b"Content-Length: 5", b"Content-Length: 05"),
        *(b"Content-Length: 5, 5", b"Content-Length: +5", b"X : y", b"X: y\r\n z", b"X: \xff"),
        *(b"X: \xc3\xa9", b"X: \x01", b"X: \x00", b"X: a\rb", b"no colon", b": y"),
    ],
)
FRAMINGS = mostly(
    [b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", b"Content-Length: 5", b"X: y"],
    [b"transfer-encoding:chunked \t", b"Transfer-Encoding: Chunked", b"Content-Length: 5\t"],
)
SIZES = mostly([b"%x", b"%08X"], [b"%016x", b"%020x", b"%021x", b"-%x", b"0x%x", b"%xg", b""])
EXTENSIONS = mostly([b""], [b";a=b", b' ; a="\\""', b" ", b"\t", b";\xff", b";a\rb"])
ENDS = mostly([b"\r\n"], [b"\n", b"\r", b"", b"\r\r\n", b"xx"])
DATA = st.sampled_from([b"hello", b"x" * 30, b"\r\n", b"0\r\n\r\n", b"a\n\rb"])
TRAILERS = mostly(
    [LAST],
    [
        *(b"0\r\nX: y\r\n\r\n", b"0\r\nX: y\r\n z\r\n\r\n", b"0\r\nbad\r\n\r\n", b"0\n\n"),
        *(b"0;a\r\n\r\n", b"0" * 21 + b"\r\n\r\n", b"000\r\n\r\n"),
        b"0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    ],
)


@st.composite
def chunks(draw: st.DrawFn) -> bytes:
    data, size = draw(DATA), draw(SIZES)
    line = (size % len(data) if size else b"") + draw(EXTENSIONS) + draw(ENDS)
    return line + data + draw(ENDS)


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    fields = [*draw(st.lists(FIELDS, max_size=3)), draw(FRAMINGS)]
    head = draw(STARTS) + b"".join(field + draw(ENDS) for field in fields) + draw(ENDS)
    if b"hunked" in fields[-1]:
        return head + b"".join(draw(st.lists(chunks(), max_size=3))) + draw(TRAILERS)
    return head + draw(st.sampled_from([b"hello", b"hello", b"", b"hell", HELLO + LAST]))


@st.composite
def pieces(draw: st.DrawFn) -> list[bytes]:
    """Draw a response, sometimes with a byte changed or more behind it, cut anywhere."""
    raw = bytearray(draw(responses()) + draw(mostly([b""], [b"x", b"\r\n", OK + b"\r\n"])))
    if draw(st.integers(0, 4)) == 0:
        raw[draw(st.integers(0, len(raw) - 1))] = draw(st.integers(0, 255))
    # A head that is cut is h11's at once; most are whole.
    first = draw(st.sampled_from([1, raw.find(b"\r\n\r\n") + 4, raw.find(b"\r\n\r\n") + 4]))
    cuts = draw(st.lists(st.integers(min(first, len(raw)), len(raw)), max_size=4))
    return [bytes(raw[a:b]) for a, b in pairwise(sorted({0, *cuts, len(raw)}))]


@needs_httptools
@MOSTLY
@given(st.sampled_from(["GET", "GET", "POST", "HEAD"]), pieces())
@example("GET", [CHUNKED, HELLO, LAST])
@example("GET", [CHUNKED + b"5;a=b\r\nhello\r\n" + LAST])
@example("GET", [CHUNKED, HELLO + b"5\r\nhello", b"\r", b"\n", b"5 \r\nhello\r\n0\r\nX: y\r\n\r\n"])
@example("GET", [OK + b"Transfer-Encoding: chunked \t\r\n\r\n" + HELLO + LAST])
@example("GET", [CHUNKED + b"5\r\nhelloxx" + LAST])
@example("GET", [CHUNKED + b"0" * 21 + b"5\r\nhello\r\n" + LAST])
@example("HEAD", [OK + b"Content-Length: 5\r\n\r\n"])
@example("HEAD", [CHUNKED])
@example("GET", [b"HTTP/1.1 100 \r\n\r\n", OK + b"\r\n", b"hello"])
@example("GET", [b"HTTP/1.1 100 \r\n\r\n"])
@example("GET", [b"HTTP/1.1 100 \r\n\r\n" + OK + b"Content-Length: 5\r\n\r\nhell"])
@example("GET", [b"HTTP/1.1 304 Same\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"])
@example("GET", [b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"])
@example("GET", [OK + b"Proxy-Connection: upgrade\r\nUpgrade: x\r\n\r\n", b"hello"])
@example("GET", [OK + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n" + HELLO + LAST])
@example("GET", [OK + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"])
@example("GET", [OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"])
def test_httptools_reads_as_h11_does(method: str, pieces: list[bytes]) -> None:
    """After each piece both show the same: head, body, end, what may follow, and refusal."""
    assert seen_by(httptools_parser, method, pieces) == seen_by(H11Parser, method, pieces)


@needs_httptools
@pytest.mark.parametrize(
    "endless", [OK + b"X: ", CHUNKED + b"5;", CHUNKED + LAST[:3] + b"X: ", CHUNKED + b"000"]
)
def test_nothing_is_collected_without_bounds(endless: bytes) -> None:
    """A head, a chunk's line or a trailer that never ends is refused where h11 refuses it."""
    pieces = [endless, *[b"0" * 1024] * (2 * LONGEST_HEAD // 1024)]
    shown = seen_by(httptools_parser, "GET", pieces)
    assert shown == seen_by(H11Parser, "GET", pieces)
    assert shown[-1][0] == "refused"
    assert len(shown) <= LONGEST_HEAD // 1024 + 2


@needs_httptools
def test_very_many_informational_heads_are_read() -> None:
    """Heads before the final one are passed over, however many a piece has."""
    raw = b"HTTP/1.1 100 Continue\r\n\r\n" * 2000 + CHUNKED + HELLO + LAST
    reader = ResponseReader("GET", httptools_parser)
    assert reader.feed(raw) == b"hello"
    assert reader.is_reusable


# Which of the two it is


def chosen(setting: str) -> str:
    """Return the module of the parser that a program gets which begins with a setting."""
    program = (
        f"import sys, types; {setting}\n"
        "from webrtc_async._transport.http1.response_reader import ResponseReader\n"
        "from webrtc_async._transport.http1.response_reader import installed_parser\n"
        "reader = ResponseReader('GET')\n"
        "assert reader.feed(b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok') == b'ok'\n"
        "assert not {'h11', 'httptools.parser'} & sys.modules.keys()\n"
        "print(type(installed_parser('GET')).__module__.rpartition('.')[2])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return ran.stdout.strip()


def test_httptools_reads_where_it_is_installed() -> None:
    """The extra is all that it takes; a common response loads neither of the two."""
    expected = "h11_parser" if find_spec("httptools") is None else "httptools_parser"
    assert chosen("") == expected


OLD = """
old = sys.modules['httptools'] = types.ModuleType('httptools')
old.HttpResponseParser, old.HttpParserError = object, Exception
"""


@pytest.mark.parametrize("setting", ["sys.modules['httptools'] = None", OLD], ids=["none", "old"])
def test_h11_reads_where_httptools_cannot(setting: str) -> None:
    """Without httptools, and with one whose llhttp takes what h11 refuses, h11 reads."""
    assert chosen(setting) == "h11_parser"
