"""Errors without the frames whose variables hold secrets, which debuggers and loggers show."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from webrtc_async.errors import WebRtcError

ParamsT = ParamSpec("ParamsT")
ResultT = TypeVar("ResultT")
ClassT = TypeVar("ClassT", bound=type)


def hide_frames(function: Callable[ParamsT, ResultT]) -> Callable[ParamsT, ResultT]:
    """Make a function raise this package's errors without its own frame and those below it.

    Its arguments are among their variables. Other exceptions keep their frames.
    """

    @wraps(function)
    def call(*args: ParamsT.args, **kwargs: ParamsT.kwargs) -> ResultT:
        try:
            return function(*args, **kwargs)
        except WebRtcError as error:
            failure = error
        except BaseException:
            del args, kwargs
            raise
        del args, kwargs
        behind: BaseException | None = failure
        while behind is not None:
            behind.with_traceback(None)
            if behind.__suppress_context__:
                behind.__context__ = None  # raised "from None", because its text may have a secret
            behind = behind.__cause__ or behind.__context__
        raise failure

    return call


def hide_init_frames(kind: ClassT) -> ClassT:
    """Hide the frames of a class's constructor, as `hide_frames` does."""
    made = cast("type", kind)
    made.__init__ = hide_frames(made.__init__)  # type: ignore[misc]
    return kind
