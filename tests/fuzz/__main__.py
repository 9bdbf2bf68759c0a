"""Long runs: `python -m tests.fuzz --count 10000 --seed 7 [--run optimized|compiled]`."""

from __future__ import annotations

import argparse
import sys

from tests.fuzz.check import RUNS, check
from tests.fuzz.graphs import random_program


def main() -> int:
    """Number of seeds that failed, as the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--run", choices=sorted(RUNS), action="append")
    arguments = parser.parse_args()
    failed = 0
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        for name in arguments.run or sorted(RUNS):
            try:
                check(random_program(seed, arguments.steps), RUNS[name])
            except AssertionError as error:
                failed += 1
                print(f"seed {seed}, {name}: {error}\n", flush=True)
    print(f"{arguments.count} programs, {failed} failures")
    return min(failed, 100)


if __name__ == "__main__":
    sys.exit(main())
