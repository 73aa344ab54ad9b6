"""Reading JSON by msgspec, where the extra is installed: sooner, and not otherwise."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import JSON, USUALLY

from webrtc_async import codec
from webrtc_async.proven_json import UNPROVEN, proven_reader

pytest.importorskip("msgspec", reason="the sessions with the newest versions have it")
READ = proven_reader()
assert READ is not None

BROKEN = st.binary(max_size=60) | st.text('{}[]",:0123456789.eE-+ntfalsu\\ud8', max_size=30).map(
    str.encode
)

WITHOUT_FRACTIONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def same(found: object, by_json: object) -> bool:
    """Compare types too: 1, 1.0 and True are equal."""
    return found == by_json and repr(found) == repr(by_json)


@USUALLY
@given(JSON.map(lambda value: json.dumps(value, separators=(",", ":")).encode()) | BROKEN)
@example(b'{"a":1,"a":1}')
@example(b'{"a":{"b":1,"b":1}}')
@example(b"[1e400]")
@example(b"[NaN]")
@example(b"[-0.0]")
@example(b"[123456789012345678901234567890]")
@example(b"[" + b"1" * 4300 + b"]")
@example(b"[" + b"1" * 4301 + b"]")
@example(b'["\xff"]')
@example(b'["\\ud800"]')
@example(b'["\\u00e9"]')
@example(b"\xef\xbb\xbf[]")
@example("[]".encode("utf-16"))
@example(b" [1]")
def test_what_is_proven_is_what_json_reads(content: bytes) -> None:
    """It takes nothing that is refused otherwise, and reads nothing otherwise."""
    found = READ(content)
    if found is not UNPROVEN:
        assert same(found, codec._read_strictly(content))


@USUALLY
@given(WITHOUT_FRACTIONS)
def test_what_is_compact_is_proven(value: object) -> None:
    """What services write is read by it: compact, and without escapes that need not be."""
    content = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    try:
        encoded = content.encode()
    except UnicodeEncodeError:  # a lone surrogate is for the other reader
        return
    if "\\u" not in content and "\x7f" not in content:
        assert same(READ(encoded), value)


@pytest.mark.parametrize("depth", [100, 500, 900, 10_000])
def test_deep_nesting_ends_alike(depth: int) -> None:
    """What is nested too deeply for one is refused by both."""
    content = b"[" * depth + b"]" * depth
    found = READ(content)
    if depth < 900:
        assert same(found, codec._read_strictly(content))
    if depth == 10_000:
        assert found is UNPROVEN
