"""python -m tests.support.netlab: checks the emulated link. Exit status: 0 it is exact, 1 it is not or can't be."""

from __future__ import annotations

import sys

from tests.support.netlab.check import check
from tests.support.netlab.lab import why_impossible


def main() -> int:
    if why := why_impossible():
        print(why, file=sys.stderr)
        return 1
    wrong = 0
    for measured, problems in check():
        wrong += bool(problems)
        print(f"{measured}{''.join(f'  WRONG: {problem}' for problem in problems)}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
