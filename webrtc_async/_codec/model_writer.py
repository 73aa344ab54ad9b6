"""Writing attrs models as JSON, in straight code that is made once for each model.

It writes values that hold what their fields' types say, and has no errors of its own: all else is
left to the writer that can say what is wrong.
"""

from collections.abc import Callable, Iterator
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from webrtc_async._codec.model_shape import Field, Kind, fields_of, is_kept_as_given, known_fields

Write = Callable[[Any], str | None]
"""Returns a value as JSON, or None if the value is not what its type says."""


def compile_writer(model: Any) -> Write:
    """Return a writer of a model as a request's object, without the fields that are not set.

    A value with anything in its field `extra` is not written here.
    """
    return _compiled(model, ())


def _compiled(model: Any, above: tuple[Any, ...]) -> Write:
    sent = [each for each in known_fields(model) if not each.metadata.get("read_only")]
    # Only what is empty is left out here, and of a model that holds itself no end would be found.
    if model in above or any(each.default or not is_kept_as_given(each) for each in sent):
        return lambda _: None
    fields = {each.name: each for each in fields_of(model, of_service=False)}
    code = _WriterCode((*above, model))
    names = {each.name: f"piece{number}" for number, each in enumerate(sent)}
    lines = [line for name, piece in names.items() for line in code.lines(fields[name], piece)]
    pieces = "".join(f"{{{piece}}}" for piece in names.values())
    source = [_BEGIN, *(f"        {line}" for line in lines), _END.format(pieces=pieces)]
    # Made as attrs and cattrs make theirs, of nothing from outside.
    compiled = compile("\n".join(source), f"<writer of {model.__name__}>", "exec")
    exec(compiled, code.scope)  # noqa: S102
    write: Write = code.scope["write"]
    return write


_BEGIN = """
def write(value):
    try:
        extra = value.extra if value.__class__ is model else None
        if extra or extra.__class__ is not dict: return None"""
# What is not text has no order, and None, for what is not what its type says, joins nothing.
_END = """
    except TypeError: return None
    return '{{' + f'{pieces}'[1:] + '}}'"""


class _WriterCode:
    """The lines that write each field as a piece, and what they use."""

    def __init__(self, models: tuple[Any, ...]) -> None:
        self.scope: dict[str, Any] = {"model": models[-1], "quoted": quoted}
        self._models = models

    def lines(self, field: Field, piece: str) -> Iterator[str]:
        kind, key, default = field.kind, f',"{field.wire}":', self._named(field.default)
        yield f"found = value.{field.name}"
        if kind.container is None and kind.is_text:
            is_set = " and found" if field.default == "" else ""
            yield f"if found.__class__ is str{is_set}: {piece} = {key!r} + quoted(found)"
            yield f"elif found != {default}: return None"
        else:
            yield f"if found or found != {default}:"
            yield from (f"    {line}" for line in self._kind_lines(kind, key, piece))
        yield f"else: {piece} = ''"

    def _kind_lines(self, kind: Kind, key: str, piece: str) -> Iterator[str]:
        if not (kind.is_text or kind.is_member or kind.is_model):
            yield "return None"
        elif kind.is_member and kind.container in (None, frozenset):
            yield f"{piece} = {self._named(_MemberPieces(key, kind))}[found]"
        elif kind.container is None:
            yield f"{piece} = {key!r} + {self._writer(kind)}(found)"
        else:
            yield f"if found.__class__ is not {kind.container.__name__}: return None"
            yield f"found = {'sorted' if kind.container is frozenset else 'list'}(found)"
            yield f"{piece} = {key + '['!r} + ','.join(map({self._writer(kind)}, found)) + ']'"

    def _writer(self, kind: Kind) -> str:
        if kind.is_model:
            return self._named(_compiled(kind.item, self._models))
        return self._named(_text_writer(kind.item))

    def _named(self, value: object) -> str:
        name = f"given{len(self.scope)}"
        self.scope[name] = value
        return name


class _MemberPieces(dict[Any, str]):
    """What is written of an enum's members, one or a set of them; of known ones it is kept."""

    def __init__(self, key: str, kind: Kind) -> None:
        self._key = key
        self._is_set = kind.container is frozenset
        self._write = _text_writer(kind.item)
        self._known: frozenset[Any] = frozenset(kind.item)

    def __missing__(self, found: Any) -> str:
        if self._is_set:
            written = f"[{','.join(map(self._write, sorted(found)))}]"
        else:
            written = self._write(found)
        piece = self._key + written
        if self._known.issuperset(found if self._is_set else (found,)):
            self[found] = piece
        return piece


def _text_writer(kind: Any) -> Callable[[Any], str]:
    # Any text can become an enum's member; what has not been made one is sent as it is.
    def write(text: Any) -> str:
        if text.__class__ is not str and text.__class__ is not kind:
            raise TypeError
        return quoted(text)

    return write
