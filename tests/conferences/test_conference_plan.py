"""Plans: what they may be, and that they travel whole."""

import json
import pickle

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import USUALLY

from webrtc_async.conferences.diagram import dot, mermaid
from webrtc_async.conferences.plan import ConferencePlan, ParticipantSpec
from webrtc_async.conferences.plan_json import read_plan, write_plan
from webrtc_async.conferences.subscriptions import SubscribedParticipant, SubscriptionsByName
from webrtc_async.errors import InvalidArgumentError

SECRET_URL = "https://user:hidden@host.example/path?key=hidden"

names = st.text(min_size=1, max_size=12)


@st.composite
def plans(draw: st.DrawFn) -> ConferencePlan:
    """Make any plan."""
    seated = draw(st.lists(names, max_size=6, unique=True))
    some = st.lists(st.sampled_from(seated), unique=True) if seated else st.just([])
    streams = some.flatmap(
        lambda chosen: st.fixed_dictionaries({name: st.lists(names) for name in chosen})
    )
    hears = st.one_of(st.sampled_from(["everyone", "nobody"]), some, streams)
    listed = st.dictionaries(st.sampled_from(seated), hears) if seated else st.just({})
    return ConferencePlan(
        [
            ParticipantSpec(
                name,
                publish_permissions=draw(
                    st.none() | st.frozensets(st.sampled_from(["AUDIO", "VIDEO"]))
                ),
                tag=draw(st.none() | st.text(max_size=50)),
                callback_url=draw(st.none() | st.just(SECRET_URL)),
                device_api_version=draw(st.none() | st.just("V3")),
            )
            for name in seated
        ],
        subscriptions=draw(st.one_of(st.sampled_from(["everyone", "nobody"]), listed)),
        tag=draw(st.none() | st.text(max_size=50)),
        key=draw(st.text(max_size=20)),
    )


@USUALLY
@given(plans())
def test_a_plan_travels_whole(plan):
    """A plan survives JSON, on one line, and pickling, and is hashable."""
    line = write_plan(plan)
    assert b"\n" not in line
    assert read_plan(line) == plan
    assert read_plan(line.decode()) == plan
    assert pickle.loads(pickle.dumps(plan)) == plan
    assert hash(read_plan(line)) == hash(plan)


def test_a_small_plan_is_small_json():
    """What has its default is not written, and a seat that is only a name is a text."""
    plan = ConferencePlan(["agent", ParticipantSpec("caller", tag="c")], key="k")
    assert json.loads(write_plan(plan)) == {
        "key": "k",
        "participants": ["agent", {"name": "caller", "tag": "c"}],
    }


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"participants": [str(number) for number in range(21)]}, "at most 20 .* has 21"),
        ({"participants": ["a", "b", "a"]}, "Two participants are named 'a'"),
        ({"participants": "ab"}, "must be a list"),
        ({"participants": 5}, "must be a list"),
        ({"participants": [""]}, "1 to 256"),
        ({"participants": ["n" * 257]}, "1 to 256"),
        ({"participants": [5]}, "must be text, not int"),
        ({"tag": "t" * 51}, "at most 50 characters; this one has 51"),
        ({"tag": 5}, "tag must be text"),
        ({"key": "k" * 257}, "1 to 256"),
        ({"subscriptions": "all"}, 'subscribe is "everyone"'),
        ({"subscriptions": {"c": "everyone"}}, r"names 'c', who is none of the participants \(a, b\)"),
        ({"subscriptions": {"a": ["c"]}}, "names 'c'"),
        ({"subscriptions": {"a": {"c": ["mic"]}}}, "names 'c'"),
        ({"subscriptions": {"a": ["b", "b"]}}, "'a' hears 'b' twice"),
        ({"subscriptions": {"a": "b"}}, "must be a list of texts, not 'b'"),
        ({"subscriptions": {"a": {"b": "mic"}}}, "stream aliases of 'b' must be a list"),
        ({"subscriptions": {"a": [5]}}, "not of 5"),
        ({"subscriptions": {"a": 5}}, "must be a list of texts"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(values, said):
    """A wrong plan is refused when it is made, in one sentence that names what is wrong."""
    with pytest.raises(InvalidArgumentError, match=said):
        ConferencePlan(**{"participants": ["a", "b"], **values})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not valid JSON"),
        ("[]", "must be a JSON object"),
        ("{}", 'needs "participants"'),
        ('{"participants": 5}', "a list"),
        ('{"participants": [{}]}', "needs a name"),
        ('{"participants": [5]}', "A participant of a plan must be a JSON object"),
        ('{"participants": [{"name": 5}]}', "must be text"),
        ('{"participants": [], "color": 1}', "no field 'color'"),
        ('{"participants": [], "subscriptions": 5}', "subscribe is"),
        ('{"participants": [], "tag": 5}', "tag must be text"),
        ('{"participants": [], "key": 5}', "key must be text"),
        ('{"participants": [{"name": "a", "callbackUrl": 5}]}', "callbackUrl"),
        ('{"participants": [{"name": "a", "publishPermissions": "AUDIO"}]}', "publishPermissions"),
        ('{"participants": [{"name": "a", "publishPermissions": [5]}]}', "publish_permissions"),
        ('{"participants": [{"name": "a", "deviceApiVersion": 3}]}', "deviceApiVersion"),
        ('{"participants": [], "participants": []}', "twice"),
    ],
)
def test_json_that_is_no_plan_is_refused(text, said):
    """JSON that says no plan is refused in one sentence."""
    with pytest.raises(InvalidArgumentError, match=said):
        read_plan(text)


