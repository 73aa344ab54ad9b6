"""The answers of the canned server: built once, of the sizes that the service's have."""

SESSION = b'{"id":"session-5b7fde0c-4a3c-4e6f-9d0a-3c1c7a1f5b0e","tag":"visit-42"}'
CREATED = (
    b'{"participant":{"id":"participant-5b7fde0c-4a3c-4e6f-9d0a-3c1c7a1f5b0e","callbackUrl":'
    b'"https://example.com/callbacks/webrtc","publishPermissions":["AUDIO","VIDEO"],"tag":'
    b'"visit-42-doctor","deviceApiVersion":"V3"},"token":"eyJhbGciOiJIUzI1NiJ9.eyJhIjoiOTkwMDAwMCIs'
    b"InAiOiJwYXJ0aWNpcGFudC01YjdmZGUwYy00YTNjLTRlNmYtOWQwYS0zYzFjN2ExZjViMGUiLCJ2IjoxLCJleHAiOjE4"
    b'MDAwMDAwMDAsInRpZCI6IiJ9.c2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmUtc2lnbmF0dXJl"}'
)
# What LiveKit's room service answers, as protocol buffers: field 1 is the id, field 2 the name.
ROOM = b"\x0a\x0fRM_9dUf2jPq8KzA\x12\x08visit-42\x18\xac\x02\x20\x14"
MEMBER = b"\x0a\x0fPA_9dUf2jPq8KzA\x12\x0fvisit-42-doctor\x18\x02"

HEAD = (
    b"HTTP/1.1 %s\r\nDate: Wed, 25 Nov 2026 12:00:00 GMT\r\n%s"
    b"Connection: keep-alive\r\nx-amzn-RequestId: 7e1c1f3c-0f3e-4c58-9d3e-2a1b0c9d8e7f\r\n\r\n%b"
)


def answer(kind: bytes, body: bytes) -> bytes:
    described = b"Content-Type: %b\r\nContent-Length: %d\r\n" % (kind, len(body))
    return HEAD % (b"200 OK", described, body)


NO_CONTENT = HEAD % (b"204 No Content", b"", b"")
UNKNOWN = HEAD % (b"404 Not Found", b"Content-Length: 0\r\n", b"")

ANSWERS = (
    # How a request begins, how its target ends, and the answer: the first that fits.
    (b"POST /v1/", b"/participants", answer(b"application/json", CREATED)),
    (b"POST /v1/", b"/sessions", answer(b"application/json", SESSION)),
    (b"PUT /v1/", b"", NO_CONTENT),
    (b"DELETE /v1/", b"", NO_CONTENT),
    (b"POST /twirp/", b"/UpdateParticipant", answer(b"application/protobuf", MEMBER)),
    (b"POST /twirp/", b"/RemoveParticipant", answer(b"application/protobuf", b"")),
    (b"POST /twirp/", b"/DeleteRoom", answer(b"application/protobuf", b"")),
    (b"POST /twirp/", b"/CreateRoom", answer(b"application/protobuf", ROOM)),
)


def find_answer(request_line: bytes) -> bytes:
    """Return what a request is answered, by its first line."""
    target = request_line.rpartition(b" ")[0]
    for begins, ends, found in ANSWERS:
        if target.startswith(begins) and target.endswith(ends):
            return found
    return UNKNOWN
