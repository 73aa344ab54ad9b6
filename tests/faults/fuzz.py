"""Many broken responses: each gives a valid result or one of our errors.

python -m faults.fuzz [cases] [seconds]
"""

import random
import sys
import time
from collections import Counter
from typing import Any

import anyio
from support.scripted import ONCE, serving

from webrtc_async import ConfigurationError, Session, WebRtcError
from webrtc_async._protocol.wire import WireResponse, read_response
from webrtc_async.route_table import GET_SESSION

from . import storm
from .behaviours import BODY, HEAD, WHOLE
from .matrix import TRANSPORTS

BODIES = (
    BODY,
    b'{"id": "s-1", "tag": "visit", "extra": {"a": [1, 2.5, true, null, "\\ud83d\\ude00"]}}',
    b"\xef\xbb\xbf" + BODY,
    '{"id": "é", "tag": "日本"}'.encode(),
)
STREAMS = (
    WHOLE,
    HEAD
    + b"Transfer-Encoding: chunked\r\n\r\n5\r\n"
    + BODY[:5]
    + b"\r\n8\r\n"
    + BODY[5:]
    + b"\r\n0\r\nX: y\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + WHOLE,
    b"HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 302 Moved\r\nLocation: http://[::1]/x\r\nContent-Length: 0\r\n\r\n",
    b'HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm="a"\r\nContent-Length: 0\r\n\r\n',
    HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
    b"HTTP/1.0 204 No\r\nSet-Cookie: a=b; expires=never\r\n\r\n",
)
PIECES = (
    b"\r\n", b"\n", b"\x00", b"\xff\xfe", b":", b"{", b"[" * 50, b"]", b'"', b"\\u", b"NaN", b"-1",
    b"9" * 30, b"1e999", b"null", b"Content-Length: 1\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Content-Encoding: deflate\r\n", b"HTTP/1.1 200 OK\r\n", b"id", b"\xed\xa0\x80", b" " * 100,
)  # fmt: skip


def broken(chance: random.Random, whole: bytes) -> bytes:
    """Return bytes with one to four errors in them."""
    content = bytearray(whole)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(content) + 1)
        match chance.randrange(5):
            case 0:
                content[place:place] = chance.choice(PIECES)
            case 1:
                del content[place : place + chance.randint(1, 8)]
            case 2 if place < len(content):
                content[place] ^= 1 << chance.randrange(8)
            case 3:
                del content[place:]
            case _:
                end = place + chance.randint(1, 30)
                content[place:place] = content[place:end]
    return bytes(content)


def check(found: object, counts: Counter[str]) -> None:
    """Count a result or one of our errors; let any other exception through."""
    if isinstance(found, WebRtcError):
        # A server's bytes cannot make a setting invalid.
        assert not isinstance(found, ConfigurationError), found
        str(found).encode("utf-8", "strict")
        counts[type(found).__name__] += 1
    else:
        assert isinstance(found, Session), found
        counts["a result"] += 1


def fuzz_bodies(cases: int, seed: int = 0, until: float = 1e300) -> Counter[str]:
    """Read broken bodies as responses of every status."""
    chance, counts = random.Random(f"bodies {seed}"), Counter[str]()
    statuses = (200, 200, 200, 200, 201, 400, 403, 429, 500, 503)
    for number in range(cases):
        answer = WireResponse(
            status=chance.choice(statuses),
            headers={"content-type": "application/json", "retry-after": chance.choice("01x")},
            content=broken(chance, chance.choice(BODIES)),
        )
        try:
            check(read_response(GET_SESSION, answer), counts)
        except WebRtcError as error:
            check(error, counts)
        if number % 1000 == 0 and time.monotonic() > until:
            break
    return counts


async def fuzz_streams(
    cases: int, transport: str, seed: int = 0, until: float = 1e300
) -> Counter[str]:
    """Send broken streams over real sockets."""
    chance, counts = random.Random(f"streams {seed}"), Counter[str]()
    left = iter(range(cases))

    async def answer(stream: Any, _: bytes) -> None:
        await stream.send(broken(chance, chance.choice(STREAMS)))

    async with serving(answer) as server:

        async def some(client: Any) -> None:
            for _ in left:
                server.requests.clear()
                try:
                    check(await client.get_session("s-1"), counts)
                except WebRtcError as error:
                    check(error, counts)
                if time.monotonic() > until:
                    break

        async with storm.client_of(server, transport, retry=ONCE, deadline=5) as client:
            async with anyio.create_task_group() as tasks:
                for _ in range(8):
                    tasks.start_soon(some, client)
    return counts


def main() -> int:
    """Run as many cases as requested or as time allows, and print a line for each kind."""
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 3600.0
    started, seed = time.monotonic(), int(time.time())
    share = seconds / (1 + len(TRANSPORTS))
    # A stream costs fifty times as much as a body.
    counts = fuzz_bodies(cases * 8 // 10, seed, started + share)
    report("bodies", counts, started, seed)
    for number, transport in enumerate(TRANSPORTS, 2):
        started_here = time.monotonic()
        streams = cases * 2 // 10 // len(TRANSPORTS)
        counts = anyio.run(fuzz_streams, streams, transport, seed, started + share * number)
        report(f"streams over {transport}", counts, started_here, seed)
    return 0


def report(kind: str, counts: Counter[str], started: float, seed: int) -> None:
    """Print the counts; any other exception would have ended the run."""
    shown = ", ".join(f"{count} {name}" for name, count in counts.most_common())
    print(
        f"fuzz {kind}: {counts.total()} cases, nothing but our errors escaped ({shown}); "
        f"seed {seed}; {time.monotonic() - started:.0f} s",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
