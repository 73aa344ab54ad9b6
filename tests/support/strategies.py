"""Strategies for hypothesis: text, JSON, ids, and models with unknown fields and enum values."""

import os

import attrs
from hypothesis import settings
from hypothesis import strategies as st

from webrtc_async._codec.converter import wire_name
from webrtc_async.models import (
    AccountsParticipantsResponse,
    DeviceApiVersion,
    Participant,
    ParticipantSubscription,
    PublishPermission,
    Session,
    Subscriptions,
)

# CI runs more examples than the short form of the tests.
EXAMPLES = int(os.environ.get("EXAMPLES", "40"))
BRIEFLY = settings(max_examples=max(20, EXAMPLES // 4), deadline=None)
USUALLY = settings(max_examples=EXAMPLES, deadline=None)


def _joined(drawn: str) -> str:
    # A high and a low surrogate side by side are one character in JSON; a lone one stays alone.
    return drawn.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


TEXT = st.text(st.characters(), max_size=12).map(_joined)
NAME = TEXT.filter(bool)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)

ACCEPTED_ID = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=256
).filter(lambda drawn: drawn not in {".", ".."})


def unknown_fields(model: type) -> st.SearchStrategy[dict[str, object]]:
    """Draw fields that the model does not have, with any JSON values."""
    known = {wire_name(each.name) for each in attrs.fields(model)} - {"extra"}
    return st.dictionaries(NAME.filter(lambda drawn: drawn not in known), JSON, max_size=3)


def enum_members(model: type[PublishPermission] | type[DeviceApiVersion]) -> st.SearchStrategy:
    """Draw known members and members that no version knows yet."""
    return st.sampled_from(list(model)) | TEXT.map(model)


PARTICIPANT_SUBSCRIPTIONS = st.builds(
    ParticipantSubscription,
    participant_id=NAME,
    stream_aliases=st.lists(TEXT, max_size=3).map(tuple),
    extra=unknown_fields(ParticipantSubscription),
)
SUBSCRIPTIONS = st.builds(
    Subscriptions,
    session_id=st.none() | TEXT,
    participants=st.lists(PARTICIPANT_SUBSCRIPTIONS, max_size=3).map(tuple),
    extra=unknown_fields(Subscriptions),
)
SESSIONS = st.builds(Session, id=NAME, tag=st.none() | TEXT, extra=unknown_fields(Session))
PARTICIPANTS = st.builds(
    Participant,
    id=NAME,
    callback_url=st.none() | TEXT,
    publish_permissions=st.none() | st.frozensets(enum_members(PublishPermission), max_size=3),
    sessions=st.lists(TEXT, max_size=2),
    subscriptions=st.none() | SUBSCRIPTIONS,
    tag=st.none() | TEXT,
    device_api_version=st.none() | enum_members(DeviceApiVersion),
    extra=unknown_fields(Participant),
)
CREATED = st.builds(
    AccountsParticipantsResponse,
    participant=PARTICIPANTS,
    token=NAME,
    extra=unknown_fields(AccountsParticipantsResponse),
)
MODELS = st.one_of(PARTICIPANT_SUBSCRIPTIONS, SUBSCRIPTIONS, SESSIONS, PARTICIPANTS, CREATED)
