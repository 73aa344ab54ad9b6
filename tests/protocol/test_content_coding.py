"""Content encodings are decoded up to the limit."""

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webrtc_async._protocol.content_coding import ContentError, check_length, decode, decode_start

TEXT = b'{"id": "s-1"}'
ENCODERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
}
each_encoding = pytest.mark.parametrize("encoding", ENCODERS)


@pytest.mark.parametrize(
    "encoding",
    [
        *("", "identity", " Identity ", "none", "identity, identity", ",", "utf-8", "UTF-8, none"),
        *("us-ascii", "iso-8859-1", "windows-1252", "identity;q=1", '"utf-8"'),
    ],
)
def test_a_plain_body_stays_as_it_is(encoding: str) -> None:
    """A body without an encoding is returned unchanged."""
    assert decode(TEXT, encoding, 100) is TEXT


@pytest.mark.parametrize("encoding", [*ENCODERS, "br", "identity"])
def test_an_empty_body_has_no_encoding(encoding: str) -> None:
    """An empty body is never decoded, for any header."""
    assert decode(b"", encoding, 100) == b""


@each_encoding
def test_an_encoded_body_is_decoded(encoding: str) -> None:
    """Each encoding is decoded; its name may have any case and spaces around it."""
    content = ENCODERS[encoding](TEXT)
    assert decode(content, encoding, 100) == TEXT
    assert decode(content, f" {encoding.upper()} ", 100) == TEXT


@each_encoding
def test_the_limit_itself_is_allowed(encoding: str) -> None:
    """A decoded body of exactly the limit passes, and one more byte does not."""
    content = ENCODERS[encoding](bytes(1000))
    assert decode(content, encoding, 1000) == bytes(1000)
    with pytest.raises(ContentError, match="longer than max_response_bytes, 999") as caught:
        decode(content, encoding, 999)
    assert caught.value.is_too_long


@each_encoding
def test_a_broken_encoding_is_named(encoding: str) -> None:
    """Bytes that do not match their encoding raise an error that names it."""
    with pytest.raises(ContentError, match=f"its {encoding} encoding is broken") as caught:
        decode(b"not compressed at all", encoding, 100)
    assert not caught.value.is_too_long


@each_encoding
@pytest.mark.parametrize("kept", [1, 5, -1, -4])
def test_a_truncated_encoding_is_an_error(encoding: str, kept: int) -> None:
    """A truncated body is never taken for a complete one."""
    with pytest.raises(ContentError, match=f"its {encoding} encoding is cut off"):
        decode(ENCODERS[encoding](TEXT)[:kept], encoding, 100)


def test_a_wrong_checksum_is_broken() -> None:
    """A body with a wrong checksum is refused."""
    content = bytearray(gzip.compress(TEXT))
    content[-8] ^= 1
    with pytest.raises(ContentError, match="broken"):
        decode(bytes(content), "gzip", 100)


@pytest.mark.parametrize(
    "encoding",
    ["identity, gzip", "gzip, identity", "gzip, utf-8", "none,gzip", "gzip;charset=utf-8"],
)
def test_names_that_change_nothing_are_passed_over(encoding: str) -> None:
    """Identity, none and charsets beside an encoding do not change the body."""
    assert decode(gzip.compress(TEXT), encoding, 100) == TEXT


def test_encodings_are_undone_from_the_last_to_the_first() -> None:
    """A body with several encodings is decoded in the reverse order."""
    content = gzip.compress(zlib.compress(TEXT))
    assert decode(content, "deflate, gzip", 100) == TEXT
    assert decode(gzip.compress(gzip.compress(TEXT)), "gzip, gzip", 100) == TEXT
    with pytest.raises(ContentError, match="over 4 content encodings"):
        decode(content, "gzip," * 5, 100)


@each_encoding
def test_a_repeated_header_is_one_encoding(encoding: str) -> None:
    """A body that was encoded once, and named so twice, is decoded once."""
    assert decode(ENCODERS[encoding](TEXT), f"{encoding}, {encoding}", 100) == TEXT


