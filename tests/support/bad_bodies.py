"""Request bodies that the service rejects, by their error."""

import json

from webrtc_async.emulator.core.service import MAX_BODY

BODIES = {
    "no JSON": b"nonsense",
    "cut off": b'{"tag":',
    "white space": b"  ",
    "not UTF-8": b'{"tag":"\xff"}',
    "array": b"[]",
    "text": b'"x"',
    "number": b"5",
    "duplicate key": b'{"tag":"a","tag":"b"}',
    "NaN": b'{"tag":NaN}',
    "deep": b"[" * 100_000,
    "endless number": b'{"tag":' + b"9" * 5_000 + b"}",
    "wrong type": b'{"tag":5}',
    "too long a tag": json.dumps({"tag": "x" * 51}).encode(),
    "too long": b'{"x":"' + b"x" * MAX_BODY + b'"}',
}

PARTICIPANT_BODIES = {
    "unknown permission": b'{"publishPermissions":["SMELL"]}',
    "permission of a wrong type": b'{"publishPermissions":[5]}',
    "permissions no array": b'{"publishPermissions":"AUDIO"}',
    "unknown version": b'{"deviceApiVersion":"V9"}',
    "callback of a wrong type": b'{"callbackUrl":5}',
}

SUBSCRIPTION_BODIES = {
    "missing field": b'{"participants":[{"streamAliases":["cam"]}]}',
    "field of a wrong type": b'{"participants":[{"participantId":5}]}',
    "null where text is due": b'{"participants":[{"participantId":null}]}',
    "list of a wrong type": b'{"participants":{}}',
    "session of a wrong type": b'{"sessionId":[]}',
}
