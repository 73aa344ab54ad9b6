"""The route table against the facts of the published description."""

import json
import re
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

import attrs
import pytest

from webrtc_async._codec.converter import wire_name
from webrtc_async._codec.model_codec import ValidationError, read_answer
from webrtc_async._protocol.route import Idempotency, PathTemplate
from webrtc_async._protocol.wire import WireResponse, read_response
from webrtc_async.errors import ApiError
from webrtc_async.models import (
    AccountsParticipantsResponse,
    DeviceApiVersion,
    Participant,
    ParticipantSubscription,
    PublishPermission,
    Session,
    Subscriptions,
)
from webrtc_async.route_table import (
    GET_PARTICIPANT_SUBSCRIPTIONS,
    LIST_SESSION_PARTICIPANTS,
    ROUTES,
)

WITNESS: dict[str, Any] = json.loads(
    (Path(__file__).parent / "support" / "api_description.json").read_text(encoding="utf-8")
)
ROWS = {row["operation"]: row for row in WITNESS["operations"]}
MODELS: dict[str, Any] = {
    "session": Session,
    "participant": Participant,
    "createParticipantRequest": Participant,
    "createParticipantResponse": AccountsParticipantsResponse,
    "subscriptions": Subscriptions,
    "participantSubscription": ParticipantSubscription,
}
ERROR_SCHEMAS = {"requestError", "unauthorizedRequest", "forbiddenRequest"}
ENUMS: dict[str, Any] = {
    "publishPermissionsEnum": PublishPermission,
    "deviceApiVersionEnum": DeviceApiVersion,
}
SMALLEST: dict[Any, dict[str, object]] = {
    Session: {"id": "s-1"},
    Participant: {"id": "p-1"},
    AccountsParticipantsResponse: {"participant": {"id": "p-1"}, "token": "t"},
    Subscriptions: {},
    ParticipantSubscription: {"participantId": "p-1"},
}
JSON_VALUES: dict[str, object] = {
    "string": "text",
    "number": 5,
    "fraction": 1.5,
    "boolean": True,
    "array": [],
    "object": {},
}
FIELDS = [
    pytest.param(schema, name, facts, id=f"{schema}.{name}")
    for schema, fields in WITNESS["schemas"].items()
    if schema in MODELS
    for name, facts in fields.items()
]
each_route = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
each_field = pytest.mark.parametrize(("schema", "name", "facts"), FIELDS)


def model_of(schema: str | dict[str, str] | None) -> object:
    """Return the Python type for a name in the witness."""
    if schema is None:
        return NoneType
    if isinstance(schema, dict):
        item = MODELS[schema["array"]]
        return list[item]
    return MODELS[schema]


def item_type(facts: dict[str, str]) -> Any:
    """Return the Python type for a text, enum or object in the witness."""
    if "ref" in facts:
        return (MODELS | ENUMS)[facts["ref"]]
    assert facts["type"] == "string"
    return str


def json_type(facts: dict[str, str]) -> str:
    """Return the JSON type of a field, through its reference."""
    if "ref" in facts:
        return "object" if facts["ref"] in MODELS else "string"
    return facts["type"]


def python_name(model: Any, name: str) -> str:
    """Return the attribute for this name on the wire."""
    (found,) = (each.name for each in attrs.fields(model) if wire_name(each.name) == name)
    return found


def test_both_have_the_same_operations() -> None:
    """The table has each documented operation once and no other."""
    operations = [route.operation for route in ROUTES]
    assert sorted(operations) == sorted(ROWS)
    assert len(set(operations)) == len(operations) == 11


@each_route
def test_method_and_path(route: Any) -> None:
    """A row has the documented method and path."""
    row = ROWS[route.operation]
    assert route.method == row["method"]
    assert (
        re.sub(r"{(\w+)}", lambda at: f"{{{wire_name(at[1])}}}", route.path.template)
        == (row["path"])
    )


@each_route
def test_success_and_errors(route: Any) -> None:
    """A row has the documented success statuses and refusals."""
    row = ROWS[route.operation]
    assert route.success == {int(status) for status in row["success"]}
    assert route.errors == {int(status) for status in row["errors"]}


@each_route
def test_request_and_result(route: Any) -> None:
    """A row has the models of the documented request and response."""
    row = ROWS[route.operation]
    assert route.body is model_of(row["request"])
    assert route.takes_body == (row["request"] is not None)
    (*_, result) = sorted(row["success"].values(), key=lambda schema: schema is not None)
    assert route.result == model_of(result)


def test_every_schema_has_a_model() -> None:
    """Every documented schema and enum has a model, and the three error bodies are known."""
    assert set(WITNESS["schemas"]) == set(MODELS) | ERROR_SCHEMAS
    assert set(WITNESS["enums"]) == set(ENUMS)


@each_field
def test_field_has_a_fitting_type(schema: str, name: str, facts: dict[str, Any]) -> None:
    """Each documented field is an attribute whose type fits its JSON type."""
    model = MODELS[schema]
    hint = get_type_hints(model)[python_name(model, name)]
    (hint,) = {*(get_args(hint) if NoneType in get_args(hint) else {hint})} - {NoneType}
    if facts.get("type") == "array":
        item = item_type(facts["items"])
        assert hint in {tuple[item, ...], frozenset[item]}
        assert facts["uniqueItems"] or hint is not frozenset[item]
    else:
        assert hint is item_type(facts)


