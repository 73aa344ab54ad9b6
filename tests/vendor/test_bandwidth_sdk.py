"""bandwidth-sdk 14.5.3 works with the emulator as with the service.

It runs in an environment of its own, by `nox -s vendor`.
"""

import json

import pytest
from bandwidth.exceptions.api_exception import APIException
from bandwidth.webrtc.exceptions.error_exception import ErrorException
from bandwidth.webrtc.models.device_api_version_enum import DeviceApiVersionEnum
from bandwidth.webrtc.models.participant import Participant
from bandwidth.webrtc.models.participant_subscription import ParticipantSubscription
from bandwidth.webrtc.models.publish_permission_enum import PublishPermissionEnum
from bandwidth.webrtc.models.session import Session
from bandwidth.webrtc.models.subscriptions import Subscriptions

ACCOUNT = "9900000"
WITHOUT_WEBRTC = "9900001"
UNKNOWN = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def session(sdk) -> str:
    return sdk.create_session(ACCOUNT).body.id


@pytest.fixture
def participant(sdk) -> str:
    return sdk.create_participant(ACCOUNT).body.participant.id


@pytest.fixture
def member(sdk, session, participant) -> str:
    sdk.add_participant_to_session(ACCOUNT, session, participant)
    return participant


def test_create_participant(sdk):
    """The response is the SDK's typed model, with the given values and a token."""
    wanted = Participant(
        callback_url="https://app.example/events",
        publish_permissions=[PublishPermissionEnum.AUDIO],
        tag="visit-42",
        device_api_version=DeviceApiVersionEnum.V3,
    )
    response = sdk.create_participant(ACCOUNT, wanted)
    created = response.body.participant
    assert response.status_code == 200
    assert len(created.id) == 36
    assert created.callback_url == "https://app.example/events"
    assert created.publish_permissions == ["AUDIO"]
    assert created.tag == "visit-42"
    assert created.device_api_version == "V3"
    assert created.sessions == []
    # The SDK reads an empty object as no Subscriptions.
    assert created.subscriptions is None
    assert response.body.token.count(".") == 2


def test_its_model_always_sends_v2(sdk):
    """A Participant without arguments requests V2, and the emulator accepts it like the service."""
    assert (
        sdk.create_participant(ACCOUNT, Participant()).body.participant.device_api_version == "V2"
    )


def test_a_missing_body_is_empty_content_with_a_json_type(sdk):
    """Without a body the SDK sends empty content, which creates defaults."""
    response = sdk.create_participant(ACCOUNT)
    assert response.request.headers["content-type"] == "application/json; charset=utf-8"
    assert response.body.participant.device_api_version == "V3"
    assert set(response.body.participant.publish_permissions) == {"AUDIO", "VIDEO"}
    assert sdk.create_session(ACCOUNT).body.tag is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"tag": None, "callbackUrl": None, "publishPermissions": None, "deviceApiVersion": None},
        {"deviceApiVersion": "v3", "publishPermissions": ["VIDEO", "AUDIO"]},
        {"permissions": {"canPublish": True}, "clientId": 5},
        {"id": UNKNOWN, "sessions": [UNKNOWN], "subscriptions": {"sessionId": UNKNOWN}},
    ],
    ids=["empty", "nulls", "lower case", "unknown", "what is not its to say"],
)
def test_dicts_are_sent_unchanged(sdk, body):
    """The vendor's samples send plain dicts; each creates a participant without a session."""
    created = sdk.create_participant(ACCOUNT, body).body.participant
    assert created.device_api_version == "V3"
    assert created.id != UNKNOWN
    assert created.sessions == []
    assert created.subscriptions is None


def test_non_ascii_tags_are_returned_unchanged(sdk):
    """Tags survive the JSON of both sides, escapes included."""
    tag = 'caf\N{LATIN SMALL LETTER E WITH ACUTE} \N{PARTY POPPER} "<\\>'
    assert sdk.create_session(ACCOUNT, Session(tag=tag)).body.tag == tag
    assert sdk.create_participant(ACCOUNT, Participant(tag=tag)).body.participant.tag == tag


