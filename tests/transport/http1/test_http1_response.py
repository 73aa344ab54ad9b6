"""Parse responses: the fast pattern and h11 agree, for any split of the bytes."""

import asyncio
from types import MappingProxyType

import h11
import httpx
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from support.strategies import USUALLY

from webrtc_async._protocol.wire import WireRequest
from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async._transport.http1.request_writer import (
    MAX_KEPT,
    RequestWriter,
    check_target,
    write_request,
)
from webrtc_async._transport.http1.response import Http1Response
from webrtc_async._transport.http1.response_head import ResponseError, read_common_head
from webrtc_async._transport.http1.response_reader import ResponseReader
from webrtc_async.errors.outcome import Stage

NAMES = st.sampled_from(
    [
        b"Content-Type",
        b"X-Id",
        b"content-LENGTH",
        b"Content-Length",
        b"Connection",
        b"Date",
        b"a b",
        b"Transfer-Encoding",
        b"Set-Cookie",
        b"",
        b"X\x00",
        b" Folded",
        b"Upgrade",
    ]
)
VALUES = st.one_of(
    st.sampled_from(
        [b"0", b"5", b"05", b"+5", b"5, 5", b"-1", b"close", b"keep-alive", b"chunked"]
    ),
    st.sampled_from(
        [b"", b" ", b"a\tb", b"a  ", b"\xc3\xa9", b"\xff", b"a\rb", b"x\x7f", b"a\x00"]
    ),
)
SPACES = st.sampled_from([b"", b" ", b"\t ", b"  "])
ENDS = st.sampled_from([b"\r\n"] * 8 + [b"\n"])
STARTS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 204 No Content",
        b"HTTP/1.1 404 ",
        b"HTTP/1.1 503",
        b"HTTP/1.0 200 OK",
        b"HTTP/1.1 304 Same",
        b"HTTP/1.1 2000 OK",
        b"HTTP/2 200",
        b"HTTP/1.1 99 ",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK",
        b"http/1.1 200 OK",
        b"HTTP/1.1 200 \xe9",
    ]
)
BODIES = st.sampled_from([b"", b"hello", b"hell", b"hello, there", b"5\r\nhello\r\n0\r\n\r\n"])


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    """Draw the bytes of a response, or of something close to one."""
    field = st.tuples(NAMES, st.just(b":"), SPACES, VALUES, SPACES).map(b"".join)
    fields = draw(st.lists(field, max_size=4))
    # Two of them are read, although h11 refuses them: test_repeated_chunking_is_read.
    assume(sum(each.startswith(b"Transfer") for each in fields) < 2)
    lines = [draw(STARTS), *fields]
    if draw(st.booleans()):
        lines.append(b"Content-Length: 5")
    return b"".join(line + draw(ENDS) for line in [*lines, b""]) + draw(BODIES)


Seen = tuple[object, ...]


def by_h11(raw: bytes) -> Seen | None:
    """Return h11's result for bytes and an end of stream; None if it rejects them."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="POST", target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    head, body = None, b""
    try:
        connection.receive_data(raw)
        for attempt in range(2):
            while (event := connection.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                if isinstance(event, h11.Response):
                    head = event
                elif isinstance(event, h11.Data):
                    body += event.data
                elif isinstance(event, h11.EndOfMessage):
                    assert head is not None
                    is_reusable = (
                        attempt == 0
                        and not is_ambiguous(head)
                        and connection.our_state is h11.DONE
                        and connection.their_state is h11.DONE
                        and connection.trailing_data == (b"", False)
                    )
                    fields = [(name, value.strip()) for name, value in head.headers.raw_items()]
                    return head.status_code, head.reason, fields, body, is_reusable
            connection.receive_data(b"")
    except h11.RemoteProtocolError:
        return None
    return None


def is_ambiguous(head: h11.Response) -> bool:
    """Return True if a response has two lengths, or one that its status rules out."""
    headers = dict(head.headers)
    named = {b"content-length", b"transfer-encoding"} & headers.keys()
    if head.status_code in (204, 304):
        return bool(named) and headers.get(b"content-length") != b"0"
    return len(named) == 2


def by_reader(*pieces: bytes) -> Seen | None:
    """Return the result of the package's own reader, in the same form."""
    reader, body = ResponseReader("POST"), b""
    try:
        for piece in pieces:
            if not reader.is_complete:
                body += reader.feed(piece)
        if not reader.is_complete:
            reader.feed_end()
    except ResponseError:
        return None
    assert reader.received_head is not None
    status, reason, fields = (
        reader.received_head.status,
        reader.received_head.reason,
        reader.received_head.headers.fields,
    )
    encoding = "utf-8" if all(_is_utf8(value) for _, value in fields) else "latin-1"
    raw = [(name.encode(), value.encode(encoding)) for name, value in fields]
    return status, reason.encode("latin-1"), raw, body, reader.is_reusable


