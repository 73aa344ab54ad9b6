"""The route table: the eleven operations of the API, one row each.

A create returns 200, not 201. An empty list and empty subscriptions may return 204. Each path is
written out, so that a search finds it.
"""

from types import NoneType
from typing import Any, Final

from webrtc_async._protocol.route import Idempotency, Route
from webrtc_async.models import AccountsParticipantsResponse, Participant, Session, Subscriptions

CREATE_ERRORS: Final = frozenset({400, 401, 403, 500})
LOOKUP_ERRORS: Final = CREATE_ERRORS | {404}
JOIN_ERRORS: Final = LOOKUP_ERRORS | {409}

# Participants

CREATE_PARTICIPANT: Final = Route(
    operation="createParticipant",
    method="POST",
    path="/accounts/{account_id}/participants",
    body=Participant,
    result=AccountsParticipantsResponse,
    errors=CREATE_ERRORS,
    idempotency=Idempotency.CREATE,
)
GET_PARTICIPANT: Final = Route(
    operation="getParticipant",
    method="GET",
    path="/accounts/{account_id}/participants/{participant_id}",
    body=NoneType,
    result=Participant,
    errors=LOOKUP_ERRORS,
    idempotency=Idempotency.SAFE,
)
DELETE_PARTICIPANT: Final = Route(
    operation="deleteParticipant",
    method="DELETE",
    path="/accounts/{account_id}/participants/{participant_id}",
    body=NoneType,
    result=NoneType,
    errors=LOOKUP_ERRORS,
    idempotency=Idempotency.ENSURE_GONE,
)

# Sessions

CREATE_SESSION: Final = Route(
    operation="createSession",
    method="POST",
    path="/accounts/{account_id}/sessions",
    body=Session,
    result=Session,
    errors=CREATE_ERRORS,
    idempotency=Idempotency.CREATE,
)
GET_SESSION: Final = Route(
    operation="getSession",
    method="GET",
    path="/accounts/{account_id}/sessions/{session_id}",
    body=NoneType,
    result=Session,
    errors=LOOKUP_ERRORS,
    idempotency=Idempotency.SAFE,
)
DELETE_SESSION: Final = Route(
    operation="deleteSession",
    method="DELETE",
    path="/accounts/{account_id}/sessions/{session_id}",
    body=NoneType,
    result=NoneType,
    errors=LOOKUP_ERRORS,
    idempotency=Idempotency.ENSURE_GONE,
)

# Participants in sessions

LIST_SESSION_PARTICIPANTS: Final = Route(
    operation="listSessionParticipants",
    method="GET",
    path="/accounts/{account_id}/sessions/{session_id}/participants",
    body=NoneType,
    result=list[Participant],
    when_empty=list[Participant],
    errors=LOOKUP_ERRORS,
    idempotency=Idempotency.SAFE,
)
ADD_PARTICIPANT_TO_SESSION: Final = Route(
    operation="addParticipantToSession",
    method="PUT",
    path="/accounts/{account_id}/sessions/{session_id}/participants/{participant_id}",
    body=Subscriptions,
    result=NoneType,
    errors=JOIN_ERRORS,
    idempotency=Idempotency.ENSURE,
)
REMOVE_PARTICIPANT_FROM_SESSION: Final = Route(
    operation="removeParticipantFromSession",
    method="DELETE",
    path="/accounts/{account_id}/sessions/{session_id}/participants/{participant_id}",
    body=NoneType,
    result=NoneType,
    errors=LOOKUP_ERRORS,
    idempotency=Idempotency.ENSURE_GONE,
)

# Subscriptions

GET_PARTICIPANT_SUBSCRIPTIONS: Final = Route(
    operation="getParticipantSubscriptions",
    method="GET",
    path="/accounts/{account_id}/sessions/{session_id}/participants/{participant_id}/subscriptions",
    body=NoneType,
    result=Subscriptions,
    when_empty=Subscriptions,
    errors=LOOKUP_ERRORS,
    idempotency=Idempotency.SAFE,
)
UPDATE_PARTICIPANT_SUBSCRIPTIONS: Final = Route(
    operation="updateParticipantSubscriptions",
    method="PUT",
    path="/accounts/{account_id}/sessions/{session_id}/participants/{participant_id}/subscriptions",
    body=Subscriptions,
    result=NoneType,
    errors=LOOKUP_ERRORS,
    idempotency=Idempotency.REPLACE,
)

ROUTES: Final[tuple[Route[Any, Any], ...]] = (
    CREATE_PARTICIPANT,
    GET_PARTICIPANT,
    DELETE_PARTICIPANT,
    CREATE_SESSION,
    GET_SESSION,
    DELETE_SESSION,
    LIST_SESSION_PARTICIPANTS,
    ADD_PARTICIPANT_TO_SESSION,
    REMOVE_PARTICIPANT_FROM_SESSION,
    GET_PARTICIPANT_SUBSCRIPTIONS,
    UPDATE_PARTICIPANT_SUBSCRIPTIONS,
)
