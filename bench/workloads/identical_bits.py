"""The same bits with 1, 2, 3 and 7 threads, and with code for AVX-512 and for AVX2.

SSE2 has no fused multiply-add, so its transcendental functions may differ by ulps; its row says by how much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import fuse
from bench.case import Reading, Row, fact
from bench.equality import difference
from bench.rounds import Settings
from bench.workloads import black_scholes, crime_index, filter_sum
from examples import breast_cancer

SIZE = 400_003
NAME = "identical_bits"
THREADS = (1, 2, 3, 7)
AVX512, AVX2, SSE2 = "x86-64-v4", "x86-64-v3", "x86-64"
Call = Callable[[], Any]


def calls() -> Iterator[tuple[str, Call]]:
    """The other workloads on a length that no block divides."""
    prices, cities, numbers = (
        module.random_data(SIZE) for module in (black_scholes, crime_index, filter_sum)
    )
    patients, score = breast_cancer.many_rows(SIZE), breast_cancer.build()
    yield "black_scholes", lambda: black_scholes.jitted(*prices)
    yield "crime_index", lambda: crime_index.crime_index_jitted(cities)
    yield "crime_index, filter + dot", lambda: crime_index.population_jitted(cities)
    yield "filter_sum", lambda: filter_sum.jitted(numbers)
    yield "breast_cancer", lambda: score(patients)


def rows(settings: Settings) -> Iterator[Row]:
    for name, call in calls():
        first = run(call, 1, "native")
        apart = max(difference(first, run(call, count, "native")) for count in THREADS)
        yield _row(f"{name}: threads 1, 2, 3, 7", apart)
        if "avx512f" in instruction_sets():
            yield _row(f"{name}: AVX-512, AVX2", difference(run(call, 1, AVX512), run(call, 1, AVX2)))
        yield Row(NAME, f"{name}: SSE2", 1, Reading(None, None), _text(difference(first, run(call, 1, SSE2))))


def run(call: Call, threads: int, target: str) -> Any:
    """The result with so many threads and code for this instruction set."""
    with fuse.config(num_threads=threads, target=target):
        return call()


def instruction_sets() -> frozenset[str]:
    """What this processor has, in LLVM's words."""
    from llvmlite import binding

    return frozenset(name for name, has in binding.get_host_cpu_features().items() if has)


def _row(size: str, apart: float) -> Row:
    return fact(NAME, size, max(THREADS), _text(apart), "same bits", apart == 0.0)


def _text(apart: float) -> str:
    return "same bits" if apart == 0.0 else f"off by {apart:.1e}"
