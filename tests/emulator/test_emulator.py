"""The emulated service in process: its behaviour, and every error response."""

import base64
import inspect
import json
import random
import re
import uuid

import pytest
from support.speaking import ACCOUNT, Caller, Clock, basic, said

from webrtc_async import route_table
from webrtc_async._protocol.wire import WireRequest
from webrtc_async.emulator import Credentials, Emulator
from webrtc_async.emulator.core.handler_table import HandlerTable
from webrtc_async.emulator.core.operations import Account, operations
from webrtc_async.emulator.core.state import new_id
from webrtc_async.errors import RouteMismatchError

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def emulator(clock: Clock) -> Emulator:
    return Emulator(clock=clock, seed=1)


@pytest.fixture
def caller(emulator: Emulator) -> Caller:
    return Caller(emulator)


def test_every_route_has_its_handler():
    """The handlers match the rows of the route table exactly."""
    assert set(operations.routes) == set(route_table.ROUTES)


@pytest.mark.parametrize(
    "parameters", ["self", "self, id", "self, session_id, body", "self, session_id, other"]
)
def test_a_handler_that_disagrees_with_its_row_fails_at_import(parameters):
    """A handler whose parameters do not fit its route is refused at its declaration."""
    handler = eval(f"lambda {parameters}: None")
    with pytest.raises(RouteMismatchError, match="getSession"):
        HandlerTable().handles(route_table.GET_SESSION)(handler)


def test_a_created_session_has_an_id_and_its_tag(caller):
    """A created session is returned with an id of 36 characters, and can be read again."""
    created = caller.ask("POST", "/sessions", {"tag": "room-7", "id": "mine", "colour": "red"})
    assert UUID.fullmatch(created["id"])
    assert created == {"id": created["id"], "tag": "room-7"}
    assert caller.ask("GET", f"/sessions/{created['id']}") == created


def test_a_created_participant_has_its_defaults_and_a_token(caller):
    """Without a body, a participant has both permissions, V3, no session and no subscriptions."""
    created = caller.ask("POST", "/participants")
    participant = created["participant"]
    assert participant == {
        "id": participant["id"],
        "callbackUrl": None,
        "publishPermissions": ["AUDIO", "VIDEO"],
        "sessions": [],
        "subscriptions": {},
        "deviceApiVersion": "V3",
    }
    assert caller.ask("GET", f"/participants/{participant['id']}") == participant


def test_a_participant_keeps_its_settings(caller):
    """Callback, permissions, tag and version are returned; read-only fields are ignored."""
    asked = {
        "callbackUrl": "https://app.example/cb",
        "publishPermissions": ["AUDIO"],
        "tag": "visit",
        "deviceApiVersion": "v3",
        "id": "mine",
        "sessions": ["s"],
        "subscriptions": {"sessionId": "s"},
    }
    participant = caller.ask("POST", "/participants", asked)["participant"]
    assert participant["callbackUrl"] == "https://app.example/cb"
    assert participant["publishPermissions"] == ["AUDIO"]
    assert participant["tag"] == "visit"
    assert participant["deviceApiVersion"] == "V3"
    assert participant["sessions"] == []
    assert participant["subscriptions"] == {}


@pytest.mark.parametrize(("asked", "kept"), [([], []), (None, ["AUDIO", "VIDEO"])])
def test_no_permission_differs_from_unset_permissions(caller, asked, kept):
    """An empty list stays empty; null counts as absent."""
    created = caller.ask("POST", "/participants", {"publishPermissions": asked})
    assert created["participant"]["publishPermissions"] == kept


