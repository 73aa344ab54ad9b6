"""Response bodies: as documented where the service is documented, else as the switches say.

They are not written through the codec, so that they test the client's codec independently.
"""

from collections.abc import Collection
from random import Random

from attrs import define, field

from webrtc_async.emulator.core.refusal import Refusal
from webrtc_async.emulator.core.state import ParticipantRecord, SessionRecord
from webrtc_async.emulator.core.switches import Switches
from webrtc_async.models import ParticipantSubscription, PublishPermission, Subscriptions


@define(eq=False)
class ResponseBodies:
    """A writer of response bodies.

    Attributes:
        switches: The emulator's switches; they can be replaced at any time.
        shuffler: Random source that shuffles values without a documented order.
    """

    switches: Switches
    shuffler: Random = field(repr=False)

    def session(self, session: SessionRecord) -> dict[str, object]:
        """Return the body for a session."""
        body: dict[str, object] = {"id": session.id}
        if session.tag is not None:
            body["tag"] = session.tag
        if self.switches.participant_ids:
            body["participant_ids"] = list(session.members)
        return body

    def participant(self, participant: ParticipantRecord) -> dict[str, object]:
        """Return the body for a participant."""
        session = participant.session
        tag = participant.tag
        if tag is None and self.switches.automatic_tags:
            tag = participant.id
        echoed = self.switches.callback_url == "echoed"
        return {
            "id": participant.id,
            # null if none was given: the real service does that, and it has broken clients.
            "callbackUrl": participant.callback_url if echoed else None,
            "publishPermissions": self._permissions(participant.publish_permissions),
            "sessions": [] if session is None else [session.id],
            # inferred: those in its session, because a participant is in at most one.
            "subscriptions": {}
            if session is None
            else _subscriptions_in(session.id, participant.subscriptions.get(session.id)),
            **({} if tag is None else {"tag": tag}),
            "deviceApiVersion": self._enum_value(participant.device_api_version),
        }

    def created_participant(self, participant: ParticipantRecord, token: str) -> dict[str, object]:
        """Return the body for a new participant, with its device token."""
        return {"participant": self.participant(participant), "token": token}

    def participants(
        self, participants: Collection[ParticipantRecord]
    ) -> list[dict[str, object]] | None:
        """Return the body for a list of participants, or None for a 204."""
        if not participants and self.switches.empty_lists == 204:
            return None
        return [self.participant(each) for each in participants]

    def subscriptions(
        self, session_id: str, chosen: Subscriptions | None
    ) -> dict[str, object] | None:
        """Return the body for subscriptions in a session, or None for a 204."""
        if chosen is None and self.switches.empty_lists == 204:
            return None
        return _subscriptions_in(session_id, chosen)

    def refusal(self, refusal: Refusal, request_id: str) -> dict[str, object]:
        """Return the body for a refused request."""
        if self.switches.error_bodies == "legacy":
            return refusal.legacy_body()
        return refusal.body(request_id)

    def _permissions(self, permissions: Collection[PublishPermission]) -> list[str]:
        values = [self._enum_value(each.value) for each in PublishPermission if each in permissions]
        if self.switches.permission_order == "shuffled":
            self.shuffler.shuffle(values)
        return values

    def _enum_value(self, value: str) -> str:
        return value.lower() if self.switches.enum_case == "lower" else value


def _subscriptions_in(session_id: str, chosen: Subscriptions | None) -> dict[str, object]:
    if chosen is None:
        return {}
    # The session is the path's, even if the caller omitted it or sent another one.
    if not chosen.participants:
        return {"sessionId": session_id}
    return {
        "sessionId": session_id,
        "participants": [_subscription(each) for each in chosen.participants],
    }


def _subscription(subscription: ParticipantSubscription) -> dict[str, object]:
    aliases = list(subscription.stream_aliases)
    return {
        "participantId": subscription.participant_id,
        **({"streamAliases": aliases} if aliases else {}),
    }
