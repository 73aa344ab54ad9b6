"""Who may use an account, and how a request proves it."""

import base64
import hmac

from attrs import field, frozen


@frozen(kw_only=True)
class Credentials:
    """What an account's requests are let in with: a user's, or a client's.

    Attributes:
        username: The API user's name, for Basic.
        password: Its password.
        client_id: The OAuth2 client's id, for an access token.
        client_secret: Its secret.
        have_webrtc: Whether they open WebRTC at all; without, every operation is a 403.
    """

    username: str = "user"
    password: str = field(default="password", repr=False)
    client_id: str = "client"
    client_secret: str = field(default="secret", repr=False)
    have_webrtc: bool = True

    def are_of_user(self, name: bytes, password: bytes) -> bool:
        """Whether these are the user's name and password."""
        return _equal(name, self.username) & _equal(password, self.password)

    def are_of_client(self, client_id: bytes, secret: bytes) -> bool:
        """Whether these are the client's id and secret."""
        return _equal(client_id, self.client_id) & _equal(secret, self.client_secret)


def read_authorization(header: str) -> tuple[str, str]:
    """Return the scheme of an Authorization header in lower case, and what stands behind it."""
    scheme, _, value = header.strip().partition(" ")
    return scheme.lower(), value.strip()


def read_basic(value: str) -> tuple[bytes, bytes] | None:
    """Return the two halves of Basic credentials, or None if they are malformed."""
    try:
        pair = base64.b64decode(value, validate=True)
    except ValueError:
        return None
    first, colon, second = pair.partition(b":")
    return (first, second) if colon else None


def _equal(given: bytes, expected: str) -> bool:
    return hmac.compare_digest(given, expected.encode("utf-8", "surrogatepass"))