@each_field
def test_field_required_and_read_only(schema: str, name: str, facts: dict[str, Any]) -> None:
    """A required or read-only field is so in the model, too."""
    model = MODELS[schema]
    attribute = attrs.fields_dict(model)[python_name(model, name)]
    assert facts["readOnly"] == attribute.metadata.get("read_only", False)
    if facts["required"]:
        assert attribute.default is attrs.NOTHING


@each_field
def test_field_takes_null_or_names_itself(schema: str, name: str, facts: dict[str, Any]) -> None:
    """A nullable field reads null as None; others use their default or raise an error."""
    model = MODELS[schema]
    content = json.dumps(SMALLEST[model] | {name: None}).encode()
    attribute = attrs.fields_dict(model)[python_name(model, name)]
    always_there = attribute.default is attrs.NOTHING or attribute.metadata.get("given_by_service")
    if always_there:
        assert not facts["nullable"]
        with pytest.raises(ValidationError) as caught:
            read_answer(content, model)
        (problem,) = caught.value.problems
        assert problem.startswith(f"{name}: ")
        assert problem.endswith("found null")
    else:
        value = getattr(read_answer(content, model), attribute.name)
        assert value in (None, ())
        assert value is None or not facts["nullable"]


@each_field
@pytest.mark.parametrize("found", JSON_VALUES)
def test_field_refuses_other_json_types(
    schema: str, name: str, facts: dict[str, Any], found: str
) -> None:
    """A field reads its own JSON type, and names itself in the error for any other."""
    model = MODELS[schema]
    fits = found == json_type(facts)
    value = SMALLEST[item_type(facts)] if fits and found == "object" else JSON_VALUES[found]
    content = json.dumps(SMALLEST[model] | {name: value}).encode()
    if fits:
        assert read_answer(content, model) is not None
        return
    with pytest.raises(ValidationError) as caught:
        read_answer(content, model)
    (problem,) = caught.value.problems
    assert problem.startswith(f"{name}: expected ")


@each_field
def test_array_items_refuse_other_json_types(schema: str, name: str, facts: dict[str, Any]) -> None:
    """The error for an item of another JSON type has the field's name and the index."""
    if facts.get("type") != "array":
        return
    model = MODELS[schema]
    content = json.dumps(SMALLEST[model] | {name: [5, None]}).encode()
    with pytest.raises(ValidationError) as caught:
        read_answer(content, model)
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        f"{name}[0]",
        f"{name}[1]",
    ]


@pytest.mark.parametrize("schema", MODELS)
def test_model_has_no_other_fields(schema: str) -> None:
    """A model has its schema's fields, except for `extra` and the unsendable ones."""
    is_request_only = schema == "createParticipantRequest"
    names = {
        wire_name(each.name)
        for each in attrs.fields(MODELS[schema])
        if each.name != "extra" and not (is_request_only and each.metadata.get("read_only"))
    }
    assert names == set(WITNESS["schemas"][schema])


@pytest.mark.parametrize("enum", ENUMS)
def test_enum_values(enum: str) -> None:
    """An enum's known members are the documented values."""
    assert [member.value for member in ENUMS[enum]] == WITNESS["enums"][enum]


@each_route
def test_documented_error_bodies_are_read(route: Any) -> None:
    """The message and request id of each documented error body are read."""
    for status, schema in ROWS[route.operation]["errors"].items():
        fields = WITNESS["schemas"][schema]
        assert {facts["type"] for facts in fields.values()} == {"string"}
        content = json.dumps({name: f"the {name}" for name in fields}).encode()
        with pytest.raises(ApiError) as caught:
            read_response(route, WireResponse(status=int(status), content=content))
        assert caught.value.reason in {"the error", "the message"}
        assert caught.value.request_id == ("the requestId" if "requestId" in fields else None)


@each_route
def test_path_template_round_trips(route: Any) -> None:
    """A filled path gives back its values, and a template's repr is its source."""
    values = {name: f"{name} 1/2" for name in route.path.names}
    assert route.path.match(route.path.expand(values)) == values
    assert PathTemplate(route.path.template).names == route.path.names
    assert repr(route.path) == f"PathTemplate({route.path.template!r})"
    assert repr(route) == f"<Route {route.operation}: {route.method} {route.path.template}>"


@each_route
def test_idempotency_follows_from_the_method(route: Any) -> None:
    """The idempotency follows from the method; of the two PUTs one joins, one writes."""
    expected = {
        "POST": Idempotency.CREATE,
        "GET": Idempotency.SAFE,
        "DELETE": Idempotency.ENSURE_GONE,
        "PUT": Idempotency.ENSURE if route.operation.startswith("add") else Idempotency.REPLACE,
    }
    assert route.idempotency is expected[route.method]


def test_creates_document_200() -> None:
    """Both creates document 200 and no other success."""
    creates = [route for route in ROUTES if route.idempotency is Idempotency.CREATE]
    assert len(creates) == 2
    assert {route.success for route in creates} == {frozenset({200})}


def test_empty_means_an_empty_list_or_no_subscriptions() -> None:
    """A 204 for data is a new empty list, or new subscriptions to nothing."""
    empty = WireResponse(status=204)
    listed = read_response(LIST_SESSION_PARTICIPANTS, empty)
    assert listed == []
    assert read_response(LIST_SESSION_PARTICIPANTS, empty) is not listed
    assert read_response(GET_PARTICIPANT_SUBSCRIPTIONS, empty) == Subscriptions.nothing()
    assert [route.operation for route in ROUTES if route.when_empty is not None] == [
        "listSessionParticipants",
        "getParticipantSubscriptions",
    ]
