"""The process of a contestant: it takes jobs, a line of JSON each, and answers each by another.

    python -m benchmarks.contestants.worker plain_httpx '{"job": "calls", "url": ...}'

Jobs come as arguments, or else on standard input until it ends. None lasts for ever.
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
from benchmarks.contestants.service import Place

LONGEST = 300
"""Seconds after which a job ends this process, and says where it was."""


def perform(contestant: Any, job: dict[str, Any]) -> dict[str, Any]:
    kind = job.pop("job")
    place = Place(job.pop("url", ""), job.pop("connections", 1), job.pop("certificate", None))
    if hasattr(contestant, kind):  # a synchronous one does its jobs itself
        return getattr(contestant, kind)(place, **job)
    return asyncio.run(JOBS[kind](contestant.connected, place, **job))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cpu", type=int)
    parser.add_argument("contestant")
    parser.add_argument("jobs", nargs="*")
    given = parser.parse_args()
    if given.cpu is not None:
        os.sched_setaffinity(0, [given.cpu])
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    contestant = importlib.import_module(f"benchmarks.contestants.{given.contestant}")
    for line in given.jobs or sys.stdin:
        faulthandler.dump_traceback_later(LONGEST, exit=True)
        print(json.dumps(perform(contestant, json.loads(line))), flush=True)
        faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main()
