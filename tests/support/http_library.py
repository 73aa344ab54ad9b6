"""The HTTP library that the tests are run on: httpx, or what HTTP_LIBRARY names.

Tests import `httpx` from here, so that every one of them can be run on httpx2 as well.
"""

import importlib
import os
from typing import Any

NAME: Any = os.environ.get("HTTP_LIBRARY", "httpx")
httpx: Any = importlib.import_module(NAME)
