"""The secret of a callback URL, in the path or in a header, in any spelling."""

import pytest
from support.webhook_receivers import SECRET, VALUE

from webrtc_async.errors import ConfigurationError
from webrtc_async.webhooks import SharedSecret


@pytest.mark.parametrize(
    ("path", "headers", "accepted"),
    [
        (f"/webhooks/{VALUE}", {}, True),
        (f"/{VALUE}".replace("-", "%2D"), {}, True),
        ("/webhooks/", {}, False),
        (f"/webhooks/{VALUE}x", {}, False),
        (f"/webhooks/{VALUE}/", {}, True),
        (f"/{VALUE}/webhooks", {}, False),
        ("/", {}, False),
        ("", {}, False),
        ("/webhooks", {"x-secret": VALUE}, False),
        ("/wébhooks/ü", {}, False),
    ],
)
def test_a_secret_in_the_path(path: str, headers: dict[str, str], accepted: bool) -> None:
    """A request is accepted only if the last segment of its path is the secret."""
    assert SECRET.matches(path, headers) is accepted
    assert VALUE not in repr(SECRET)


def test_a_secret_in_a_header() -> None:
    """With a header name, the secret is read from that header and not from the path."""
    secret = SharedSecret(value=VALUE, header="X-Secret")
    assert secret.matches("/webhooks", {"x-secret": VALUE})
    assert not secret.matches(f"/webhooks/{VALUE}", {})


@pytest.mark.parametrize(
    "value", ["", "short", "x" * 15, "ä" * 20, "a/b" * 10, "a%2Fb" * 5, "a\nb" * 10, None]
)
def test_an_invalid_secret(value: str) -> None:
    """A short secret, or one that cannot be in a path, is rejected and not shown."""
    with pytest.raises(ConfigurationError) as caught:
        SharedSecret(value=value)
    assert not value or value not in str(caught.value)
