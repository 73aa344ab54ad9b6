"""Random sequences of requests from the route table get documented responses.

What is documented is read from the witness of the vendor's description, not from the table.
"""

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from support.speaking import Caller, said
from support.strategies import JSON, NAME, TEXT, USUALLY

from webrtc_async.emulator import Emulator
from webrtc_async.route_table import ROUTES

WITNESS = json.loads(
    (Path(__file__).parents[1] / "support" / "api_description.json").read_text("utf-8")
)
OPERATIONS = {each["operation"]: each for each in WITNESS["operations"]}
SCHEMAS, ENUMS = WITNESS["schemas"], WITNESS["enums"]
JSON_TYPES = {"string": str, "array": list, "object": dict}

IDS = st.sampled_from(["$0", "$1", "$2", "00000000-0000-0000-0000-000000000000"])
"""Ids of a request: existing resources by number, or an unknown id."""


def values(schema):
    """Draw a property's value: an existing id, where it is an id."""
    if "ref" in schema:
        name = schema["ref"]
        return st.sampled_from(ENUMS[name]) if name in ENUMS else objects(name)
    if schema["type"] == "array":
        return st.lists(values(schema["items"]), max_size=2)
    return TEXT | IDS


def objects(name):
    """Draw a body: properties absent, null, of another type or unknown."""
    sound = {key: values(schema) for key, schema in SCHEMAS[name].items()}
    loose = {key: drawn | st.none() | JSON for key, drawn in sound.items()}
    extra = st.dictionaries(NAME, JSON, max_size=1)
    return (
        st.fixed_dictionaries({}, optional=sound)
        | st.fixed_dictionaries({}, optional=loose)
        | st.builds(lambda one, two: two | one, st.fixed_dictionaries({}, optional=sound), extra)
    )


def contents(route):
    """Draw a request's content, sometimes also for routes without a body."""
    name = OPERATIONS[route.operation]["request"]
    body = JSON if name is None else objects(name) | JSON
    return st.just("") | body.map(json.dumps)


REQUESTS = st.one_of(st.tuples(st.just(route), IDS, IDS, contents(route)) for route in ROUTES)


@USUALLY
@given(st.lists(REQUESTS, min_size=1, max_size=8))
def test_a_run_of_requests_gets_documented_responses(requests):
    """After any history, every response has a documented status and shape."""
    caller = Caller(Emulator(seed=1))
    sessions, participants = [caller.session()], [caller.participant()]
    assert caller.join(sessions[0], participants[0]).is_success
    for route, session, participant, content in requests:
        path = route.path.template.removeprefix("/accounts/{account_id}").format(
            session_id=known(session, sessions), participant_id=known(participant, participants)
        )
        raw = content.replace("$0", sessions[0]).replace("$1", participants[0]).encode()
        answer = caller.send(route.method, path, raw=raw)
        assert answer.status < 500
        documented = OPERATIONS[route.operation]
        schema = documented["success" if answer.is_success else "errors"][str(answer.status)]
        if schema is None:
            assert answer.content == b""
            continue
        body = said(answer)
        assert_described(body, schema, route.operation)
        if route.operation == "createSession" and answer.is_success:
            sessions.append(body["id"])
        if route.operation == "createParticipant" and answer.is_success:
            participants.append(body["participant"]["id"])


def known(name: str, made: list[str]) -> str:
    return made[int(name[1:]) % len(made)] if name.startswith("$") else name


def assert_described(value, schema, where):
    """Check that a value matches a schema of the description, without extra properties."""
    if isinstance(schema, str):
        schema = {"ref": schema, "nullable": False}
    if "array" in schema:
        schema = {"type": "array", "items": {"ref": schema["array"]}, "nullable": False}
    if value is None:
        assert schema["nullable"], where
    elif "ref" not in schema:
        assert isinstance(value, JSON_TYPES[schema["type"]]), where
        for each in value if schema["type"] == "array" else ():
            assert_described(each, {"nullable": False, **schema["items"]}, f"{where}[]")
    elif schema["ref"] in ENUMS:
        # The last description has no V2, but SDKs still request it and the service accepts it.
        assert value in {*ENUMS[schema["ref"]], "V2"}, where
    else:
        properties = SCHEMAS[schema["ref"]]
        assert isinstance(value, dict), where
        assert value.keys() <= properties.keys(), where
        assert {name for name, each in properties.items() if each["required"]} <= value.keys()
        for name, each in value.items():
            assert_described(each, properties[name], f"{where}.{name}")
