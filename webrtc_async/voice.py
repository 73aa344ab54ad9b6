"""Phones in a session: a BXML Transfer verb with a participant's device token.

A phone joins a session as a participant. Create the participant, add it to the session, and respond
to the Voice API's callback with the document of `transfer_document`. The Voice API then transfers
the call to the WebRTC service, which finds the participant by the token.
"""

import re
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from webrtc_async._protocol.hidden_frames import hide_frames
from webrtc_async.errors import InvalidArgumentError

SIP_URI: Final = "sip:sipx.webrtc.bandwidth.com:5060"
"""The address of the WebRTC service for calls."""

MAX_UUI_LENGTH: Final = 256
"""Characters of user-to-user information (UUI) in a Transfer to a SIP URI, at most."""


@hide_frames
def transfer_verb(token: str, *, call_id: str | None = None, sip_uri: str = SIP_URI) -> str:
    """Return a Transfer verb, for a BXML document of your own.

    Args:
        token: The participant's device token.
        call_id: The id of the Voice call, such as "c-93d6f3c0-...". It helps to find the call in
            the logs of both services.
        sip_uri: The address of the WebRTC service for calls.

    Raises:
        InvalidArgumentError: The token, call id or SIP URI is invalid, or token and call id are
            together longer than 256 characters. The error does not show the token.
    """
    uui = f"{_token(token)};encoding=jwt"
    if call_id is not None:
        # The service expects hexadecimal digits under the name base64, as the vendor's SDKs send.
        uui = f"{_call_digits(call_id)};encoding=base64,{uui}"
    if len(uui) > MAX_UUI_LENGTH:
        shorter = " Leave out the call_id, which only helps to find the call in logs." * bool(
            call_id
        )
        raise InvalidArgumentError(
            f"The UUI of the transfer is {len(uui)} characters long; at most {MAX_UUI_LENGTH} are "
            f"allowed.{shorter}"
        )
    uri = f"<SipUri uui={quoteattr(uui)}>{escape(_uri(sip_uri))}</SipUri>"
    return f"<Transfer>{uri}</Transfer>"


@hide_frames
def transfer_document(token: str, *, call_id: str | None = None, sip_uri: str = SIP_URI) -> str:
    """Return a BXML document that transfers a call; respond with it as application/xml.

    Args:
        token: The participant's device token.
        call_id: See `transfer_verb`.
        sip_uri: The address of the WebRTC service for calls.

    Raises:
        InvalidArgumentError: See `transfer_verb`.
    """
    verb = transfer_verb(token, call_id=call_id, sip_uri=sip_uri)
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{verb}</Response>'


def _token(token: object) -> str:
    # RFC 7515, section 2: parts in base64url without padding, separated by dots.
    if not isinstance(token, str) or not re.fullmatch(r"[A-Za-z0-9_.-]+", token):
        raise InvalidArgumentError(
            "The device token must be a JWT, as create_participant returns it."
        )
    return token


def _call_digits(call_id: object) -> str:
    # The id of a Voice call is "c-" and groups of hexadecimal digits, separated by hyphens.
    if not isinstance(call_id, str) or not re.fullmatch(r"c-[0-9A-Fa-f]+(-[0-9A-Fa-f]+)*", call_id):
        raise InvalidArgumentError('call_id must look like "c-93d6f3c0-be584596-...".')
    return call_id.removeprefix("c-").replace("-", "")


def _uri(sip_uri: object) -> str:
    if not isinstance(sip_uri, str) or not re.fullmatch(r"sips?:[!-~]+", sip_uri):
        raise InvalidArgumentError("sip_uri must look like sip:sipx.webrtc.bandwidth.com:5060.")
    return sip_uri