def test_the_token_is_a_short_decodable_jwt(caller, clock):
    """The device token has the claims that device SDKs read and fits into a phone call's header."""
    created = caller.ask("POST", "/participants")
    head, claims, signature = created["token"].split(".")
    read = {part: json.loads(base64.urlsafe_b64decode(part + "==")) for part in (head, claims)}
    assert read[head] == {"alg": "HS256"}
    assert read[claims].pop("tid")
    assert read[claims] == {
        "a": ACCOUNT,
        "p": created["participant"]["id"],
        "v": "V3",
        "exp": int(clock.now) + 9 * 3600,
        "iss": "emulator",
    }
    assert len(base64.urlsafe_b64decode(signature + "=")) == 32
    assert len(created["token"]) < 230


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b'{"tag":null}'])
@pytest.mark.parametrize("path", ["/sessions", "/participants"])
def test_nothing_an_empty_object_and_nulls_are_the_defaults(caller, path, body):
    """The defaults apply to every form in which the official SDKs send no value."""
    assert caller.send("POST", path, raw=body).status == 200


def test_joining_puts_a_participant_into_the_session(caller):
    """Members are listed in the order they joined, and each names its session."""
    session = caller.session()
    first, second = caller.participant(tag="a"), caller.participant(tag="b")
    for participant in (second, first):
        assert caller.join(session, participant).status == 204
    listed = caller.ask("GET", f"/sessions/{session}/participants")
    assert [each["id"] for each in listed] == [second, first]
    assert [each["sessions"] for each in listed] == [[session], [session]]


def test_an_empty_session_lists_nothing_with_204(caller):
    """A list without members is a 204 without a body."""
    response = caller.send("GET", f"/sessions/{caller.session()}/participants")
    assert (response.status, response.content) == (204, b"")


def test_a_participant_is_in_one_session_at_a_time(caller):
    """Joining a second session is a 409 until the participant has left the first."""
    first, second, participant = caller.session(), caller.session(), caller.participant()
    assert caller.join(first, participant).status == 204
    refused = caller.join(second, participant)
    assert refused.status == 409
    assert set(said(refused)) == {"error", "requestId"}
    caller.ask("DELETE", f"/sessions/{first}/participants/{participant}")
    assert caller.join(second, participant).status == 204


def test_a_session_holds_twenty(caller, emulator):
    """The 21st participant is refused with a 409; a member can join again."""
    session = caller.session()
    members = [caller.participant() for _ in range(20)]
    for member in members:
        assert caller.join(session, member).status == 204
    assert caller.join(session, caller.participant()).status == 409
    assert caller.join(session, members[0]).status == 204
    assert len(emulator.subscribed_to(ACCOUNT, session)) == 20


def test_a_join_carries_subscriptions_and_joining_again_replaces_them(caller):
    """The body of a join becomes the participant's subscriptions; without one there are none."""
    session, participant = caller.session(), caller.participant()
    path = f"/sessions/{session}/participants/{participant}/subscriptions"
    caller.join(session, participant, {"sessionId": session})
    assert caller.ask("GET", path) == {"sessionId": session}
    caller.join(session, participant)
    assert caller.send("GET", path).status == 204


@pytest.mark.parametrize("nothing", [b"", b"{}", b"null", b'{"sessionId":"","participants":[]}'])
def test_an_update_replaces_everything_and_nothing_clears(caller, nothing):
    """Subscriptions are not merged, and an update without any leaves none."""
    session, one, two = caller.session(), caller.participant(), caller.participant()
    path = f"/sessions/{session}/participants/{one}/subscriptions"
    caller.ask("PUT", path, {"sessionId": session})
    wanted = {"participants": [{"participantId": two, "streamAliases": ["cam"]}]}
    caller.ask("PUT", path, wanted)
    assert caller.ask("GET", path) == {"sessionId": session} | wanted
    assert caller.send("PUT", path, raw=nothing).status == 204
    assert caller.send("GET", path).status == 204


def test_a_list_overrides_the_session_id_and_an_empty_one_means_everyone(caller, emulator):
    """A list of participants decides the subscriptions; without a list, the session id does."""
    session = caller.session()
    a, b, c = (caller.participant() for _ in range(3))
    caller.join(session, a, {"sessionId": session, "participants": []})
    caller.join(session, b, {"sessionId": "elsewhere", "participants": [{"participantId": c}]})
    caller.join(session, c)
    assert emulator.subscribed_to(ACCOUNT, session) == {
        a: frozenset({b, c}),
        b: frozenset({c}),
        c: frozenset(),
    }
    late = caller.participant()
    caller.join(session, late)
    assert emulator.subscribed_to(ACCOUNT, session)[a] == {b, c, late}
    assert emulator.subscribed_to(ACCOUNT, session)[b] == {c}


