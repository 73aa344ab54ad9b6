"""Where `webrtc-async` and `python -m webrtc_async.cli` begin."""

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
    program()


if __name__ == "__main__":
    main()
