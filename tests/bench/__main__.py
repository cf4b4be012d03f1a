"""python -m tests.bench [--quick] [--json] [NAME]...: all benchmarks, or those that are named.

Exit status: 0 all well, 1 something was lost or could not be measured, 2 usage.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from collections.abc import Callable

from tests.bench import fanout, logins, million, passwords, tcp, thousand
from tests.bench.report import Row, table
from tests.bench.server import BenchError

BENCHMARKS: dict[str, tuple[str, Callable[[bool], list[Row]]]] = {
    module.__name__.rpartition(".")[2]: (str(module.__doc__), module.run)
    for module in (fanout, logins, passwords, thousand, million, tcp)
}


def main() -> int:
    """Runs them one after another and prints each one's figures as soon as it is done."""
    asked = parse()
    if sys.platform != "linux":
        print("The benchmarks need Linux: epoll, and the figures of /proc.", file=sys.stderr)
        return 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    results: dict[str, list[Row]] = {}
    for name in asked.names or BENCHMARKS:
        title, run = BENCHMARKS[name]
        try:
            results[name] = run(asked.quick)
        except BenchError as problem:
            print(f"{name}: {problem}", file=sys.stderr)
            return 1
        if not asked.json:
            print(f"\n{name}: {title}\n\n{table(results[name])}", flush=True)
    if asked.json:
        print(json.dumps(results, indent=2))
    return 1 if any(row.get("lost") for rows in results.values() for row in rows) else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measures a server under load.")
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *BENCHMARKS], help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="a tenth of the messages: a look, not a measurement")
    parser.add_argument("--json", action="store_true", help="JSON instead of tables, all at the end")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