def test_subscribing_does_not_need_membership_and_may_name_oneself(caller):
    """The emulator accepts every subscription that the real service accepts."""
    session, participant = caller.session(), caller.participant()
    path = f"/sessions/{session}/participants/{participant}/subscriptions"
    caller.ask("PUT", path, {"participants": [{"participantId": participant}]})
    assert caller.ask("GET", path)["sessionId"] == session


def test_leaving_drops_the_subscriptions_and_keeps_the_participant(caller):
    """A participant that left is in no session, is subscribed to nobody, and can join again."""
    session, participant = caller.session(), caller.participant()
    caller.join(session, participant, {"sessionId": session})
    path = f"/sessions/{session}/participants/{participant}"
    assert caller.send("DELETE", path).status == 204
    left = caller.ask("GET", f"/participants/{participant}")
    assert (left["sessions"], left["subscriptions"]) == ([], {})
    assert caller.send("GET", f"{path}/subscriptions").status == 204
    assert caller.send("DELETE", path).status == 404


def test_deleting_a_session_leaves_its_participants(caller, emulator):
    """Participants outlive their session and can join another."""
    session, participant = caller.session(), caller.participant()
    caller.join(session, participant, {"sessionId": session})
    caller.ask("DELETE", f"/sessions/{session}")
    assert emulator.session_ids(ACCOUNT) == ()
    assert emulator.participant_ids(ACCOUNT) == (participant,)
    assert caller.ask("GET", f"/participants/{participant}")["sessions"] == []
    assert caller.join(caller.session(), participant).status == 204


def test_a_deleted_participant_leaves_its_session_and_not_others_lists(caller, emulator):
    """A list with only a deleted participant does not become everyone."""
    session, a, b = caller.session(), caller.participant(), caller.participant()
    caller.join(session, b)
    caller.join(session, a, {"participants": [{"participantId": b}]})
    caller.ask("DELETE", f"/participants/{b}")
    caller.join(session, caller.participant())
    assert emulator.subscribed_to(ACCOUNT, session)[a] == frozenset()
    assert caller.ask("GET", f"/sessions/{session}/participants")[0]["id"] == a


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/participants/x"),
        ("DELETE", "/participants/x"),
        ("GET", "/sessions/x"),
        ("DELETE", "/sessions/x"),
        ("GET", "/sessions/x/participants"),
        ("PUT", "/sessions/x/participants/{p}"),
        ("PUT", "/sessions/{s}/participants/x"),
        ("DELETE", "/sessions/x/participants/{p}"),
        ("DELETE", "/sessions/{s}/participants/x"),
        ("GET", "/sessions/x/participants/{p}/subscriptions"),
        ("GET", "/sessions/{s}/participants/x/subscriptions"),
        ("PUT", "/sessions/x/participants/{p}/subscriptions"),
        ("PUT", "/sessions/{s}/participants/x/subscriptions"),
    ],
)
def test_an_unknown_id_is_404(caller, method, path):
    """Every operation on a missing session or participant returns 404."""
    path = path.format(s=caller.session(), p=caller.participant())
    response = caller.send(method, path)
    assert response.status == 404
    assert said(response)["error"] in {"Session not found", "Participant not found"}
    assert said(response)["requestId"] == response.headers["x-amzn-requestid"]


def test_subscribing_to_an_unknown_participant_is_404_and_changes_nothing(caller, emulator):
    """A join whose list names an unknown participant is refused as a whole."""
    session, participant = caller.session(), caller.participant()
    refused = caller.join(session, participant, {"participants": [{"participantId": "x"}]})
    assert refused.status == 404
    assert emulator.subscribed_to(ACCOUNT, session) == {}


