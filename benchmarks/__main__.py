"""Measure side by side, print the tables and keep them: all, or those that are named.

python -m benchmarks [--quick] [imports] [codec] [call] [profile] [network] [bulk]
                     [conferences] [emulator]
"""

import argparse

from benchmarks import bulk, call, call_profile, codec, conferences, emulator, imports, network
from benchmarks.report import commit

TABLES = {
    "imports": imports,
    "codec": codec,
    "call": call,
    "profile": call_profile,
    "network": network,
    "bulk": bulk,
    "conferences": conferences,
    "emulator": emulator,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("tables", nargs="*", choices=[[], *TABLES], metavar="table")
    parser.add_argument("--quick", action="store_true", help="see that it runs; keep nothing")
    given = parser.parse_args()
    commit()  # before what is kept changes the tree
    for name in given.tables or TABLES:
        TABLES[name].main(quick=given.quick)


if __name__ == "__main__":
    main()
