"""The canned responses, made once, with the sizes of the service's own."""

import json

PARTICIPANTS = 20
"""The service's limit for a session."""

CREATED = (
    b'{"participant":{"id":"5b7fde0c-4a3c-4e6f-9d0a-3c1c7a1f5b0e","callbackUrl":'
    b'"https://example.com/callbacks/webrtc","publishPermissions":["AUDIO","VIDEO"],"tag":'
    b'"visit-42-doctor","deviceApiVersion":"V3"},"token":"eyJhbGciOiJIUzI1NiJ9.eyJhIjoiOTkwMDAwMCIs'
    b"InAiOiI1YjdmZGUwYy00YTNjLTRlNmYtOWQwYS0zYzFjN2ExZjViMGUiLCJ2IjoxLCJleHAiOjE4MDAwMDAwMDAsInRp"
    b'ZCI6IiJ9.c2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmUtc2lnbmF0dXJl"}'
)
SESSION_ID = "75c21163-e110-41bc-bd76-1bb428ec85d5"
IDS = [f"5b7fde0c-4a3c-4e6f-9d0a-3c1c7a1f5b{number:02x}" for number in range(PARTICIPANTS)]
LIST = json.dumps(
    [
        {
            "id": each,
            "callbackUrl": "https://example.com/callbacks/webrtc",
            "publishPermissions": ["AUDIO", "VIDEO"],
            "sessions": [SESSION_ID],
            "subscriptions": {
                "sessionId": SESSION_ID,
                "participants": [{"participantId": IDS[number - 1]}],
            },
            "tag": f"visit-42-{number}",
            "deviceApiVersion": "V3",
        }
        for number, each in enumerate(IDS)
    ],
    separators=(",", ":"),
).encode()
ROOM = b"\x0a\x0fRM_9dUf2jPq8KzA\x12\x08visit-42\x18\xac\x02\x20\x14"
"""A room of LiveKit's in protobuf: field 1 is its id, field 2 its name."""

HEAD = (
    b"HTTP/1.1 %s\r\nDate: Wed, 25 Nov 2026 12:00:00 GMT\r\n%s"
    b"Connection: keep-alive\r\nx-amzn-RequestId: 7e1c1f3c-0f3e-4c58-9d3e-2a1b0c9d8e7f\r\n\r\n%b"
)


def ok(content_type: bytes, body: bytes) -> bytes:
    """Return a 200 response."""
    described = b"Content-Type: %b\r\nContent-Length: %d\r\n" % (content_type, len(body))
    return HEAD % (b"200 OK", described, body)


UNKNOWN = HEAD % (b"404 Not Found", b"Content-Length: 0\r\n", b"")
RESPONSES = (
    # How a request line begins, how its target ends, and the response.
    (b"POST /v1/", b"/participants", ok(b"application/json", CREATED)),
    (b"GET /v1/", b"/participants", ok(b"application/json", LIST)),
    (b"POST /twirp/", b"/CreateRoom", ok(b"application/protobuf", ROOM)),
    (b"POST /twirp/", b"/DeleteRoom", ok(b"application/protobuf", b"")),
)


def find_response(request_line: bytes) -> bytes:
    """Return the response to a request, by its first line."""
    target = request_line.rpartition(b" ")[0]
    for start, end, response in RESPONSES:
        if target.startswith(start) and target.endswith(end):
            return response
    return UNKNOWN
