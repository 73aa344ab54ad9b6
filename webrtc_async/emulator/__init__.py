"""An emulator of the service, for development and tests without an account.

`EmulatorTransport` connects a client to it in the same process. `EmulatorServer` and `emulator_app`
serve it over the network; they need the extra `emulator` and are loaded when first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

from webrtc_async.emulator.core.credentials import Credentials
from webrtc_async.emulator.core.switches import Switches
from webrtc_async.emulator.doors.in_process import EmulatorTransport
from webrtc_async.emulator.emulator import Emulator
from webrtc_async.emulator.webhooks.delivery import WebhookSender

if TYPE_CHECKING:
    from webrtc_async.emulator.doors.asgi import emulator_app
    from webrtc_async.emulator.doors.server import EmulatorServer

__all__ = [
    "Credentials",
    "Emulator",
    "EmulatorServer",
    "EmulatorTransport",
    "Switches",
    "WebhookSender",
    "emulator_app",
]

_LAZY: Final = {"EmulatorServer": "doors.server", "emulator_app": "doors.asgi"}
_EXTRA: Final = frozenset({"starlette", "uvicorn"})


if not TYPE_CHECKING:  # a type checker would accept any name because of __getattr__

    def __getattr__(name: str) -> object:
        """Load a name that needs the extra when it is first used (PEP 562).

        Raises:
            ModuleNotFoundError: A package of the extra is not installed.
        """
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            value = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package not in _EXTRA:
                raise
            raise ModuleNotFoundError(
                f"{name} needs the package {package}. Install the extra: "
                "pip install 'webrtc-async[emulator]'",
                name=package,
            ) from None
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LAZY})
