"""What the emulator shows of itself, as JSON's values and without secrets."""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Final, Protocol

from webrtc_async.emulator.core.state import AccountState, ParticipantRecord, SessionRecord, hears
from webrtc_async.emulator.webhooks.callback_url import public_url
from webrtc_async.models import PublishPermission, Subscriptions

NEWEST: Final = 50
"""Entries that are shown of each list, so that a busy emulator's picture stays small."""


class Pictured(Protocol):
    """What says by itself what may be shown of it: an exchange, an armed fault, a webhook."""

    def picture(self) -> dict[str, object]:
        """Return it as JSON's values."""
        ...


def picture(
    accounts: Mapping[str, AccountState],
    *,
    now: float,
    requests: int = 0,
    exchanges: Iterable[Pictured] = (),
    faults: Iterable[Pictured] = (),
    webhooks: Iterable[Pictured] = (),
    webhook_count: int = 0,
    switches: Mapping[str, object] | None = None,
    device_of: Callable[[ParticipantRecord], str | None] = lambda _: None,
    newest: int = NEWEST,
) -> dict[str, object]:
    """Return the picture of an emulator, as JSON's values.

    Lists begin with the newest, but participants stand in order of joining and faults in the
    order in which they are tried.

    Args:
        accounts: The sessions and participants by account id, swept.
        now: The emulator's time, in seconds since 1970.
        requests: How many were answered.
        exchanges: The log of the last ones, oldest first.
        faults: Those that are armed, in their order.
        webhooks: The log of the last ones, oldest first.
        webhook_count: How many there were.
        switches: Their values by name.
        device_of: Tells the id of a participant's connected device.
        newest: How many entries are shown of each list that can grow.
    """
    return {
        "now": now,
        "requests": requests,
        "webhookCount": webhook_count,
        "accounts": [
            _account(account_id, state, device_of, newest) for account_id, state in accounts.items()
        ],
        "exchanges": _last(exchanges, newest),
        "faults": [each.picture() for each in faults],
        "webhooks": _last(webhooks, newest),
        "switches": dict(switches or {}),
    }


def _last(log: Iterable[Pictured], newest: int) -> list[dict[str, object]]:
    return [each.picture() for each in islice(reversed(tuple(log)), newest)]


def _account(
    account_id: str,
    state: AccountState,
    device_of: Callable[[ParticipantRecord], str | None],
    newest: int,
) -> dict[str, object]:
    alone = [each for each in reversed(state.participants.values()) if each.session is None]
    return {
        "id": account_id,
        "counts": {
            "sessions": len(state.sessions),
            "participants": len(state.participants),
            "participantsInNoSession": len(alone),
        },
        "sessions": [
            _session(each, device_of) for each in islice(reversed(state.sessions.values()), newest)
        ],
        "participantsInNoSession": [
            _participant(each, device_of(each)) for each in islice(alone, newest)
        ],
    }


def _session(
    session: SessionRecord, device_of: Callable[[ParticipantRecord], str | None]
) -> dict[str, object]:
    heard = hears(session)
    return {
        "id": session.id,
        "tag": session.tag,
        "expiresAt": session.expires_at,
        "participants": [
            {
                **_participant(each, device_of(each)),
                "subscribedTo": _subscribed_to(each.subscriptions.get(session.id)),
                "hears": [other for other in session.members if other in heard[each.id]],
            }
            for each in session.members.values()
        ],
    }


def _participant(participant: ParticipantRecord, device_id: str | None) -> dict[str, object]:
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
        "deviceId": device_id,
    }


def _subscribed_to(chosen: Subscriptions | None) -> str:
    """Say what was asked for, which may be more than who is there now."""
    if chosen is None or chosen.is_nothing:
        return "nothing"
    return "everyone" if chosen.is_everyone else "only"
