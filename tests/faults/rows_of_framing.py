"""Faults in the framing of a response: heads, lengths, chunks, and bytes between responses."""

from support.scripted import raw

from webrtc_async import ApiError, Outcome

from .behaviours import BODY, HEAD, WHOLE, answered, dribble, reset_after
from .row import Row, late, lost, misfit, refused, result
from .rows_of_connecting import PATIENT
from .scene import STRAY, wire

CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
PREFACE = bytes.fromhex("000012040000000000000300000064000400100000")
DESYNC = (
    "httpcore keeps bytes that came behind an answer and reads them as the next answer: send two "
    "whole answers in one segment, and the next request on that connection gets the second."
)


async def delete_session(client):
    return await client.delete_session("s-1")


async def list_participants(client):
    return await client.list_session_participants("s-1")


async def get_subscriptions(client):
    return await client.get_participant_subscriptions(session_id="s-1", participant_id="p-1")


ROWS_OF_FRAMING = [
    Row("11", "reset in the head", wire(reset_after(HEAD[:30])), lost(3), lost(1)),
    Row(
        "12",
        "reset after the head",
        wire(reset_after(HEAD + b"Content-Length: 9\r\n\r\n")),
        lost(3, 200),
        lost(1, 200),
    ),
    Row(
        "13",
        "body shorter than its length",
        wire(raw(HEAD + b"Content-Length: 99\r\n\r\n{")),
        lost(3, 200),
        lost(1, 200),
    ),
    Row("14", "chunks cut off", wire(raw(CHUNKED + b"5\r\nab")), lost(3, 200), lost(1, 200)),
    Row("15", "wrong chunk head", wire(raw(CHUNKED + b"no\r\n")), lost(3, 200), lost(1, 200)),
    Row(
        "16",
        "body longer than its length",
        wire(raw(HEAD + b"Content-Length: 9\r\n\r\n" + BODY), keeps_alive=True),
        misfit("JSON"),
        misfit("JSON"),
        cannot={"httpx": DESYNC, "httpx2": DESYNC},
    ),
    Row(
        "17",
        "a second answer behind the first",
        wire(raw(WHOLE + STRAY), keeps_alive=True),
        result(),
        result(),
        cannot={"httpx": DESYNC, "httpx2": DESYNC},
    ),
    Row(
        "18d",
        "two lengths",
        wire(raw(HEAD + b"Content-Length: 13\r\nContent-Length: 5\r\n\r\n" + BODY)),
        lost(3),
        lost(1),
    ),
    Row(
        "18n",
        "negative length",
        wire(raw(HEAD + b"Content-Length: -1\r\n\r\n" + BODY)),
        lost(3),
        lost(1),
    ),
    Row(
        "19",
        "length and chunks",
        wire(
            raw(
                HEAD
                + b"Content-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n"
                + b"d\r\n"
                + BODY
                + b"\r\n0\r\n\r\n"
            )
        ),
        result(),
        result(),
    ),
    Row("20", "a header of 200 KB", wire(raw(HEAD + b"X: " + b"x" * 200_000)), lost(3), lost(1)),
    Row("20n", "20 000 headers", wire(raw(HEAD + b"X: y\r\n" * 20_000)), lost(3), lost(1)),
    Row(
        "21",
        "a head of one byte every 5 ms",
        wire(dribble(b"HTTP/1.1 200 OK\r\nX: ", b"x")),
        late(Outcome.UNKNOWN),
        late(Outcome.UNKNOWN),
        deadline=0.4,
        settings=PATIENT,
    ),
    Row(
        "22",
        "a body of one byte every 5 ms",
        wire(dribble(HEAD + b"Content-Length: 9999\r\n\r\n{", b" ")),
        late(Outcome.ANSWERED, 200),
        late(Outcome.ANSWERED, 200),
        deadline=0.4,
        settings=PATIENT,
    ),
    Row(
        "24",
        "103 and 1 000 x 100 before the answer",
        wire(
            raw(
                b"HTTP/1.1 103 Early Hints\r\n\r\n"
                + b"HTTP/1.1 100 Continue\r\n\r\n" * 1000
                + WHOLE
            )
        ),
        result(),
        result(),
    ),
    Row(
        "24e",
        "100 without end",
        wire(dribble(b"", b"HTTP/1.1 100 Continue\r\n\r\n")),
        late(Outcome.UNKNOWN),
        late(Outcome.UNKNOWN),
        deadline=0.4,
        settings=PATIENT,
    ),
    Row(
        "25",
        "101",
        wire(raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")),
        lost(3),
        lost(1),
    ),
    Row("26", "garbage", wire(raw(b"\x00\xff" * 50 + b"\r\n\r\n")), lost(3), lost(1)),
    Row("26h", "HTTP/0.9", wire(raw(BODY)), lost(3), lost(1)),
    Row("26p", "HTTP/2", wire(raw(PREFACE)), lost(3), lost(1)),
    Row(
        "27",
        "status 999",
        wire(answered(b"", status=b"999 Odd")),
        refused(ApiError, 1, 999),
        refused(ApiError, 1, 999),
    ),
    Row("27z", "status 000", wire(answered(b"", status=b"000 Odd")), lost(3), lost(1)),
    Row(
        "28",
        "204 with a body",
        wire(
            raw(b"HTTP/1.1 204 No Content\r\nContent-Length: 13\r\n\r\n" + BODY), keeps_alive=True
        ),
        result(holds=lambda found: found is None),
        None,
        perform=delete_session,
        cannot={"httpx": DESYNC, "httpx2": DESYNC},
    ),
    Row(
        "29l",
        "204 where a list is due",
        wire(raw(b"HTTP/1.1 204 No Content\r\n\r\n")),
        result(holds=lambda found: found == []),
        None,
        perform=list_participants,
    ),
    Row(
        "29s",
        "204 where subscriptions are due",
        wire(raw(b"HTTP/1.1 204 No Content\r\n\r\n")),
        result(holds=lambda found: found.participants == ()),
        None,
        perform=get_subscriptions,
    ),
]
