"""A reader for the fields of a JSON object; its errors name the path of the field."""

import math
from typing import cast

from attrs import frozen

from webrtc_async._codec.model_codec import is_object


class FieldError(ValueError):
    """A field is missing or has another type; the text begins with its path."""


@frozen
class Fields:
    """A JSON object and its path.

    Every method raises FieldError if the field is missing or has another type.

    Attributes:
        values: The object's fields.
        path: The object's path; empty for the root.
    """

    values: dict[str, object]
    path: str = ""

    @classmethod
    def of(cls, value: object, path: str = "") -> "Fields":
        """Return the fields of a JSON value, which must be an object."""
        if not is_object(value):
            raise FieldError(f"{path or 'the body'}: expected an object")
        return cls(value, path)

    def at(self, name: str) -> str:
        """Return the path of a field."""
        return f"{self.path}.{name[:64]}" if self.path else name[:64]

    def text(self, name: str) -> str:
        """Return a text field."""
        value = self.values.get(name)
        if not isinstance(value, str):
            raise self._unexpected(name, "text")
        return value

    def text_or_none(self, name: str) -> str | None:
        """Return a text field, or None if it is null or missing."""
        return None if self.values.get(name) is None else self.text(name)

    def number(self, name: str) -> float:
        """Return a number field."""
        value = self.values.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._unexpected(name, "a number")
        # An int can exceed the range of a float.
        if not (abs(value) < 1e300 and math.isfinite(value)):
            raise self._unexpected(name, "a smaller number")
        return float(value)

    def array(self, name: str) -> list[object]:
        """Return an array field."""
        value = self.values.get(name)
        if not isinstance(value, list):
            raise self._unexpected(name, "an array")
        return cast("list[object]", value)

    def texts(self, name: str) -> list[str]:
        """Return a field that is an array of texts."""
        values = self.array(name)
        texts = [each for each in values if isinstance(each, str)]
        if len(texts) != len(values):
            raise self._unexpected(name, "an array of texts")
        return texts

    def object(self, name: str) -> "Fields":
        """Return an object field."""
        return Fields.of(self.values.get(name), self.at(name))

    def objects(self, name: str) -> list["Fields"]:
        """Return a field that is an array of objects."""
        return [
            Fields.of(each, f"{self.at(name)}[{index}]")
            for index, each in enumerate(self.array(name))
        ]

    def only(self, *names: str) -> None:
        """Raise FieldError if the object has a field besides these."""
        for name in self.values:
            if name not in names:
                raise FieldError(f"{self.at(name)}: unknown field")

    def _unexpected(self, name: str, expected: str) -> FieldError:
        found = "expected" if name in self.values else "missing, expected"
        return FieldError(f"{self.at(name)}: {found} {expected}")
