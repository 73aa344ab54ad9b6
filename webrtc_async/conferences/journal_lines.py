"""What the lines of a journal say.

    {"journal": 1, "account": "9900000"}                            the first line
    {"plan": "visit-42", "begun": 1764072000}                       creates may follow
    {"plan": "visit-42", "session": "..."}                          created
    {"plan": "visit-42", "participant": "...", "name": "agent"}     created
    {"plan": "visit-42", "done": 1764072001, "conference": {...}}   it is up
    {"plan": "visit-42", "gone": 1764072002}                        what was created is deleted

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
    """Refuse a file that is no journal, or another account's.

    Raises:
        JournalError: It is.
    """
    fields = read(line, where)
    if fields.get("journal") != VERSION:
        raise JournalError(f"{where} does not begin a journal of set-ups: take another file.")
    if fields.get("account") != account_id:
        raise JournalError(
            f"{where} says that the journal is of account {str(fields.get('account'))[:64]!r}, and "
            f"the client is of {account_id!r}: take another file."
        )


def read(line: bytes, where: str) -> dict[str, Any]:
    """Return what a line says.

    Raises:
        JournalError: It is not a JSON object.
    """
    try:
        fields = read_json(line)
    except ValidationError:
        fields = None
    if not is_object(fields):
        raise JournalError(f"{where} cannot be read: it is not a line of a journal.")
    return fields


def begun(key: str, now: float) -> bytes:
    """Return the line that a plan's creates follow."""
    return _line({"plan": key, "begun": now})


def created(key: str, resource: Resource) -> bytes:
    """Return the line about something that was created."""
    if resource.kind == "session":
        return _line({"plan": key, "session": resource.id})
    return _line({"plan": key, "participant": resource.id, "name": resource.name})


def read_created(fields: Mapping[str, Any], where: str) -> Resource:
    """Return what was created.

    Raises:
        JournalError: The line is about nothing that a journal knows.
    """
    match fields:
        case {"session": str(found)}:
            return Resource("session", found)
        case {"participant": str(found), "name": str(name)}:
            return Resource("participant", found, name)
        case _:
            raise JournalError(f"{where} says nothing that this version can read.")


def done(conference: Conference, now: float, *, keep_tokens: bool) -> bytes:
    """Return the line about a conference that is up; tokens only if they are to be kept."""
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
    """Return the conference that a line is about; of tags and permissions it knows nothing.

    Raises:
        JournalError: The line is not about one.
    """
    fields = read(line, where)
    match fields:
        case {"plan": str(key), "conference": {"session": str(session), "members": members}}:
            pass
        case _:
            raise JournalError(f"{where} is not about a conference that is up.")
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
        raise JournalError(f"{where} is not about a conference that is up.") from None


def gone(key: str, now: float) -> bytes:
    """Return the line about a plan of which nothing is left."""
    return _line({"plan": key, "gone": now})


def _line(fields: Mapping[str, object]) -> bytes:
    return write_json(fields) + b"\n"
