"""A conference as JSON, for another request, process or machine.

{"conference": 1, "account": "9900000", "session": "...", "key": "visit-42",
 "members": {"agent": "...", "caller": "..."}, "subscriptions": {"agent": ["caller"]}}

The members' values are their ids; "tokens" has their device tokens by name. Without "subscriptions"
everyone receives everyone.
"""

from typing import Any, Final, cast

from attrs import field, frozen

from webrtc_async._codec.model_codec import (
    ValidationError,
    from_json_value,
    is_object,
    read_json,
    to_json_value,
    write_json,
)
from webrtc_async._config.validation import check_id
from webrtc_async.conferences.conference import Conference, Member
from webrtc_async.conferences.plan import ConferencePlan
from webrtc_async.conferences.plan_json import write_subscriptions
from webrtc_async.conferences.subscriptions import SubscriptionsByName
from webrtc_async.errors import InvalidArgumentError
from webrtc_async.models import Participant, Session

VERSION: Final = 1


def _read_texts(value: object, _: object) -> dict[str, str]:
    if not is_object(value):
        raise TypeError("expected an object")
    for name, each in value.items():
        if not isinstance(each, str):
            raise TypeError(f"expected text for {name[:64]!r}")
    return cast("dict[str, str]", value)


@frozen(kw_only=True)
class _ConferenceJson:
    conference: int
    account: str
    session: str
    key: str = ""
    members: dict[str, str] = field(factory=dict[str, str], metadata={"read": _read_texts})
    subscriptions: Any = None
    tokens: dict[str, str] = field(factory=dict[str, str], metadata={"read": _read_texts})


def write_conference(conference: Conference, account_id: str, *, keep_tokens: bool) -> str:
    """Return a conference as one line of JSON, with the device tokens only if asked."""
    everyone = tuple(SubscriptionsByName(each.name, "everyone") for each in conference.members)
    written = _ConferenceJson(
        conference=VERSION,
        account=account_id,
        session=conference.session.id,
        key=conference.key,
        members=conference.ids,
        subscriptions=None
        if conference.subscriptions == everyone
        else {each.subscriber: write_subscriptions(each) for each in conference.subscriptions},
        tokens={each.name: each.token for each in conference.members if keep_tokens and each.token},
    )
    return write_json(to_json_value(written)).decode()


def read_conference(value: object, account_id: str) -> Conference:
    """Return the conference that `write_conference` wrote.

    Raises:
        InvalidArgumentError: The value is something else, or of another account or a newer version.
    """
    if not isinstance(value, str | bytes):
        raise InvalidArgumentError(
            f"A conference is resumed from the text of to_json(), not {type(value).__name__}."
        )
    try:
        raw = read_json(value.encode() if isinstance(value, str) else value)
        version = raw.get("conference") if is_object(raw) else None
        if isinstance(version, int) and version != VERSION:
            raise InvalidArgumentError(
                f"The conference was written in version {version} of the format. Use the version "
                "of webrtc_async that wrote it, or a newer one."
            )
        found = from_json_value(raw, _ConferenceJson)
    except (ValidationError, UnicodeEncodeError) as error:
        # Not the text itself: it may hold tokens.
        fault = str(error).removesuffix(".")
        raise InvalidArgumentError(f"A conference cannot be resumed: {fault}.") from None
    if found.account != account_id:
        raise InvalidArgumentError(
            f"The conference belongs to account {found.account[:64]!r}, but the client's account "
            f"is {account_id!r}. Use client.with_options(account_id=...)."
        )
    subscriptions: Any = "everyone" if found.subscriptions is None else found.subscriptions
    plan = ConferencePlan(found.members, subscriptions=subscriptions, key=found.key)
    for name, participant_id in found.members.items():
        check_id(f"The id of member {name!r}", participant_id)
    if strangers := found.tokens.keys() - found.members.keys():
        raise InvalidArgumentError(f"There is a token, but no member, for {min(strangers)!r}.")
    return Conference(
        session=Session(id=check_id("The conference's session", found.session)),
        members=tuple(
            Member(name=name, participant=Participant(id=each), token=found.tokens.get(name, ""))
            for name, each in found.members.items()
        ),
        subscriptions=plan.subscriptions
        if isinstance(plan.subscriptions, tuple)
        else tuple(map(plan.subscriptions_of, found.members)),
        key=found.key,
    )
