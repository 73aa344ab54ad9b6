"""The process of a contestant; it reads a job per line as JSON and prints the result as JSON.

python -m benchmarks.contestants.worker plain_httpx '{"job": "calls", "url": ..., "calls": 100}'

Jobs come as arguments, or else on standard input until it ends.
"""

import argparse
import asyncio
import faulthandler
import importlib
import json
import os
import resource
import sys
from typing import Any

from benchmarks.contestants.jobs import JOBS
from benchmarks.contestants.service import ServiceAddress

TIMEOUT = 300
"""Seconds after which a job ends this process with a traceback."""


def perform(contestant: Any, job: dict[str, Any]) -> dict[str, Any]:
    """Do a job with a module of benchmarks.contestants, and return the result."""
    kind = job.pop("job")
    address = ServiceAddress(
        job.pop("url", ""), job.pop("connections", 100), job.pop("authority", None)
    )
    return asyncio.run(JOBS[kind](contestant.connect, address, **job))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cpu", type=int)
    parser.add_argument("contestant")
    parser.add_argument("jobs", nargs="*")
    given = parser.parse_args()
    if given.cpu is not None:
        os.sched_setaffinity(0, [given.cpu])
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    contestant = importlib.import_module(f"benchmarks.contestants.{given.contestant}")
    for line in given.jobs or sys.stdin:
        faulthandler.dump_traceback_later(TIMEOUT, exit=True)
        print(json.dumps(perform(contestant, json.loads(line))), flush=True)
        faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main()
