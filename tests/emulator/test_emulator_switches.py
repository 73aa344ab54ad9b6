"""The switches: their effects, and the errors for wrong ones."""

import pytest
from support.speaking import Caller, said

from webrtc_async.emulator import Emulator, Switches
from webrtc_async.emulator.core.switches import SwitchError, describe_switches, write_value

BOTH = ["AUDIO", "VIDEO"]


def calling(**switches: object) -> Caller:
    return Caller(Emulator(seed=1, switches=Switches().with_values(switches)))


def test_every_switch_has_a_description_and_evidence():
    """Each switch describes its meaning, its choices and the evidence for its default."""
    described = {each.name: each for each in describe_switches()}
    assert {name: each.choices[0] for name, each in described.items()} == Switches().as_dict()
    for each in described.values():
        assert len(each.choices) == 2
        assert each.says
        assert each.inferred_from


@pytest.mark.parametrize(
    "switch", [pytest.param(each, id=each.name) for each in describe_switches()]
)
def test_every_value_can_be_set_as_itself_and_as_text(switch):
    """JSON values and their texts on the command line set the same."""
    for choice in switch.choices:
        for given in (choice, write_value(choice)):
            set_to = Switches().with_values({switch.name: given}).as_dict()[switch.name]
            assert (set_to, type(set_to)) == (choice, type(choice))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"empty_list": 200}, "unknown switch 'empty_list'; the switches are basic_auth, "),
        ({"empty_lists": 300}, "empty_lists must be 204 or 200, not 300"),
        ({"empty_lists": True}, "empty_lists must be 204 or 200, not true"),
        ({"participant_ids": 1}, "participant_ids must be false or true, not 1"),
        ({"participant_ids": None}, "participant_ids must be false or true, not null"),
        ({"enum_case": "Upper"}, "enum_case must be upper or lower, not 'Upper'"),
        ({"enum_case": ["upper"]}, "enum_case must be upper or lower, not list"),
    ],
)
def test_a_wrong_name_or_value_is_refused_by_name(values, sentence):
    """The error names the switch and its choices."""
    emulator = Emulator()
    with pytest.raises(SwitchError) as caught:
        emulator.set_switches(**{"callback_url": "null", **values})
    assert str(caught.value).startswith(sentence)
    assert emulator.switches == Switches()


def test_a_wrong_value_is_refused_from_python_as_well():
    """The class itself rejects other values."""
    with pytest.raises(SwitchError, match="error_bodies must be current or legacy, not 'old'"):
        Switches(error_bodies="old")


def test_empty_lists_can_be_200():
    """Lists without members are [], and no subscriptions are {}."""
    caller = calling(empty_lists=200)
    session, participant = caller.session(), caller.participant()
    for path, body in (
        (f"/sessions/{session}/participants", []),
        (f"/sessions/{session}/participants/{participant}/subscriptions", {}),
    ):
        response = caller.send("GET", path)
        assert (response.status, said(response)) == (200, body)


def test_sessions_can_name_their_participants():
    """participant_ids is empty at first and then lists the members in the order they joined."""
    caller = calling(participant_ids=True)
    created = caller.ask("POST", "/sessions")
    assert created["participant_ids"] == []
    joining = [caller.participant() for _ in range(3)]
    for participant in joining:
        caller.join(created["id"], participant)
    assert caller.ask("GET", f"/sessions/{created['id']}")["participant_ids"] == joining


def test_callback_urls_can_be_kept_silent():
    """callbackUrl is null although a URL was given."""
    asked = {"callbackUrl": "http://127.0.0.1/hook"}
    answered = calling(callback_url="null").ask("POST", "/participants", asked)
    assert answered["participant"]["callbackUrl"] is None


def test_participants_can_have_default_tags():
    """A participant without a tag has a constant one of at most 50 characters."""
    caller = calling(automatic_tags=True)
    created = caller.ask("POST", "/participants")["participant"]
    assert 0 < len(created["tag"]) <= 50
    assert caller.ask("GET", f"/participants/{created['id']}") == created
    assert caller.ask("POST", "/participants", {"tag": "a"})["participant"]["tag"] == "a"


def test_permissions_can_come_in_any_order():
    """Shuffled, both orders occur; with a seed they repeat."""

    def orders() -> list[list[str]]:
        caller = calling(permission_order="shuffled")
        path = f"/participants/{caller.participant()}"
        return [caller.ask("GET", path)["publishPermissions"] for _ in range(20)]

    seen = orders()
    assert BOTH in seen
    assert BOTH[::-1] in seen
    assert orders() == seen


@pytest.mark.parametrize(
    ("status", "method", "path"),
    [(404, "GET", "/sessions/x"), (403, "GET", "/nowhere"), (401, "GET", "/sessions/x")],
)
def test_refusals_can_have_the_old_body(status, method, path):
    """Error bodies have a code and a message for every status."""
    caller = calling(error_bodies="legacy")
    if status == 401:
        caller.authorization = None
    response = caller.send(method, path)
    assert response.status == status
    assert said(response)["code"] == status
    assert said(response)["message"]
    assert len(said(response)) == 2


@pytest.mark.parametrize(("value", "status"), [("survive", 200), ("deleted", 404)])
def test_a_session_can_take_its_participants_with_it(value, status):
    """Its members are deleted or not; other participants are unaffected."""
    caller = calling(participants_of_deleted_session=value)
    session, other = caller.session(), caller.session()
    inside, elsewhere = [caller.participant() for _ in range(3)], caller.participant()
    for each in inside:
        caller.join(session, each, {"sessionId": session})
    caller.join(other, elsewhere)
    caller.ask("DELETE", f"/sessions/{session}")
    assert [caller.send("GET", f"/participants/{each}").status for each in inside] == [status] * 3
    assert caller.ask("GET", f"/participants/{elsewhere}")["sessions"] == [other]


def test_enum_values_can_be_in_lower_case():
    """Only permissions and the version are in lower case."""
    answered = calling(enum_case="lower").ask("POST", "/participants", {"tag": "LOUD"})
    assert answered["participant"]["publishPermissions"] == ["audio", "video"]
    assert answered["participant"]["deviceApiVersion"] == "v3"
    assert answered["participant"]["tag"] == "LOUD"


def test_switches_can_be_set_at_any_time_until_a_reset():
    """Switches apply at once; a reset restores the initial ones."""
    emulator = Emulator(switches=Switches(enum_case="lower"))
    caller = Caller(emulator)
    path = f"/sessions/{caller.session()}/participants"
    assert caller.send("GET", path).status == 204
    emulator.switches = Switches(empty_lists=200)
    assert caller.send("GET", path).status == 200
    emulator.reset()
    assert emulator.switches == Switches(enum_case="lower")
    assert caller.send("GET", f"/sessions/{caller.session()}/participants").status == 204
