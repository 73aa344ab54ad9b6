"""The HTTP library of the tests: httpx, or the one in HTTP_LIBRARY.

Tests import `httpx` from here, so that every one of them can be run on httpx2 as well.
"""

import importlib
import os
from typing import Any

NAME: Any = os.environ.get("HTTP_LIBRARY", "httpx")
httpx: Any = importlib.import_module(NAME)
