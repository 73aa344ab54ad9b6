"""Transfers of phone calls: in the service's form, escaped, of limited length."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.speaking import Caller
from support.strategies import BRIEFLY

from webrtc_async.emulator import Emulator
from webrtc_async.errors import InvalidArgumentError
from webrtc_async.voice import transfer_document, transfer_verb

CALL = "c-93d6f3c0-be584596-0b74-4fa2-8015-d8ede84bd1a4"
DIGITS = "93d6f3c0be5845960b744fa28015d8ede84bd1a4"
TOKEN = st.from_regex(
    r"[A-Za-z0-9_-]{1,60}\.[A-Za-z0-9_-]{1,60}\.[A-Za-z0-9_-]{1,60}", fullmatch=True
)


def test_a_whole_document() -> None:
    """The document equals that of the vendor's SDKs, byte for byte."""
    assert transfer_document("asdf", call_id=CALL) == (
        '<?xml version="1.0" encoding="UTF-8"?><Response><Transfer>'
        f'<SipUri uui="{DIGITS};encoding=base64,asdf;encoding=jwt">'
        "sip:sipx.webrtc.bandwidth.com:5060</SipUri></Transfer></Response>"
    )


def test_a_verb_alone_without_a_call() -> None:
    """The call id is optional, and the verb fits into any document."""
    assert transfer_verb("asdf", sip_uri="sip:other.example:5060;transport=tls&x") == (
        '<Transfer><SipUri uui="asdf;encoding=jwt">'
        "sip:other.example:5060;transport=tls&amp;x</SipUri></Transfer>"
    )


def test_a_token_of_the_emulator_fits() -> None:
    """A device token of the service is short enough for a transfer."""
    token = Caller(Emulator()).ask("POST", "/participants", {})["token"]
    assert token in transfer_verb(token)


def test_the_limit() -> None:
    """At most 256 characters are accepted; the error does not show the token."""
    longest = "t" * (256 - len(";encoding=jwt"))
    assert longest in transfer_verb(longest)
    with pytest.raises(InvalidArgumentError, match="257 characters long") as caught:
        transfer_verb(longest + "t")
    assert longest not in str(caught.value)
    assert "call_id" not in str(caught.value)
    with pytest.raises(InvalidArgumentError, match="Leave out the call_id"):
        transfer_verb(longest, call_id=CALL)


@pytest.mark.parametrize("token", ["", 'a"b', "a<b", "a;b", "a b", "a,b", "ä", None, 5])
def test_an_invalid_token_is_refused(token: str) -> None:
    """A token that is no JWT is rejected."""
    with pytest.raises(InvalidArgumentError, match="The device token must be a JWT"):
        transfer_verb(token)


@pytest.mark.parametrize("call_id", ["", "93d6", "c-", "c-xyz", 'c-1"', "c-1--2", "c-1-", 5])
def test_a_call_id_of_another_shape(call_id: str) -> None:
    """A call id in another form is rejected, also without hyphens."""
    with pytest.raises(InvalidArgumentError, match="call_id must look like"):
        transfer_verb("asdf", call_id=call_id)


@pytest.mark.parametrize("uri", ["", "http://x", "sip:", "sip:a b", "sip:\n", None])
def test_an_invalid_sip_uri_is_refused(uri: str) -> None:
    """A transfer needs a SIP URI."""
    with pytest.raises(InvalidArgumentError, match="sip_uri must look like"):
        transfer_verb("asdf", sip_uri=uri)


@BRIEFLY
@given(TOKEN, st.from_regex(r"sips?:[!-~]{1,40}", fullmatch=True))
def test_an_xml_reader_finds_token_and_uri(token: str, uri: str) -> None:
    """The document has the SIP URI and the token unchanged, with any characters."""
    found = ET.fromstring(transfer_document(token, sip_uri=uri))
    [sip] = found.findall("Transfer/SipUri")
    assert (sip.text, sip.attrib) == (uri, {"uui": f"{token};encoding=jwt"})
