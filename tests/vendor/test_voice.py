"""Transfers of phone calls: the same bytes as from the vendor's SDK."""

import pytest
from bandwidth.webrtc.utils.transfer_util import (
    generate_transfer_bxml,
    generate_transfer_bxml_verb,
)

from webrtc_async.voice import transfer_document, transfer_verb

CALLS = ["c-93d6f3c0-be584596-0b74-4fa2-8015-d8ede84bd1a4", "c-0", "c-aB-12"]


@pytest.mark.parametrize("call_id", CALLS)
@pytest.mark.parametrize("token", ["asdf", "eyJh.eyJz.c2ln", "a_-."])
def test_the_same_document_and_verb(token: str, call_id: str) -> None:
    """The document and the verb equal the vendor's for any token and call."""
    document = generate_transfer_bxml(token, call_id)
    assert transfer_document(token, call_id=call_id) == document
    assert transfer_verb(token, call_id=call_id) == generate_transfer_bxml_verb(token, call_id)


def test_the_same_at_another_address() -> None:
    """They are also equal with another SIP URI."""
    uri = "sip:elsewhere.example:5060"
    document = generate_transfer_bxml("asdf", CALLS[0], uri)
    assert transfer_document("asdf", call_id=CALLS[0], sip_uri=uri) == document