def test_get_participant(sdk, session, member):
    """A member is in exactly one session."""
    found = sdk.get_participant(ACCOUNT, member).body
    assert found.id == member
    assert found.sessions == [session]


def test_delete_participant(sdk, participant):
    """A deletion is a 204, and a second one is a 404, which the samples ignore."""
    assert sdk.delete_participant(ACCOUNT, participant).status_code == 204
    refused(404, APIException, sdk.delete_participant, ACCOUNT, participant)


def test_create_and_get_session(sdk):
    """A session has its id and tag when created and when read."""
    created = sdk.create_session(ACCOUNT, Session(tag="room-7"))
    found = sdk.get_session(ACCOUNT, created.body.id)
    assert created.status_code == found.status_code == 200
    assert len(created.body.id) == 36
    assert (found.body.id, found.body.tag) == (created.body.id, "room-7")


def test_delete_session(sdk, session, emulator):
    """A deletion is a 204 without a body, and the session is gone."""
    response = sdk.delete_session(ACCOUNT, session)
    assert (response.status_code, response.text) == (204, "")
    refused(404, APIException, sdk.get_session, ACCOUNT, session)
    assert emulator.session_ids(ACCOUNT) == ()


def test_list_session_participants(sdk, session, member):
    """A list is a bare array of the SDK's models."""
    [found] = sdk.list_session_participants(ACCOUNT, session).body
    assert isinstance(found, Participant)
    assert (found.id, found.sessions) == (member, [session])


def test_an_empty_list_is_an_empty_text_to_it(sdk, session):
    """The SDK turns the 204 of an empty list into ''."""
    response = sdk.list_session_participants(ACCOUNT, session)
    assert (response.status_code, response.body) == (204, "")


@pytest.mark.parametrize("body", [None, {}, {"sessionId": None}, Subscriptions()])
def test_joining_without_subscriptions(sdk, session, participant, body):
    """Every form of "no subscriptions" lets the participant join and receive nobody."""
    response = sdk.add_participant_to_session(ACCOUNT, session, participant, body)
    assert (response.status_code, response.text) == (204, "")
    found = sdk.get_participant(ACCOUNT, participant).body
    assert found.sessions == [session]
    assert found.subscriptions is None


def test_joining_with_everyone(sdk, session, participant):
    """A session id alone is kept."""
    body = Subscriptions(session_id=session)
    sdk.add_participant_to_session(ACCOUNT, session, participant, body)
    found = sdk.get_participant_subscriptions(ACCOUNT, session, participant).body
    assert (found.session_id, found.participants) == (session, None)


def test_removing(sdk, session, member):
    """A removal is a 204; the participant remains, without a session."""
    assert sdk.remove_participant_from_session(ACCOUNT, session, member).status_code == 204
    assert sdk.get_participant(ACCOUNT, member).body.sessions == []


def test_the_argument_order_of_older_releases_is_a_404(sdk, session, member):
    """Up to 9.x the participant came first; swapped ids are a 404 and change nothing."""
    refused(404, APIException, sdk.remove_participant_from_session, ACCOUNT, member, session)
    assert sdk.get_participant(ACCOUNT, member).body.sessions == [session]


def test_subscriptions(sdk, session, member):
    """A list of participants, even with its own id, is returned with the session's id."""
    chosen = Subscriptions(
        session_id=session, participants=[ParticipantSubscription(participant_id=member)]
    )
    response = sdk.update_participant_subscriptions(ACCOUNT, session, member, chosen)
    assert (response.status_code, response.text) == (204, "")
    found = sdk.get_participant_subscriptions(ACCOUNT, session, member).body
    assert found.session_id == session
    assert [each.participant_id for each in found.participants] == [member]


