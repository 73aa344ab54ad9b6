"""Models on the wire and back: nothing coerced, nothing dropped, every problem named."""

import json
import pickle
from collections.abc import Mapping
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import BRIEFLY, JSON, MODELS, PARTICIPANTS, SESSIONS, SUBSCRIPTIONS, USUALLY

from webrtc_async._codec.converter import MAX_PROBLEMS, ModelConverter, wire_name
from webrtc_async._codec.model_codec import (
    ValidationError,
    is_object,
    read_answer,
    read_json,
    read_request,
    write_answer,
    write_json,
    write_request,
)
from webrtc_async.models import (
    AccountsParticipantsResponse,
    DeviceApiVersion,
    Participant,
    ParticipantSubscription,
    PublishPermission,
    Session,
    Subscriptions,
)

ALL_MODELS: list[Any] = [
    AccountsParticipantsResponse,
    Participant,
    list[Participant],
    ParticipantSubscription,
    Session,
    Subscriptions,
]


def problems(read: Any, content: bytes, model: Any) -> tuple[str, ...]:
    """Return the problems that a reader reports."""
    with pytest.raises(ValidationError) as caught:
        read(content, model)
    assert str(caught.value) == "; ".join(caught.value.problems)
    return caught.value.problems


def problems_if_any(read: Any, content: bytes, model: Any) -> tuple[str, ...] | None:
    """Return the problems that a reader reports, or None if it succeeds."""
    try:
        read(content, model)
    except ValidationError as misfit:
        return misfit.problems
    return None


@USUALLY
@given(MODELS)
def test_responses_round_trip(model: Any) -> None:
    """Any model, with unknown fields and unknown enum values, survives the wire."""
    again = read_answer(write_answer(model), type(model))
    assert again == model
    assert again.extra == model.extra


@BRIEFLY
@given(st.lists(PARTICIPANTS, max_size=3))
def test_lists_round_trip(listed: list[Participant]) -> None:
    """A list of models survives the wire in its order."""
    assert read_answer(write_answer(listed), list[Participant]) == listed


@BRIEFLY
@given(st.one_of(SESSIONS, SUBSCRIPTIONS, PARTICIPANTS))
def test_requests_round_trip(model: Any) -> None:
    """The emulator reads a request as its caller wrote it, without read-only fields."""
    unsent = {
        each.name: each.default
        for each in attrs.fields(type(model))
        if each.metadata.get("read_only")
    }
    assert read_request(write_request(model), type(model)) == attrs.evolve(model, **unsent)


@USUALLY
@given(st.one_of(SESSIONS, SUBSCRIPTIONS, PARTICIPANTS))
def test_both_writers_write_alike(model: Any) -> None:
    """The strict writer and its lenient fallback write the same."""
    lenient = ModelConverter(is_answer=False).unstructure_unchecked(model)
    assert write_request(model) == write_json(lenient)
    # Without unknown fields the strict writer succeeds.
    known = attrs.evolve(model, extra={})
    lenient = ModelConverter(is_answer=False).unstructure_unchecked(known)
    assert write_request(known) == write_json(lenient)


@BRIEFLY
@given(JSON)
def test_json_round_trips(value: object) -> None:
    """Any JSON value is written as compact ASCII and read back."""
    written = write_json(value)
    assert written.isascii()
    assert read_json(written) == value
    assert is_object(value) == isinstance(value, dict)


@USUALLY
@given(st.binary(max_size=60), st.sampled_from(ALL_MODELS))
def test_arbitrary_bytes(content: bytes, model: Any) -> None:
    """A reader returns the model or raises ValidationError, for any bytes."""
    for read in (read_answer, read_request):
        assert problems_if_any(read, content, model) != ()


