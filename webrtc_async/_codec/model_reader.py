"""Reading attrs models from JSON values, in straight code that is made once for each model.

It reads what is surely right and has no errors of its own: the converter can say what is wrong.
Beside an object it counts the strings that were read for it, keys and values: if they are as many
as the text has, no pair of a repeated key was dropped on the way.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, NamedTuple

from webrtc_async._codec.json import strings_of
from webrtc_async._codec.model_shape import Field, Kind, Shapes

Read = Callable[[Any, list[int]], Any]
"""Returns an object for a value, and adds to a list's one number how many strings it has."""


class UnsureError(ValueError):
    """A value is not surely what its model says."""


def compile_reader(kind: Kind, shapes: Shapes) -> Read:
    """Return a reader of what the json module makes of JSON."""
    return _ValueReaderCode(shapes).compiled(kind)


class Reading(NamedTuple):
    """How a value that is called `found` is read.

    Attributes:
        fits: Whether it is of the right type.
        made: What is made of it.
        more: How many strings are in its container; empty without one, and for models.
    """

    fits: str
    made: str
    more: str


class ReaderCode(ABC):
    """The code of a reader: a function for each model within a kind, and one for the kind."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._readers = {model: f"read{number}" for number, model in enumerate(shapes)}
        self._scope: dict[str, Any] = {"Unsure": UnsureError, "other_fields": _other_fields}

    def compiled(self, kind: Kind) -> Read:
        """Return the function for a kind."""
        source: list[str] = []
        for model, fields in self._shapes.items():
            source.append(f"def {self._readers[model]}(value, seen):")
            source += [f"    {line}" for line in self.model_lines(model, fields)]
        fits, made, more = self.reading(kind)
        source.append("def read(found, seen):")
        source.append(f"    if not ({fits}): raise Unsure")
        source.append(f"    seen[0] += {more or int(kind.is_one_text)}")
        source.append(f"    return {made}")
        # Made as attrs and cattrs make theirs, of nothing from outside.
        code = compile("\n".join(source), f"<reader of {kind.item.__name__}>", "exec")
        exec(code, self._scope)  # noqa: S102
        is_one_model = kind.is_model and kind.container is None
        read: Read = self._scope[self._readers[kind.item] if is_one_model else "read"]
        return read

    @abstractmethod
    def model_lines(self, model: Any, fields: tuple[Field, ...]) -> Iterator[str]:
        """Return the lines that read a model."""

    @abstractmethod
    def reading(self, kind: Kind) -> Reading:
        """Return how a value is read."""

    def named(self, value: object) -> str:
        """Return a name by which the code can use a value."""
        name = f"given{len(self._scope)}"
        self._scope[name] = value
        return name

    def blank(self, model: Any) -> str:
        """Return the name of a class whose objects can be filled, and then become the model's.

        A frozen class refuses assignments, and to set its slots one by one by their descriptors
        takes a call each: as long as all else together. A subclass that adds nothing but allows
        assignments has the same layout, so its objects may change to the model's class.
        """
        allowed = {each: getattr(object, each) for each in _SETTING}
        return self.named(type(model.__name__, (model,), {"__slots__": (), **allowed}))

    def collected(self, kind: Kind) -> str:
        """Return how `found` is made a model or a collection of them."""
        read = self._readers[kind.item]
        if kind.container is None:
            return f"{read}(found, seen)"
        return f"{kind.container.__name__}([{read}(each, seen) for each in found])"


class _ValueReaderCode(ReaderCode):
    def model_lines(self, model: Any, fields: tuple[Field, ...]) -> Iterator[str]:
        # Every text is taken to be there, and taken off where it is not.
        texts = sum(each.kind.is_one_text for each in fields)
        yield "if value.__class__ is not dict: raise Unsure"
        yield f"made, get = {self.blank(model)}(), value.get"
        yield f"absent, strings = 0, {texts} + len(value)"
        for each in fields:
            fits, made, more = self.reading(each.kind)
            yield f"found = get({each.wire!r})"
            yield f"if {fits}: made.{each.name} = {made}{more and f'; strings += {more}'}"
            if not each.is_required:
                absent = "absent += 1; strings -= 1" if each.kind.is_one_text else "absent += 1"
                default = self.named(each.default)
                yield f"elif found is None: made.{each.name} = {default}; {absent}"
            yield "else: raise Unsure"
        names = self.named(frozenset(each.wire for each in fields))
        yield "seen[0] += strings"
        # A null that says "not set" is no unknown field either.
        is_known = f"len(value) + absent == {len(fields)} or value.keys() <= {names}"
        yield f"if {is_known}: made.extra = {{}}"
        yield f"else: made.extra = other_fields(value, {names}, seen)"
        yield f"made.__class__ = {self.named(model)}"
        yield "return made"

    def reading(self, kind: Kind) -> Reading:
        member = self.named(_Members(kind.item).__getitem__) if kind.is_member else ""
        if kind.container is None and kind.is_model:
            return Reading("found.__class__ is dict", self.collected(kind), "")
        if kind.container is None:
            return Reading("found.__class__ is str", f"{member}(found)" if member else "found", "")
        is_list = "found.__class__ is list"
        if kind.is_model:
            return Reading(is_list, self.collected(kind), "")
        if member:
            return Reading(
                is_list, f"{kind.container.__name__}(map({member}, found))", "len(found)"
            )
        # Text is joined to nothing but text: no loop finds that out as soon.
        is_list += f" and {self.named(''.join)}(found) is not None"
        return Reading(is_list, f"{kind.container.__name__}(found)", "len(found)")


class _Members(dict[str, StrEnum]):
    """An enum's members by their values; what is spelt otherwise the enum makes a member of."""

    def __init__(self, enum: type[StrEnum]) -> None:
        super().__init__((each.value, each) for each in enum)
        self._enum = enum

    def __missing__(self, text: object) -> StrEnum:
        if not isinstance(text, str):
            raise UnsureError
        return self._enum(text)


def _other_fields(
    value: dict[str, object], names: frozenset[str], seen: list[int]
) -> dict[str, object]:
    found = {name: value[name] for name in value if name not in names}
    seen[0] += sum(map(strings_of, found.values()))
    return found


_SETTING = ("__init__", "__setattr__", "__delattr__")
