"""`ARRAY_API_TESTS_CHECKOUT=<checkout> python -m tests.array_api_suite [--examples 100] [test_linalg.py …]`.

Prints how many of the tests that NumPy passes pass with fuse, and each that does not.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.array_api_suite.running import WORLDS, hindrance, regressions, run


def main() -> int:
    """How many tests fail that NumPy passes, at most 100, as the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.array_api_suite", description=__doc__)
    parser.add_argument(
        "--examples", type=int, default=100, help="how many examples Hypothesis makes per test"
    )
    parser.add_argument("part", nargs="*", help="files or tests of the suite, all if none")
    arguments = parser.parse_args()
    why = hindrance()
    if why is not None:
        parser.error(why)
    outcomes = {}
    for world in WORLDS:
        started = time.perf_counter()
        outcomes[world] = run(world, examples=arguments.examples, parts=arguments.part)
        passed = sum(not error for error in outcomes[world].values())
        seconds = time.perf_counter() - started
        print(f"{world:9} {passed:5} of {len(outcomes[world]):5} pass   {seconds:4.0f} s", flush=True)
    failures = 0
    for world in ("fuse", "recorded"):
        found = regressions(outcomes["numpy"], outcomes[world])
        failures += len(found)
        print(f"\n{world}: {len(found)} fail that NumPy passes")
        for test, error in found.items():
            print(f"  {test}\n      {' '.join(error.split())[:200]}")
    return min(failures, 100)


if __name__ == "__main__":
    sys.exit(main())
