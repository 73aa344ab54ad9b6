"""Plans: their checks, their JSON and their diagrams."""

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
    """Return a strategy for valid plans."""
    listed_names = draw(st.lists(names, max_size=6, unique=True))
    some = st.lists(st.sampled_from(listed_names), unique=True) if listed_names else st.just([])
    streams = some.flatmap(
        lambda chosen: st.fixed_dictionaries(
            {name: st.just("all") | st.lists(names, min_size=1) for name in chosen}
        )
    )
    subscribe_to = st.one_of(st.sampled_from(["everyone", "nobody"]), some, streams)
    listed = (
        st.dictionaries(st.sampled_from(listed_names), subscribe_to)
        if listed_names
        else st.just({})
    )
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
            for name in listed_names
        ],
        subscriptions=draw(st.one_of(st.sampled_from(["everyone", "nobody"]), listed)),
        tag=draw(st.none() | st.text(max_size=50)),
        key=draw(st.text(max_size=20)),
    )


@USUALLY
@given(plans())
def test_a_plan_survives_json_and_pickle(plan):
    """A plan survives JSON, on one line, and pickle, and is hashable."""
    line = write_plan(plan)
    assert b"\n" not in line
    assert read_plan(line) == plan
    assert read_plan(line.decode()) == plan
    assert pickle.loads(pickle.dumps(plan)) == plan
    assert hash(read_plan(line)) == hash(plan)


def test_a_small_plan_is_small_json():
    """Defaults are not written, and a spec that is only a name is a string."""
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
        ({"participants": [5]}, "must be a string, not int"),
        ({"tag": "t" * 51}, "at most 50 characters; this one has 51"),
        ({"tag": 5}, "tag must be a string"),
        ({"key": "k" * 257}, "1 to 256"),
        ({"subscriptions": "all"}, 'subscriptions must be "everyone"'),
        ({"subscriptions": {"c": "everyone"}}, r"name 'c', which is not a participant \(a, b\)"),
        ({"subscriptions": {"a": ["c"]}}, "name 'c'"),
        ({"subscriptions": {"a": {"c": ["mic"]}}}, "name 'c'"),
        ({"subscriptions": {"a": ["b", "b"]}}, "'a' subscribes to 'b' twice"),
        ({"subscriptions": {"a": "b"}}, "must be a list of strings, not 'b'"),
        ({"subscriptions": {"a": {"b": "mic"}}}, "stream aliases of 'b' must be a list"),
        ({"subscriptions": {"a": {"b": []}}}, 'an empty list. Write "all" for all its streams'),
        ({"subscriptions": {"a": {5: "all"}}}, "not of 5"),
        ({"subscriptions": {"a": [5]}}, "not of 5"),
        ({"subscriptions": {"a": 5}}, "must be a list of strings"),
    ],
)
def test_an_invalid_plan_is_refused(values, said):
    """An invalid plan is refused when it is made, and the error names the fault."""
    with pytest.raises(InvalidArgumentError, match=said):
        ConferencePlan(**{"participants": ["a", "b"], **values})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"callback_url": 5}, "callback_url must be a URL"),
        ({"callback_url": "host.example/path?key=hidden"}, "callback_url must be a URL"),
        ({"callback_url": "ftp://host.example?key=hidden"}, "callback_url must be a URL"),
        ({"callback_url": "https://[hidden"}, "callback_url must be a URL"),
        ({"device_api_version": 3}, "device_api_version must be a string, not int"),
        ({"publish_permissions": "AUDIO"}, "publish_permissions is a list"),
        ({"tag": 5}, "tag must be a string"),
    ],
)
def test_an_invalid_participant_is_refused(values, said):
    """A spec checks its values when it is made, and shows no part of a callback URL."""
    with pytest.raises(InvalidArgumentError, match=said) as caught:
        ParticipantSpec("a", **values)
    assert "hidden" not in str(caught.value)


