"""Where `webrtc-async` and `python -m webrtc_async.cli` begin."""

import os
import sys

from webrtc_async.cli import INTERRUPTED


def main() -> None:
    """Run the command line, or say in one line what it needs."""
    try:
        from webrtc_async.cli.program import program
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "webrtc_async":
            raise
        sys.exit(
            f"webrtc-async: {error.name} is not installed. The command line needs an extra: "
            "pip install 'webrtc-async[cli]'"
        )
    # What others wrote, such as a tag, may have letters that the terminal has not.
    if (reconfigure := getattr(sys.stdout, "reconfigure", None)) is not None:
        reconfigure(errors="backslashreplace")
    unwritten: BaseException | None = None
    try:
        program()
    except* OSError as group:  # a task group, as the demo's, may have it among others
        unwritten = _first(group)
    if unwritten is not None:
        # What is still in the buffer cannot be written either, and Python would say so at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        is_unread = isinstance(unwritten, BrokenPipeError)
        sys.exit(1 if is_unread else f"webrtc-async: the output cannot be written: {unwritten}")


def _first(group: BaseExceptionGroup[OSError]) -> BaseException:
    first = group.exceptions[0]
    return first if isinstance(first, OSError) else _first(first)


if __name__ == "__main__":
    main()