@USUALLY
@given(JSON, st.sampled_from(ALL_MODELS), st.data())
def test_arbitrary_json(value: object, model: Any, data: st.DataObject) -> None:
    """For any JSON, also under known names, a reader returns the model or its problems."""
    item = Participant if model == list[Participant] else model
    named = {wire_name(each.name): JSON for each in attrs.fields(item)}
    under_names = data.draw(st.fixed_dictionaries({}, optional=named))
    for each in (value, under_names, [under_names]):
        for read in (read_answer, read_request):
            found = problems_if_any(read, write_json(each), model) or ()
            assert all(": " in problem for problem in found)


@pytest.mark.parametrize("head", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_is_accepted(head: bytes) -> None:
    """UTF-8 is read with and without its byte order mark."""
    assert read_answer(head + '{"id":"é"}'.encode(), Session) == Session(id="é")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_unicode_encodings(encoding: str) -> None:
    """JSON in UTF-16 and UTF-32 is read."""
    assert read_answer('{"id":"é𝒳"}'.encode(encoding), Session) == Session(id="é𝒳")


def test_a_lone_surrogate_survives() -> None:
    """A lone surrogate, which UTF-8 cannot encode, is kept as its escape."""
    content = b'{"id":"s","tag":"\\ud83d","\\udc00":1}'
    session = read_answer(content, Session)
    assert (session.tag, dict(session.extra)) == ("\ud83d", {"\udc00": 1})
    assert read_answer(write_answer(session), Session) == session


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "not valid JSON: Expecting value"),
        (b" ", "not valid JSON: Expecting value"),
        (b"<html>", "not valid JSON: Expecting value"),
        (b'{"id":"s"', "not valid JSON: Expecting ','"),
        (b'{"id":"s"} {}', "not valid JSON: Extra data"),
        (b"{'id':'s'}", "not valid JSON: Expecting property name"),
        (b'{"id":NaN}', "NaN is not a JSON number"),
        (b'{"id":"s","x":[Infinity]}', "Infinity is not a JSON number"),
        (b'{"id":"s","x":-Infinity}', "-Infinity is not a JSON number"),
        (b'{"id":"s","x":1e999}', "the number 1e999 is too large"),
        (b'{"id":"s","x":%s}' % (b"[" * 100_000), "the JSON is nested too deeply"),
        (b'{"x":' * 100_000, "the JSON is nested too deeply"),
        (b'{"id":"s","x":%s}' % (b"7" * 5000), "not valid JSON: Exceeds the limit"),
        (b'{"id":"\xff"}', "not valid JSON: 'utf-8' codec"),
        (b'{"id":"\xc0\xaf"}', "not valid JSON: 'utf-8' codec"),
        (b'{"id":"\xed\xa0\x80"}', "not valid JSON: 'utf-8' codec"),
        (b'\xff\xfe{\x00"', "not valid JSON: 'utf-16-le' codec"),
    ],
    ids=lambda value: repr(value[:24]),
)
def test_strict_json(content: bytes, problem: str) -> None:
    """Bytes that are not JSON, or that parsers disagree about, are refused with one problem."""
    for read in (read_answer, read_request):
        (found,) = problems(read, content, Session)
        assert problem in found


@pytest.mark.parametrize(
    ("content", "model", "path"),
    [
        (b'{"id":""}', Session, "id"),
        (b'{"id":""}', Participant, "id"),
        (b'[{"id":"p"},{"id":""}]', list[Participant], "[1].id"),
        (b'{"participant":{"id":"p"},"token":""}', AccountsParticipantsResponse, "token"),
        (
            b'{"participants":[{"participantId":""}]}',
            Subscriptions,
            "participants[0].participantId",
        ),
    ],
)
def test_empty_ids_and_tokens(content: bytes, model: Any, path: str) -> None:
    """A response with an empty id or token is refused: it would name another resource."""
    assert problems(read_answer, content, model) == (f"{path}: empty",)


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b'{"id":"t","id":"s"}', "id"),
        (b'{"id":"s","x":[{"y":1,"z":2,"y":1}]}', "y"),
        (b'{"id":"t","\\u0069d":"s"}', "id"),
    ],
)
def test_repeated_keys(content: bytes, key: str) -> None:
    """A response uses the last of repeated keys; a request with repeated keys is refused."""
    assert read_answer(content, Session).id == "s"
    (found,) = problems(read_request, content, Session)
    assert f"the key {key!r} is there twice" in found