def test_another_sessions_id_in_the_body_is_400(caller):
    """A subscription to everyone in a session other than the path's is refused."""
    session, other, participant = caller.session(), caller.session(), caller.participant()
    assert caller.join(session, participant, {"sessionId": other}).status == 400


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        basic("user", "wrong"),
        basic("other", "password"),
        basic("client", "secret"),
        "Basic ***",
        "Basic dXNlcg==",
        "Basic \xff",
        "Bearer nonsense",
        "Digest x",
    ],
)
def test_wrong_credentials_are_401_with_a_message(emulator, authorization):
    """Credentials that are missing, wrong or garbled get the message-only body."""
    response = Caller(emulator, authorization).send("POST", "/sessions")
    assert response.status == 401
    assert said(response) == {"message": "Unauthorized"}
    assert emulator.session_ids(ACCOUNT) == ()


def test_a_user_without_webrtc_is_403_and_a_wrong_password_still_401():
    """Access is checked after the credentials, with a message-only body for every operation."""
    emulator = Emulator(accounts={ACCOUNT: Credentials(have_webrtc=False)})
    response = Caller(emulator).send("POST", "/sessions")
    assert response.status == 403
    assert said(response) == {"message": "Forbidden"}
    assert Caller(emulator, basic("user", "wrong")).send("POST", "/sessions").status == 401
    assert emulator.session_ids(ACCOUNT) == ()


def test_an_account_sees_only_its_own(clock):
    """Credentials are valid for their own account only; ids of another account are unknown."""
    emulator = Emulator(
        accounts={"1": Credentials(username="a"), "2": Credentials(username="b")}, clock=clock
    )
    one = Caller(emulator, basic("a"), "1")
    two = Caller(emulator, basic("b"), "2")
    session = one.session()
    assert two.send("GET", f"/sessions/{session}").status == 404
    assert Caller(emulator, basic("a"), "2").send("POST", "/sessions").status == 401
    assert Caller(emulator, basic("a"), "3").send("POST", "/sessions").status == 401
    assert emulator.session_ids("2") == ()


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/v1/accounts/9900000/sessions"),
        ("PATCH", "/v1/accounts/9900000/sessions/x"),
        ("POST", "/accounts/9900000/sessions"),
        ("POST", "/v2/accounts/9900000/sessions"),
        ("GET", "/v1/accounts/9900000/sessions/a/b"),
        ("GET", "/v1/accounts//sessions/a"),
        ("GET", "/"),
        ("GET", ""),
        ("OPTIONS", "*"),
    ],
)
def test_an_unknown_route_is_the_gateways_403(emulator, method, target):
    """An unknown path or method is refused before the credentials are checked."""
    response = emulator.handle(WireRequest(method=method, target=target))
    assert response.status == 403
    assert said(response) == {"message": "Missing Authentication Token"}


def test_an_encoded_slash_stays_in_its_id(caller):
    """A path is matched in its encoded form, so an id cannot reach another path."""
    session = caller.session()
    response = caller.send("GET", f"/sessions/x%2F..%2F{session}")
    assert said(response)["error"] == "Session not found"


def test_everything_ends_after_nine_hours(caller, clock, emulator):
    """Sessions and participants expire nine hours after their own creation."""
    old, member = caller.session(), caller.participant()
    caller.join(old, member, {"sessionId": old})
    clock.now += 9 * 3600 - 1
    young, guest = caller.session(), caller.participant()
    assert caller.ask("GET", f"/sessions/{old}")["id"] == old
    clock.now += 1
    assert caller.send("GET", f"/sessions/{old}").status == 404
    assert caller.send("GET", f"/participants/{member}").status == 404
    assert emulator.session_ids(ACCOUNT) == (young,)
    assert emulator.participant_ids(ACCOUNT) == (guest,)


def test_a_participant_outlives_a_session_that_ends_before_it(caller, clock):
    """An expired session frees its younger participants."""
    session = caller.session()
    clock.now += 3600
    participant = caller.participant()
    caller.join(session, participant)
    clock.now += 8 * 3600
    assert caller.ask("GET", f"/participants/{participant}")["sessions"] == []


