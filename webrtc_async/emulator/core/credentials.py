"""The credentials of an account, and the Authorization header that carries them."""

import base64
import hmac

from attrs import field, frozen


@frozen(kw_only=True)
class Credentials:
    """The credentials that an account accepts: a user's for Basic, and an OAuth2 client's.

    Attributes:
        username: Name of the API user, for Basic.
        password: Password of the API user.
        client_id: Id of the OAuth2 client, for access tokens.
        client_secret: Secret of the OAuth2 client.
        have_webrtc: False for a user without access to WebRTC: every operation returns 403.
    """

    username: str = "user"
    password: str = field(default="password", repr=False)
    client_id: str = "client"
    client_secret: str = field(default="secret", repr=False)
    have_webrtc: bool = True

    def match_user(self, name: bytes, password: bytes) -> bool:
        """Return True if the user's name and password are these."""
        return _equal(name, self.username) & _equal(password, self.password)

    def match_client(self, client_id: bytes, secret: bytes) -> bool:
        """Return True if the client's id and secret are these."""
        return _equal(client_id, self.client_id) & _equal(secret, self.client_secret)


def read_authorization(header: str) -> tuple[str, str]:
    """Return the scheme of an Authorization header, in lower case, and its parameters."""
    scheme, _, value = header.strip().partition(" ")
    return scheme.lower(), value.strip()


def read_basic(value: str) -> tuple[bytes, bytes] | None:
    """Return the name and password of Basic credentials, or None if they are malformed."""
    try:
        pair = base64.b64decode(value, validate=True)
    except ValueError:
        return None
    first, colon, second = pair.partition(b":")
    return (first, second) if colon else None


def _equal(given: bytes, expected: str) -> bool:
    return hmac.compare_digest(given, expected.encode("utf-8", "surrogatepass"))