def test_a_long_repeated_key_is_cut() -> None:
    """A repeated key of any length makes a short problem."""
    key = b'"%s":1' % (b"k" * 10_000)
    (found,) = problems(read_request, b"{%s,%s}" % (key, key), Session)
    assert len(found) < 150


def test_a_repeated_key_among_many_is_found_soon() -> None:
    """One repeated key among a hundred thousand is found in linear time."""
    keys = ",".join(f'"{number}":0' for number in range(100_000))
    (found,) = problems(read_request, f'{{{keys},"99999":1}}'.encode(), Session)
    assert "the key '99999' is there twice" in found


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("callbackUrl", None),
        ("publishPermissions", None),
        ("sessions", ()),
        ("subscriptions", None),
        ("tag", None),
        ("deviceApiVersion", None),
    ],
)
def test_null_is_unset(field: str, value: object) -> None:
    """Null means that a field is not set; it never becomes text."""
    participant = read_answer(json.dumps({"id": "p", field: None}).encode(), Participant)
    assert participant == Participant(id="p")
    (name,) = (each.name for each in attrs.fields(Participant) if wire_name(each.name) == field)
    assert getattr(participant, name) == value
    assert b"null" not in write_answer(participant)
    assert b"None" not in write_answer(participant)


@pytest.mark.parametrize(
    ("content", "model", "expected"),
    [
        (b"null", Session, ["the body: expected an object, found null"]),
        (b"5", Session, ["the body: expected an object, found a number"]),
        (b"[]", Session, ["the body: expected an object, found an array"]),
        (b"{}", list[Participant], ["the body: expected an array, found an object"]),
        (b"{}", Session, ["id: missing"]),
        (b'{"id":null}', Session, ["id: expected text, found null"]),
        (b'{"id":5}', Session, ["id: expected text, found a number"]),
        (b'{"id":5.5}', Session, ["id: expected text, found a number"]),
        (b'{"id":true}', Session, ["id: expected text, found true or false"]),
        (b'{"id":{}}', Session, ["id: expected text, found an object"]),
        (b'{"id":"s","tag":5}', Session, ["tag: expected text, found a number"]),
        (
            b'{"id":"p","sessions":"s","publishPermissions":{}}',
            Participant,
            [
                "publishPermissions: expected an array, found an object",
                "sessions: expected an array, found text",
            ],
        ),
        (
            b'{"id":"p","deviceApiVersion":3,"sessions":["a",null,5],"subscriptions":[]}',
            Participant,
            [
                "sessions[1]: expected text, found null",
                "sessions[2]: expected text, found a number",
                "subscriptions: expected an object, found an array",
                "deviceApiVersion: expected text, found a number",
            ],
        ),
        (
            b'{"participant":{"callbackUrl":1,"subscriptions":{"sessionId":2,"participants":'
            b'[{"participantId":"q"},{"streamAliases":[null]},7]}},"token":null}',
            AccountsParticipantsResponse,
            [
                "participant.id: missing",
                "participant.callbackUrl: expected text, found a number",
                "participant.subscriptions.sessionId: expected text, found a number",
                "participant.subscriptions.participants[1].participantId: missing",
                "participant.subscriptions.participants[1].streamAliases[0]: "
                "expected text, found null",
                "participant.subscriptions.participants[2]: expected an object, found a number",
                "token: expected text, found null",
            ],
        ),
        (
            b'{"participant":null}',
            AccountsParticipantsResponse,
            ["participant: expected an object, found null", "token: missing"],
        ),
        (
            b'[{"id":"p"},{"id":null},[]]',
            list[Participant],
            [
                "[1].id: expected text, found null",
                "[2]: expected an object, found an array",
            ],
        ),
    ],
)
def test_every_problem_is_listed_with_its_path(
    content: bytes, model: Any, expected: list[str]
) -> None:
    """All problems of a response are listed at once, each with its path on the wire."""
    assert sorted(problems(read_answer, content, model)) == sorted(expected)