def test_a_seed_makes_every_id_and_token_the_same(clock):
    """Emulators with the same seed respond alike, also after a reset; others do not."""

    def conversation(emulator: Emulator) -> list[object]:
        caller = Caller(emulator)
        return [caller.ask("POST", "/sessions"), caller.ask("POST", "/participants")]

    seeded = Emulator(clock=clock, seed=5)
    first = conversation(seeded)
    assert conversation(Emulator(clock=clock, seed=5)) == first
    assert conversation(Emulator(clock=clock, seed=6)) != first
    seeded.reset()
    assert seeded.session_ids(ACCOUNT) == ()
    assert conversation(seeded) == first
    assert conversation(Emulator(clock=clock)) != conversation(Emulator(clock=clock))


def test_a_refused_request_uses_up_no_id(clock):
    """A refused request uses up no id, so that a seed predicts the next one."""
    plain, disturbed = Emulator(clock=clock, seed=5), Emulator(clock=clock, seed=5)
    Caller(disturbed).send("POST", "/sessions", {"tag": 5})
    assert Caller(disturbed).session() == Caller(plain).session()


def test_requests_are_counted(caller, emulator):
    """Every request counts, also refused ones."""
    caller.session()
    caller.send("GET", "/nonsense")
    assert emulator.requests_handled == 2


def test_subscriptions_of_an_unknown_session_are_a_key_error(emulator):
    """A test's query about a missing account or session raises KeyError."""
    with pytest.raises(KeyError):
        emulator.subscribed_to(ACCOUNT, "x")


def token_request(authorization: str, form: bytes = b"grant_type=client_credentials"):
    return WireRequest(
        method="POST",
        target="https://api.bandwidth.com/api/v1/oauth2/token",
        headers={"authorization": authorization},
        content=form,
    )


def test_client_credentials_buy_a_bearer_token_that_ends(emulator, clock):
    """A token from the token endpoint is accepted until it expires."""
    answer = said(emulator.handle(token_request(basic("client", "secret"))))
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3600)
    bearer = Caller(emulator, f"Bearer {answer['access_token']}")
    assert bearer.send("POST", "/sessions").status == 200
    clock.now += 3600
    assert bearer.send("POST", "/sessions").status == 401
    emulator.handle(token_request(basic("client", "secret")))
    assert bearer.send("POST", "/sessions").status == 401


@pytest.mark.parametrize(
    ("authorization", "form", "status", "error"),
    [
        (basic("client", "wrong"), b"grant_type=client_credentials", 401, "invalid_client"),
        (basic("user", "password"), b"grant_type=client_credentials", 401, "invalid_client"),
        ("", b"grant_type=client_credentials", 401, "invalid_client"),
        (basic("client", "secret"), b"grant_type=password", 400, "unsupported_grant_type"),
        (basic("client", "secret"), b"", 400, "unsupported_grant_type"),
        (basic("client", "secret"), b"\xff", 400, "unsupported_grant_type"),
    ],
)
def test_the_token_endpoint_refuses_with_an_error_code(
    emulator, authorization, form, status, error
):
    """Wrong client credentials and forms get OAuth's own error bodies."""
    answer = emulator.handle(token_request(authorization, form))
    assert (answer.status, said(answer)) == (status, {"error": error})


def test_credentials_do_not_show_their_secrets():
    """The repr of credentials shows only the names."""
    shown = repr(Credentials(password="canary-1", client_secret="canary-2"))
    assert "canary" not in shown


def test_every_handler_has_a_docstring():
    """Every handler has a docstring, because the handlers describe the emulator."""
    for name, handler in inspect.getmembers(Account, inspect.isfunction):
        if not name.startswith("_"):
            assert inspect.getdoc(handler), name


@pytest.mark.parametrize("bits", [0, 1, 2**128 - 1, random.Random(1).getrandbits(128)])
def test_an_id_is_a_version_4_uuid(bits):
    """An id is formatted like the standard library does, for all random bits."""

    class Source(random.Random):
        def getrandbits(self, _: int) -> int:
            return bits

    assert new_id(Source()) == str(uuid.UUID(int=bits, version=4))
