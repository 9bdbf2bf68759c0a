"""Long runs: `python -m tests.fuzz --count 10000 --seed 7 [--run optimized|compiled]` of graphs, and
`python -m tests.fuzz programs --count 1000 --seed 7` of user programs, every fourth with estimators.
"""

from __future__ import annotations

import argparse
import sys

from tests.fuzz.check import RUNS, check
from tests.fuzz.graphs import random_program


def main() -> int:
    """Number of seeds that failed, as the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("graphs", "programs"), default="graphs")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--run", choices=sorted(RUNS), action="append")
    arguments = parser.parse_args()
    seeds = range(arguments.seed, arguments.seed + arguments.count)
    failed = _programs(seeds) if arguments.what == "programs" else _graphs(arguments, seeds)
    print(f"{arguments.count} programs, {failed} failures")
    return min(failed, 100)


def _programs(seeds: range) -> int:
    from tests.fuzz.pipelines import random_pipeline
    from tests.fuzz.programs import random_user_program
    from tests.fuzz.worlds import complaint

    failed = 0
    for seed in seeds:
        program, models = random_pipeline(seed) if seed % 4 == 3 else (random_user_program(seed), {})
        said = complaint(program, models)
        if said:
            failed += 1
            print(f"seed {seed}: {said}\n{program.source}\n", flush=True)
    return failed


def _graphs(arguments: argparse.Namespace, seeds: range) -> int:
    failed = 0
    for seed in seeds:
        for name in arguments.run or sorted(RUNS):
            try:
                check(random_program(seed, arguments.steps), RUNS[name])
            except AssertionError as error:
                failed += 1
                print(f"seed {seed}, {name}: {error}\n", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
