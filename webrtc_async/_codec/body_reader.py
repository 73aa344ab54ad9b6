"""Reading JSON bodies as models: at once where that is surely right, else by the converter."""

from collections.abc import Callable
from typing import Any, TypeVar

from webrtc_async._codec.collector import WORTH_IT, paused_collector
from webrtc_async._codec.converter import Converter, structured
from webrtc_async._codec.json import parsed, read_json
from webrtc_async._codec.model_shape import Kind, Shapes, kind_of, shapes_within

ModelT = TypeVar("ModelT")

Way = Callable[[bytes], Any]
"""Reads a body; what it is not sure of it leaves to the next way, the last of which says why."""


class BodyReader:
    """Reads answers (of_service), which must have what the service always gives, or requests."""

    def __init__(self, converter: Converter, *, of_service: bool) -> None:
        """Choose the converter."""
        self._converter = converter
        self._of_service = of_service
        self._ways: dict[Any, Way] = {}

    def read(self, content: bytes, model: type[ModelT]) -> ModelT:
        """Return a body as a model.

        Raises:
            ValidationError: The bytes are not JSON, or the JSON is not the model.
        """
        way = self._ways.get(model) or self._way_to(model)
        if len(content) < WORTH_IT:
            made: ModelT = way(content)
            return made
        with paused_collector():
            made = way(content)
            return made

    def _way_to(self, model: Any) -> Way:
        def by_converter(content: bytes) -> Any:
            return structured(self._converter, read_json(content), model)

        way: Way = by_converter
        kind = kind_of(model)
        shapes = shapes_within(kind, of_service=self._of_service)
        if shapes is not None:
            way = _way_by_json(kind, shapes, way)
        self._ways[model] = way
        return way


# Whatever is raised on one way is raised on the next, and on the last with its path.


def _way_by_json(kind: Kind, shapes: Shapes, otherwise: Way) -> Way:
    from webrtc_async._codec.model_reader import compile_reader  # by the first body

    read_value = compile_reader(kind, shapes)

    def read(content: bytes) -> Any:
        seen = [0]
        try:
            value, strings = parsed(content)
            made = read_value(value, seen)
        except Exception:
            return otherwise(content)
        return made if strings is None or seen[0] == strings else otherwise(content)

    return read
