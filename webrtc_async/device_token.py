"""The claims of a device token, read without a check of its signature.

The service signs device tokens for its own servers, and nobody else has the key. So the claims can
show when a token expires and for whom it is, and they must never decide what somebody may do.
"""

import base64
import math
from typing import Final, Self

from attrs import field, frozen

from webrtc_async._codec import model_codec as codec
from webrtc_async._protocol.hidden_frames import hide_frames
from webrtc_async.errors import InvalidArgumentError
from webrtc_async.models import DeviceApiVersion

MAX_TOKEN_LENGTH: Final = 16 * 1024
"""Characters of a token that are read; the service's own have a few hundred."""


# The vendor's device SDK reads these short names; their meanings are inferred from it.
@frozen(kw_only=True)
class DeviceTokenClaims:
    """The claims of a device token; a claim that the token does not have is None.

    Attributes:
        account_id: The account.
        participant_id: The participant whose device connects with the token.
        device_api_version: The protocol that the device has to speak.
        expires_at: When the token expires, in seconds since 1970.
        issuer: The name of the token's issuer.
        token_id: The token's own id.
        extra: Claims that this version does not know.
    """

    account_id: str | None = field(default=None, metadata={"wire_name": "a"})
    participant_id: str | None = field(default=None, metadata={"wire_name": "p"})
    device_api_version: DeviceApiVersion | None = field(default=None, metadata={"wire_name": "v"})
    expires_at: float | None = field(default=None, metadata={"wire_name": "exp"})
    issuer: str | None = field(default=None, metadata={"wire_name": "iss"})
    token_id: str | None = field(default=None, metadata={"wire_name": "tid"})
    extra: dict[str, object] = field(
        factory=dict[str, object], hash=False, repr=lambda extra: repr(sorted(extra))
    )

    @classmethod
    @hide_frames
    def read(cls, token: str) -> Self:
        """Read the claims of a token, without a check of its signature.

        Args:
            token: The token that `create_participant` returned.

        Raises:
            InvalidArgumentError: The text is not a JWT, or a claim has another type; the error
                does not show the token.
        """
        claims = _payload(token)
        try:
            return codec.from_json_value(claims, cls)
        except codec.ValidationError as error:
            raise InvalidArgumentError(f"The device token's claims do not fit: {error}.") from None

    def expires_in(self, now: float) -> float:
        """Return the seconds until the token expires: negative afterwards, infinite if never.

        Args:
            now: Seconds since 1970, such as `time.time()`.
        """
        return math.inf if self.expires_at is None else self.expires_at - now


def _payload(token: object) -> dict[str, object]:
    if not isinstance(token, str):
        raise InvalidArgumentError(f"The device token must be a str, not {type(token).__name__}.")
    parts = token.split(".") if len(token) <= MAX_TOKEN_LENGTH and token.isascii() else []
    # RFC 7519, section 3: a header, a payload and a signature, each base64url without padding.
    if len(parts) != 3:
        raise InvalidArgumentError("The device token is not a JWT, which has three parts.")
    payload = parts[1]
    try:
        decoded = base64.b64decode(
            payload + "=" * (-len(payload) % 4), altchars="-_", validate=True
        )
        claims = codec.read_json(decoded)
    except ValueError:
        # The reason would quote the payload.
        raise InvalidArgumentError("The device token's claims cannot be read.") from None
    if not codec.is_object(claims):
        raise InvalidArgumentError("The device token's claims are not a JSON object.")
    return claims