@pytest.mark.parametrize("body", [None, {}, Subscriptions()])
def test_clearing_subscriptions(sdk, session, participant, body):
    """No body, an empty object and a model of nulls clear all subscriptions."""
    sdk.add_participant_to_session(ACCOUNT, session, participant, {"sessionId": session})
    sdk.update_participant_subscriptions(ACCOUNT, session, participant, body)
    response = sdk.get_participant_subscriptions(ACCOUNT, session, participant)
    assert (response.status_code, response.body) == (204, "")


def test_stream_aliases_go_through_a_dict(sdk, session, member):
    """The SDK's models have no streamAliases; a dict sends them, and the response has them."""
    body = {"participants": [{"participantId": member, "streamAliases": ["cam"]}]}
    sdk.update_participant_subscriptions(ACCOUNT, session, member, body)
    text = sdk.get_participant_subscriptions(ACCOUNT, session, member).text
    assert json.loads(text) == {"sessionId": session, **body}


def calls(sdk, account, session=UNKNOWN, participant=UNKNOWN):
    """Return each of the eleven operations as a call."""
    one, two = (account, session), (account, session, participant)
    return {
        "createParticipant": lambda: sdk.create_participant(account),
        "getParticipant": lambda: sdk.get_participant(account, participant),
        "deleteParticipant": lambda: sdk.delete_participant(account, participant),
        "createSession": lambda: sdk.create_session(account),
        "getSession": lambda: sdk.get_session(*one),
        "deleteSession": lambda: sdk.delete_session(*one),
        "listSessionParticipants": lambda: sdk.list_session_participants(*one),
        "addParticipantToSession": lambda: sdk.add_participant_to_session(*two),
        "removeParticipantFromSession": lambda: sdk.remove_participant_from_session(*two),
        "getParticipantSubscriptions": lambda: sdk.get_participant_subscriptions(*two),
        "updateParticipantSubscriptions": lambda: sdk.update_participant_subscriptions(*two),
    }


OPERATIONS = list(calls(None, ACCOUNT))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_wrong_password_is_401(stranger, operation):
    """Every operation raises the SDK's APIException, and the body is a message."""
    error = refused(401, APIException, calls(stranger, ACCOUNT)[operation])
    assert error.response.text == '{"message":"Unauthorized"}'


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_account_of_others_is_401(sdk, operation):
    """Valid credentials for another account get a 401."""
    refused(401, APIException, calls(sdk, "9900002")[operation])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_access_to_webrtc_is_403(sdk, operation):
    """Every operation raises the SDK's APIException, and the body is a message."""
    error = refused(403, APIException, calls(sdk, WITHOUT_WEBRTC)[operation])
    assert set(json.loads(error.response.text)) == {"message"}


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each[:6] != "create"])
def test_unknown_ids_are_404(sdk, operation):
    """The SDK raises its APIException, and the body has an error and a request id."""
    error = refused(404, APIException, calls(sdk, ACCOUNT)[operation])
    assert set(json.loads(error.response.text)) == {"error", "requestId"}


def test_a_second_session_is_409(sdk, member):
    """The SDK raises its ErrorException with empty fields, because it does not know the 409."""
    other = sdk.create_session(ACCOUNT).body.id
    error = refused(409, ErrorException, sdk.add_participant_to_session, ACCOUNT, other, member)
    assert error.code is None
    assert error.message is None
    assert set(json.loads(error.response.text)) == {"error", "requestId"}


def test_an_invalid_body_is_400(sdk, emulator):
    """The SDK raises its APIException, and nothing is created."""
    refused(400, APIException, sdk.create_session, ACCOUNT, {"tag": 5})
    refused(400, APIException, sdk.create_participant, ACCOUNT, {"publishPermissions": ["SMELL"]})
    assert emulator.session_ids(ACCOUNT) == emulator.participant_ids(ACCOUNT) == ()


def test_an_empty_id_is_another_path_and_403(sdk, session):
    """The SDK leaves an empty id out of the path, and the gateway rejects that path."""
    refused(403, APIException, sdk.get_session, ACCOUNT, "")


def refused(status, kind, call, *arguments) -> APIException:
    with pytest.raises(kind) as raised:
        call(*arguments)
    assert raised.value.response_code == status
    return raised.value
