"""Records as the service writes them.

By hand and not through the codec, so that the client's reading has an independent witness.
"""

from webrtc_async.emulator.state import ParticipantRecord, SessionRecord
from webrtc_async.models import ParticipantSubscription, PublishPermission, Subscriptions


def session_answer(session: SessionRecord) -> dict[str, object]:
    """Return a session's body."""
    return {"id": session.id, **_tag(session.tag)}


def participant_answer(participant: ParticipantRecord) -> dict[str, object]:
    """Return a participant's body."""
    session = participant.session
    return {
        "id": participant.id,
        # null where none was given: real answers have broken clients by it.
        "callbackUrl": participant.callback_url,
        "publishPermissions": [
            each.value for each in PublishPermission if each in participant.publish_permissions
        ],
        "sessions": [] if session is None else [session.id],
        # inferred: of the session that it is in, as it is in one at most.
        "subscriptions": {} if session is None else _subscriptions_in(session, participant),
        **_tag(participant.tag),
        "deviceApiVersion": participant.device_api_version,
    }


def created_participant_answer(participant: ParticipantRecord, token: str) -> dict[str, object]:
    """Return the body that a new participant's device token comes in."""
    return {"participant": participant_answer(participant), "token": token}


def subscriptions_answer(session_id: str, chosen: Subscriptions) -> dict[str, object]:
    """Return the body of subscriptions in a session."""
    # The session is always the path's, even where the caller left it out or gave another.
    if not chosen.participants:
        return {"sessionId": session_id}
    return {
        "sessionId": session_id,
        "participants": [_subscription(each) for each in chosen.participants],
    }


def _subscriptions_in(session: SessionRecord, participant: ParticipantRecord) -> dict[str, object]:
    chosen = participant.subscriptions.get(session.id)
    return {} if chosen is None else subscriptions_answer(session.id, chosen)


def _subscription(subscription: ParticipantSubscription) -> dict[str, object]:
    aliases = list(subscription.stream_aliases)
    return {
        "participantId": subscription.participant_id,
        **({"streamAliases": aliases} if aliases else {}),
    }


def _tag(tag: str | None) -> dict[str, object]:
    return {} if tag is None else {"tag": tag}
