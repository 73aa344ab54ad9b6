"""The lines of a journal.

    {"journal": 1, "account": "9900000"}                            the first line
    {"plan": "visit-42", "begun": 1764072000}                       creates follow
    {"plan": "visit-42", "session": "..."}                          created
    {"plan": "visit-42", "participant": "...", "name": "agent"}     created
    {"plan": "visit-42", "done": 1764072001, "conference": {...}}   set up
    {"plan": "visit-42", "deleted": 1764072002}                     deleted

Times are seconds since 1970.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

from webrtc_async._codec.model_codec import ValidationError, is_object, read_json, write_json
from webrtc_async.conferences.conference import Conference, Member
from webrtc_async.conferences.errors import JournalError
from webrtc_async.conferences.resource import Resource
from webrtc_async.models import Participant, Session

VERSION: Final = 1


def header(account_id: str) -> bytes:
    """Return the first line of an account's journal."""
    return _line({"journal": VERSION, "account": account_id})


def check_header(line: bytes, account_id: str, where: str) -> None:
    """Refuse a file that is not a journal, or is the journal of another account.

    Raises:
        JournalError: The first line is not the header of this account's journal.
    """
    fields = read(line, where)
    if fields.get("journal") != VERSION:
        raise JournalError(f"{where} is not the first line of a journal. Choose another file.")
    if fields.get("account") != account_id:
        raise JournalError(
            f"{where} belongs to account {str(fields.get('account'))[:64]!r}, but the client's "
            f"account is {account_id!r}. Choose another file."
        )


def read(line: bytes, where: str) -> dict[str, Any]:
    """Return the fields of a line.

    Raises:
        JournalError: It is not a JSON object.
    """
    try:
        fields = read_json(line)
    except ValidationError:
        fields = None
    if not is_object(fields):
        raise JournalError(f"{where} cannot be read: it is not a JSON object.")
    return fields


def begun(key: str, now: float) -> bytes:
    """Return the line that precedes the creates of a plan."""
    return _line({"plan": key, "begun": now})


def created(key: str, resource: Resource) -> bytes:
    """Return the line for a created resource."""
    if resource.kind == "session":
        return _line({"plan": key, "session": resource.id})
    return _line({"plan": key, "participant": resource.id, "name": resource.name})


def read_created(fields: Mapping[str, Any], where: str) -> Resource:
    """Return the resource that was created.

    Raises:
        JournalError: The line is of no known kind.
    """
    match fields:
        case {"session": str(found)}:
            return Resource("session", found)
        case {"participant": str(found), "name": str(name)}:
            return Resource("participant", found, name)
        case _:
            raise unreadable(where)


def done(conference: Conference, now: float, *, keep_tokens: bool) -> bytes:
    """Return the line for a finished set-up, with the device tokens only if asked."""
    members = {
        member.name: {
            "id": member.participant.id,
            **({"token": member.token} if keep_tokens else {}),
        }
        for member in conference.members
    }
    written = {"session": conference.session.id, "members": members}
    return _line({"plan": conference.key, "done": now, "conference": written})


def read_done(line: bytes, where: str) -> Conference:
    """Return the conference of a finished set-up, without tags and permissions.

    Raises:
        JournalError: The line is not the line of a finished set-up.
    """
    fields = read(line, where)
    match fields:
        case {"plan": str(key), "conference": {"session": str(session), "members": members}}:
            pass
        case _:
            raise JournalError(f"{where} does not describe a conference.")
    try:
        return Conference(
            session=Session(id=session),
            members=tuple(
                Member(
                    name=name,
                    participant=Participant(id=str(each["id"])),
                    token=str(each.get("token", "")),
                )
                for name, each in cast("dict[str, dict[str, object]]", members).items()
            ),
            key=key,
        )
    except (AttributeError, KeyError, TypeError):
        raise JournalError(f"{where} does not describe a conference.") from None


def deleted(key: str, now: float) -> bytes:
    """Return the line for a plan whose resources are deleted."""
    return _line({"plan": key, "deleted": now})


def unreadable(where: str) -> JournalError:
    """Return the error for a line of an unknown kind."""
    return JournalError(f"{where} has a kind that this version cannot read. Use a newer version.")


def _line(fields: Mapping[str, object]) -> bytes:
    return write_json(fields) + b"\n"
