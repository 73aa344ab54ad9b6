"""Models are values: frozen, hashable, picklable, without secrets in their repr."""

import copy
import pickle
from typing import Any

import attrs
import pytest
from hypothesis import given
from support.strategies import BRIEFLY, MODELS, TEXT

from webrtc_async._codec import model_codec as codec
from webrtc_async.errors import InvalidArgumentError
from webrtc_async.models import (
    AccountsParticipantsResponse,
    DeviceApiVersion,
    Participant,
    ParticipantSubscription,
    PublishPermission,
    Session,
    Subscriptions,
)

EXAMPLES = [
    ParticipantSubscription(participant_id="p-2", stream_aliases=["cam"], extra={"x": [1]}),
    Subscriptions.only(["p-2"], session_id="s-1"),
    Session(id="s-1", tag="room", extra={"participant_ids": []}),
    Participant(
        id="p-1",
        callback_url="https://app.example/cb",
        publish_permissions=["AUDIO", "SCREEN"],
        sessions=["s-1"],
        subscriptions=Subscriptions.everyone("s-1"),
        tag="visit",
        device_api_version=DeviceApiVersion("V4"),
        extra={"newField": {"deep": [1, 2]}},
    ),
    AccountsParticipantsResponse(participant=Participant(id="p-1"), token="a.b.c"),
]
each_example = pytest.mark.parametrize("model", EXAMPLES, ids=lambda model: type(model).__name__)
each_enum = pytest.mark.parametrize("enum", [PublishPermission, DeviceApiVersion])


@each_example
def test_frozen(model: Any) -> None:
    """No attribute of a model can be set or added."""
    for each in attrs.fields(type(model)):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(model, each.name, None)
    with pytest.raises(AttributeError):
        model.tga = "a typing error"


@each_example
def test_keywords_only(model: Any) -> None:
    """A model takes keyword arguments only, so that a new field shifts no other."""
    with pytest.raises(TypeError, match="positional argument"):
        type(model)("p-1")


@each_example
def test_equality_and_hash(model: Any) -> None:
    """Equal values make equal models with equal hashes, with any `extra`; others differ."""
    same = copy.deepcopy(model)
    assert same == model
    assert hash(same) == hash(model)
    assert len({same, model}) == 1
    different = attrs.evolve(model, extra={"other": 1})
    assert different != model
    assert len({different, model}) == 2
    assert model != EXAMPLES[EXAMPLES.index(model) - 1]


@BRIEFLY
@given(MODELS)
def test_pickles(model: object) -> None:
    """Every model pickles with every protocol, with unknown fields and enum members."""
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(model, protocol))
        assert again == model
        assert hash(again) == hash(model)


def test_repr_hides_the_token() -> None:
    """No repr and no text shows the device token."""
    created = AccountsParticipantsResponse(participant=Participant(id="p-1"), token="s3cret")
    assert "s3cret" not in f"{created!r} {created}"
    assert "token=<hidden>" in repr(created)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (None, "callback_url=None"),
        ("https://app.example/cb", "callback_url='https://app.example/cb'"),
        ("https://app.example:8443", "callback_url='https://app.example:8443'"),
        ("https://me:s3cret@app.example/cb", "callback_url='https://app.example/cb'"),
        ("https://s3cret@app.example/cb", "callback_url='https://app.example/cb'"),
        ("https://app.example/cb?key=s3cret", "callback_url='https://app.example/cb?<hidden>'"),
        (
            "https://app.example/cb/s3cret-of-16-char",
            "callback_url='https://app.example/cb/<hidden>'",
        ),
        (
            "https://app.example/s3cret-of-16-char/a/",
            "callback_url='https://app.example/<hidden>/a/'",
        ),
        (
            "https://app.example/%733cret-of-16-c?a",
            "callback_url='https://app.example/<hidden>?<hidden>'",
        ),
        ("https://app.example/cb#s3cret", "callback_url='https://app.example/cb'"),
        ("https://me:s3c/ret@app.example/cb", "callback_url=<hidden>"),
        ("https://me:s3c?ret@app.example/cb", "callback_url=<hidden>"),
        ("https://me:s3c#ret@app.example/cb", "callback_url=<hidden>"),
        ("me:s3cret@app.example/cb", "callback_url=<hidden>"),
        ("https://[s3cret", "callback_url=<hidden>"),
        (b"https://me:s3cret@app.example", "callback_url=<hidden>"),
        (5, "callback_url=<hidden>"),
    ],
)
def test_repr_hides_secrets_of_a_callback_url(url: Any, shown: str) -> None:
    """No repr has a callback URL's userinfo, query or fragment, and repr never fails."""
    text = repr(Participant(callback_url=url))
    assert f"{shown}, " in text
    assert "s3c" not in text
    assert "ret@" not in text


