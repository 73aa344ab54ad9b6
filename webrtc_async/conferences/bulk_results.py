"""The results of work on many conferences, as the caller takes them."""

from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from webrtc_async.conferences.pipeline import Pipeline

ResultT = TypeVar("ResultT")


class BulkResults(Generic[ResultT]):
    """The results of `set_up` or `tear_down`: an async iterator and an async context manager.

    The work starts with the first result that is asked for. Leaving the `async with` block ends it:
    unfinished conferences are deleted, and without a journal also those that were not taken. The
    same happens without a block, but then nothing waits for it until the client closes.
    """

    def __init__(self, pipeline: Pipeline[Any, ResultT]) -> None:
        self._pipeline = pipeline
        self._is_entered = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ResultT:
        try:
            return await self._pipeline.next()
        except StopAsyncIteration:
            raise
        except BaseException as error:
            # In its block a cancelled caller may ask again; the end of the block ends the work.
            if isinstance(error, Exception) or not self._is_entered:
                await self.aclose()
            raise

    async def aclose(self) -> None:
        """End the work, and wait up to `grace` for it; a second call waits for the first."""
        await self._pipeline.aclose()

    async def __aenter__(self) -> Self:
        self._is_entered = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        self._pipeline.abandon()
