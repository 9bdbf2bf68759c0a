"""Long runs of random programs; what fails is shrunk and printed.

graphs: random graphs over every op; `--run optimized` interprets the optimized graph, `compiled` runs it.
programs: user programs over numpy and pandas, every fourth with estimators, compiled.
numpy: user programs over NumPy of up to 30 statements, jitted, replayed and lazy; `--run recorded` proves the
front end (views, writes, replays), `optimized` the optimizer too, `compiled` everything (see `engines`).
"""

from __future__ import annotations

import argparse
import sys

from tests.fuzz.check import RUNS, check
from tests.fuzz.graphs import random_program


def main() -> int:
    """Number of seeds that failed, as the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("graphs", "programs", "numpy"), default="graphs")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--run", choices=("recorded", *sorted(RUNS)), action="append")
    parser.add_argument("--calls", type=int, default=3, help="calls of a NumPy program after the first")
    arguments = parser.parse_args()
    seeds = range(arguments.seed, arguments.seed + arguments.count)
    failed = _RUNNERS[arguments.what](arguments, seeds)
    print(f"{arguments.count} programs, {failed} failures")
    return min(failed, 100)


def _programs(arguments: argparse.Namespace, seeds: range) -> int:
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


def _numpy(arguments: argparse.Namespace, seeds: range) -> int:
    import warnings

    from tests.fuzz.engines import running
    from tests.fuzz.numpy_programs import random_numpy_program
    from tests.fuzz.numpy_worlds import calls_of, shrunk_complaint

    warnings.simplefilter("ignore", SyntaxWarning)  # of Python, about lines that are there to fail
    failed = 0
    for name in arguments.run or ["optimized"]:
        with running(name):
            for seed in seeds:
                said = shrunk_complaint(random_numpy_program(seed), calls_of(seed, arguments.calls))
                if said is not None:
                    failed += 1
                    print(f"seed {seed}, {name}: {said}\n", flush=True)
    return failed


_RUNNERS = {"graphs": _graphs, "programs": _programs, "numpy": _numpy}

if __name__ == "__main__":
    sys.exit(main())