def test_requests_need_no_read_only_fields() -> None:
    """A request may lack read-only fields, but needs every field without a default."""
    assert read_request(b"{}", Session) == Session()
    assert read_request(b'{"id":null,"tag":null}', Participant) == Participant()
    assert problems(read_request, b'{"participants":[{}]}', Subscriptions) == (
        "participants[0].participantId: missing",
    )


def test_known_fields_are_read_by_their_wire_names_only() -> None:
    """A Python name in a response is an unknown field, kept and written back."""
    session = read_answer(b'{"id":"s","participant_ids":["p"],"Tag":1}', Session)
    assert session == Session(id="s", extra={"participant_ids": ["p"], "Tag": 1})
    assert json.loads(write_answer(session)) == {"id": "s", "participant_ids": ["p"], "Tag": 1}


def test_enum_values_in_any_case_and_unknown() -> None:
    """A known enum value is read in any case, and an unknown one unchanged."""
    content = b'{"id":"p","deviceApiVersion":"v3","publishPermissions":["audio","Screen"]}'
    participant = read_answer(content, Participant)
    assert participant.device_api_version is DeviceApiVersion.V3
    assert participant.publish_permissions == {PublishPermission.AUDIO, "Screen"}
    assert b'["AUDIO","Screen"]' in write_answer(participant)


@pytest.mark.parametrize(
    ("model", "written"),
    [
        (Session(), b"{}"),
        (Session(id="s", tag="room"), b'{"id":"s","tag":"room"}'),
        (Session(tag=""), b'{"tag":""}'),
        (Participant(), b"{}"),
        (
            Participant(id="p", sessions=["s"], subscriptions=Subscriptions.everyone("s")),
            b"{}",
        ),
        (
            Participant(
                callback_url="https://a.example",
                publish_permissions=["VIDEO", "AUDIO"],
                tag="t",
                device_api_version=DeviceApiVersion.V3,
            ),
            b'{"callbackUrl":"https://a.example","publishPermissions":["AUDIO","VIDEO"],'
            b'"tag":"t","deviceApiVersion":"V3"}',
        ),
        (Subscriptions.nothing(), b"{}"),
        (Subscriptions.everyone("s"), b'{"sessionId":"s"}'),
        (
            Subscriptions.only(
                ["p", ParticipantSubscription(participant_id="q", stream_aliases=["cam"])]
            ),
            b'{"participants":[{"participantId":"p"},'
            b'{"participantId":"q","streamAliases":["cam"]}]}',
        ),
        (Session(tag="é\ud800", extra={"new": None}), b'{"new":null,"tag":"\\u00e9\\ud800"}'),
    ],
)
def test_requests_have_the_caller_s_fields(model: Any, written: bytes) -> None:
    """A request has the caller's fields, also unknown ones, and no read-only fields."""
    assert write_request(model) == written


@pytest.mark.parametrize(
    ("model", "path"),
    [
        (Session(tag=5), "tag: "),
        (Session(id=5), "id: "),
        (Session(tag=b"room"), "tag: "),
        (Session(extra={"tag": 5}), "tag: "),
        (Session(extra=["new"]), "Session: extra must be a mapping"),
        (Session(extra={5: "new"}), "Session: extra must be a mapping"),
        (Session(extra={"new": object()}), "extra: "),
        (Session(extra={"new": float("nan")}), "extra: "),
        (Session(extra={"new": 10**5000}), "extra: "),
        (Participant(callback_url=["https://a.example"]), "callbackUrl: "),
        (Participant(device_api_version=3), "deviceApiVersion: "),
    ],
)
def test_requests_refuse_wrong_types(model: Any, path: str) -> None:
    """A value of a wrong type is refused with its path on the wire; 5 never becomes "5"."""
    with pytest.raises(ValidationError) as caught:
        write_request(model)
    (problem,) = caught.value.problems
    assert problem.startswith(path)


