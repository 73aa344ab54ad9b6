"""Bodies are read as cattrs' own functions read them, for any content and any model."""

import pickle
import weakref
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, get_args, get_origin

import attrs
import pytest
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, override
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import JSON, MODELS, TEXT, USUALLY

from webrtc_async._codec.converter import wire_name
from webrtc_async._codec.json import read_json
from webrtc_async._codec.model_codec import (
    ValidationError,
    from_json_value,
    read_answer,
    to_json_value,
    write_answer,
    write_json,
    write_request,
)
from webrtc_async.models import (
    AccountsParticipantsResponse,
    Participant,
    ParticipantSubscription,
    Session,
    Subscriptions,
)


def plain_cattrs() -> Converter:
    """Return a strict converter for responses that uses cattrs' own functions."""

    def text(value: object, _: object) -> str:
        if not isinstance(value, str):
            raise TypeError("no text")
        return value

    def array(hint: Any, converter: Converter) -> Any:
        [item, *_] = get_args(hint)

        def read(value: object, _: object) -> Any:
            if not isinstance(value, list):
                raise TypeError("no array")
            return get_origin(hint)(converter.structure(each, item) for each in value)

        return read

    def reader(model: Any, converter: Converter) -> Any:
        fields = [each for each in attrs.fields(model) if each.name != "extra"]
        renames = {each.name: override(rename=wire_name(each.name)) for each in fields}
        read_known = make_dict_structure_fn(model, converter, extra=override(omit=True), **renames)
        always = {wire_name(e.name) for e in fields if e.metadata.get("given_by_service")}

        def read(value: object, _: object) -> Any:
            if not isinstance(value, dict):
                raise TypeError("no object")
            names = {wire_name(each.name) for each in fields}
            known = {n: v for n, v in value.items() if n in names and v is not None}
            if not always <= known.keys():
                raise TypeError("missing")
            extra = {name: each for name, each in value.items() if name not in names}
            return attrs.evolve(read_known(known, model), extra=extra)

        return read

    converter = Converter()
    converter.register_structure_hook(str, text)
    converter.register_structure_hook(StrEnum, lambda value, enum: enum(text(value, str)))
    converter.register_structure_hook_factory(
        lambda hint: get_origin(hint) in {list, tuple, frozenset}, array
    )
    converter.register_structure_hook_factory(attrs.has, reader)
    return converter


PLAIN = plain_cattrs()
KINDS: list[Any] = [
    AccountsParticipantsResponse,
    Participant,
    list[Participant],
    ParticipantSubscription,
    Session,
    Subscriptions,
]
CREATED = (
    b'{"participant":{"id":"p-1","callbackUrl":"https://a.example","publishPermissions":["AUDIO",'
    b'"VIDEO"],"sessions":["s-1"],"subscriptions":{"sessionId":"s-1","participants":[{'
    b'"participantId":"p-2","streamAliases":["cam"]}]},"tag":"t","deviceApiVersion":"V3"},'
    b'"token":"a.b.c"}'
)
SPLICES = st.sampled_from(
    [
        *(
            b'"id":"x",',
            b'"tag":null,',
            b'"tag":"\\"",',
            b'"t\\u0061g":"y",',
            b'"new":["z",{"a":"b"}],',
        ),
        *(b'"', b"\\", b"\\\\", b'\\"', b"\\u00e9", b"\\ud83d", b"\\ud83d\\ude00", b"\\/"),
        *("é𝒳".encode(), b"\xff", b"\xed\xa0\x80", b"\x7f", b"\x00", b"\x0b", b"\xef\xbb\xbf"),
        *(
            b" ",
            b"\n",
            b"{",
            b"}",
            b"[",
            b"]",
            b",",
            b":",
            b"null",
            b"NaN",
            b"1e999",
            b"5",
            b"true",
        ),
        *(b'"video"', b'"Screen"', b'"AUDIO"', b'""', b"{}", b"[]"),
    ]
)


def by_cattrs(content: bytes, kind: Any) -> Any:
    """Read with cattrs' own functions."""
    value = read_json(content, unique_keys=False)
    try:
        return PLAIN.structure(value, kind)
    except Exception as error:
        raise ValidationError(("refused",)) from error


def outcome(read: Any, content: bytes, kind: Any) -> object:
    """Return the result with the fields that equality ignores, or None if the body is refused."""
    try:
        made = read(content, kind)
    except ValidationError:
        return None
    return type(made), attrs.asdict(made) if attrs.has(kind) else list(map(attrs.asdict, made))


