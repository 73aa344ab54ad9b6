"""Entry point of `webrtc-async` and `python -m webrtc_async.cli`."""

import os
import sys

from webrtc_async.cli import INTERRUPTED


def main() -> None:
    """Run the command line, or print one line about a missing extra."""
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
    _replace_missing_streams()
    # A tag may have characters that the terminal's encoding lacks.
    if (reconfigure := getattr(sys.stdout, "reconfigure", None)) is not None:
        reconfigure(errors="backslashreplace")
    write_error: BaseException | None = None
    try:
        program()
    except* OSError as group:  # the demo's task group may hold it among other errors
        write_error = _first(group)
    if write_error is not None:
        # Python would fail again at exit when it flushes the rest of the buffer.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        is_closed_pipe = isinstance(write_error, BrokenPipeError)
        sys.exit(
            1 if is_closed_pipe else f"webrtc-async: the output cannot be written: {write_error}"
        )


def _replace_missing_streams() -> None:
    """Give output a place in a process without it: closed by a shell, or without a console."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            setattr(sys, name, open(nowhere, "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def _first(group: BaseExceptionGroup[OSError]) -> BaseException:
    first = group.exceptions[0]
    return first if isinstance(first, OSError) else _first(first)


if __name__ == "__main__":
    main()