def test_repr_hides_values_of_extra() -> None:
    """The repr shows unknown fields by name only."""
    assert "extra=<a, b>" in repr(Session(extra={"b": "s3cret", "a": 1}))
    assert "s3cret" not in repr(Session(extra={"b": "s3cret"}))
    assert "extra=<>" in repr(Session())


@each_enum
def test_known_member_in_any_case(enum: Any) -> None:
    """A known value in any case is the known member."""
    for member in enum:
        assert enum(member.value.lower()) is enum(member.value.title()) is enum(member) is member
        assert member.is_known
        assert member == member.value == f"{member}"


@each_enum
@BRIEFLY
@given(value=TEXT)
def test_unknown_member(enum: Any, value: str) -> None:
    """An unknown value is a member: equal to its text and itself, hashable and picklable."""
    member = enum(value)
    assert isinstance(member, enum)
    if member.is_known:
        assert value.upper() == member.value
        return
    assert member == enum(value) == value
    assert member.name == member.value == f"{member}" == value
    assert hash(member) == hash(enum(value))
    assert member not in set(enum)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(member, protocol))
        assert again == member
        assert type(again) is enum
        assert not again.is_known
    assert copy.deepcopy(member) == member


@each_enum
@pytest.mark.parametrize("value", [5, None, b"AUDIO"])
def test_enums_are_text(enum: Any, value: object) -> None:
    """A value that is not text is no member of an open enum."""
    with pytest.raises(ValueError, match="is not a valid"):
        enum(value)


def test_unknown_members_are_not_added() -> None:
    """An unknown value does not become a known one."""
    PublishPermission("SCREEN")
    assert list(PublishPermission) == [PublishPermission.AUDIO, PublishPermission.VIDEO]


def test_everyone() -> None:
    """Subscriptions to everyone have only the session."""
    everyone = Subscriptions.everyone("s-1")
    assert everyone == Subscriptions(session_id="s-1")
    assert everyone.is_everyone
    assert not everyone.is_nothing


def test_everyone_needs_a_session() -> None:
    """Everyone takes a session or its id; without one it would mean nobody, and is refused."""
    assert Subscriptions.everyone(Session(id="s-1")) == Subscriptions.everyone("s-1")
    for without_id in ("", Session(tag="not created yet")):
        with pytest.raises(InvalidArgumentError, match="needs the id of the session"):
            Subscriptions.everyone(without_id)


def test_only() -> None:
    """Subscriptions to some take ids and chosen streams, with or without a session."""
    cameras = ParticipantSubscription(participant_id="p-3", stream_aliases=["cam"])
    only = Subscriptions.only(each for each in ("p-2", cameras))
    assert only.participants == (ParticipantSubscription(participant_id="p-2"), cameras)
    assert only.session_id is None
    assert Subscriptions.only(["p-2"], session_id="s-1").session_id == "s-1"
    for chosen in (only, Subscriptions.only(["p-2"], session_id="s-1")):
        assert not chosen.is_everyone
        assert not chosen.is_nothing


def test_only_takes_participants() -> None:
    """A created participant may stand for its id; one without an id is refused."""
    created = Participant(id="p-2", tag="agent")
    assert Subscriptions.only([created]) == Subscriptions.only(["p-2"])
    for without_id in ("", Participant(tag="not created yet")):
        with pytest.raises(InvalidArgumentError, match="or Participants, not without an id"):
            Subscriptions.only([without_id])


@pytest.mark.parametrize(
    "make",
    [
        lambda: Subscriptions.only([]),
        lambda: Subscriptions.only(()),
        lambda: Subscriptions.only(iter(()), session_id="s-1"),
        lambda: Subscriptions(participants=[]),
        lambda: Subscriptions(session_id="s-1", participants=[]),
    ],
)
def test_an_empty_list_of_participants_is_refused(make: Any) -> None:
    """The service reads it as nobody or as everyone, so the error names how to say each."""
    with pytest.raises(InvalidArgumentError, match="empty") as caught:
        make()
    assert "Subscriptions.nothing()" in str(caught.value)
    assert "Subscriptions.everyone(session)" in str(caught.value)