@each_encoding
def test_the_start_of_a_broken_body_is_decoded(encoding: str) -> None:
    """As much as possible is decoded of a body that is cut off, broken or too long."""
    content = ENCODERS[encoding](TEXT * 9)
    assert decode_start(content[:-4], encoding, 1000) == TEXT * 9
    assert decode_start(content[:-4] + b"\0\0\0\0", encoding, 1000) == TEXT * 9
    assert decode_start(content, encoding, 10).startswith(TEXT[:10])
    assert decode_start(TEXT, encoding, 100) == TEXT
    assert decode_start(TEXT, "br", 100) == TEXT
    assert decode_start(b"", encoding, 100) == b""


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "br, gzip", "x" * 500])
def test_an_unknown_encoding_is_refused(encoding: str) -> None:
    """The error has a short form of an unknown encoding's name."""
    content = gzip.compress(TEXT) if "gzip" in encoding else TEXT
    with pytest.raises(ContentError, match="was not asked for") as caught:
        decode(content, encoding, 100)
    assert encoding[:2] in str(caught.value)
    assert len(str(caught.value)) < 100
    assert not caught.value.is_too_long


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """Return under 600 kB that would inflate to 600 MB."""
    deflater = zlib.compressobj(level=9)
    mebibyte = bytes(1024 * 1024)
    return b"".join(deflater.compress(mebibyte) for _ in range(600)) + deflater.flush()


def test_a_bomb_is_refused_before_it_inflates(bomb: bytes) -> None:
    """A small body that would inflate to 600 MB costs no more memory than the limit."""
    assert len(bomb) < 700_000
    limit = 4 * 1024 * 1024
    tracemalloc.start()
    try:
        with pytest.raises(ContentError) as caught:
            decode(bomb, "deflate", limit)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.is_too_long
    assert peak < 4 * limit


def test_a_length_is_checked_against_the_limit() -> None:
    """A length up to the limit passes, and a longer one is refused as too long."""
    check_length(0, 0)
    check_length(10, 10)
    with pytest.raises(ContentError) as caught:
        check_length(11, 10)
    assert caught.value.is_too_long


@settings(deadline=None)
@given(content=st.binary(max_size=300), encoding=st.sampled_from(sorted(ENCODERS)))
def test_every_body_round_trips(content: bytes, encoding: str) -> None:
    """Encoded bytes are decoded to the same bytes."""
    assert decode(ENCODERS[encoding](content), encoding, 300) == content


@settings(deadline=None)
@given(
    content=st.binary(max_size=100),
    encoding=st.sampled_from([*ENCODERS, "identity", "br", "gzip, deflate"]) | st.text(max_size=9),
    limit=st.integers(0, 50),
)
def test_no_other_exception_escapes(content: bytes, encoding: str, limit: int) -> None:
    """Any bytes under any header give bytes or a ContentError."""
    started = decode_start(content, encoding, limit)
    assert started == content or len(started) <= limit + 1
    try:
        decoded = decode(content, encoding, limit)
    except ContentError:
        return
    assert decoded == content or len(decoded) <= limit


def test_consecutive_members_are_one_body() -> None:
    """Consecutive gzip members make one body, within the limit in total."""
    content = gzip.compress(b"a" * 60) + gzip.compress(b"b" * 40)
    assert decode(content, "gzip", 100) == b"a" * 60 + b"b" * 40
    with pytest.raises(ContentError, match="longer") as caught:
        decode(content, "gzip", 99)
    assert caught.value.is_too_long


def test_endless_members_are_refused() -> None:
    """A body of many empty members is refused, because each costs a copy of the rest."""
    assert decode(gzip.compress(b"") * 63 + gzip.compress(b"a"), "gzip", 10) == b"a"
    with pytest.raises(ContentError, match="over 64 members"):
        decode(gzip.compress(b"") * 65, "gzip", 10)


def test_garbage_after_a_member_is_an_error() -> None:
    """Garbage after a gzip member is neither content nor ignored."""
    with pytest.raises(ContentError, match="broken"):
        decode(gzip.compress(b"a") + b"garbage", "gzip", 10)