def assert_alike(content: bytes, kind: Any) -> None:
    """Require the same outcome as plain cattrs."""
    assert outcome(read_answer, content, kind) == outcome(by_cattrs, content, kind)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Draw an almost valid body: with bytes added, removed or repeated."""
    content = draw(st.sampled_from([CREATED, CREATED.replace(b":", b" : ").replace(b",", b" , ")]))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(content)))
        end = draw(st.integers(start, min(len(content), start + 30)))
        piece = draw(st.one_of(SPLICES, st.just(content[start:end] * 2), st.just(b"")))
        content = content[:start] + piece + content[draw(st.sampled_from([start, end])) :]
    return content


@USUALLY
@given(mutated(), st.booleans())
def test_mutated_bodies(content: bytes, is_listed: bool) -> None:
    """Almost valid bodies are read or refused as by cattrs."""
    assert_alike(content, AccountsParticipantsResponse)
    body = content[len(b'{"participant":') : content.rfind(b',"token"')]
    assert_alike(b"[%s,%s]" % (body, body) if is_listed else body, KINDS[1 + is_listed])


def spelt(draw: st.DrawFn, value: object) -> str:
    """Write a JSON value in a random form: repeated keys, any order, escapes, space, nulls."""
    space = draw(st.sampled_from(["", "", "", " ", "\n\t "]))
    if isinstance(value, dict):
        pairs = list(value.items())
        again = draw(
            st.sampled_from([[], [], [], pairs[:1], [(name, None) for name, _ in pairs[:1]]])
        )
        pairs = draw(st.permutations([*pairs, *again]))
        inside = ",".join(f"{space}{spelt(draw, n)}{space}:{spelt(draw, v)}" for n, v in pairs)
        return f"{{{inside}{space}}}"
    if isinstance(value, list):
        return f"[{space}{','.join(spelt(draw, each) for each in value)}]"
    written = write_json(value).decode()
    if isinstance(value, str) and draw(st.booleans()):
        plain = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{plain}"' if plain.isprintable() else written
    return written + space


@st.composite
def respelt(draw: st.DrawFn) -> tuple[bytes, Any]:
    """Draw a model and its body in a random form."""
    model = draw(MODELS)
    fields = read_json(write_answer(model))
    return spelt(draw, fields).encode("utf-8", "surrogatepass"), type(model)


@USUALLY
@given(respelt())
def test_spellings(drawn: tuple[bytes, Any]) -> None:
    """Escapes, space, nulls, any order and repeated keys are read as by cattrs."""
    assert_alike(*drawn)


@USUALLY
@given(JSON, st.sampled_from(KINDS), st.data())
def test_any_json_under_known_names(value: object, kind: Any, data: st.DataObject) -> None:
    """Any JSON for a model or its fields is read or refused as by cattrs."""
    names = ["id", "tag", "sessions", "participant", "token", "publishPermissions", "participants"]
    fields = data.draw(st.dictionaries(st.sampled_from(names), JSON | st.lists(TEXT), max_size=4))
    for each in (value, fields, [fields]):
        assert_alike(write_json(each), kind)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32-be"])
def test_encodings(encoding: str) -> None:
    """Every encoding of JSON is read."""
    assert_alike('{"id":"é"}'.encode(encoding), Session)
    assert_alike('{"id":"a","id":"a"}'.encode(encoding), Session)


def test_a_model_that_was_read() -> None:
    """A model that was read equals one that the caller made."""
    read = read_answer(b'{"id":"s-1","tag":"t"}', Session)
    assert type(read) is Session
    assert hash(read) == hash(Session(id="s-1", tag="t"))
    assert pickle.loads(pickle.dumps(read)) == read
    assert weakref.ref(read)() is read
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        read.tag = "u"


# Models of a user's own route


class Colour(StrEnum):
    """A closed enum."""

    RED = "red"


def model(**options: Any) -> Any:
    """Return a decorator for a user's own model."""
    return attrs.frozen(kw_only=True, **options)


@model()
class Shouted:
    """A model whose converter changes its value."""

    id: str = attrs.field(converter=str.upper)
    extra: Mapping[str, object] = attrs.field(factory=dict)


@model()
class Coloured:
    """A model with a closed enum, and collections of every kind."""

    colour: Colour
    colours: tuple[Colour, ...] = ()
    names: list[str] | None = None
    others: frozenset[str] = frozenset()
    sessions: list[Session] | None = None
    room: Session | None = None
    note: str = ""
    extra: Mapping[str, object] = attrs.field(factory=dict)


@model()
class Given:
    """A model without fields in requests."""

    id: str = attrs.field(default="", metadata={"read_only": True})
    extra: Mapping[str, object] = attrs.field(factory=dict)


@model()
class Usual:
    """A model with non-empty defaults."""

    size: str = "large"
    tags: tuple[str, ...] = attrs.field(factory=tuple)
    extra: Mapping[str, object] = attrs.field(factory=dict)


