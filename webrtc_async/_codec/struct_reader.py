"""Reading attrs models by msgspec, which the extra `fast` installs; the only importer of it.

msgspec takes the last of repeated keys, so what it read is counted, as model_reader says. Of
unknown fields, which it cannot keep, it makes an error, and then the other reader reads.
"""

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import UNSET, Struct, defstruct, json

from webrtc_async._codec.model_reader import Read, ReaderCode, Reading
from webrtc_async._codec.model_shape import Field, Kind, Shapes


def compile_struct_reader(kind: Kind, shapes: Shapes) -> tuple[Callable[[bytes], Any], Read]:
    """Return a decoder of JSON in UTF-8 to structs, and a reader of those."""
    structs: dict[Any, Any] = {}
    for model, fields in shapes.items():
        structs[model] = _struct(model, fields, structs)
    decode: Callable[[bytes], Any] = json.Decoder(_hint(kind, structs)).decode
    return decode, _StructReaderCode(shapes).compiled(kind)


def _struct(model: Any, fields: tuple[Field, ...], structs: dict[Any, Any]) -> type[Struct]:
    """Return a struct with a model's fields; one that is not there is UNSET."""
    return defstruct(
        model.__name__,
        [
            (each.name, _hint(each.kind, structs))
            if each.is_required
            else (each.name, _hint(each.kind, structs) | None, UNSET)
            for each in fields
        ],
        rename={each.name: each.wire for each in fields},
        forbid_unknown_fields=True,
        kw_only=True,
        gc=False,
    )


def _hint(kind: Kind, structs: dict[Any, Any]) -> Any:
    item: Any = structs.get(kind.item, kind.item)
    return item if kind.container is None else tuple[item, ...]


class _StructReaderCode(ReaderCode):
    def model_lines(self, model: Any, fields: tuple[Field, ...]) -> Iterator[str]:
        # Every field is taken to be there, and taken off where it is not.
        strings = len(fields) + sum(each.kind.is_one_text for each in fields)
        unset = self.named(UNSET)
        yield f"made, strings = {self.blank(model)}(), {strings}"
        for each in fields:
            _, made, more = self.reading(each.kind)
            put = f"made.{each.name} = "
            found = f"{put}{made}{more and f'; strings += {more}'}"
            yield f"found = value.{each.name}"
            if each.is_required:
                yield found
                continue
            default, text = self.named(each.default), int(each.kind.is_one_text)
            # What is empty is not true either, but rare.
            yield f"if found: {found}"
            yield f"elif found is {unset}: {put}{default}; strings -= {1 + text}"
            yield f"elif found is None: {put}{default}; strings -= {text}"
            yield f"else: {put}{made}"
        yield "seen[0] += strings"
        yield "made.extra = {}"
        yield f"made.__class__ = {self.named(model)}"
        yield "return made"

    def reading(self, kind: Kind) -> Reading:
        if kind.is_model:
            return Reading("True", self.collected(kind), "")
        if kind.container is None:
            return Reading("True", "found", "")
        # A struct has tuples for all of them: a set would not tell how many items there were.
        made = "found" if kind.container is tuple else f"{kind.container.__name__}(found)"
        return Reading("True", made, "len(found)")
