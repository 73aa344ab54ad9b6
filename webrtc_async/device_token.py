"""What a device token says of itself: its claims, read without checking its signature.

The service signs device tokens for its own servers, with a key that nobody else has. So a claim is
good for showing when a token runs out and whose it is, and never for deciding what somebody may do.
"""

import base64
import math
from typing import Final, Self

from attrs import field, frozen

from webrtc_async._codec import model_codec as codec
from webrtc_async.errors import InvalidArgumentError
from webrtc_async.models import DeviceApiVersion

LONGEST_TOKEN: Final = 16 * 1024
"""Characters of a token that are read; the service's own have a few hundred."""

# Decoded by the device's own SDK from these short names; what they stand for is inferred from it.
_CLAIMS: Final = {"a": "account_id", "p": "participant_id", "iss": "issuer", "tid": "token_id"}


@frozen(kw_only=True)
class DeviceTokenClaims:
    """The claims of a device token, each None where the token does not say it.

    Attributes:
        account_id: The account.
        participant_id: The participant whose device connects with it.
        device_api_version: The protocol that the device has to speak.
        expires_at: Seconds since 1970 at which it runs out.
        issuer: Who made it.
        token_id: Its own id.
        extra: Claims this version does not know.
    """

    account_id: str | None = None
    participant_id: str | None = None
    device_api_version: DeviceApiVersion | None = None
    expires_at: float | None = None
    issuer: str | None = None
    token_id: str | None = None
    extra: dict[str, object] = field(
        factory=dict[str, object], hash=False, repr=lambda extra: repr(sorted(extra))
    )

    @classmethod
    def read(cls, token: str) -> Self:
        """Read the claims of a token; its signature is not checked.

        Args:
            token: What `create_participant` gave.

        Raises:
            InvalidArgumentError: It is no JWT, or a claim has another type; the error does not
                show the token.
        """
        claims = _payload(token)
        known: dict[str, str | None] = {
            name: _text(claim, claims.pop(claim, None)) for claim, name in _CLAIMS.items()
        }
        version = _text("v", claims.pop("v", None))
        return cls(
            account_id=known["account_id"],
            participant_id=known["participant_id"],
            device_api_version=None if version is None else DeviceApiVersion(version),
            expires_at=_moment("exp", claims.pop("exp", None)),
            issuer=known["issuer"],
            token_id=known["token_id"],
            extra=claims,
        )

    def expires_in(self, now: float) -> float:
        """Return the seconds until the token runs out: negative after that, infinite if never.

        Args:
            now: Seconds since 1970, such as `time.time()`.
        """
        return math.inf if self.expires_at is None else self.expires_at - now


def _payload(token: object) -> dict[str, object]:
    if not isinstance(token, str):
        raise InvalidArgumentError(f"The device token must be a str, not {type(token).__name__}.")
    parts = token.split(".") if len(token) <= LONGEST_TOKEN and token.isascii() else []
    # RFC 7519, section 3: a header, a payload and a signature, each base64url without padding.
    if len(parts) != 3:
        raise InvalidArgumentError("The device token is no JWT: it should have three parts.")
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
        raise InvalidArgumentError("The device token's claims are no object.")
    return claims


def _text(claim: str, value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise InvalidArgumentError(f"The device token's claim {claim!r} is not text.")


def _moment(claim: str, value: object) -> float | None:
    if value is None:
        return None
    # RFC 7519, section 2: a NumericDate may have a fraction.
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            pass
    raise InvalidArgumentError(f"The device token's claim {claim!r} is not a time.")
