"""Kernels over complex numbers: the bits of NumPy's vector loops, special values included, in any layout."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from fuse import engine
from fuse.codegen.complex import OPS
from fuse.codegen.elementwise import emitted_ops
from fuse.ir import build
from fuse.ir.interpret import interpret
from fuse.ir.node import Node
from fuse.ir.scalar_ops import SCALAR_OPS
from fuse.plan.classify import can_emit
from fuse.plan.steps import KernelStep
from tests.fuzz.compare import same_bits

DTYPES = [np.dtype(np.complex64), np.dtype(np.complex128)]
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -2.0]
LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "contiguous": lambda a: a,
    "strided": lambda a: np.repeat(a, 3)[::3],
    "off by a part": lambda a: np.concatenate([[a.real[0]], a.view(a.real.dtype)])[1:].view(a.dtype),
}


def numbers(dtype: np.dtype, length: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    found = (rng.standard_normal(length) + 1j * rng.standard_normal(length)).astype(dtype)
    pairs = [complex(x, y) for x in SPECIAL for y in SPECIAL]
    found[: len(pairs)] = pairs
    return rng.permutation(found)


def applied(op: str, x: Node, y: Node) -> Node:
    if op == "select":
        return build.elementwise(op, build.elementwise("less", x, y), x, y)
    if op == "complex":
        return build.elementwise(op, build.elementwise("imag", x), build.elementwise("real", y))
    if op == "convert":
        other = np.complex64 if x.dtype == np.complex128 else np.complex128
        return build.convert(build.convert(build.elementwise("real", x), x.dtype), other)
    return build.elementwise(op, *(x, y)[: SCALAR_OPS[op].arity])


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("op", sorted(OPS))
def test_ops_have_the_bits_of_numpy(op: str, dtype: np.dtype, layout: str) -> None:
    for length in (90, 5001):
        a, b = (LAYOUTS[layout](numbers(dtype, length, seed)) for seed in (1, 2))
        x, y = (build.new_input(dtype, (length,)) for _ in range(2))
        node = applied(op, x, y)
        program = engine.compile([node], [x, y])
        assert all(isinstance(step, KernelStep) for step in program.plan.steps)
        (found,) = program.run([a, b])
        (wanted,) = interpret([node], {x: a.copy(), y: b.copy()})  # NumPy's vector loops take no strides
        if op == "absolute":
            np.testing.assert_array_max_ulp(found[np.isfinite(wanted)], wanted[np.isfinite(wanted)], 2)
            found, wanted = (np.where(np.isfinite(wanted), 0, v) for v in (found, wanted))
        assert same_bits(found, wanted)


def test_a_chain_is_one_kernel() -> None:
    x, c = (build.new_input(np.dtype(np.complex128), (3000,)) for _ in range(2))
    z = x
    for _ in range(3):
        z = build.elementwise("add", build.elementwise("multiply", z, z), c)
    node = build.elementwise("less", build.elementwise("real", z), build.elementwise("imag", z))
    program = engine.compile([node], [x, c])
    assert [type(step) for step in program.plan.steps] == [KernelStep]
    data = {n: numbers(x.dtype, 3000, seed) for seed, n in enumerate((x, c))}
    assert same_bits(program.run(list(data.values()))[0], interpret([node], data)[0])


def test_what_is_planned_can_be_emitted() -> None:
    for op in set(SCALAR_OPS) - {"complex"}:
        assert can_emit(op, [DTYPES[0]]) == (op in emitted_ops("c"))


def test_scans_and_sums_stay_with_numpy() -> None:
    x = build.new_input(np.dtype(np.complex128), (500,))
    data = {x: numbers(x.dtype, 500, 4)}
    outputs = [
        build.scan("sum", x, 0),
        build.reduce("prod", x),
        build.compress(x, build.elementwise("isnan", x)),
    ]
    found = engine.compile(outputs, [x]).run([data[x]])
    for got, wanted in zip(found, interpret(outputs, data), strict=True):
        assert same_bits(got, wanted)
