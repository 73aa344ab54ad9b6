"""The overview that the emulator's page shows, as JSON values and without secrets."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final, Protocol

from webrtc_async.emulator.core.state import (
    AccountState,
    ParticipantRecord,
    SessionRecord,
    subscribed_to,
)
from webrtc_async.emulator.webhooks.callback_url import public_url
from webrtc_async.models import PublishPermission, Subscriptions

MAX_SHOWN: Final = 50
"""Maximum number of entries in each list, so that the overview of a busy emulator stays small."""


class Entry(Protocol):
    """An entry of a log: an exchange, an armed fault rule or a webhook."""

    def as_json(self) -> dict[str, object]:
        """Return the entry as JSON values, without secrets."""
        ...


def overview(
    accounts: Mapping[str, AccountState],
    *,
    now: float,
    requests: int = 0,
    exchanges: Iterable[Entry] = (),
    faults: Iterable[Entry] = (),
    webhooks: Iterable[Entry] = (),
    webhook_count: int = 0,
    switches: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """Return the overview of an emulator as JSON values.

    Lists start with the newest entry; participants are in the order they joined, and faults in
    the order they are tried.

    Args:
        accounts: Account states by account id, without expired entries.
        now: The emulator's time, in seconds since 1970.
        requests: Number of requests.
        exchanges: The log of exchanges, oldest first.
        faults: The armed fault rules, in their order.
        webhooks: The log of webhooks, oldest first.
        webhook_count: Number of webhooks.
        switches: The switches' values by name.
    """
    return {
        "now": now,
        "requests": requests,
        "webhookCount": webhook_count,
        "accounts": [_account(account_id, state) for account_id, state in accounts.items()],
        "exchanges": _newest(exchanges),
        "faults": [each.as_json() for each in faults],
        "webhooks": _newest(webhooks),
        "switches": dict(switches or {}),
    }


def _newest(log: Iterable[Entry]) -> list[dict[str, object]]:
    return [each.as_json() for each in islice(reversed(tuple(log)), MAX_SHOWN)]


def _account(account_id: str, state: AccountState) -> dict[str, object]:
    alone = [each for each in reversed(state.participants.values()) if each.session is None]
    return {
        "id": account_id,
        "counts": {
            "sessions": len(state.sessions),
            "participants": len(state.participants),
            "participantsInNoSession": len(alone),
        },
        "sessions": [
            _session(each) for each in islice(reversed(state.sessions.values()), MAX_SHOWN)
        ],
        "participantsInNoSession": [_participant(each) for each in alone[:MAX_SHOWN]],
    }


def _session(session: SessionRecord) -> dict[str, object]:
    received = subscribed_to(session)
    return {
        "id": session.id,
        "tag": session.tag,
        "expiresAt": session.expires_at,
        "participants": [
            {
                **_participant(each),
                "subscription": _subscription(each.subscriptions.get(session.id)),
                "subscribedTo": [other for other in session.members if other in received[each.id]],
            }
            for each in session.members.values()
        ],
    }


def _participant(participant: ParticipantRecord) -> dict[str, object]:
    url = participant.callback_url
    return {
        "id": participant.id,
        "tag": participant.tag,
        "expiresAt": participant.expires_at,
        "publishPermissions": [
            each.value for each in PublishPermission if each in participant.publish_permissions
        ],
        "deviceApiVersion": participant.device_api_version,
        "callbackUrl": None if url is None else public_url(url),
        "deviceId": participant.device_id,
    }


def _subscription(chosen: Subscriptions | None) -> str:
    """Return the kind of a subscription: a listed participant need not be in the session."""
    if chosen is None or chosen.is_nothing:
        return "nothing"
    return "everyone" if chosen.is_everyone else "listed"
