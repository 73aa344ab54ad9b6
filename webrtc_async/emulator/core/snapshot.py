"""Snapshots: the state of an emulator as JSON values, without credentials."""

import contextlib
from collections.abc import Generator, Mapping
from typing import Final

from attrs import frozen

from webrtc_async._codec import model_codec as codec
from webrtc_async.emulator.core.json_fields import FieldError, Fields
from webrtc_async.emulator.core.randomness import RandomStreams
from webrtc_async.emulator.core.refusal import Refusal
from webrtc_async.emulator.core.state import AccountState, ParticipantRecord, SessionRecord
from webrtc_async.emulator.core.switches import Switches
from webrtc_async.models import PublishPermission, Subscriptions

VERSION: Final = 1
"""Version of the snapshot format."""


@frozen(kw_only=True)
class Snapshot:
    """The parts of a snapshot besides sessions and participants.

    Attributes:
        ahead: Seconds by which the emulator's clock is ahead.
        switches: The emulator's switches.
        streams: The random streams at their positions; None if they were unpredictable.
    """

    ahead: float
    switches: Switches
    streams: RandomStreams | None


def write_snapshot(
    accounts: Mapping[str, AccountState],
    switches: Switches,
    streams: RandomStreams,
    *,
    ahead: float,
) -> dict[str, object]:
    """Return a snapshot as JSON values."""
    return {
        "version": VERSION,
        "ahead": ahead,
        "switches": switches.as_dict(),
        "streams": streams.positions(),
        "accounts": {
            account_id: {
                "participants": [_participant(each) for each in state.participants.values()],
                "sessions": [_session(each) for each in state.sessions.values()],
            }
            for account_id, state in accounts.items()
        },
    }


def read_snapshot(snapshot: object, accounts: Mapping[str, AccountState]) -> Snapshot:
    """Read a snapshot, and fill the accounts with its sessions and participants.

    Args:
        snapshot: JSON values.
        accounts: Empty account states by account id.

    Raises:
        FieldError: It is not a snapshot, or has an account that is not among these.
    """
    fields = Fields.of(snapshot)
    fields.only("version", "ahead", "switches", "streams", "accounts")
    if fields.number("version") != VERSION:
        raise FieldError(f"version: only {VERSION} is supported")
    # Absent from the snapshots of earlier releases.
    ahead = fields.number("ahead") if "ahead" in fields.values else 0.0
    if ahead < 0:
        raise FieldError("ahead: the clock can only be moved ahead")
    with _at("switches"):
        switches = Switches().with_values(fields.object("switches").values)
    streams = None
    if fields.values.get("streams") is not None:
        with _at("streams"):
            streams = RandomStreams.from_positions(fields.object("streams").values)
    named = fields.object("accounts")
    for account_id in named.values:
        if account_id not in accounts:
            raise FieldError(f"{named.at(account_id)}: this emulator does not have this account")
        _fill(accounts[account_id], named.object(account_id))
    return Snapshot(ahead=ahead, switches=switches, streams=streams)


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
            raise FieldError(f"{fields.at('id')}: duplicate id")
        state.participants[record.id] = record
    for fields in account.objects("sessions"):
        session = _read_session(fields)
        if session.id in state.sessions:
            raise FieldError(f"{fields.at('id')}: duplicate id")
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
    # A handwritten snapshot may have another order.
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
    """Add the path to the errors raised inside."""
    try:
        yield
    except FieldError:
        raise
    except Refusal as refusal:
        raise FieldError(f"{path}: {refusal.message}") from None
    except ValueError as error:
        raise FieldError(f"{path}: {error}") from None