@given(st.text() | st.binary())
def test_any_text_is_a_plan_or_refused(text):
    """Nothing but this package's error comes of reading what is no plan."""
    with pytest.raises(InvalidArgumentError):
        read_plan(text)


def test_who_hears_whom():
    """Everyone, nobody, names and streams are kept; a listener left out hears nobody."""
    plan = ConferencePlan(
        ["a", "b", "c", "d"], subscriptions={"a": "everyone", "b": ["a"], "c": {"a": ["mic"], "b": []}}
    )
    assert plan.subscriptions_of("a") == SubscriptionsByName("a", "everyone")
    assert plan.subscriptions_of("b") == SubscriptionsByName("b", (SubscribedParticipant("a"),))
    assert plan.subscriptions_of("c") == SubscriptionsByName("c", (SubscribedParticipant("a", ("mic",)), SubscribedParticipant("b")))
    assert plan.subscriptions_of("d") == SubscriptionsByName("d", ())
    assert ConferencePlan(["a"]).subscriptions_of("a").subscribed_to == "everyone"
    assert ConferencePlan(["a"], subscriptions="nobody").subscriptions_of("a").subscribed_to == ()


def test_a_plan_shows_no_secret():
    """A callback URL's password and query are in no repr."""
    assert "hidden@" not in repr(ConferencePlan([ParticipantSpec("a", callback_url=SECRET_URL)]))
    assert "key=hidden" not in repr(ConferencePlan([ParticipantSpec("a", callback_url=SECRET_URL)]))


# Pictures

SUBSCRIPTIONS = (
    SubscriptionsByName("agent", "everyone"),
    SubscriptionsByName('call"er', (SubscribedParticipant("agent", ("mic", "cam")), SubscribedParticipant("gone"))),
    SubscriptionsByName("guest", ()),
)


def test_a_mermaid_picture():
    """An arrow goes to who hears; names are data, and who is gone is not drawn."""
    assert mermaid(SUBSCRIPTIONS) == (
        "flowchart LR\n"
        '    p0["agent"]\n'
        '    p1["call#34;er"]\n'
        '    p2["guest"]\n'
        "    p1 --> p0\n"
        "    p2 --> p0\n"
        '    p0 -->|"mic, cam"| p1\n'
    )


def test_a_dot_picture():
    """The same as a graph in DOT."""
    assert dot(SUBSCRIPTIONS) == (
        "digraph conference {\n"
        "    rankdir=LR;\n"
        '    p0 [label="agent"];\n'
        '    p1 [label="call\\"er"];\n'
        '    p2 [label="guest"];\n'
        "    p1 -> p0;\n"
        "    p2 -> p0;\n"
        '    p0 -> p1 [label="mic, cam"];\n'
        "}\n"
    )


@given(st.lists(names, unique=True, max_size=5))
def test_no_name_breaks_a_picture(listed):
    """Whatever a name is, a picture has a line for each and no more."""
    hearings = [SubscriptionsByName(name, ()) for name in listed]
    assert len(mermaid(hearings).split("\n")) == len(listed) + 2
    drawn = dot(hearings)
    assert len(drawn.split("\n")) == len(listed) + 4
    for line in drawn.split("\n")[2:-2]:
        label = line.partition('"')[2].removesuffix('"];')
        assert '"' not in label.replace("\\\\", "").replace('\\"', "")


def test_a_plan_may_be_changed_into_another():
    """A plan evolves as any attrs value does."""
    plan = ConferencePlan(["a", "b"], subscriptions={"a": ["b"]}, key="k")
    changed = evolve(plan, key="m")
    assert changed.subscriptions == plan.subscriptions
    assert changed.key == "m"
