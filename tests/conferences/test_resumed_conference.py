"""Conferences that go on in another request, process or machine."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.conferences import ACCOUNT, client_over, remaining_in, service
from support.strategies import USUALLY

from webrtc_async import (
    ConferencePlan,
    InvalidArgumentError,
    NotFoundError,
    ParticipantSpec,
    SetUpDone,
    TeardownError,
)
from webrtc_async.conferences.conference import Conference, Member
from webrtc_async.conferences.conference_json import read_conference, write_conference
from webrtc_async.models import Participant, Session

anyio_test = pytest.mark.anyio

NAMES = st.text(min_size=1, max_size=12).filter(lambda name: name.isprintable())
IDS = st.uuids().map(str)


@st.composite
def conferences(draw: st.DrawFn) -> Conference:
    """Return a strategy for conferences."""
    names = draw(st.lists(NAMES, max_size=5, unique=True))
    chosen = st.lists(st.sampled_from(names), unique=True) if names else st.just([])
    words = st.sampled_from(["everyone", "nobody"])
    listed = st.fixed_dictionaries(dict.fromkeys(names, words | chosen))
    plan = ConferencePlan(names, subscriptions=draw(words | listed))
    return Conference(
        session=Session(id=draw(IDS)),
        members=tuple(
            Member(
                name=name, participant=Participant(id=draw(IDS)), token=draw(st.text(max_size=9))
            )
            for name in names
        ),
        subscriptions=draw(st.just(tuple(map(plan.subscriptions_of, names))) | st.just(())),
        key=draw(st.text(max_size=9)),
    )


@USUALLY
@given(conferences())
def test_a_conference_survives_json(conference):
    """The text has everything but tags and permissions."""
    text = write_conference(conference, ACCOUNT, keep_tokens=True)
    assert "\n" not in text
    again = read_conference(text, ACCOUNT)
    assert again == conference
    assert read_conference(text.encode(), ACCOUNT) == conference


@USUALLY
@given(
    st.text()
    | st.binary()
    | st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    ).map(json.dumps)
)
def test_any_text_is_a_conference_or_refused(text):
    """Reading arbitrary text or JSON raises only InvalidArgumentError."""
    with pytest.raises(InvalidArgumentError):
        read_conference(text, ACCOUNT)


@anyio_test
async def test_a_conference_goes_on_elsewhere():
    """Another client resumes a conference without a request, and uses the same verbs."""
    emulator, transport = service()
    async with client_over(transport) as client:
        plan = ConferencePlan(["agent", "caller"], subscriptions={"agent": ["caller"]}, key="k")
        opened = await client.open_conference(plan)
        value = opened.to_json(keep_tokens=True)
    async with client_over(transport) as client:
        conference = client.resume_conference(value)
        assert client.requests_sent == 0
        assert conference["agent"].token == opened["agent"].token
        assert conference.now.subscriptions == opened.now.subscriptions
        assert (conference.now.key, conference.session.id) == ("k", opened.session.id)
        await conference.join("coach", subscribe_to=["agent"])
        await conference.subscribe("caller", {"coach": "all"})
        value = conference.to_json()
    async with client_over(transport) as client:
        conference = client.resume_conference(value)
        assert [member.name for member in conference] == ["agent", "caller", "coach"]
        await conference.leave("caller")
        await conference.end()
    assert remaining_in(emulator) == ()


@anyio_test
async def test_a_value_is_small_and_has_no_token():
    """Twenty participants fit a cookie of 4096 bytes, and tokens are left out unless asked for."""
    _, transport = service()
    async with client_over(transport) as client:
        conference = await client.open_conference([f"participant-{n}" for n in range(20)])
        value = conference.to_json()
        assert len(value.encode()) <= 2048
        tokens = [member.token for member in conference]
        assert not any(token in value for token in tokens)
        assert all(token in conference.to_json(keep_tokens=True) for token in tokens)
        assert json.loads(value)["conference"] == 1
        assert "subscriptions" not in json.loads(value)
        resumed = client.resume_conference(value)
        assert {member.token for member in resumed} == {""}
        assert resumed.now.subscriptions == conference.now.subscriptions


GOOD = {"conference": 1, "account": ACCOUNT, "session": "s", "members": {"a": "p"}}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (5, "the text of to_json.., not int"),
        (None, "the text of to_json.., not NoneType"),
        (GOOD, "the text of to_json.., not dict"),
        ("", "cannot be resumed: .* JSON"),
        ("{}", "conference: missing"),
        ("[]", "expected an object"),
        ("\ud800", "cannot be resumed"),
        (b"\xff", "cannot be resumed"),
        ({"conference": 2}, "in version 2 of the format. Use the version"),
        ({"conference": "1"}, "conference: expected a whole number"),
        ({"account": "1"}, "belongs to account '1', but the client's account is '9900000'"),
        ({"account": 5}, "account: expected text"),
        ({"session": ""}, "session is empty"),
        ({"session": ".."}, "would name another resource"),
        ({"members": {"a": "p/\n"}}, "member 'a' has a control character"),
        ({"members": {"a": ""}}, "The id of member 'a' is empty"),
        ({"members": {"": "p"}}, "1 to 256 characters"),
        ({"members": {str(n): "p" for n in range(21)}}, "at most 20"),
        ({"members": ["a"]}, "members: expected an object"),
        ({"members": {"a": 5}}, "members: expected text for 'a'"),
        ({"subscriptions": {"a": ["b"]}}, "name 'b', which is not a participant"),
        ({"subscriptions": 5}, "subscriptions must be"),
        ({"tokens": {"b": "hidden"}}, "a token, but no member, for 'b'"),
        ({"tokens": {"a": 5}}, "tokens: expected text for 'a'"),
        ({"key": "k" * 257}, "1 to 256"),
        ({"color": "red"}, "no field 'color'"),
    ],
)
@anyio_test
async def test_a_bad_value_is_refused(value, said):
    """A value that is no conference is refused in a sentence, and nothing is sent."""
    _, transport = service()
    if isinstance(value, dict) and value is not GOOD:
        value = json.dumps({**GOOD, **value})
    async with client_over(transport) as client:
        with pytest.raises(InvalidArgumentError, match=said) as caught:
            client.resume_conference(value)
    assert "hidden" not in str(caught.value)
    assert transport.requests == []


@anyio_test
async def test_a_conference_of_a_bulk_set_up_is_resumed():
    """The conference of a result gets the verbs by the same method."""
    emulator, transport = service()
    async with client_over(transport) as client:
        [result] = [each async for each in client.set_up([ConferencePlan(["a"], key="k")])]
        assert isinstance(result, SetUpDone)
        conference = client.resume_conference(result.conference)
        await conference.join("late")
        assert json.loads(conference.to_json())["key"] == "k"
        await conference.end()
    assert remaining_in(emulator) == ()


@anyio_test
async def test_the_end_finds_members_of_other_processes():
    """Participants that joined elsewhere, and are in no stored value, are deleted too."""
    emulator, transport = service()
    async with client_over(transport) as client:
        value = (await client.open_conference(["a"])).to_json()
        first, second = client.resume_conference(value), client.resume_conference(value)
        await first.join("b")
        await second.join("c")
        await second.end()
        assert remaining_in(emulator) == ()
        await first.end()  # everything is gone: no error


@anyio_test
async def test_the_session_is_kept_until_the_others_are_known():
    """If the service does not list the members, a second `end` still finds them."""
    emulator, transport = service()
    async with client_over(transport) as client:
        value = (await client.open_conference(["a"])).to_json()
        other = await client.resume_conference(value).join(ParticipantSpec("b", tag="other"))
        conference = client.resume_conference(value)
        transport.refuse = lambda request: 403 if request.method == "GET" else None
        with pytest.raises(TeardownError) as got:
            await conference.end()
        assert "403" in str(got.value)
        assert [each.id for each in got.value.not_deleted] == [conference.session.id]
        assert set(remaining_in(emulator)) == {conference.session.id, other.participant.id}
        transport.refuse = lambda _: None
        await conference.end()
        assert remaining_in(emulator) == ()
        with pytest.raises(NotFoundError):
            await client.get_session(conference.session.id)
