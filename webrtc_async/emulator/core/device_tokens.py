"""Device tokens: signed JWTs with the claims that a device's SDK looks at."""

import base64
import hmac
from random import Random
from typing import Final

from webrtc_async._codec.model_codec import write_json
from webrtc_async.emulator.core.state import ParticipantRecord

ISSUER: Final = "emulator"

_HEADER: Final = {"alg": "HS256"}


class TokenMint:
    """Mints device tokens.

    They decode as the service's do and are short enough to be handed on in a SIP URI; no media
    server will take them.

    Args:
        source: Tells tokens apart.
        key: Signs them.
    """

    def __init__(self, source: Random, key: bytes) -> None:
        self._source = source
        self._key = key

    def mint(self, account_id: str, participant: ParticipantRecord) -> str:
        """Return a new token for a participant."""
        claims = {
            "a": account_id,
            "p": participant.id,
            "v": participant.device_api_version,
            # inferred: the lifetime is not public; a token is of no use once its participant ends.
            "exp": int(participant.expires_at),
            "tid": self._source.randbytes(4).hex(),
            "iss": ISSUER,
        }
        signed = b".".join(_base64url(write_json(part)) for part in (_HEADER, claims))
        signature = hmac.digest(self._key, signed, "sha256")
        return b".".join((signed, _base64url(signature))).decode("ascii")


def _base64url(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
