"""Error texts on the command line name variables and options, and no Python names."""

import pytest

from webrtc_async import (
    ForbiddenError,
    InvalidArgumentError,
    RedirectError,
    SetupError,
    Subscriptions,
    TlsError,
    UnauthorizedError,
    WebRtcError,
)
from webrtc_async.cli.failure import explain


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (UnauthorizedError("401."), "BW_CLIENT_SECRET"),
        (ForbiddenError("403."), "BW_WEBRTC_BASE_URL"),
        (RedirectError("301."), "BW_WEBRTC_BASE_URL"),
        (SetupError("failed.", [UnauthorizedError("401.")]), "BW_CLIENT_SECRET"),
        (TlsError("an unknown CA; ssl_context= sets one."), "SSL_CERT_FILE"),
        (InvalidArgumentError("session_id is '..'."), "SESSION_ID"),
    ],
)
def test_an_error_names_variables_and_options(error: WebRtcError, word: str) -> None:
    """Advice for Python code becomes advice for a terminal, also inside a group of errors."""
    text = explain(error)
    assert word in text
    for name in ("auth=", "from_env", "base_url", "ssl_context", "session_id"):
        assert name not in text


def test_an_empty_subscription_names_options() -> None:
    """The names of constructors become the names of options."""
    with pytest.raises(InvalidArgumentError) as caught:
        Subscriptions.only([])
    text = explain(caught.value)
    assert "--everyone" in text
    assert "--nothing" in text
    assert "Subscriptions" not in text
