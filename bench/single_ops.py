"""One operation alone, lazily, beside NumPy: what falls behind NumPy, worst first.

`python -m bench.single_ops [names] [--sizes 1000,100000,10000000] [--all]`: every function of
`bench/operations.py` on arrays of `fuse.numpy`, from the call to a real array, one thread. There is nothing
to fuse, so no gain is expected; the limit is a fifth, or 20 µs, above NumPy. Times are medians of processor
time, in turns.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np

import fuse
import fuse.numpy
from bench.equality import difference
from bench.operations import Operation, operations

SIZES = (1_000, 100_000, 10_000_000)
SLOWER, EXTRA = 1.2, 20e-6
"""How much longer than NumPy an operation may take: in proportion, or in seconds."""
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Timing:
    """Seconds of one call, medians."""

    name: str
    size: int
    library: float
    ours: float

    @property
    def ratio(self) -> float:
        return self.ours / self.library

    @property
    def is_behind(self) -> bool:
        """Whether the limit is passed."""
        return self.ratio > SLOWER and self.ours - self.library > EXTRA

    def __str__(self) -> str:
        times = f"{self.library * 1e6:12.1f} {self.ours * 1e6:12.1f}"
        return f"{self.name:44}{self.size:>10} {times} {self.ratio:7.2f}"


# Timing


def observed(value: Any) -> Any:
    """Lazy arrays as real ones."""
    if isinstance(value, tuple | list):
        return [observed(item) for item in value]
    return np.asarray(value)


def measure(operation: Operation, size: int) -> Timing:
    """Both in turns; the results are compared first. Raises DifferentResult when they differ."""
    plain = operation.make(np.random.default_rng(0), size)
    lazy = tuple(fuse.numpy.array(array) for array in plain)
    library, ours = partial(operation.run, np, *plain), partial(operation.run, fuse.numpy, *lazy)
    with np.errstate(all="ignore"):
        worst = difference(observed(library()), observed(ours()))
        if worst > TOLERANCE:
            raise AssertionError(f"results differ by {worst:.1e}")
        return Timing(operation.name, size, *_medians(lambda: library(), lambda: observed(ours())))


def _medians(library: Callable[[], Any], ours: Callable[[], Any]) -> tuple[float, float]:
    calls = max(1, round(1e-3 / max(_seconds(library, 1), 1e-7)))
    calls = min(calls, max(1, round(2e-2 / max(_seconds(ours, 1), 1e-7))))
    rounds: list[tuple[float, float]] = []
    spent, enough = 0.0, 0.15
    while len(rounds) < 5 or (spent < enough and len(rounds) < 31):
        rounds.append((_seconds(library, calls), _seconds(ours, calls)))
        spent += sum(rounds[-1]) * calls
    return median(theirs for theirs, _ in rounds), median(own for _, own in rounds)


def _seconds(call: Callable[[], Any], calls: int) -> float:
    start = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - start) / calls


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.single_ops", description=__doc__)
    parser.add_argument("names", nargs="*", help="only operations whose name begins with one of these")
    parser.add_argument("--sizes", type=lambda text: [int(float(part)) for part in text.split(",")])
    parser.add_argument("--all", action="store_true", help="also those within the limit")
    chosen = parser.parse_args(arguments)
    gc.disable()
    with fuse.config(num_threads=1):
        timings = list(_timings(chosen.names, chosen.sizes or SIZES))
    gc.enable()
    behind = [timing for timing in timings if timing.is_behind]
    print(f"{'operation':44}{'size':>10} {'NumPy µs':>12} {'fuse µs':>12} {'ratio':>7}")
    for timing in sorted(timings if chosen.all else behind, key=lambda t: -t.ratio):
        print(timing)
    print(f"{len(behind)} of {len(timings)} beyond the limit of {SLOWER:g} times or {EXTRA * 1e6:g} µs")
    return 0


def _timings(names: Sequence[str], sizes: Sequence[int]) -> Iterator[Timing]:
    for operation in operations():
        if names and not operation.name.startswith(tuple(names)):
            continue
        for size in sizes:
            try:
                yield measure(operation, size)
            except Exception as error:  # noqa: BLE001  # one failure is a line, the others go on
                print(f"{operation.name} {size}: {type(error).__name__}: {error}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