def test_an_empty_list_of_streams_is_refused() -> None:
    """The service reads it as all streams, which leaving it out says too."""
    with pytest.raises(InvalidArgumentError, match="Leave it out to receive all"):
        ParticipantSubscription(participant_id="p", stream_aliases=[])


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda wrong: Subscriptions.everyone(wrong), "session_id"),
        (lambda wrong: Subscriptions(session_id=wrong), "session_id"),
        (lambda wrong: Subscriptions.only([wrong]), "participants"),
        (lambda wrong: Subscriptions.only(["p", wrong]), "participants"),
        (lambda wrong: ParticipantSubscription(participant_id=wrong), "participant_id"),
        (
            lambda wrong: ParticipantSubscription(participant_id="p", stream_aliases=["c", wrong]),
            "stream_aliases",
        ),
    ],
)
@pytest.mark.parametrize("wrong", [5, b"p", {"participantId": "p"}, object()])
def test_subscriptions_of_a_wrong_type_fail_when_they_are_made(make, name, wrong) -> None:
    """A wrong type is refused where it is written, not when it is sent."""
    with pytest.raises(InvalidArgumentError, match=name):
        make(wrong)


def test_only_one_string_is_refused() -> None:
    """A single id instead of a list is refused, not split into letters."""
    with pytest.raises(InvalidArgumentError, match="not the one string 'p-2'"):
        Subscriptions.only("p-2")


def test_nothing() -> None:
    """Subscriptions to nobody have neither session nor participants."""
    nothing = Subscriptions.nothing()
    assert nothing == Subscriptions()
    assert nothing.is_nothing
    assert not nothing.is_everyone
    assert Subscriptions(session_id="").is_nothing


def test_an_empty_list_is_everyone() -> None:
    """A session with an empty list of participants counts as everyone, as at the service."""
    assert Subscriptions(session_id="s-1", participants=()).is_everyone


@pytest.mark.parametrize("make", [list, tuple, iter, dict.fromkeys])
def test_converters_take_any_iterable(make: Any) -> None:
    """Lists, tuples, iterators and keys become tuples and sets."""
    one = ParticipantSubscription(participant_id="p", stream_aliases=make(["a", "b"]))
    assert one.stream_aliases == ("a", "b")
    participant = Participant(publish_permissions=make(["audio"]), sessions=make(["s-1"]))
    assert participant.publish_permissions == frozenset({PublishPermission.AUDIO})
    assert participant.sessions == ("s-1",)
    assert Subscriptions(participants=make(["p"])).participants == (
        ParticipantSubscription(participant_id="p"),
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: ParticipantSubscription(participant_id="p", stream_aliases="AUDIO"),
        lambda: Participant(publish_permissions="AUDIO"),
        lambda: Participant(publish_permissions=PublishPermission.AUDIO),
        lambda: Participant(sessions="AUDIO"),
        lambda: Subscriptions(participants="AUDIO"),
    ],
    ids=["stream_aliases", "publish_permissions", "a permission", "sessions", "participants"],
)
def test_one_string_is_not_a_list(make: Any) -> None:
    """A single string instead of a list is refused, and the error shows it."""
    with pytest.raises(InvalidArgumentError, match=r"not the one string .*'AUDIO'"):
        make()


def test_no_permissions_and_unset_permissions_differ() -> None:
    """An empty set of permissions is sent; None is not."""
    assert codec.write_request(Participant(publish_permissions=[])) == b'{"publishPermissions":[]}'
    assert codec.write_request(Participant(publish_permissions=None)) == b"{}"
    read = codec.read_request(b'{"publishPermissions":[]}', Participant)
    assert read.publish_permissions == frozenset()
    assert codec.read_request(b"{}", Participant).publish_permissions is None


@pytest.mark.parametrize("permissions", [[5], [None], [["AUDIO"]]])
def test_a_permission_of_another_type_is_refused_by_name(permissions) -> None:
    """The constructor refuses a wrong permission and names the argument."""
    with pytest.raises(InvalidArgumentError, match="publish_permissions"):
        Participant(publish_permissions=permissions)


def test_only_ascii_letters_match_in_any_case() -> None:
    """A non-ASCII letter whose upper case is ASCII makes no known value."""
    assert not PublishPermission("aud\u0131o").is_known


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Participant(sessions="s-1"), "sessions is a list, not the one string 's-1'"),
        (lambda: Participant(sessions=5), "sessions must be a list, not int"),
        (lambda: Participant(publish_permissions="AUDIO"), "publish_permissions is a list"),
        (lambda: Participant(publish_permissions=5), "publish_permissions must be a list, not int"),
        (lambda: Participant(publish_permissions=[5]), "publish_permissions: 5 is not"),
        (lambda: Subscriptions(participants=5), "participants must be a list, not int"),
        (lambda: Subscriptions.only("p-1"), "participants is a list, not the one string 'p-1'"),
        (
            lambda: ParticipantSubscription(participant_id="p-1", stream_aliases="cam"),
            "stream_aliases is a list, not the one string 'cam'",
        ),
    ],
)
def test_an_invalid_list_is_named(make: Any, said: str) -> None:
    """The error names the field of a value that is not a list."""
    with pytest.raises(InvalidArgumentError, match=said):
        make()
