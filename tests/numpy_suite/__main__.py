"""`python -m tests.numpy_suite [--module test_umath --module lib.test_shape_base …] [--causes 20]`.

Prints for each module how many of the tests that NumPy passes pass with fuse, then the failures by cause.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from tests.numpy_suite.causes import grouped
from tests.numpy_suite.explained import reason
from tests.numpy_suite.outcomes import Outcome, run
from tests.numpy_suite.rewriting import paths

MODULES = (
    "test_umath", "test_ufunc", "test_numeric", "test_multiarray", "test_indexing", "test_shape_base",
    "test_function_base", "test_arrayprint", "test_scalarmath", "test_einsum", "test_item_selection",
    "test_half", "test_nep50_promotions", "test_umath_complex", "test_indexerrors", "test_scalar_methods",
    "lib.test_arraypad", "lib.test_arraysetops", "lib.test_function_base", "lib.test_histograms",
    "lib.test_index_tricks", "lib.test_nanfunctions", "lib.test_shape_base", "lib.test_stride_tricks",
    "lib.test_twodim_base", "lib.test_type_check", "lib.test_ufunclike",
    "linalg.test_linalg", "fft.test_pocketfft", "fft.test_helper",
    "random.test_random", "random.test_randomstate", "random.test_generator_mt19937",
)  # fmt: skip


def main() -> int:
    """How many failures of what NumPy passes are not explained, at most 100, as the exit code."""
    arguments = _arguments()
    known = paths()
    failures: list[Outcome] = []
    passed = 0
    for name in arguments.module or MODULES:
        ours, good = _module(name, known[name])
        failures += ours
        passed += good
    unexplained = [failure for failure in failures if reason(failure) is None]
    _print_reasons(failures)
    _print_causes(unexplained, arguments.causes)
    if arguments.write is not None:
        arguments.write.write_text(json.dumps([asdict(failure) for failure in failures], indent=1))
    print(f"\nall: {passed} of {passed + len(failures)}, {_share(passed, len(failures))}")
    print(f"not explained: {len(unexplained)}")
    return min(len(unexplained), 100)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.numpy_suite", description=__doc__)
    parser.add_argument("--module", action="append", metavar="NAME", help="all of the list if not given")
    parser.add_argument("--causes", type=int, default=40, help="how many causes to print")
    parser.add_argument("--write", type=Path, help="a JSON file for the failures")
    return parser.parse_args()


def _module(name: str, path: Path) -> tuple[list[Outcome], int]:
    """The failures among what NumPy passes, and how many pass."""
    plain = [test for test, outcome in run(path, "numpy").items() if outcome.outcome == "passed"]
    found = run(path, "fuse")
    outcomes = [found.get(test) or Outcome(test, "failed", f"not reached in {name}") for test in plain]
    failures = [outcome for outcome in outcomes if outcome.outcome != "passed"]
    good = len(plain) - len(failures)
    print(f"{name:28} {good:6} of {len(plain):6}  {_share(good, len(failures))}", flush=True)
    return failures, good


def _share(passed: int, failed: int) -> str:
    return f"{100 * passed / max(passed + failed, 1):.2f} %"


def _print_reasons(failures: list[Outcome]) -> None:
    for why, count in Counter(filter(None, map(reason, failures))).most_common():
        print(f"{count:5} explained: {why}")


def _print_causes(failures: list[Outcome], limit: int) -> None:
    for text, tests in grouped(failures)[:limit]:
        print(f"\n{len(tests):5} × {text}")
        for outcome in tests[:3]:
            print(f"        {outcome.test}  {outcome.line}")


if __name__ == "__main__":
    sys.exit(main())