def _is_utf8(value: str) -> bool:
    return "ÿ" not in value  # the one value above that is Latin-1


@USUALLY
@given(responses())
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
@example(b"HTTP/1.1 204 No Content\r\n\r\n")
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
def test_the_pattern_reads_as_h11_does(raw: bytes) -> None:
    """For unsplit bytes, the reader agrees with h11 on status, reason, headers, body and rest."""
    assert by_reader(raw) == by_h11(raw)


@USUALLY
@given(responses())
def test_a_response_may_be_split_anywhere(raw: bytes) -> None:
    """A split at any byte gives the same response; only trailing bytes may show later."""
    whole = by_h11(raw)
    for cut in range(1, len(raw)):
        seen = by_reader(raw[:cut], raw[cut:])
        assert (seen and seen[:4]) == (whole and whole[:4])


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"])
@pytest.mark.parametrize(
    ("fields", "body"),
    [
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n"),
        (b"Transfer-Encoding: chunked,Chunked \r\nX: y", b"5\r\nhello\r\n0\r\n\r\n"),
        (b"X: y\r\ntransfer-encoding: identity, chunked", b"5\r\nhello\r\n0\r\n\r\n"),
        (b"Transfer-Encoding: identity\r\nContent-Length: 5", b"hello"),
    ],
)
def test_repeated_chunking_is_read(start: bytes, fields: bytes, body: bytes, size: int) -> None:
    """A response that two gateways call chunked is read; its connection is not kept."""
    whole = start + b"HTTP/1.1 413 Too Large\r\n" + fields + b"\r\n\r\n" + body
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    found = by_reader(*pieces)
    assert found is not None
    status, _, _, content, is_reusable = found
    assert (status, content, is_reusable) == (413, b"hello", False)


