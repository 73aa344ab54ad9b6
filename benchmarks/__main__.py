"""Measure side by side, print the tables and write them to benchmarks/*.md.

python -m benchmarks [--quick] [call] [load] [tls] [conferences] [emulator] [imports] [profile]
"""

import argparse

from benchmarks import call, conferences, emulator, imports, load, profile, tls
from benchmarks.counting import check_tools
from benchmarks.report import commit

TABLES = {
    "call": call,
    "load": load,
    "tls": tls,
    "conferences": conferences,
    "emulator": emulator,
    "imports": imports,
    "profile": profile,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("tables", nargs="*", choices=[[], *TABLES], metavar="table")
    parser.add_argument("--quick", action="store_true", help="short runs; write no file")
    given = parser.parse_args()
    check_tools()
    commit()  # before the tables change the tree
    for name in given.tables or TABLES:
        TABLES[name].main(quick=given.quick)


if __name__ == "__main__":
    main()
