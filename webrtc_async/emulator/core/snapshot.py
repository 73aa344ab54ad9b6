"""Snapshots: all that an emulator holds, as JSON's values, and back; without any credentials."""

import contextlib
from collections.abc import Generator, Mapping
from typing import Final

from attrs import frozen

from webrtc_async._codec import model_codec as codec
from webrtc_async.emulator.core.json_fields import FieldError, Fields
from webrtc_async.emulator.core.randomness import Streams
from webrtc_async.emulator.core.refusal import Refusal
from webrtc_async.emulator.core.state import AccountState, ParticipantRecord, SessionRecord
from webrtc_async.emulator.core.switches import Switches
from webrtc_async.models import PublishPermission, Subscriptions

VERSION: Final = 1
"""Of the form of a snapshot."""


@frozen(kw_only=True)
class Snapshot:
    """What a snapshot says beside sessions and participants.

    Attributes:
        switches: The switches.
        streams: Where randomness goes on; None if that could not be predicted.
    """

    switches: Switches
    streams: Streams | None


def write_snapshot(
    accounts: Mapping[str, AccountState], switches: Switches, streams: Streams
) -> dict[str, object]:
    """Return a snapshot as JSON's values."""
    return {
        "version": VERSION,
        "switches": switches.as_dict(),
        "streams": streams.places(),
        "accounts": {
            account_id: {
                "participants": [_participant(each) for each in state.participants.values()],
                "sessions": [_session(each) for each in state.sessions.values()],
            }
            for account_id, state in accounts.items()
        },
    }


def read_snapshot(snapshot: object, accounts: Mapping[str, AccountState]) -> Snapshot:
    """Return what a snapshot says.

    Args:
        snapshot: JSON's values.
        accounts: Empty ones by id, which are filled.

    Raises:
        FieldError: It is no snapshot, or has an account that is not among these.
    """
    fields = Fields.of(snapshot)
    fields.only("version", "switches", "streams", "accounts")
    if fields.number("version") != VERSION:
        raise FieldError(f"version: only {VERSION} is understood")
    with _at("switches"):
        switches = Switches().with_values(fields.object("switches").values)
    streams = None
    if fields.values.get("streams") is not None:
        with _at("streams"):
            streams = Streams.at(fields.object("streams").values)
    named = fields.object("accounts")
    for account_id in named.values:
        if account_id not in accounts:
            raise FieldError(f"{named.at(account_id)}: this emulator has no such account")
        _fill(accounts[account_id], named.object(account_id))
    return Snapshot(switches=switches, streams=streams)


def _session(session: SessionRecord) -> dict[str, object]:
    return {
        "id": session.id,
        "tag": session.tag,
        "expiresAt": session.expires_at,
        "members": list(session.members),
    }


def _participant(participant: ParticipantRecord) -> dict[str, object]:
    return {
        "id": participant.id,
        "tag": participant.tag,
        "expiresAt": participant.expires_at,
        "callbackUrl": participant.callback_url,
        "publishPermissions": sorted(each.value for each in participant.publish_permissions),
        "deviceApiVersion": participant.device_api_version,
        "deviceId": participant.device_id,
        "subscriptions": {
            session_id: codec.read_json(codec.write_request(chosen))
            for session_id, chosen in participant.subscriptions.items()
        },
    }


def _fill(state: AccountState, account: Fields) -> None:
    participants = account.objects("participants")
    for fields in participants:
        record = _read_participant(fields)
        if record.id in state.participants:
            raise FieldError(f"{fields.at('id')}: it is there twice")
        state.participants[record.id] = record
    for fields in account.objects("sessions"):
        session = _read_session(fields)
        if session.id in state.sessions:
            raise FieldError(f"{fields.at('id')}: it is there twice")
        state.sessions[session.id] = session
        with _at(fields.at("members")):
            for member_id in fields.texts("members"):
                state.join(session, state.participant(member_id))
    for fields in participants:
        participant, chosen = state.participant(fields.text("id")), fields.object("subscriptions")
        for session_id in chosen.values:
            content = codec.write_json(chosen.object(session_id).values)
            with _at(chosen.at(session_id)):
                state.subscribe(
                    state.session(session_id),
                    participant,
                    codec.read_request(content, Subscriptions),
                )
    # Whoever wrote it by hand need not know that the oldest come first.
    state.sort()


def _read_session(fields: Fields) -> SessionRecord:
    fields.only("id", "tag", "expiresAt", "members")
    return SessionRecord(
        id=fields.text("id"), tag=fields.text_or_none("tag"), expires_at=fields.number("expiresAt")
    )


def _read_participant(fields: Fields) -> ParticipantRecord:
    permissions = frozenset(PublishPermission(each) for each in fields.texts("publishPermissions"))
    for each in permissions:
        if not each.is_known:
            raise FieldError(f"{fields.at('publishPermissions')}: {each.value[:64]!r} is unknown")
    return ParticipantRecord(
        id=fields.text("id"),
        callback_url=fields.text_or_none("callbackUrl"),
        publish_permissions=permissions,
        tag=fields.text_or_none("tag"),
        device_api_version=fields.text("deviceApiVersion"),
        expires_at=fields.number("expiresAt"),
        device_id=fields.text_or_none("deviceId"),
    )


@contextlib.contextmanager
def _at(path: str) -> Generator[None]:
    """Say the path with whatever is refused."""
    try:
        yield
    except FieldError:
        raise
    except Refusal as refusal:
        raise FieldError(f"{path}: {refusal.message}") from None
    except ValueError as error:
        raise FieldError(f"{path}: {error}") from None
