"""A hook of PyInstaller: it does not see the modules that are loaded by name at their first use."""

from importlib.util import find_spec

from webrtc_async import _HOMES  # pyright: ignore[reportPrivateUsage]

by_setting = ["httpx2"] if find_spec("httpx2") else []  # http_library="httpx2" names it
hiddenimports = [*(f"webrtc_async.{module}" for module in _HOMES), *by_setting]
