"""A hook of PyInstaller: it does not see the modules that are loaded by name at their first use."""

from importlib.util import find_spec

from webrtc_async import _HOMES  # pyright: ignore[reportPrivateUsage]

hiddenimports = [f"webrtc_async.{module}" for module in _HOMES]
if find_spec("httpx2") is not None:
    hiddenimports.append("httpx2")  # http_library="httpx2" names it
