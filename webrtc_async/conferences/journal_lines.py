"""The lines of a journal.

    {"journal": 1, "account": "9900000"}                            the first line
    {"plan": "visit-42", "begun": 1764072000.0}                     creates follow
    {"plan": "visit-42", "session": "..."}                          created
    {"plan": "visit-42", "participant": "...", "name": "agent"}     created
    {"plan": "visit-42", "done": 1764072001.0, "conference": {...}} set up
    {"plan": "visit-42", "deleted": 1764072002.0}                   deleted

Times are seconds since 1970.
"""

from typing import Final

from attrs import frozen

from webrtc_async._codec.model_codec import (
    ValidationError,
    from_json_value,
    read_json,
    to_json_value,
    write_json,
)
from webrtc_async.conferences.conference import Conference, Member
from webrtc_async.conferences.errors import JournalError
from webrtc_async.conferences.resource import Resource
from webrtc_async.models import Participant, Session

VERSION: Final = 1


@frozen(kw_only=True)
class Line:
    """A line of a journal; the fields that it has tell its kind.

    Attributes:
        conference: The conference as JSON, because only the lines that are asked for are read on.
    """

    journal: int | None = None
    account: str | None = None
    plan: str | None = None
    begun: float | None = None
    session: str | None = None
    participant: str | None = None
    name: str | None = None
    done: float | None = None
    conference: object = None
    deleted: float | None = None


@frozen(kw_only=True)
class _MemberJson:
    name: str
    id: str
    token: str = ""


@frozen(kw_only=True)
class _ConferenceJson:
    session: str
    members: tuple[_MemberJson, ...]


def check_header(line: bytes, account_id: str, where: str) -> None:
    """Refuse a file that is not a journal, or is the journal of another account.

    Raises:
        JournalError: The first line is not the header of this account's journal.
    """
    header = read(line, where)
    if header.journal != VERSION:
        raise JournalError(f"{where} is not the first line of a journal. Choose another file.")
    if header.account != account_id:
        raise JournalError(
            f"{where} belongs to account {str(header.account)[:64]!r}, but the client's "
            f"account is {account_id!r}. Choose another file."
        )


def read(line: bytes, where: str) -> Line:
    """Return a line.

    Raises:
        JournalError: It is not a line of a journal, or has fields that this version does not know.
    """
    try:
        return from_json_value(read_json(line), Line)
    except ValidationError as error:
        raise JournalError(
            f"{where} cannot be read: {error}. Choose another file, or use a newer version."
        ) from None


def write(line: Line) -> bytes:
    """Return a line as bytes."""
    return write_json(to_json_value(line)) + b"\n"


def created(key: str, resource: Resource) -> Line:
    """Return the line for a created resource."""
    if resource.kind == "session":
        return Line(plan=key, session=resource.id)
    return Line(plan=key, participant=resource.id, name=resource.name)


def done(conference: Conference, now: float, *, keep_tokens: bool) -> Line:
    """Return the line for a finished set-up, with the device tokens only if asked."""
    members = tuple(
        _MemberJson(name=each.name, id=each.participant.id, token=each.token if keep_tokens else "")
        for each in conference.members
    )
    written = _ConferenceJson(session=conference.session.id, members=members)
    return Line(plan=conference.key, done=now, conference=to_json_value(written))


def read_done(line: bytes, where: str) -> Conference:
    """Return the conference of a finished set-up, without tags and permissions.

    Raises:
        JournalError: The line is not the line of a finished set-up.
    """
    found = read(line, where)
    try:
        conference = from_json_value(found.conference, _ConferenceJson)
    except ValidationError as error:
        raise JournalError(f"{where} does not describe a conference: {error}.") from None
    return Conference(
        session=Session(id=conference.session),
        members=tuple(
            Member(name=each.name, participant=Participant(id=each.id), token=each.token)
            for each in conference.members
        ),
        key=found.plan or "",
    )
