"""Single precision against our own double precision: every argument, the comparison compiled too."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from llvmlite import ir

from fuse.codegen.math import MATH
from fuse.codegen.scalar import FLOAT, Scalar
from tests.accuracy.compiled import HOST, Kernel, Target

CHUNK = 1 << 20
THREADS = 2
LANES = 16
SMALLEST_EXPONENT = 0x3810000000000000
"""The word of 2**-126, below which single precision's spacing no longer shrinks."""


def error_of(name: str) -> Callable[..., ir.Value]:
    """An emitter of the distance, in single-precision ulps, between both precisions of a function.

    Equal infinities and a pair of NaNs are at distance 0; a single infinity is infinitely far, unless the
    double rounds to it.
    """

    def emit(s: Scalar, *args: ir.Value) -> ir.Value:
        got = MATH[name](s, *args)
        truth = MATH[name](s, *[s.fpext(arg) for arg in args])
        exponent = s.and_(s.bits(truth), 0x7FF << 52)
        exponent = s.select(
            s.icmp("<", exponent, SMALLEST_EXPONENT), s.const(exponent, SMALLEST_EXPONENT), exponent
        )
        unit = s.from_bits(s.sub(exponent, 23 << 52))
        distance = s.div(s.abs(s.sub(s.fpext(got), truth)), unit)
        equal = s.fcmp("==", got, s.fptrunc(truth, FLOAT))
        infinite = s.and_(equal, s.fcmp("==", s.abs(got), float("inf")))
        both = s.and_(s.isnan(got), s.isnan(truth))
        one = s.xor(s.isnan(got), s.isnan(truth))
        distance = s.select(s.or_(both, infinite), s.const(truth, 0.0), distance)
        return s.fptrunc(s.select(one, float("inf"), distance), FLOAT)

    return emit


def exhaustive(name: str) -> tuple[float, float]:
    """(largest error in ulps, where) over all 2**32 arguments."""
    kernel = Kernel(error_of(name), ["float32"], LANES)
    found = [(0.0, 0.0)] * THREADS

    def work(thread: int) -> None:
        steps = np.arange(CHUNK, dtype=np.uint32)
        out = np.empty(CHUNK, np.float32)
        for start in range(thread * CHUNK, 1 << 32, THREADS * CHUNK):
            x = (steps + np.uint32(start)).view(np.float32)
            kernel.run(out, x)
            place = int(out.argmax())
            if out[place] > found[thread][0]:
                found[thread] = float(out[place]), float(x[place])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(found)


def sampled(
    name: str, arrays: list[np.ndarray], lanes: int = LANES, target: Target = HOST
) -> tuple[float, tuple[float, ...]]:
    """(largest error in ulps, where) over these single-precision arguments."""
    kernel = Kernel(error_of(name), ["float32"] * len(arrays), lanes, target)
    out = kernel(*arrays)
    place = int(out.argmax())
    return float(out[place]), tuple(float(a[place]) for a in arrays)
