"""Phones in a session: the Voice API's Transfer verb that carries a participant's device token.

A phone joins as a participant like any other. Create the participant, add it to the session, and
answer the Voice API's callback with the document that `transfer_document` returns: the call is
transferred to the WebRTC service, which finds the participant by its token.
"""

import re
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from webrtc_async.errors import InvalidArgumentError

SIP_URI: Final = "sip:sipx.webrtc.bandwidth.com:5060"
"""Where the WebRTC service takes calls."""

LONGEST_UUI: Final = 256
"""Characters of user-to-user information that a Transfer to a SIP URI may carry."""


def transfer_verb(token: str, *, call_id: str | None = None, sip_uri: str = SIP_URI) -> str:
    """Return a Transfer verb, for a BXML document of your own.

    Args:
        token: The participant's device token.
        call_id: The Voice call's id, such as "c-93d6f3c0-...". It serves only to find the call in
            both services' logs, and may be left out.
        sip_uri: Where the WebRTC service takes calls.

    Raises:
        InvalidArgumentError: The token, call id or SIP URI cannot stand in the verb, or the token
            and call id together are over 256 characters long; the error does not show the token.
    """
    uui = f"{_token(token)};encoding=jwt"
    if call_id is not None:
        # The service takes the bare hexadecimal digits for base64, as its own SDKs send them.
        uui = f"{_call_digits(call_id)};encoding=base64,{uui}"
    if len(uui) > LONGEST_UUI:
        shorter = " Leave out the call_id: it serves only to find the call in logs." * bool(call_id)
        raise InvalidArgumentError(
            f"The device token makes the transfer's uui {len(uui)} characters long; at most "
            f"{LONGEST_UUI} are carried.{shorter}"
        )
    uri = f"<SipUri uui={quoteattr(uui)}>{escape(_uri(sip_uri))}</SipUri>"
    return f"<Transfer>{uri}</Transfer>"


def transfer_document(token: str, *, call_id: str | None = None, sip_uri: str = SIP_URI) -> str:
    """Return a whole BXML document that transfers a call; answer it as application/xml.

    Args:
        token: The participant's device token.
        call_id: As for `transfer_verb`.
        sip_uri: Where the WebRTC service takes calls.

    Raises:
        InvalidArgumentError: As for `transfer_verb`.
    """
    verb = transfer_verb(token, call_id=call_id, sip_uri=sip_uri)
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{verb}</Response>'


def _token(token: object) -> str:
    # RFC 7515, section 2: base64url without padding, in parts that dots separate.
    if not isinstance(token, str) or not re.fullmatch(r"[A-Za-z0-9_.-]+", token):
        raise InvalidArgumentError("The device token must be a JWT, as create_participant gave it.")
    return token


def _call_digits(call_id: object) -> str:
    # A Voice call id is "c-" and hexadecimal digits, which hyphens group.
    if not isinstance(call_id, str) or not re.fullmatch(r"c-[0-9A-Fa-f]+(-[0-9A-Fa-f]+)*", call_id):
        raise InvalidArgumentError('call_id must look like "c-93d6f3c0-be584596-...".')
    return call_id.removeprefix("c-").replace("-", "")


def _uri(sip_uri: object) -> str:
    if not isinstance(sip_uri, str) or not re.fullmatch(r"sips?:[!-~]+", sip_uri):
        raise InvalidArgumentError("sip_uri must look like sip:sipx.webrtc.bandwidth.com:5060.")
    return sip_uri
