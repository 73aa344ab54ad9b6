"""However a body is read, it is read alike: by msgspec, by json alone, or by the converter."""

import pickle
import weakref
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import JSON, MODELS, TEXT, USUALLY
from webrtc_async._codec.body_reader import BodyReader

from webrtc_async._codec.converter import build_converter, structured
from webrtc_async._codec.json import read_json
from webrtc_async._codec.model_codec import ValidationError, read_answer, write_json, write_request
from webrtc_async.models import (
    AccountsParticipantsResponse,
    Participant,
    ParticipantSubscription,
    Session,
    Subscriptions,
)

CONVERTER = build_converter(of_service=True)
REQUESTS = build_converter(of_service=False)
BY_MSGSPEC = BodyReader(CONVERTER, of_service=True)
BY_JSON = BodyReader(CONVERTER, of_service=True)
# Whatever is left to this converter fails.
ALONE = [BodyReader(None, of_service=True)]
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


def outcome(read: Any, content: bytes, kind: Any) -> object:
    """Return what is read, with what equality leaves out, or what is wrong."""
    try:
        made = read(content, kind)
    except ValidationError as misfit:
        return misfit.problems
    return type(made), attrs.asdict(made) if attrs.has(kind) else list(map(attrs.asdict, made))


def by_converter(content: bytes, kind: Any) -> Any:
    """Read by the converter, as what is wrong is always read."""
    return structured(CONVERTER, read_json(content), kind)


def assert_alike(content: bytes, kind: Any) -> None:
    """Require one outcome of all ways."""
    expected = outcome(by_converter, content, kind)
    assert outcome(BY_MSGSPEC.read, content, kind) == expected
    assert outcome(BY_JSON.read, content, kind) == expected


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Draw a body that is nearly right: with bytes put in, taken out or repeated."""
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
    """Bodies that are nearly right are read, or refused, alike on all ways."""
    assert_alike(content, AccountsParticipantsResponse)
    body = content[len(b'{"participant":') : content.rfind(b',"token"')]
    assert_alike(b"[%s,%s]" % (body, body) if is_listed else body, KINDS[1 + is_listed])


def spelt(draw: st.DrawFn, value: object) -> str:
    """Spell a JSON value at random: keys twice, in any order, escapes, space, and nulls."""
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
    """Draw a model's body in some spelling, and the model."""
    model = draw(MODELS)
    fields = read_json(write_json(CONVERTER.unstructure(model)))
    return spelt(draw, fields).encode("utf-8", "surrogatepass"), type(model)


@USUALLY
@given(respelt())
def test_spellings(drawn: tuple[bytes, Any]) -> None:
    """Escapes, space, nulls, any order and repeated keys make no difference between the ways."""
    assert_alike(*drawn)


@USUALLY
@given(JSON, st.sampled_from(KINDS), st.data())
def test_any_json_under_known_names(value: object, kind: Any, data: st.DataObject) -> None:
    """Any JSON in the place of a model or of its fields is read, or refused, alike."""
    names = ["id", "tag", "sessions", "participant", "token", "publishPermissions", "participants"]
    fields = data.draw(st.dictionaries(st.sampled_from(names), JSON | st.lists(TEXT), max_size=4))
    for each in (value, fields, [fields]):
        assert_alike(write_json(each), kind)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32-be"])
def test_encodings(encoding: str) -> None:
    """In every encoding of JSON a repeated key is found, and a body is read."""
    assert_alike('{"id":"é"}'.encode(encoding), Session)
    assert_alike('{"id":"a","id":"a"}'.encode(encoding), Session)


@pytest.mark.parametrize("reader", ALONE)
@pytest.mark.parametrize(
    "content",
    [
        CREATED,
        CREATED.replace(b",", b" , "),
        CREATED.replace(b'"t"', b'"\\u0026\\""'),
        CREATED.replace(b'"t"', b"null"),
        CREATED.replace(b"{", b'{"new":{"a":["b",1]},'),
        CREATED.replace(b'"AUDIO"', b'"Screen"'),
    ],
)
def test_the_converter_is_spared(reader: BodyReader, content: bytes) -> None:
    """What is right is read without the converter, which takes longer."""
    kind = AccountsParticipantsResponse
    assert outcome(reader.read, content, kind) == outcome(by_converter, content, kind)


@pytest.mark.parametrize("reader", [BY_MSGSPEC, BY_JSON])
def test_what_is_read_is_the_model(reader: BodyReader) -> None:
    """An object that was read is in nothing different from one that was made."""
    read = reader.read(b'{"id":"s-1","tag":"t"}', Session)
    assert type(read) is Session
    assert hash(read) == hash(Session(id="s-1", tag="t"))
    assert pickle.loads(pickle.dumps(read)) == read
    assert weakref.ref(read)() is read
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        read.tag = "u"


# Models of somebody's own route


class Colour(StrEnum):
    """An enum that takes no other values."""

    RED = "red"


def model(**options: Any) -> Any:
    """Return a decorator for an own model."""
    return attrs.frozen(kw_only=True, **options)


@model()
class Shouted:
    """Its converter changes what it is given."""

    id: str = attrs.field(converter=str.upper)
    extra: Mapping[str, object] = attrs.field(factory=dict)


@model()
class Coloured:
    """It has a closed enum, and collections of every sort."""

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
    """It has nothing that a request could say."""

    id: str = attrs.field(default="", metadata={"read_only": True})
    extra: Mapping[str, object] = attrs.field(factory=dict)


@model()
class Usual:
    """It has defaults that say something."""

    size: str = "large"
    tags: tuple[str, ...] = attrs.field(factory=tuple)
    extra: Mapping[str, object] = attrs.field(factory=dict)


@model()
class Nested:
    """It holds itself."""

    inner: "tuple[Nested, ...]" = ()
    extra: Mapping[str, object] = attrs.field(factory=dict)


@model(cache_hash=True)
class Hashed:
    """It has a slot of its own for its hash."""

    id: str
    extra: Mapping[str, object] = attrs.field(factory=dict, hash=False)


@model()
class Prepared:
    """It makes something of itself when it is made."""

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
    """Own models are what they would be if they were made: converters and hooks have run."""
    kind = type(expected)
    assert read_answer(content, kind) == expected
    assert_alike(content, kind)
    assert write_request(expected) == write_json(REQUESTS.unstructure(expected))


def test_a_hash_that_is_kept() -> None:
    """A model that keeps its hash can be read and hashed."""
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
def test_misfits_of_own_models(content: bytes) -> None:
    """What does not fit an own model is said alike on all ways."""
    assert_alike(content, Coloured)