def test_an_endless_extra_is_refused() -> None:
    """Unknown fields that contain themselves, or are nested too deeply, make a problem."""
    endless: list[object] = []
    endless.append(endless)
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    for extra in (endless, deep):
        with pytest.raises(ValidationError, match=r"^extra: "):
            write_request(Session(extra={"new": extra}))


@pytest.mark.parametrize(
    ("name", "wire"),
    [("id", "id"), ("participant_id", "participantId"), ("device_api_version", "deviceApiVersion")],
)
def test_wire_name(name: str, wire: str) -> None:
    """A name on the wire is the Python name in camel case."""
    assert wire_name(name) == wire


def test_a_validation_error_pickles() -> None:
    """The error survives pickling with its text."""
    misfit = ValidationError(("id: missing", "tag: expected text, found null"))
    again = pickle.loads(pickle.dumps(misfit))
    assert again.problems == misfit.problems
    assert str(again) == str(misfit) == "id: missing; tag: expected text, found null"


def test_the_problems_of_a_hostile_body_are_limited() -> None:
    """A body with many problems makes an error of limited size, and is not read to its end."""
    with pytest.raises(ValidationError) as caught:
        read_answer(b"[" + b"5," * 100_000 + b"5]", list[Participant])
    assert len(caught.value.problems) == MAX_PROBLEMS


# Models of a user's own route


@attrs.frozen(kw_only=True)
class Visit:
    """A model with a rule, and a field of a type that the API's own models do not have."""

    id: str = attrs.field(validator=attrs.validators.max_len(4))
    minutes: int | None = None
    guests: tuple[str, ...] = ()
    extra: Mapping[str, object] = attrs.field(factory=dict)


def test_a_model_with_rules_of_its_own_is_read_and_written() -> None:
    """A user's own model keeps its rules and its unknown fields."""
    visit = read_answer(b'{"id":"v-1","minutes":5,"new":[1]}', Visit)
    assert visit == Visit(id="v-1", minutes=5, extra={"new": [1]})
    assert read_answer(b'{"id":"v-1","minutes":null}', Visit) == Visit(id="v-1")
    assert write_request(Visit(id="v-1", minutes=5)) == b'{"id":"v-1","minutes":5}'
    assert write_request(visit) == b'{"new":[1],"id":"v-1","minutes":5}'


@pytest.mark.parametrize("guests", [("a", "b"), ["a", "b"]])
def test_a_list_is_written_where_a_tuple_belongs(guests: Any) -> None:
    """In a model without converters a list may stand for a tuple, but not for a number."""
    assert write_request(Visit(id="v-1", guests=guests)) == b'{"id":"v-1","guests":["a","b"]}'
    for wrong in (5, [5]):
        with pytest.raises(ValidationError):
            write_request(Visit(id="v-1", guests=wrong))


@pytest.mark.parametrize(
    ("content", "model", "path"),
    [
        (b'{"id":5}', Visit, "id: expected text"),
        (b"{}", Visit, "id: missing"),
        (b'{"id":"v-100"}', Visit, "the body: "),
        (b'[{"id":"v-1"},{"id":"v-100"}]', list[Visit], "[1]: "),
    ],
)
def test_a_broken_rule_is_a_problem(content: bytes, model: Any, path: str) -> None:
    """A value that a model's own rule refuses is a problem with the object's path."""
    [problem] = problems(read_answer, content, model)
    assert problem.startswith(path)
