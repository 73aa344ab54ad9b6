"""The shapes of responses in the case files.

An object can have more fields than its shape, because the service can add fields. A text in angle
brackets stands for an unknown value: `<uuid>`, `<token>`, `<text>`, `<null>`, `<null or text>`,
`<absent>`. An object `{"<set>" = [...]}` stands for an array in any order.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

_ABSENT: Final = object()


def mismatches(shape: object, found: object, where: str = "the response") -> Iterator[str]:
    """Yield the differences between a shape and a value.

    Args:
        shape: A shape from a case, with its saved values filled in.
        found: The value, from JSON.
        where: Name of the value in the texts.
    """
    if isinstance(shape, dict):
        yield from _object_mismatches(cast("dict[str, object]", shape), found, where)
    elif isinstance(shape, list):
        items = cast("list[object]", shape)
        values = _array(found)
        if values is None or len(values) != len(items):
            yield f"{where} is {_shown(found)}, not an array of {len(items)}"
            return
        for number, (item, value) in enumerate(zip(items, values, strict=True)):
            yield from mismatches(item, value, f"{where}[{number}]")
    elif isinstance(shape, str) and shape in _KINDS:
        if not _KINDS[shape](found):
            yield f"{where} is {_shown(found)}, not {shape}"
    elif shape != found or type(shape) is not type(found):
        yield f"{where} is {_shown(found)}, not {_shown(shape)}"


def _object_mismatches(shape: Mapping[str, object], found: object, where: str) -> Iterator[str]:
    if "<set>" in shape:
        wanted = sorted(map(json.dumps, cast("list[object]", shape["<set>"])))
        values = _array(found)
        if values is None or sorted(map(json.dumps, values)) != wanted:
            yield f"{where} is {_shown(found)}, not {', '.join(wanted)} in any order"
    elif not isinstance(found, dict):
        yield f"{where} is {_shown(found)}, not an object"
    else:
        for name, inner in shape.items():
            value = cast("dict[str, object]", found).get(name, _ABSENT)
            yield from mismatches(inner, value, f"{where}.{name}")


def _array(found: object) -> list[object] | None:
    return cast("list[object]", found) if isinstance(found, list) else None


def _is_token(found: object) -> bool:
    """Return True for a JWT with the claims that the vendor's browser SDK reads."""
    if not isinstance(found, str) or found.count(".") != 2:
        return False
    payload = found.split(".")[1]
    try:
        claims: Any = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        return False
    return isinstance(claims, dict) and {"a", "p", "v", "exp"} <= set(cast("Any", claims))


_KINDS: Final[Mapping[str, Callable[[object], bool]]] = {
    "<absent>": lambda found: found is _ABSENT,
    "<null>": lambda found: found is None,
    "<null or text>": lambda found: found is None or isinstance(found, str),
    "<text>": lambda found: isinstance(found, str) and found != "",
    "<token>": _is_token,
    "<uuid>": lambda found: isinstance(found, str) and _UUID.fullmatch(found) is not None,
}


def _shown(value: object) -> str:
    if value is _ABSENT:
        return "absent"
    # At most 80 characters, because it prints responses of the real service.
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