@model()
class Nested:
    """A model that contains itself."""

    inner: "tuple[Nested, ...]" = ()
    extra: Mapping[str, object] = attrs.field(factory=dict)


@model(cache_hash=True)
class Hashed:
    """A model with a slot for its hash."""

    id: str
    extra: Mapping[str, object] = attrs.field(factory=dict, hash=False)


@model()
class Prepared:
    """A model with a hook that runs when it is made."""

    id: str
    length: int = attrs.field(init=False, default=0)
    extra: Mapping[str, object] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "length", len(self.id))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"id":"a"}', Shouted(id="A")),
        (b'{"colour":"red"}', Coloured(colour=Colour.RED)),
        (
            b'{"colour":"red","colours":["red"],"names":["n"],"others":["o"],"note":"x",'
            b'"sessions":[{"id":"s"}],"room":{"id":"r","tag":"t"}}',
            Coloured(
                colour=Colour.RED,
                colours=(Colour.RED,),
                names=["n"],
                others=frozenset({"o"}),
                sessions=[Session(id="s")],
                room=Session(id="r", tag="t"),
                note="x",
            ),
        ),
        (b'{"inner":[{"inner":[]},{}]}', Nested(inner=(Nested(), Nested()))),
        (b'{"id":"a"}', Given(id="a")),
        (b'{"size":"small","tags":["t"]}', Usual(size="small", tags=("t",))),
        (b"{}", Usual()),
        (b'{"id":"a"}', Prepared(id="a")),
    ],
)
def test_own_models(content: bytes, expected: Any) -> None:
    """Users' own models are read with their converters and hooks."""
    kind = type(expected)
    assert read_answer(content, kind) == expected
    assert_alike(content, kind)
    again = from_json_value(to_json_value(expected), kind)
    assert write_request(again) == write_request(expected)


def test_a_model_with_a_cached_hash() -> None:
    """A model that caches its hash can be read and hashed."""
    assert hash(read_answer(b'{"id":"a"}', Hashed)) == hash(Hashed(id="a"))


@pytest.mark.parametrize(
    "content",
    [
        b'{"colour":"blue"}',
        b'{"colour":5}',
        b'{"colour":"red","colours":[5]}',
        b'{"colour":"red","names":[5]}',
        b'{"colour":null}',
    ],
)
def test_invalid_bodies_of_own_models(content: bytes) -> None:
    """A body that does not fit a user's own model is refused."""
    assert outcome(read_answer, content, Coloured) is None


@attrs.frozen(kw_only=True)
class Closed:
    """A model without `extra`, with its own keys and its own reader."""

    size: int = attrs.field(default=0, metadata={"wire_name": "s"})
    even: int = attrs.field(default=0, metadata={"read": lambda value, _: value // 2 * 2})
    weight: float | None = None
    is_open: bool = False
    counts: dict[str, int] | None = None


def test_metadata_of_fields() -> None:
    """A field's metadata can give its key and its reader."""
    assert read_answer(b'{"s":1,"even":3,"weight":2}', Closed) == Closed(size=1, even=2, weight=2.0)
    assert write_request(Closed(size=1, is_open=True)) == b'{"s":1,"isOpen":true}'


def test_an_object_of_numbers() -> None:
    """A model can hold an object with any keys, whose values have a type."""
    content = b'{"counts":{"a":1,"b":2}}'
    assert read_answer(content, Closed) == Closed(counts={"a": 1, "b": 2})
    assert write_request(Closed(counts={"a": 1, "b": 2})) == content


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            b'{"new":1,"s":2}',
            "the body: there is no field 'new'; known are counts, even, isOpen, s, weight",
        ),
        (b'{"s":true}', "s: expected a whole number, found true or false"),
        (b'{"s":1.5}', "s: expected a whole number, found a number"),
        (b'{"weight":false}', "weight: expected a number, found true or false"),
        (b'{"counts":{"a":true}}', "counts: expected a whole number, found true or false"),
        (b'{"isOpen":1}', "isOpen: expected true or false, found a number"),
    ],
)
def test_nothing_is_coerced(content: bytes, problem: str) -> None:
    """Numbers and booleans are distinct, and a model without `extra` has no other fields."""
    with pytest.raises(ValidationError) as caught:
        read_answer(content, Closed)
    assert caught.value.problems == (problem,)


def test_a_deep_body_of_a_model_that_holds_itself() -> None:
    """A body that is nested too deeply is refused with its problem, in linear time."""
    with pytest.raises(ValidationError):
        read_answer(b'{"inner":[' * 400 + b"5" + b"]}" * 400, Nested)