@pytest.mark.parametrize(
    "fields",
    [
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\nX: \x00",
        b"Transfer-Encoding: chunked" + b" " * 90_000 + b"x",
        b"Transfer-Encoding: chunked, " * 4_000,
    ],
    ids=lambda fields: repr(fields[:60]),
)
def test_other_transfer_encodings_are_refused(fields: bytes) -> None:
    """An encoding that nobody asked for is no response, and a long one takes no time."""
    assert by_reader(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n\r\n0\r\n\r\n") is None


def test_what_was_parsed_before_an_error_is_kept() -> None:
    """The chunks before a broken one can be read, for they may name what was created."""
    reader = ResponseReader("POST")
    with pytest.raises(ResponseError):
        reader.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nno\r\n")
    assert reader.take_parsed() == b"hello"


def test_a_response_may_arrive_byte_by_byte() -> None:
    """Single bytes give the same response."""
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Id: 1\r\n\r\nhello"
    assert by_reader(*(bytes([each]) for each in raw)) == by_h11(raw)


@pytest.mark.parametrize(
    ("head", "is_common"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n", True),
        (b"HTTP/1.1 503 \r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 5\r\n\r\n", True),
        (b"HTTP/1.1 204 No Content\r\nX:\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", False),
        (b"HTTP/1.1 200 OK\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", False),
        (b"HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: \xc3\xa9\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\n", False),
    ],
    ids=range(14),
)
def test_the_pattern_takes_the_common_shape_only(head: bytes, is_common: bool) -> None:
    """The pattern leaves unusual bodies and connection headers to h11."""
    found = read_common_head(head + b"hello")
    assert (found is not None) == is_common
    if found is not None:
        read, size, length = found
        assert size == len(head)
        assert length == (0 if read.status == 204 else 5)


def test_several_headers_of_one_name_are_joined() -> None:
    """Repeated headers become one value, in their order."""
    found = read_common_head(
        b"HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 0\r\na: 2\r\nB: 3\r\n\r\n"
    )
    assert found is not None
    assert found[0].headers == {"a": "1, 2", "content-length": "0", "b": "3"}
    assert len(found[0].headers) == 3


def test_a_head_that_never_ends_is_refused() -> None:
    """The reader refuses a head above its size limit."""
    reader = ResponseReader("GET")
    reader.feed(b"HTTP/1.1 200 OK\r\n")
    while reader.received_head is None:
        try:
            reader.feed(b"X: " + b"x" * 1000)
        except ResponseError:
            break
    assert reader.received_head is None


def test_a_response_to_head_has_no_body() -> None:
    """The response to a HEAD request has no body, for any Content-Length."""
    reader = ResponseReader("HEAD")
    assert reader.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n") == b""
    assert (reader.is_complete, reader.is_reusable) == (True, True)


@pytest.mark.parametrize("surplus", [b"x", b"HTTP/1.1 200 OK\r\n\r\n"])
@pytest.mark.parametrize(
    "coding", [b"Content-Length: 2\r\n\r\nok", b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"]
)
def test_bytes_after_a_response_end_the_connection(surplus: bytes, coding: bytes) -> None:
    """A connection with bytes after its response takes no further request."""
    reader = ResponseReader("GET")
    body = reader.feed(b"HTTP/1.1 200 OK\r\n" + coding + surplus)
    assert body in (b"ok", b"")
    assert (reader.is_complete, reader.is_reusable) == (True, False)


# Requests


@pytest.mark.parametrize(
    ("method", "target", "name", "value"),
    [
        ("GET ", "/", "A", "1"),
        ("GET", "/ HTTP/1.1\r\nX: 1", "A", "1"),
        ("GET", "", "A", "1"),
        ("GET", "/é", "A", "1"),
        ("GET", "/", "A", "1\r\nB: 2"),
        ("GET", "/", "A", "1\n"),
        ("GET", "/", "A", "\x00"),
        ("GET", "/", "A", " 1"),
        ("GET", "/", "A", "☎"),
        ("GET", "/", "A: 1\r\nB", "2"),
        ("GET", "/", "", "2"),
    ],
)
def test_a_head_with_an_injected_line_is_refused(
    method: str, target: str, name: str, value: str
) -> None:
    """No method, target or header can inject a line into the request."""
    with pytest.raises(httpx.LocalProtocolError):
        write_request(method, target, ((name, value),), b"")
    request = WireRequest(method, target, {name: value})
    with pytest.raises(httpx.LocalProtocolError):
        RequestWriter().write(request, check_target(target), "h")


def test_repeated_requests_are_written_alike() -> None:
    """Cached header lines equal freshly written ones, and their number is limited."""
    writer = RequestWriter()
    kept = [MappingProxyType({"X": str(number)}) for number in range(2 * MAX_KEPT)]
    for host in ("a", "b", "a"):
        for number, headers in enumerate(kept):
            written = writer.write(WireRequest("GET", "/x", headers), "/x", host)
            assert written == (
                b"GET /x HTTP/1.1\r\nHost: %b\r\nAccept-Encoding: identity\r\nX: %d\r\n\r\n"
                % (host.encode(), number)
            )
    assert len(vars(writer)["_kept"]) == MAX_KEPT
    writer.forget()
    assert not vars(writer)["_kept"]


def test_headers_that_may_change_are_written_each_time() -> None:
    """Only read-only headers are cached; each request gets its own credentials."""
    writer, headers = RequestWriter(), {"X": "1"}
    for value, authorization in (("1", "Basic a"), ("2", "Basic a"), ("2", "Basic b"), ("2", "")):
        headers["X"] = value
        request = WireRequest("POST", "/", headers, authorization=authorization)
        lines = writer.write(request, "/", "h").decode().split("\r\n")
        assert f"X: {value}" in lines
        assert [each for each in lines if each.startswith("Authorization")] == (
            [f"Authorization: {authorization}"] if authorization else []
        )
        assert "Content-Length: 0" in lines
    assert not vars(writer)["_kept"]


def test_an_early_response_keeps_its_stage() -> None:
    """A request whose last bytes leave after its response began is no longer awaited."""

    class Connection:
        loop = asyncio.new_event_loop()

        def abort(self) -> None: ...

        pause_reading = resume_reading = abort

    state = AttemptState("createSession", stage=Stage.READING)
    Http1Response(Connection(), "POST", state).was_sent()
    assert state.stage is Stage.READING
    Connection.loop.close()