def test_an_empty_list_is_nobody():
    """An empty list or mapping means nobody wherever a plan takes subscriptions."""
    for nobody in ("nobody", [], {}):
        plan = ConferencePlan(["a", "b"], subscriptions={"a": nobody})
        assert plan.subscriptions_of("a").subscribed_to == ()
    assert ConferencePlan(["a"], subscriptions={}).subscriptions_of("a").subscribed_to == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not valid JSON"),
        ("[]", "the body: expected an object"),
        ("{}", "participants: missing"),
        ('{"participants": 5}', "participants: expected an array"),
        ('{"participants": [{}]}', r"participants\[0\].name: missing"),
        ('{"participants": [5]}', r"participants\[0\]: expected an object"),
        ('{"participants": [{"name": 5}]}', r"participants\[0\].name: expected text"),
        ('{"participants": [], "color": 1}', "no field 'color'"),
        ('{"participants": [], "subscriptions": 5}', "subscriptions must be"),
        ('{"participants": [], "tag": 5}', "tag: expected text"),
        ('{"participants": [], "key": 5}', "key: expected text"),
        ('{"participants": [{"name": "a", "callbackUrl": 5}]}', "callbackUrl"),
        ('{"participants": [{"name": "a", "publishPermissions": "AUDIO"}]}', "publishPermissions"),
        (
            '{"participants": [{"name": "a", "publishPermissions": [5]}]}',
            r"publishPermissions\[0\]: expected",
        ),
        ('{"participants": [{"name": "a", "deviceApiVersion": 3}]}', "deviceApiVersion"),
        ('{"participants": [], "participants": []}', "twice"),
    ],
)
def test_json_that_is_not_a_plan_is_refused(text, said):
    """JSON that does not describe a plan is refused with the fault."""
    with pytest.raises(InvalidArgumentError, match=said):
        read_plan(text)


@given(st.text() | st.binary())
def test_any_text_is_a_plan_or_refused(text):
    """Reading arbitrary text raises only InvalidArgumentError."""
    with pytest.raises(InvalidArgumentError):
        read_plan(text)


def test_subscriptions_by_name():
    """Everyone, nobody, names and streams are kept; others receive nobody."""
    plan = ConferencePlan(
        ["a", "b", "c", "d"],
        subscriptions={"a": "everyone", "b": ["a"], "c": {"a": ["mic"], "b": "all"}},
    )
    assert plan.subscriptions_of("a") == SubscriptionsByName("a", "everyone")
    assert read_plan(write_plan(plan)) == plan
    assert plan.subscriptions_of("b") == SubscriptionsByName("b", (SubscribedParticipant("a"),))
    assert plan.subscriptions_of("c") == SubscriptionsByName(
        "c", (SubscribedParticipant("a", ("mic",)), SubscribedParticipant("b"))
    )
    assert plan.subscriptions_of("d") == SubscriptionsByName("d", ())
    assert ConferencePlan(["a"]).subscriptions_of("a").subscribed_to == "everyone"
    assert ConferencePlan(["a"], subscriptions="nobody").subscriptions_of("a").subscribed_to == ()


def test_a_plan_shows_no_secret():
    """A callback URL's password and query are in no repr."""
    assert "hidden@" not in repr(ConferencePlan([ParticipantSpec("a", callback_url=SECRET_URL)]))
    assert "key=hidden" not in repr(ConferencePlan([ParticipantSpec("a", callback_url=SECRET_URL)]))


# Diagrams

SUBSCRIPTIONS = (
    SubscriptionsByName("agent", "everyone"),
    SubscriptionsByName(
        'call"er', (SubscribedParticipant("agent", ("mic", "cam")), SubscribedParticipant("gone"))
    ),
    SubscriptionsByName("guest", ()),
)


def test_a_mermaid_diagram():
    """An arrow points to the subscriber; names are escaped; absent participants are left out."""
    assert mermaid(SUBSCRIPTIONS) == (
        "flowchart LR\n"
        '    p0["agent"]\n'
        '    p1["call#34;er"]\n'
        '    p2["guest"]\n'
        "    p1 --> p0\n"
        "    p2 --> p0\n"
        '    p0 -->|"mic, cam"| p1\n'
    )


def test_a_dot_diagram():
    """The DOT graph shows the same."""
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
def test_no_name_breaks_a_diagram(listed):
    """A diagram has exactly one line for each name, with any characters."""
    listed_subscriptions = [SubscriptionsByName(name, ()) for name in listed]
    assert len(mermaid(listed_subscriptions).split("\n")) == len(listed) + 2
    drawn = dot(listed_subscriptions)
    assert len(drawn.split("\n")) == len(listed) + 4
    for line in drawn.split("\n")[2:-2]:
        label = line.partition('"')[2].removesuffix('"];')
        assert '"' not in label.replace("\\\\", "").replace('\\"', "")


def test_a_plan_can_be_evolved():
    """`attrs.evolve` changes a plan's key and keeps its subscriptions."""
    plan = ConferencePlan(["a", "b"], subscriptions={"a": ["b"]}, key="k")
    changed = evolve(plan, key="m")
    assert changed.subscriptions == plan.subscriptions
    assert changed.key == "m"
