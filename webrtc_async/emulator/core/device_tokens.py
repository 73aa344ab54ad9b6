"""Device tokens: signed JWTs with the claims that a device's SDK reads."""

import base64
import hmac
from random import Random
from typing import Final

from webrtc_async._codec.model_codec import write_json
from webrtc_async.emulator.core.state import ParticipantRecord

ISSUER: Final = "emulator"

_HEADER: Final = {"alg": "HS256"}


class DeviceTokens:
    """An issuer of device tokens.

    The tokens decode like the service's and fit into a SIP URI; no media server accepts them.

    Args:
        source: Random source of the tokens' ids.
        key: Key that signs the tokens.
    """

    def __init__(self, source: Random, key: bytes) -> None:
        self._source = source
        self._key = key

    def issue(self, account_id: str, participant: ParticipantRecord) -> str:
        """Return a new token for a participant."""
        claims = {
            "a": account_id,
            "p": participant.id,
            "v": participant.device_api_version,
            # inferred: the lifetime is not public; a token is useless after its participant's end.
            "exp": int(participant.expires_at),
            "tid": self._source.randbytes(4).hex(),
            "iss": ISSUER,
        }
        signed = b".".join(_base64url(write_json(part)) for part in (_HEADER, claims))
        signature = hmac.digest(self._key, signed, "sha256")
        return b".".join((signed, _base64url(signature))).decode("ascii")


def _base64url(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
